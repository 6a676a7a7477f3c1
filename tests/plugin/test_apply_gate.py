"""The gate: what a session must have shown before anything is applied."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.plugin.apply_gate import ApplyGate, describe_faults
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS


def proving(*migrations: str) -> ApplyGate:
    """Return a gate that every check of ``migrations`` has passed."""
    gate = ApplyGate()
    gate.record("migrations", CATALOGUE_CHECK, "passed", "passed", expected="")
    for name in migrations:
        for check in CHECKS:
            gate.record(name, check, "passed", "passed", expected="")
    return gate


def test_it_opens_when_every_check_of_every_pending_migration_passed() -> None:
    gate = proving("001_a", "002_b")

    assert gate.faults(["001_a", "002_b"], "migrations") == ()


def test_it_stays_shut_for_a_migration_that_was_not_asked_about() -> None:
    faults = proving("001_a").faults(["001_a", "002_b"], "migrations")

    assert faults == tuple(f"002_b: {check} was not asked" for check in CHECKS)


def test_it_stays_shut_without_the_check_of_the_folder() -> None:
    gate = ApplyGate()

    assert gate.faults([], "migrations") == ("migrations: catalogue_reads was not asked",)


def test_a_check_that_skipped_itself_is_no_obstacle() -> None:
    gate = proving("001_a")
    gate.proved.discard(("001_a", "down_restores"))
    gate.record("001_a", "down_restores", "skipped", "skipped", expected="")

    assert gate.faults(["001_a"], "migrations") == ()


@pytest.mark.parametrize(
    ("verdict", "outcome", "expected", "fault"),
    [
        ("", "skipped", "", "skipped by something else than the check itself"),
        ("passed", "skipped", "", "skipped by something else than the check itself"),
        ("failed", "failed", "", "failed"),
        ("", "failed", "", "failed"),
        ("failed", "skipped", "known", "marked xfail (known)"),
        ("passed", "passed", "known", "marked xfail (known)"),
        ("failed", "passed", "", "passed by something else than the check itself"),
    ],
)
def test_whatever_else_became_of_a_check_keeps_it_shut(
    verdict: str, outcome: str, expected: str, fault: str
) -> None:
    gate = proving("001_a")
    gate.record("001_a", "data_survives", verdict, outcome, expected=expected)

    assert gate.faults(["001_a"], "migrations") == (f"001_a: data_survives {fault}",)


def test_a_check_of_another_migration_is_no_obstacle() -> None:
    gate = proving("001_a")
    gate.record("009_later", "data_survives", "failed", "failed", expected="")

    assert gate.faults(["001_a"], "migrations") == ()


def test_many_reasons_are_cut_short() -> None:
    reasons = tuple(f"00{number}_a: data_survives was not asked" for number in range(8))

    assert describe_faults(reasons).splitlines() == [*reasons[:5], "and 3 more"]
    assert describe_faults(reasons[:5]).splitlines() == list(reasons[:5])

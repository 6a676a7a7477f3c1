"""How migrations stand to a history."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.catalogue import Catalogue, Migration, SqlPart
from pytest_bbmigrate.catalogue.names import leading_number
from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.history.plan import (
    OUTSIDE,
    MigrationStatus,
    PlanError,
    Status,
    compare_with_history,
    history_problems,
    plan_run,
)


def migration(name: str, checksum: str) -> Migration:
    part = SqlPart(Path(f"migrations/{name}.sql"), ())
    return Migration(name, part.path, leading_number(name), part, None, Contract(), checksum)


A, B, C = (migration(name, f"sum of {name}") for name in "abc")
CATALOGUE = Catalogue(Path("migrations"), (A, B, C))

APPLIED, CHANGED, RENAMED, PENDING, OUT_OF_ORDER = Status


@pytest.mark.parametrize(
    ("applied", "expected", "missing"),
    [
        ({}, [PENDING, PENDING, PENDING], ()),
        ({"a": "sum of a"}, [APPLIED, PENDING, PENDING], ()),
        ({"a": "sum of a", "b": "sum of b", "c": "sum of c"}, [APPLIED] * 3, ()),
        ({"a": "another"}, [CHANGED, PENDING, PENDING], ()),
        ({"b": "sum of b"}, [OUT_OF_ORDER, APPLIED, PENDING], ()),
        ({"c": "another"}, [OUT_OF_ORDER, OUT_OF_ORDER, CHANGED], ()),
        ({"old": "sum of b"}, [OUT_OF_ORDER, RENAMED, PENDING], ()),
        ({"old": "another"}, [PENDING, PENDING, PENDING], ("old",)),
        ({"z": "1", "a": "sum of a", "y": "2"}, [APPLIED, PENDING, PENDING], ("z", "y")),
        ({"b": "sum of a"}, [OUT_OF_ORDER, CHANGED, PENDING], ()),
        ({"old": "sum of a", "older": "sum of a"}, [RENAMED, PENDING, PENDING], ("older",)),
    ],
)
def test_each_migration_stands_to_the_history_in_one_way(
    applied: dict[str, str], expected: list[Status], missing: tuple[str, ...]
) -> None:
    statuses = compare_with_history(CATALOGUE, applied)

    assert [entry.status for entry in statuses.entries] == expected
    assert [entry.migration for entry in statuses.entries] == [A, B, C]
    assert statuses.missing == missing


def test_lines_outside_that_change_the_run_are_told_apart_from_the_file() -> None:
    catalogue = Catalogue(Path("migrations"), (migration("a", "sum+digest"),))

    (entry,) = compare_with_history(catalogue, {"a": "sum"}).entries
    (problem,) = history_problems(compare_with_history(catalogue, {"a": "sum+other"}))

    assert (entry.status, entry.says_otherwise) == (CHANGED, OUTSIDE)
    assert problem == (
        "a is applied, and what bb_contracts says of how it runs (foreign_keys, no_transaction, "
        "depends) is something else since: bring these lines back as they were when it was applied"
    )
    (of_file,) = compare_with_history(catalogue, {"a": "another+digest"}).entries
    assert of_file.says_otherwise == "its file"


def test_one_applied_migration_has_only_one_new_name() -> None:
    twin = migration("twin", "sum of a")
    catalogue = Catalogue(Path("migrations"), (A, twin))

    statuses = compare_with_history(catalogue, {"old": "sum of a"})

    assert statuses.entries == (
        MigrationStatus(A, RENAMED, "old"),
        MigrationStatus(twin, PENDING, None),
    )


def test_a_stock_gives_the_migrations_that_stand_alike() -> None:
    late = migration("d", "sum of d")
    catalogue = Catalogue(Path("migrations"), (A, late, B, C, migration("e", "sum of e")))

    statuses = compare_with_history(catalogue, {"a": "sum of a", "b": "another", "old": "sum of c"})

    assert statuses.applied == (A, B, C)
    assert statuses.pending == (late, catalogue.migrations[-1])
    assert statuses.changed == (B,)
    assert statuses.renamed == (C,)
    assert statuses.out_of_order == (late,)


D, E = (migration(name, f"sum of {name}") for name in ("004_d", "005_e"))
LONGER = Catalogue(Path("migrations"), (A, B, C, D, E))
FILES = {m.name: m.checksum for m in LONGER.migrations}


def having(*names: str, **changed: str) -> dict[str, str]:
    """Return a history with these migrations, and with others under other checksums."""
    return {**{name: FILES[name] for name in names}, **changed}


@pytest.mark.parametrize(
    ("applied", "to", "expected"),
    [
        (having(), "", [A, B, C, D, E]),
        (having("a", "b"), "", [C, D, E]),
        (having("a", "b"), "c", [C]),
        (having("a", "b"), "004_d", [C, D]),
        (having("a", "b"), "004_d.sql", [C, D]),
        (having("a", "b"), "4", [C, D]),
        (having("a", "b"), "b", []),
        (having("a", "b", "c", "004_d", "005_e"), "", []),
        (having("a", "b", "c", "004_d", "005_e"), "5", []),
        ({"old": "sum of a"}, "", [B, C, D, E]),
    ],
)
def test_what_is_pending_runs_in_the_order_of_the_files(
    applied: dict[str, str], to: str, expected: list[Migration]
) -> None:
    assert plan_run(compare_with_history(LONGER, applied), to=to) == tuple(expected)


@pytest.mark.parametrize(
    ("to", "expected"), [("", [A, C, E]), ("c", [A, C]), ("a", [A]), ("005_e", [A, C, E])]
)
def test_late_ones_run_before_what_comes_after_them_when_they_may(
    to: str, expected: list[Migration]
) -> None:
    statuses = compare_with_history(LONGER, having("b", "004_d"))

    assert plan_run(statuses, to=to, allow_late=True) == tuple(expected)


def problems_of(
    applied: dict[str, str], *, to: str = "", allow_late: bool = False
) -> tuple[str, ...]:
    """Return why nothing may run."""
    with pytest.raises(PlanError) as caught:
        plan_run(compare_with_history(LONGER, applied), to=to, allow_late=allow_late)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_late_ones_are_refused_and_the_ways_out_named() -> None:
    problem = (
        "{} is pending, and {}, which comes after it, is applied: give {}.sql a number after the "
        "last applied one, or run it now, in the order that makes, with --bb-allow-late"
    )

    assert problems_of(having("b", "004_d")) == (
        problem.format("a", "b", "a"),
        problem.format("c", "004_d", "c"),
    )
    assert problems_of(having("b", "004_d"), to="a") == (problem.format("a", "b", "a"),)


def test_a_changed_file_is_told() -> None:
    (problem,) = problems_of(having("a", b="another"), allow_late=True)

    assert problem == (
        "b is applied, and migrations/b.sql says something else since: bring the file back as it "
        "was when it was applied, and write what is to change as a migration of its own"
    )


def test_a_missing_file_is_told() -> None:
    (problem,) = problems_of(having("a", zzz="another"), allow_late=True)

    assert problem == (
        "zzz is applied, and no file in migrations has it: bring the file back, or, if the "
        "database is ahead of these files, use the version of them that has it"
    )


def test_a_file_that_was_renamed_and_changed_is_recognised() -> None:
    (problem,) = problems_of({**having("a", "b", "c"), "004_dd": "another"})

    assert problem.endswith(
        "; if 004_d is this one renamed, it was changed as well: bring its statements back as "
        "they were"
    )


def test_every_problem_is_told_at_once() -> None:
    problems = problems_of(having("b", c="another", zzz="1"), to="nowhere")

    assert [problem.split(" ")[0] for problem in problems] == ["c", "zzz", "--bb-to=nowhere:", "a"]


@pytest.mark.parametrize(
    ("to", "problem"),
    [
        ("004_b", "--bb-to=004_b: no migration is called '004_b'; the nearest there is: 004_d*"),
        ("9", "--bb-to=9: no migration is called '9'; *"),
        (
            "a",
            "--bb-to=a: a is applied already, and so is b after it: an apply only goes forward; *",
        ),
    ],
)
def test_a_goal_that_cannot_be_reached_is_told(to: str, problem: str) -> None:
    (found,) = problems_of(having("a", "b"), to=to)

    assert found == problem or (problem.endswith("*") and found.startswith(problem[:-1]))

"""Verdicts on real rows, without what the rows hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.masking import mask_verdict
from pytest_bbmigrate.private import Known
from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.verdict import Example, Finding, Outcome, Verdict

KNOWN = Known(
    frozenset({"payees", "iban", "cents", "rate", "key", "x", "name", "id", "money"}),
    ("UPDATE t SET cents = 0 WHERE cents > 0;",),
)
SECRETS = ("Dr. Smith", "DE89 3704", "4711.5", "815", "70617373")


def verdict_of(**fields: object) -> Verdict:
    finding = Finding("rows lost", "up", Path("migrations/003_tidy.sql"), 4, table="payees")
    for name, value in fields.items():
        object.__setattr__(finding, name, value)
    return Verdict("data_survives", "003_tidy", Outcome.FAILED, (finding,))


def text_of(verdict: Verdict) -> str:
    return describe_failure(mask_verdict(verdict, KNOWN), "pytest --bb-apply", "real")


def test_no_value_of_a_row_is_shown_and_its_kind_is() -> None:
    example = Example(
        (("iban", "DE89 3704"),),
        before=(
            ("name", "Dr. Smith"),
            ("cents", 815),
            ("rate", 4711.5),
            ("key", b"pass"),
            ("x", None),
        ),
    )
    text = text_of(verdict_of(count=1, total=7, examples=(example,)))

    assert not any(secret in text for secret in SECRETS)
    assert "iban=<text of 9>" in text
    assert "name=<text of 9>, cents=<integer>, rate=<real>, key=<blob of 4>, x=NULL" in text
    assert "payees lost 1 of 7 rows" in text


def test_a_change_shows_both_kinds() -> None:
    example = Example((("id", 815),), (("name", "Dr. Smith"),), (("name", None),))
    text = text_of(verdict_of(kind="values changed", column="name", examples=(example,)))

    assert "id=<integer>: <text of 9> -> NULL" in text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("SystemExit: 1", "SystemExit: 1"),
        ("SystemExit: 815", "SystemExit (not shown: it may hold values of the database)"),
        ("SystemExit: Dr. Smith", "SystemExit (not shown: it may hold values of the database)"),
    ],
)
def test_an_exit_code_is_no_value(said: str, shown: str) -> None:
    path = Path("migrations/003_tidy.py")
    text = text_of(verdict_of(kind="does not run", path=path, observed=said))

    assert f"observed    {shown}\n" in text


def test_what_an_invariant_gave_is_not_shown() -> None:
    text = text_of(
        verdict_of(
            kind="invariant broken", name="money", expected="[(4711.5,)]", observed="[(815,)]"
        )
    )

    assert not any(secret in text for secret in SECRETS)
    assert "invariant 'money' does not hold" in text


@pytest.mark.parametrize(
    ("observed", "shown"),
    [
        ("ValueError: no payee 'Dr. Smith'", "up does not run: ValueError (not shown"),
        (
            "IntegrityError: UNIQUE constraint failed: payees.iban",
            "UNIQUE constraint failed: payees.iban",
        ),
        ('OperationalError: near "Dr. Smith": syntax error', "OperationalError (not shown"),
        ("KeyError", "up does not run: KeyError"),
        ("Dr. Smith: is unknown", "up does not run: an exception (not shown"),
    ],
)
def test_of_an_exception_in_python_its_type_is_shown(observed: str, shown: str) -> None:
    text = text_of(
        verdict_of(
            kind="does not run",
            path=Path("migrations/003_tidy.py"),
            observed=observed,
            expected="DELETE FROM payees WHERE name = 'Dr. Smith'",
            printed="deleting Dr. Smith",
        )
    )

    assert shown in text
    assert not any(secret in text for secret in SECRETS)


def test_what_sqlite_says_of_a_statement_in_a_file_is_shown() -> None:
    text = text_of(
        verdict_of(
            kind="does not run",
            observed="CHECK constraint failed: cents > 0",
            expected="UPDATE t SET cents = 0",
        )
    )

    assert "up does not run: CHECK constraint failed: cents > 0" in text
    assert "UPDATE t SET cents = 0" in text


@pytest.mark.parametrize(
    ("observed", "shown"),
    [
        ("other rows have the same iban", "other rows have the same iban"),
        ("integer overflow", "integer overflow"),
        ("no such Dr. Smith", "an error of SQLite (not shown"),
    ],
)
def test_what_is_derived_is_masked_and_why_it_fails_is_told(observed: str, shown: str) -> None:
    example = Example((("id", 815),), (("declared", "Dr. Smith"),), (("name", 4711.5),))
    text = text_of(
        verdict_of(
            kind="derivation fails", name="payees", observed=observed, examples=(example,), count=1
        )
    )

    assert "id=<integer>, declared=<text of 9>, name=<real>" in text
    assert shown in text
    assert not any(secret in text for secret in SECRETS)


def test_a_verdict_without_findings_is_what_it_was() -> None:
    passed = Verdict("data_survives", "003_tidy", Outcome.PASSED, rows=7)

    assert mask_verdict(passed, KNOWN) is passed


OTHER = "SELECT 1 FROM payees AS o WHERE o.id < payees.id AND o.iban = payees.iban"


@pytest.mark.parametrize(
    ("condition", "is_shown"),
    [
        (f"NOT EXISTS ({OTHER})", True),
        ('NOT EXISTS (SELECT 1 FROM "payees" AS o WHERE o.iban = "payees".iban)', True),
        (f"name <> 'o' OR NOT EXISTS ({OTHER})", False),
        ("NOT EXISTS (SELECT 1 FROM payees AS 'o' WHERE o.iban = payees.iban)", False),
        ("iban = 'payees AS o' OR o", False),
        ("NOT EXISTS (SELECT 1 FROM payees WHERE o.iban = payees.iban)", False),
    ],
)
def test_a_line_may_have_a_name_that_it_gives_itself(condition: str, *, is_shown: bool) -> None:
    line = f"-- bb: requires payees: {condition}"
    cause = (
        "the rows there hold duplicates of iban: merge them first; if real rows hold none, a "
        "requires line says so"
    )
    failed = "UNIQUE constraint failed: payees.iban"

    text = text_of(verdict_of(kind="does not run", observed=failed, cause=cause, allow=line))

    assert (line in text) is is_shown
    said = " ".join(text.split())
    assert ("says so (not shown: it may hold values of the database)" in said) is not is_shown

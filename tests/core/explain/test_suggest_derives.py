"""The line that is offered with ``drops``: what up makes of a column's values, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

BASE = "CREATE TABLE t (id INTEGER PRIMARY KEY, memo TEXT, amount REAL NOT NULL);"
ADD = "ALTER TABLE t ADD COLUMN cents INTEGER;"
GONE = "ALTER TABLE t DROP COLUMN amount;"
REBUILT = "CREATE TABLE t_new (id INTEGER PRIMARY KEY, memo TEXT, cents INTEGER);"
UNPAIRED = "CREATE TABLE t_new (id INTEGER, memo TEXT, cents INTEGER, PRIMARY KEY (id, cents));"
SWAP = "DROP TABLE t; ALTER TABLE t_new RENAME TO t;"
LINES = "CREATE TABLE lines (id INTEGER PRIMARY KEY, cents INTEGER);"


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (
            f"{ADD} UPDATE t SET cents = CAST(amount * 100 AS INTEGER); {GONE}",
            "derives t.cents = CAST(round(amount * 100) AS INTEGER)",
        ),
        (
            f"{ADD} UPDATE t SET cents = round(t.amount  *  100, 0); {GONE}",
            "derives t.cents = round(amount * 100, 0)",
        ),
        (
            (
                f"{REBUILT} INSERT INTO t_new (id, memo, cents)"
                f" SELECT o.id, o.memo, cast(o.amount / 3 AS INT) FROM t AS o; {SWAP}"
            ),
            "derives t.cents = CAST(round(amount / 3) AS INTEGER)",
        ),
        (
            (
                f"ALTER TABLE t RENAME TO old; {REBUILT.replace('t_new', 't')}"
                "INSERT INTO t (cents, memo, id) SELECT amount + 1, memo, id FROM old;"
                "DROP TABLE old;"
            ),
            "derives t.cents = amount + 1",
        ),
        (
            f"{LINES} INSERT INTO lines (id, cents) SELECT id, amount * 100 FROM t; {GONE}",
            "derives lines.cents = amount * 100 from t by id",
        ),
        (
            (
                "CREATE TABLE lines (id INTEGER PRIMARY KEY, of_t INT REFERENCES t, cents INT);"
                f"INSERT INTO lines (of_t, cents) SELECT id, amount * 100 FROM t; {GONE}"
            ),
            "derives lines.cents = amount * 100 from t by of_t",
        ),
        (
            f"CREATE TABLE lines AS SELECT id, amount * 100 AS cents FROM t; {GONE}",
            "derives lines.cents = amount * 100 from t by id",
        ),
        # Not for every row, not of this row alone, not by its key, or not told by the statement.
        (f"{ADD} UPDATE t SET cents = amount WHERE id > 9; {GONE}", ""),
        (f"{ADD} UPDATE t SET cents = (SELECT sum(amount) FROM t); {GONE}", ""),
        (f"CREATE TABLE lines AS SELECT memo, sum(amount) AS n FROM t GROUP BY memo; {GONE}", ""),
        (f"CREATE TABLE lines AS SELECT memo, amount FROM t; {GONE}", ""),
        (f"UPDATE t SET memo = amount; {GONE}", ""),
        # The rows of the table itself get other ids, or a key that takes the column in.
        (f"{REBUILT} INSERT INTO t_new (memo, cents) SELECT memo, amount * 100 FROM t; {SWAP}", ""),
        (
            (
                f"{UNPAIRED} INSERT INTO t_new (id, memo, cents)"
                f" SELECT id, memo, amount * 9 FROM t; {SWAP}"
            ),
            "",
        ),
        (GONE, ""),
        # It is there.
        (
            (
                f"-- bb: derives t.cents = amount * 100\n{ADD}"
                f"UPDATE t SET cents = amount * 100; {GONE}"
            ),
            "",
        ),
    ],
)
def test_a_lost_column_is_answered_with_what_became_of_it(
    tmp_path: Path, step: str, line: str
) -> None:
    findings = judge_last("data_survives", chain_of(tmp_path, BASE, step)).findings
    (lost,) = (finding for finding in findings if finding.kind == "column lost")

    assert lost.allow == "-- bb: drops t.amount"
    assert lost.prove == (f"-- bb: {line}" if line else "")


def test_the_lines_that_are_offered_are_enough(tmp_path: Path) -> None:
    step = f"{LINES} INSERT INTO lines (id, cents) SELECT id, amount * 100 FROM t; {GONE}"
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    (lost,) = judge_last("data_survives", chain_of(tmp_path / "one", BASE, step)).findings
    declared = f"{lost.allow}\n{lost.prove}\n{step}"
    verdict = judge_last("data_survives", chain_of(tmp_path / "two", BASE, declared))

    assert verdict.findings == ()


def test_cents_that_were_cut_have_their_cause(tmp_path: Path) -> None:
    lines = "-- bb: drops t.amount\n-- bb: derives t.cents = CAST(round(amount * 100) AS INTEGER)\n"
    step = f"{lines}{ADD} UPDATE t SET cents = CAST(amount * 100 AS INTEGER); {GONE}"
    (finding,) = judge_last("data_survives", chain_of(tmp_path, BASE, step, rows=60)).findings

    assert (finding.kind, finding.cause) == ("values not derived", "cast")

"""Values that a contract derives: which rows they are for, and what is told where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.checks.judging import judge_catalogue
from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = "CREATE TABLE entries (id INTEGER PRIMARY KEY, memo TEXT, amount REAL NOT NULL);"
LINES = "CREATE TABLE lines (id INTEGER PRIMARY KEY, cents INTEGER);"
MOVE = f"{LINES} INSERT INTO lines SELECT id, CAST(round(amount * 100) AS INTEGER) FROM entries;"
GONE = "ALTER TABLE entries DROP COLUMN amount;"
CENTS = "CAST(round(amount * 100) AS INTEGER)"
ADD = "ALTER TABLE entries ADD COLUMN cents INTEGER;"
NO_KEY = "CREATE TABLE entries (memo TEXT, amount REAL);"


def files(lines: str, step: str) -> str:
    return "".join(f"-- bb: {line}\n" for line in lines.splitlines()) + step


@pytest.mark.parametrize(
    ("base", "lines", "step"),
    [
        (ENTRIES, f"derives entries.cents = {CENTS}", f"{ADD} UPDATE entries SET cents = {CENTS};"),
        # As the column stores it: text becomes a number, a whole number a real.
        (
            ENTRIES,
            "derives entries.n = id || ''\nderives entries.r = id",
            (
                "ALTER TABLE entries ADD COLUMN n INT; ALTER TABLE entries ADD COLUMN r REAL;"
                "UPDATE entries SET n = id, r = id;"
            ),
        ),
        (
            ENTRIES,
            f"drops entries.amount\nderives lines.cents = {CENTS} from entries by id",
            f"{MOVE} {GONE}",
        ),
        (
            ENTRIES,
            f"drops entries.amount\nderives lines.cents = {CENTS} from entries",
            f"{MOVE} {GONE}",
        ),
        # A changed value, under the new name of its table and of its key.
        (
            ENTRIES,
            "derives lines.memo = upper(memo)",
            (
                "UPDATE entries SET memo = upper(memo); ALTER TABLE entries RENAME TO lines;"
                "ALTER TABLE lines RENAME COLUMN id TO number;"
            ),
        ),
        # A subquery sees the tables after, and one before that is gone.
        (
            f"{ENTRIES} CREATE TABLE old (n INT); INSERT INTO old VALUES (7);",
            (
                "drops old\ndrops entries.memo\n"
                "derives entries.k = (SELECT k FROM kinds WHERE kinds.memo IS entries.memo)\n"
                "derives entries.n = (SELECT max(n) FROM old)"
            ),
            (
                "CREATE TABLE kinds (k INTEGER PRIMARY KEY, memo TEXT);"
                "INSERT INTO kinds (memo) SELECT DISTINCT memo FROM entries;"
                "ALTER TABLE entries ADD COLUMN k INT; ALTER TABLE entries ADD COLUMN n INT;"
                "UPDATE entries SET k = (SELECT k FROM kinds WHERE kinds.memo IS entries.memo),"
                " n = (SELECT max(n) FROM old);"
                "DROP TABLE old; ALTER TABLE entries DROP COLUMN memo;"
            ),
        ),
        # By rowid where there is no key, and by the columns that are named.
        (
            NO_KEY,
            "derives entries.memo = trim(memo)",
            "UPDATE entries SET memo = trim(memo);",
        ),
        (
            "CREATE TABLE entries (code TEXT, part INT, amount REAL, UNIQUE (code, part));",
            "derives lines.cents = amount * 100 from entries by code, part",
            (
                "CREATE TABLE lines (part INT, code TEXT, cents);"
                "INSERT INTO lines SELECT part, code, amount * 100 FROM entries ORDER BY 3;"
            ),
        ),
        # Rows that are declared to go or to come are left out, and so are those without a value.
        (
            ENTRIES,
            f"deletes entries where id % 2\nderives entries.cents = {CENTS}",
            f"DELETE FROM entries WHERE id % 2; {ADD} UPDATE entries SET cents = {CENTS};",
        ),
        (
            ENTRIES,
            f"deletes entries where id % 2\nderives lines.cents = {CENTS} from entries",
            (
                f"{LINES} INSERT INTO lines SELECT id, {CENTS} FROM entries WHERE NOT id % 2;"
                "DELETE FROM entries WHERE id % 2;"
            ),
        ),
        (
            ENTRIES,
            f"inserts entries\nderives entries.cents = {CENTS}",
            (
                f"{ADD} UPDATE entries SET cents = {CENTS};"
                "INSERT INTO entries (amount, cents) VALUES (1, 7);"
            ),
        ),
        (
            ENTRIES,
            "derives notes.text = memo from entries",
            (
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
                "INSERT INTO notes SELECT id, memo FROM entries WHERE memo IS NOT NULL;"
            ),
        ),
        # A table that was there takes over values of another.
        (
            f"{ENTRIES} {LINES}",
            "derives lines.cents = id from entries",
            "DELETE FROM lines; INSERT INTO lines SELECT id, id FROM entries;",
        ),
        # Several rows for each, by the column that refers to it.
        (
            ENTRIES,
            "derives parts.half = amount / 2 from entries by entry",
            (
                "CREATE TABLE parts (id INTEGER PRIMARY KEY, entry INT REFERENCES entries, half);"
                "INSERT INTO parts (entry, half) SELECT id, amount / 2 FROM entries"
                " UNION ALL SELECT id, amount / 2 FROM entries;"
            ),
        ),
        (
            "CREATE TABLE entries (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;",
            "derives entries.c = a || b",
            "ALTER TABLE entries ADD COLUMN c; UPDATE entries SET c = a || b;",
        ),
        (
            "CREATE TABLE entries (a ANY, b INT) STRICT;",
            "derives entries.c = a",
            "ALTER TABLE entries ADD COLUMN c ANY; UPDATE entries SET c = a;",
        ),
    ],
)
def test_a_column_that_holds_what_is_derived_passes(
    tmp_path: Path, base: str, lines: str, step: str
) -> None:
    chain = chain_of(tmp_path, base, files(lines, step), rows=40)
    catalogue, verdict = judge_catalogue(chain), judge_last("data_survives", chain, strict=True)

    assert (catalogue.findings, verdict.findings) == ((), ())
    assert verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("base", "lines", "step", "found"),
    [
        (
            ENTRIES,
            f"derives entries.cents = {CENTS}",
            f"{ADD} UPDATE entries SET cents = CAST(amount * 100 AS INTEGER);",
            ["values not derived"],
        ),
        # 1 is not 1.0, and a value that is kept as it was is not what is derived either.
        (
            ENTRIES,
            "derives entries.x = id + 0.0",
            "ALTER TABLE entries ADD COLUMN x; UPDATE entries SET x = id;",
            ["values not derived"],
        ),
        (ENTRIES, "derives entries.memo = 'x' || id", "SELECT 1;", ["values not derived"]),
        (
            ENTRIES,
            f"drops entries.amount\nderives lines.cents = {CENTS} from entries",
            f"{LINES} INSERT INTO lines SELECT id, {CENTS} FROM entries WHERE id > 9; {GONE}",
            ["rows not derived"],
        ),
        (
            f"{ENTRIES} CREATE TABLE lines (id INTEGER PRIMARY KEY CHECK (id > 9), cents INT);",
            "derives lines.cents = 5 from entries by id",
            "UPDATE lines SET cents = iif(id IN (SELECT id FROM entries), 5, 6);",
            ["rows not derived", "values not derived"],
        ),
        (
            ENTRIES,
            "derives parts.half = amount / 2 from entries by entry",
            (
                "CREATE TABLE parts (id INTEGER PRIMARY KEY, entry INT REFERENCES entries, half);"
                "INSERT INTO parts (entry, half) SELECT id, amount / 2 FROM entries"
                " UNION ALL SELECT id, amount / 3 FROM entries;"
            ),
            ["values not derived"],
        ),
        (
            ENTRIES,
            "derives entries.n = abs(-9223372036854775807 - (id = 3))",
            "ALTER TABLE entries ADD COLUMN n INT; UPDATE entries SET n = 9223372036854775807;",
            ["derivation fails"],
        ),
        (
            "CREATE TABLE entries (code TEXT PRIMARY KEY, n INT) WITHOUT ROWID;",
            "derives entries.m = json_extract(code, '$.a')",
            "ALTER TABLE entries ADD COLUMN m;",
            ["derivation fails"],
        ),
        (
            "CREATE TABLE entries (kind TEXT, n INT);",
            "derives totals.n = n from entries by kind",
            "CREATE TABLE totals AS SELECT kind, sum(n) AS n FROM entries GROUP BY kind;",
            ["derivation fails"],
        ),
        # Rows whose key holds NULL are told apart by their values.
        (
            (
                "CREATE TABLE entries (code TEXT PRIMARY KEY, n INT);"
                "INSERT INTO entries VALUES (NULL, 1), (NULL, 2);"
            ),
            "derives entries.n = n * 2",
            "UPDATE entries SET n = iif(code IS NULL, 2, n * 2);",
            ["values not derived"],
        ),
        (
            ENTRIES,
            "derives entries.memo = trim(memo)",
            "UPDATE entries SET memo = trim(memo), amount = 0;",
            ["values changed"],
        ),
    ],
)
def test_what_is_not_as_derived_is_told(
    tmp_path: Path, base: str, lines: str, step: str, found: list[str]
) -> None:
    chain = chain_of(tmp_path, base, files(lines, step), rows=40)
    verdict = judge_last("data_survives", chain)

    assert judge_catalogue(chain).findings == ()
    assert sorted({finding.kind for finding in verdict.findings}) == found


@pytest.mark.parametrize(
    ("lines", "step", "why"),
    [
        (f"derives lines.cents = {CENTS}", MOVE, "lines is new: say behind `from` which table"),
        (
            "derives lines.cents = 1 from entries",
            "CREATE TABLE lines (n INT, id INT, cents INT);",
            "nothing pairs the rows of entries with those of lines",
        ),
        ("derives entries.memo = sum(amount)", "SELECT 1;", "misuse of aggregate"),
        ("derives entries.memo = (", "SELECT 1;", "syntax error"),
        ("derives entries.memo = memmo", "SELECT 1;", "no such column: memmo"),
        # What the column holds now would prove any value right, also by a view.
        (
            "derives entries.memo = (SELECT memo FROM entries AS e WHERE e.id = entries.id)",
            "SELECT 1;",
            "which proves nothing",
        ),
        (
            "derives entries.memo = (SELECT m FROM v WHERE n = entries.id)",
            "CREATE VIEW v AS SELECT id AS n, Memo AS m FROM entries;",
            "which proves nothing",
        ),
        ("derives entries.memo = 1 by nothing", "SELECT 1;", "no column entries.nothing before"),
        (
            "derives lines.cents = 1 from entries by memo",
            MOVE,
            "no column lines.memo to pair rows by",
        ),
        ("drops entries.memo\nderives entries.memo = 1", "ALTER TABLE entries DROP memo;", "after"),
        ("derives entries.id = 1", "SELECT 1;", "nothing pairs"),
        ("derives lines.cents = 1 from lines", MOVE, "there is no table lines before"),
        ("drops entries\nderives entries.memo = 1", "DROP TABLE entries;", "there is no table"),
    ],
)
def test_a_line_that_nothing_can_be_judged_by_is_an_error(
    tmp_path: Path, lines: str, step: str, why: str
) -> None:
    chain = chain_of(tmp_path, ENTRIES, files(lines, step))
    (finding,) = judge_catalogue(chain).findings
    verdict = judge_last("data_survives", chain)

    assert finding.kind == "derivation fails"
    assert finding.line == len(lines.splitlines())
    assert why in finding.observed
    assert verdict.outcome is Outcome.SKIPPED
    assert "no generated row used" in verdict.reason


def test_a_line_that_no_row_used_is_unproved(tmp_path: Path) -> None:
    step = files("derives lines.cents = nullif(id, id) from entries", LINES)
    verdict = judge_last("data_survives", chain_of(tmp_path, ENTRIES, step))

    assert verdict.outcome is Outcome.SKIPPED
    assert "no row of lines has its row in entries" in verdict.reason

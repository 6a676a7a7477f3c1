"""A table that is dropped beside its copy: which copy that is, and what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

OLD = "CREATE TABLE old (id INTEGER PRIMARY KEY, text TEXT, cents INTEGER);"
NEW = "CREATE TABLE neu (id INTEGER PRIMARY KEY, text TEXT, amount INTEGER);"
DROP = "DROP TABLE old;"


@pytest.mark.parametrize(
    "step",
    [
        f"{NEW} INSERT INTO neu SELECT * FROM old; {DROP}",
        f"{NEW} INSERT INTO neu (amount, id) SELECT o.cents, o.id FROM old AS o; {DROP}",
        f"CREATE TABLE neu AS SELECT * FROM old; {DROP}",
        (
            "CREATE TABLE n AS SELECT id, upper(text) AS text FROM old;"
            f"{DROP} ALTER TABLE n RENAME TO neu;"
        ),
        f"ALTER TABLE old RENAME TO o; {NEW} INSERT INTO neu SELECT * FROM o; DROP TABLE o;",
    ],
)
def test_the_copy_is_offered_as_what_the_table_has_become(tmp_path: Path, step: str) -> None:
    verdict = judge_last("data_survives", chain_of(tmp_path, OLD, step))

    assert [(f.kind, f.allow) for f in verdict.findings] == [
        ("table lost", "-- bb: renames old -> neu")
    ]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT text, sum(cents) AS cents FROM old GROUP BY text",
        "SELECT text FROM old UNION SELECT 'x'",
        "SELECT a.text FROM old AS a, old AS b",
    ],
)
def test_what_is_computed_of_many_rows_is_no_copy(tmp_path: Path, query: str) -> None:
    step = f"CREATE TABLE neu AS {query}; {DROP}"
    verdict = judge_last("data_survives", chain_of(tmp_path, OLD, step))

    assert [f.allow for f in verdict.findings] == ["-- bb: drops old"]


@pytest.mark.parametrize(
    ("query", "lines", "kinds"),
    [
        ("SELECT * FROM old", "", []),
        ("SELECT id, text, cents FROM old WHERE cents > 9999999", "", ["rows lost"]),
        ("SELECT id, trim(text), cents FROM old", "", []),  # what is not copied is dropped
        ("SELECT * FROM old WHERE id > 3", "-- bb: deletes old where id <= 3\n", []),
        ("SELECT * FROM old WHERE id > 4", "-- bb: deletes old where id <= 3\n", ["rows lost"]),
    ],
)
def test_a_declared_drop_hides_no_row_that_the_copy_lacks(
    tmp_path: Path, query: str, lines: str, kinds: list[str]
) -> None:
    step = f"-- bb: drops old\n{lines}{NEW} INSERT INTO neu {query}; {DROP}"
    verdict = judge_last("data_survives", chain_of(tmp_path, OLD, step))

    assert [f.kind for f in verdict.findings] == kinds
    assert {f.allow for f in verdict.findings} <= {"" if lines else "-- bb: deletes old"}


def test_the_line_for_what_a_copy_lacks_allows_it(tmp_path: Path) -> None:
    step = f"-- bb: drops old\n{NEW} INSERT INTO neu SELECT * FROM old WHERE id > 4; {DROP}"
    (found,) = judge_last("data_survives", chain_of(tmp_path, OLD, step)).findings

    followed = chain_of(tmp_path, OLD, f"{found.allow}\n{step}")

    assert judge_last("data_survives", followed).outcome is Outcome.PASSED


KINDS = "CREATE TABLE kinds (id INTEGER PRIMARY KEY, text TEXT);"
WHOLE = f"{NEW} INSERT INTO neu SELECT * FROM old;"
MORE = NEW.replace("neu", "more")
IN_TWO_STEPS = f"{NEW.replace('amount', 'cents')} INSERT INTO neu SELECT * FROM t; DROP TABLE t;"


@pytest.mark.parametrize(
    ("step", "kinds", "line"),
    [
        # By CREATE TABLE .. AS, by a join, beside another, and where no one statement tells.
        (
            "CREATE TABLE neu AS SELECT * FROM old WHERE id > 4;",
            ["rows lost"],
            "deletes old",
        ),
        (
            (
                f"{NEW} INSERT INTO neu SELECT o.id, o.text, k.id FROM old o"
                " JOIN kinds k ON k.id = o.id AND k.id > 4;"
            ),
            ["rows lost"],
            "deletes old",
        ),
        (
            (
                f"CREATE TABLE names AS SELECT DISTINCT text FROM old; {NEW} INSERT INTO neu"
                " SELECT o.id, o.text, n.rowid FROM old o, names n WHERE n.text = o.text;"
            ),
            ["rows lost"],
            "deletes old",
        ),
        (
            f"CREATE TEMP TABLE t AS SELECT * FROM old WHERE id > 4; {IN_TWO_STEPS}",
            ["rows lost"],
            "deletes old",
        ),
        # To a table that was there, and shared out among two.
        ("INSERT OR IGNORE INTO kinds SELECT id + 0, text FROM old;", [], ""),
        (
            "DELETE FROM kinds; INSERT INTO kinds SELECT id, text FROM old WHERE id > 4;",
            ["rows lost"],
            "deletes old",
        ),
        (
            (
                f"{NEW} INSERT INTO neu SELECT * FROM old WHERE cents > 0;"
                f"{MORE} INSERT INTO more SELECT * FROM old WHERE cents < 0;"
            ),
            ["rows lost"],
            "deletes old",
        ),
        (
            (
                f"{NEW} INSERT INTO neu SELECT * FROM old WHERE id > 4;"
                f"{MORE} INSERT INTO more SELECT * FROM old WHERE id < 5;"
            ),
            [],
            "",
        ),
        ("CREATE TABLE neu AS SELECT text, sum(cents) FROM old GROUP BY text;", [], ""),
    ],
)
def test_no_copy_of_a_table_declared_dropped_hides_a_loss(
    tmp_path: Path, step: str, kinds: list[str], line: str
) -> None:
    declared = "-- bb: drops old\n-- bb: inserts kinds\n-- bb: deletes kinds\n"
    chain = chain_of(tmp_path, f"{OLD} {KINDS}", f"{declared}{step} {DROP}")
    verdict = judge_last("data_survives", chain)
    found = [finding for finding in verdict.findings if finding.table == "old"]

    assert [finding.kind for finding in found] == kinds
    assert {finding.allow for finding in found} == ({f"-- bb: {line}"} if line else set())


@pytest.mark.parametrize(
    ("way_back", "kinds"),
    [("", ["rows lost"]), ("\n-- migrate:down\nALTER TABLE kept RENAME TO old;", [])],
)
def test_what_is_kept_for_the_way_back_is_no_copy(
    tmp_path: Path, way_back: str, kinds: list[str]
) -> None:
    step = f"CREATE TABLE kept AS SELECT * FROM old WHERE id > 4; {DROP}"
    chain = chain_of(tmp_path, OLD, f"-- bb: drops old\n-- migrate:up\n{step}{way_back}")

    assert [f.kind for f in judge_last("data_survives", chain).findings] == kinds


@pytest.mark.parametrize(
    "step",
    [
        f"{NEW} INSERT INTO neu SELECT o.id, o.text, k.id FROM old o LEFT JOIN kinds k USING (id);",
        f"CREATE TABLE names AS SELECT DISTINCT text FROM old; {WHOLE}",
        f"CREATE TEMP TABLE t AS SELECT * FROM old WHERE id > 4; {IN_TWO_STEPS}",
    ],
)
def test_the_copy_that_tells_the_rows_apart_is_offered(tmp_path: Path, step: str) -> None:
    chain = chain_of(tmp_path, f"{OLD} {KINDS}", f"{step} {DROP}")
    lost, *_ = judge_last("data_survives", chain).findings

    assert (lost.kind, lost.allow) == ("table lost", "-- bb: renames old -> neu")


IN_TWO = (
    f"{NEW} INSERT INTO neu SELECT * FROM old WHERE id < 9;"
    f"{MORE} INSERT INTO more SELECT * FROM old WHERE id > 8;"
)


@pytest.mark.parametrize(
    ("step", "headline", "line"),
    [
        (WHOLE, "table old is gone: its 20 rows are in neu", "renames old -> neu"),
        (
            f"{NEW} INSERT INTO neu SELECT * FROM old WHERE id > 4;",
            "table old is gone: {} of its 20 rows are in neu",
            "renames old -> neu",
        ),
        (
            f"{NEW} INSERT INTO neu SELECT * FROM old WHERE id = 4;",
            "table old is gone: {} of its 20 rows are in neu",
            "drops old",
        ),
        # By their key alone: of several copies, and of one that lacks a column or computes it.
        (IN_TWO, "table old is gone: its 20 rows are found by id in neu or more", "drops old"),
        (
            f"{NEW} INSERT INTO neu SELECT id, upper(text), cents FROM old;",
            "table old is gone: its 20 rows are found by id in neu",
            "renames old -> neu",
        ),
        (
            "INSERT OR REPLACE INTO kinds SELECT id, text FROM old;",
            "table old is gone: its 20 rows are found by id in kinds",
            "drops old",
        ),
        (
            f"{NEW} INSERT INTO neu (text) SELECT text FROM old;",
            "table old is gone: rows of it are in neu",
            "renames old -> neu",
        ),
        ("SELECT 1;", "table old and its 20 rows are gone", "drops old"),
    ],
)
def test_a_reader_is_told_where_the_rows_are_and_how_many_of_them(
    tmp_path: Path, step: str, headline: str, line: str
) -> None:
    allowed = "-- bb: changes kinds.text\n-- bb: inserts kinds\n"
    chain = chain_of(tmp_path, f"{OLD} {KINDS}", f"{allowed}{step} {DROP}")
    verdict = judge_last("data_survives", chain)
    lost, *others = verdict.findings
    kept = lost.total - lost.count

    assert describe_failure(verdict, "").startswith(headline.format(kept))
    assert lost.allow == f"-- bb: {line}"
    assert [(f.kind, f.count, f.allow) for f in others] == (
        [("rows lost", lost.count, "-- bb: deletes old")] if "{}" in headline else []
    )


def test_rows_with_other_values_in_the_copy_are_not_said_to_be_there(tmp_path: Path) -> None:
    step = f"{WHOLE} UPDATE neu SET text = 'Imported'; {DROP}"
    verdict = judge_last("data_survives", chain_of(tmp_path, OLD, step))

    assert describe_failure(verdict, "").startswith(
        "table old is gone: its 20 rows are found by id in neu (and 1 more)"
    )
    assert [finding.kind for finding in verdict.findings] == ["table lost", "values changed"]


@pytest.mark.parametrize("condition", ["id > 4", "id = 4"])
def test_the_lines_for_a_part_of_the_rows_allow_all_that_was_told(
    tmp_path: Path, condition: str
) -> None:
    step = f"{NEW.replace('amount', 'cents')} INSERT INTO neu SELECT * FROM old WHERE {condition};"
    verdict = judge_last("data_survives", chain_of(tmp_path, OLD, f"{step} {DROP}"))
    lines = "\n".join(finding.allow for finding in verdict.findings)

    again = judge_last("data_survives", chain_of(tmp_path, OLD, f"{lines}\n{step} {DROP}"))

    assert (verdict.outcome, again.outcome) == (Outcome.FAILED, Outcome.PASSED)


def test_a_drop_whose_rows_are_all_elsewhere_is_noted(tmp_path: Path) -> None:
    verdict = judge_last(
        "data_survives", chain_of(tmp_path, OLD, f"-- bb: drops old\n{WHOLE}{DROP}")
    )

    (note,) = verdict.notes

    assert verdict.outcome is Outcome.PASSED
    assert note == (
        "the rows of old are in neu: with `renames old -> neu` in place of the drop, "
        "every value of them is looked at"
    )


def test_a_drop_whose_rows_are_in_two_tables_is_no_rename(tmp_path: Path) -> None:
    step = f"-- bb: drops old\n{WHOLE}{BETWEEN.replace('kind, id', 'id, id')}{DROP}"
    verdict = judge_last("data_survives", chain_of(tmp_path, OLD, step))

    assert (verdict.outcome, verdict.notes) == (Outcome.PASSED, ())


def test_a_rename_by_rebuild_that_is_declared_passes(tmp_path: Path) -> None:
    step = f"-- bb: renames old -> neu\n{NEW} INSERT INTO neu SELECT * FROM old; {DROP}"

    assert judge_last("data_survives", chain_of(tmp_path, OLD, step)).outcome is Outcome.PASSED


BETWEEN = (
    "CREATE TABLE kinds_of (kind INTEGER, old INTEGER, PRIMARY KEY (kind, old));"
    "INSERT INTO kinds_of SELECT kind, id FROM old;"
)
WITH_KIND = "CREATE TABLE old (id INTEGER PRIMARY KEY, text TEXT, cents INTEGER, kind INTEGER);"


@pytest.mark.parametrize(("condition", "outcome"), [("1", "passed"), ("id > 9", "failed")])
def test_beside_a_table_of_keys_the_copy_is_offered_and_hides_no_loss(
    tmp_path: Path, condition: str, outcome: str
) -> None:
    made = NEW.replace("amount", "cents")
    copied = f"INSERT INTO neu SELECT id, text, cents FROM old WHERE {condition};"
    step = f"{made} {copied} {BETWEEN} {DROP}"
    found = judge_last("data_survives", chain_of(tmp_path, WITH_KIND, step)).findings
    lines = [finding.allow for finding in found]

    again = judge_last("data_survives", chain_of(tmp_path, WITH_KIND, "\n".join([*lines, step])))

    assert lines == ["-- bb: renames old -> neu", "-- bb: drops old.kind"]
    assert again.outcome.value == outcome
    assert [finding.kind for finding in again.findings] == ["rows lost"] * (outcome == "failed")


def test_of_two_copies_with_a_part_of_the_columns_each_none_is_offered(tmp_path: Path) -> None:
    step = (
        "CREATE TABLE neu (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO neu SELECT id, text"
        " FROM old; CREATE TABLE more (id INTEGER PRIMARY KEY, cents INTEGER);"
        f"INSERT INTO more SELECT id, cents FROM old; {DROP}"
    )
    verdict = judge_last("data_survives", chain_of(tmp_path, OLD, step))

    assert [finding.allow for finding in verdict.findings] == ["-- bb: drops old"]

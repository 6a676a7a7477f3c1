"""What a rehearsal says is held against what was asked, and against what it has left."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.model import Preflight, Rehearsal, TableChange
from pytest_bbmigrate.apply.rehearsal.check_copy import refuse_forged_copy
from pytest_bbmigrate.apply.rehearsal.check_verdicts import refuse_forged_verdicts
from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder, rehearse
from pytest_bbmigrate.apply.rehearsal.compare_rows import RowsSeen
from pytest_bbmigrate.apply.rehearsal.witness import WitnessReport, answer, witness
from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.checks.discards import Discarded
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.identity import Identity, write_identity
from pytest_bbmigrate.history.plan import compare_with_history
from pytest_bbmigrate.history.table import Applied, record
from pytest_bbmigrate.verdict import Finding, Outcome
from tests.core.cataloguing import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = {
    "m/001_tx.sql": "CREATE TABLE tx (id INTEGER PRIMARY KEY, amount INTEGER);",
    "m/002_words.sql": "-- migrate:up\nCREATE TABLE words (word TEXT);\n"
    "-- migrate:down\nDROP TABLE words;\n",
    "m/003_memo.sql": "ALTER TABLE tx RENAME COLUMN amount TO cents;\n"
    "ALTER TABLE old RENAME TO older;\nALTER TABLE tx ADD COLUMN memo TEXT;\n",
    "scratch/.keep": "",
}
BEFORE = """
CREATE TABLE tx (id INTEGER PRIMARY KEY, amount INTEGER);
INSERT INTO tx VALUES (1, 10), (2, 20), (3, 30);
CREATE TABLE old (id INTEGER);
INSERT INTO old VALUES (1), (2);
CREATE TABLE still (id INTEGER);
INSERT INTO still VALUES (1);
CREATE VIRTUAL TABLE search USING fts5 (body);
INSERT INTO search VALUES ('one'), ('two');
"""
WHEN = "2026-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Case:
    """A sound rehearsal of two migrations, and what there is to hold it against."""

    found: Preflight
    order: RehearsalOrder
    said: Rehearsal
    seen: WitnessReport

    def faults(self) -> str:
        """Return why nothing is published, '' where it would be."""
        try:
            refuse_forged_verdicts(self.found, self.order, self.said)
            refuse_forged_copy(self.found, self.order, self.said, self.seen)
        except StepFailed as error:
            return str(error)
        return ""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Case:
    root = write(tmp_path_factory.mktemp("testimony"), FILES)
    catalogue = read_catalogue(root / "m")
    first, *pending = catalogue.migrations
    with closing(sqlite3.connect(root / "backup.db")) as db, db:
        db.executescript(BEFORE)
        record(db, Applied(first.name, first.checksum, WHEN, 0.5, 1, 1))
        write_identity(db, Identity("the id", {"older backup": "its digest"}))
    statuses = compare_with_history(catalogue, {first.name: first.checksum})
    order = RehearsalOrder(
        root / "m",
        tuple(migration.name for migration in pending),
        root / "app.db",
        root,
        before=root / "backup.db",
        folder=root / "scratch",
        work=root / "work.db",
        batch=2,
        backup="backup.db",
        backup_digest="a digest",
        identity="the id",
    )
    said = rehearse(order, lambda _: None)
    seen = witness(order.before, order.work, said.changes)
    return Case(Preflight(statuses, tuple(pending), 2), order, said, seen)


def test_a_sound_rehearsal_is_what_it_says(sound: Case) -> None:
    assert sound.faults() == ""
    assert sound.seen.after.identity == Identity(
        "the id", {"older backup": "its digest", "backup.db": "a digest"}
    )
    assert {change.table for change in sound.said.changes} == {"tx", "words", "older"}
    assert [applied.name for applied in sound.seen.after.history] == [
        "001_tx",
        "002_words",
        "003_memo",
    ]


def verdict(case: Case, at: int, **other: object) -> Case:
    """Return ``case`` with a verdict changed."""
    verdicts = list(case.said.verdicts)
    verdicts[at] = replace(verdicts[at], **other)  # type: ignore[arg-type] # forged
    return said(case, verdicts=tuple(verdicts))


def said(case: Case, **other: object) -> Case:
    return replace(case, said=replace(case.said, **other))  # type: ignore[arg-type] # likewise


def after(case: Case, **other: object) -> Case:
    side = replace(case.seen.after, **other)  # type: ignore[arg-type] # likewise
    return replace(case, seen=replace(case.seen, after=side))


def before(case: Case, **other: object) -> Case:
    side = replace(case.seen.before, **other)  # type: ignore[arg-type] # likewise
    return replace(case, seen=replace(case.seen, before=side))


def seen(case: Case, *rows: RowsSeen) -> Case:
    return replace(case, seen=replace(case.seen, rows=rows))


def history(case: Case, at: int, **other: object) -> Case:
    rows = list(case.seen.after.history)
    rows[at] = replace(rows[at], **other)  # type: ignore[arg-type] # likewise
    return after(case, history=tuple(rows))


def tables(case: Case, name: str, /, **other: object) -> Case:
    changed = tuple(
        replace(table, **other) if table.name == name else table  # type: ignore[arg-type]
        for table in case.seen.after.tables
    )
    return after(case, tables=changed)


def change(case: Case, table: str, /, **other: object) -> Case:
    changed = tuple(
        replace(each, **other) if each.table == table else each  # type: ignore[arg-type]
        for each in case.said.changes
    )
    return said(case, changes=changed)


TRIGGER = (("trigger", "t", "x"),)
FOUND = Finding("rows lost", "up", __file__)  # type: ignore[arg-type] # it is not looked at
STRANGER = Applied("009_x", "", WHEN, 0.1, 2, 1)


@pytest.mark.parametrize(
    ("forge", "message"),
    [
        (lambda c: said(c, verdicts=()), "002_words: up_applies has no verdict"),
        (lambda c: said(c, verdicts=c.said.verdicts[:-1]), "003_memo: up_repeats has no verdict"),
        (lambda c: said(c, verdicts=c.said.verdicts[6:]), "002_words: data_survives has no"),
        (lambda c: said(c, verdicts=(*c.said.verdicts, c.said.verdicts[0])), "nothing was asked"),
        (lambda c: verdict(c, 1, subject="002_wards"), "nothing was asked"),
        (lambda c: verdict(c, 1, check="all_survives"), "002_words: data_survives has no verdict"),
        (lambda c: verdict(c, 1, rows=-1), "data_survives counts less than nothing"),
        (lambda c: verdict(c, 1, rows=0), "was asked of 0 rows, and there are 8"),
        (lambda c: verdict(c, 1, findings=(FOUND,)), "data_survives and its findings"),
        (lambda c: verdict(c, 1, outcome=Outcome.FAILED), "and the working copy do not go"),
        (lambda c: verdict(c, 1, outcome=Outcome.SKIPPED), "data_survives and its reason"),
        (lambda c: verdict(c, 1, outcome=Outcome.SKIPPED, reason="no down part"), "no reason of"),
        (lambda c: verdict(c, 4, outcome=Outcome.SKIPPED, reason="no down part"), "no reason of"),
        (lambda c: verdict(c, 4, outcome=Outcome.SKIPPED, reason="down was not run"), "no"),
        (lambda c: said(c, digest=""), "the verdicts and the working copy do not go together"),
        (lambda c: said(c, digest="another"), "another one than was verified"),
        (lambda c: after(c, history=()), "the history lacks 001_tx"),
        (lambda c: after(c, history=c.seen.after.history[:-1]), "the history lacks 003_memo"),
        (
            lambda c: after(c, history=(*c.seen.after.history, STRANGER)),
            "the history has 1 migrations that were neither",
        ),
        (lambda c: after(c, history=c.seen.after.history[::-1]), "in their order"),
        (lambda c: history(c, 0, checksum="x"), "something else of what was applied before"),
        (lambda c: history(c, 0, applied_at="x"), "something else of what was applied before"),
        (lambda c: history(c, 1, checksum="x"), "another text or batch for 002_words"),
        (lambda c: history(c, 2, batch=1), "another text or batch for 003_memo"),
        (lambda c: history(c, 2, statements=-1), "less than nothing for 003_memo"),
        (lambda c: history(c, 2, seconds=float("nan")), "less than nothing for 003_memo"),
        (lambda c: after(c, attached=(("trigger", "t", "x"),)), "other indexes or triggers"),
        (
            lambda c: before(after(c, attached=TRIGGER), attached=TRIGGER),
            "the trigger t is on a table of ours, and would run after all was judged",
        ),
        (lambda c: after(c, contents=(("tx", 9),)), "the history counts other rows"),
        (lambda c: seen(c, RowsSeen("still", 0, 0, (("id", 1),))), "still have changed, unsaid"),
        (lambda c: seen(c, RowsSeen("still", 1, 1, ())), "still does not hold the rows"),
        (lambda c: change(c, "tx", columns_renamed=()), "tx has other columns than is said"),
        (lambda c: change(c, "tx", columns_added=()), "tx has other columns than is said"),
        (lambda c: change(c, "tx", columns_lost=("id",)), "has lost columns, and no migration"),
        (
            lambda c: change(c, "tx", values_changed=1, columns_changed=("id",)),
            "values of the table tx have changed, and no migration says so",
        ),
        (lambda c: change(c, "tx", rows_lost=1, rows_came=1), "have come or gone, and no"),
        (lambda c: tables(c, "still", columns=("id", "x")), "still has other columns than is said"),
        (lambda c: said(c, changes=()), "the table tx *has|the table old went, unsaid"),
        (
            lambda c: change(c, "tx", rows_after=2),
            "the table tx holds 3 rows afterwards, and not 2",
        ),
        (lambda c: change(c, "tx", rows_before=2), "the table tx holds 3 rows before, and not 2"),
        (lambda c: change(c, "tx", former="still"), "the table still holds 1 rows before"),
        (lambda c: change(c, "tx", former="older"), "not there before"),
        (lambda c: change(c, "tx", columns_added=("ESC",)), "tx has no such columns afterwards"),
        (lambda c: change(c, "tx", columns_lost=("ESC",)), "tx has no such columns before"),
        (lambda c: change(c, "tx", values_changed=-1), "changes nothing"),
        (lambda c: change(c, "tx", table="ESC"), "not there afterwards"),
        (lambda c: said(c, changes=c.said.changes * 2), "or that was named already"),
        (
            lambda c: said(c, changes=(*c.said.changes, TableChange("x", None, None))),
            "changes nothing",
        ),
        (
            lambda c: tables(c, "still", rows=0),
            "the table still has another number of rows, unsaid",
        ),
        (lambda c: tables(c, "still", name="stills"), "the table still went, unsaid"),
        (lambda c: tables(c, "search", rows=0), "search has another number of rows, unsaid"),
        (
            lambda c: change(tables(c, "tx", rows=0), "tx", rows_after=0),
            "the table tx has lost rows, and no migration says that any may go",
        ),
        (lambda c: said(c, discarded=(Discarded("ESC", "", 1),)), "was not there"),
        (lambda c: said(c, discarded=(Discarded("tx", "ESC", 1),)), "was not there"),
        (lambda c: said(c, discarded=(Discarded("tx", "", 0),)), "was not there"),
        (lambda c: said(c, journal_mode="ESC"), "journal mode"),
    ],
)
def test_what_does_not_hold_is_not_published(
    sound: Case, forge: Callable[[Case], Case], message: str
) -> None:
    told = forge(sound).faults()

    assert "so nothing was published:\n" in told
    assert any(part in told for part in message.split("|"))
    assert "ESC" not in told


def test_a_failure_ends_the_verdicts_and_leaves_no_copy(sound: Case) -> None:
    failing = verdict(sound, 1, outcome=Outcome.FAILED, findings=(FOUND,))
    failing = said(failing, digest="", verdicts=failing.said.verdicts[:6])

    refuse_forged_verdicts(failing.found, failing.order, failing.said)


def test_a_way_back_that_is_not_to_be_run_is_skipped(sound: Case) -> None:
    skipping = replace(sound, order=replace(sound.order, skip_down=True))
    for at in (4, 5):
        skipping = verdict(skipping, at, outcome=Outcome.SKIPPED, reason="down was not run")

    assert skipping.faults() == ""


def test_a_virtual_table_that_cannot_be_counted_is_no_fault(sound: Case) -> None:
    uncounted = tables(sound, "search", rows=None)
    before = replace(uncounted.seen.before, tables=uncounted.seen.after.tables)

    assert (
        "has another number"
        not in replace(uncounted, seen=replace(uncounted.seen, before=before)).faults()
    )


@pytest.mark.parametrize("left", ["text", "nothing", "view"])
def test_a_working_copy_that_does_not_read_is_said_to_be_none(
    sound: Case, tmp_path: Path, left: str
) -> None:
    work = tmp_path / "work.db"
    if left == "text":
        work.write_text("no database" * 100)
    elif left == "view":
        with closing(sqlite3.connect(work)) as db:
            db.execute("CREATE VIEW _bb_migrations AS SELECT 1")

    with pytest.raises(StepFailed, match=r"work\.db: what the rehearsal has left cannot be looked"):
        witness(sound.order.before, work)
    assert b"not seen" in answer(sound.order.before, work)

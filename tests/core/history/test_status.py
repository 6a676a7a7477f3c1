from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.catalogue import Migration, Part, PythonPart, ScriptPart, SqlPart
from pytest_bbmigrate.contract import Contract, read_contract
from pytest_bbmigrate.history.plan import MigrationStatus, MigrationStatuses, Status
from pytest_bbmigrate.history.status import describe_contract, describe_status
from pytest_bbmigrate.history.table import Applied
from pytest_bbmigrate.sql import Statement

FILE = Path("migrations/004_x.sql")
NOTHING = SqlPart(FILE, ())


def migration(
    name: str, *, title: str = "", up: Part = NOTHING, contract: Contract | None = None
) -> Migration:
    """Return a migration that does nothing unless told."""
    headers = {"Migration": title} if title else {}
    return Migration(name, FILE, None, up, None, contract or Contract(headers=headers), "")


def applied(name: str, at: str = "2026-01-05T10:00:00+00:00") -> Applied:
    """Return a line of a history."""
    return Applied(name, "", at, 0.1, 1, 1)


def pending_lines(up: Part, contract: Contract | None = None) -> tuple[str, ...]:
    """Return what is said below the line on a pending migration, statements shown."""
    entry = MigrationStatus(migration("004_x", up=up, contract=contract), Status.PENDING, None)
    return describe_status(MigrationStatuses((entry,), ()), (), "a.db", statements=True)[3:]


def test_each_migration_is_a_line_with_how_it_stands() -> None:
    statuses = MigrationStatuses(
        (
            MigrationStatus(migration("001_a", title="Tables"), Status.APPLIED, "001_a"),
            MigrationStatus(migration("002_b"), Status.CHANGED, "002_b"),
            MigrationStatus(migration("003_c"), Status.RENAMED, "c"),
            MigrationStatus(migration("004_d", title="Late"), Status.OUT_OF_ORDER, None),
            MigrationStatus(migration("005_e"), Status.APPLIED, "005_e"),
            MigrationStatus(migration("006_f", title="Next"), Status.PENDING, None),
        ),
        ("000_z",),
    )
    history = [applied(name) for name in ("000_z", "001_a", "002_b", "c", "005_e")]

    at = "2026-01-05T10:00:00+00:00"
    assert describe_status(statuses, history, "a.db") == (
        "a.db: 4 of 6 migrations applied, 2 pending, 1 changed since, 1 out of order, 1 missing",
        "",
        f"applied       001_a: {at}",
        f"changed       002_b: applied {at}, and its file says something else since",
        f"renamed       003_c: applied {at} as c",
        "out of order  004_d: Late",
        f"applied       005_e: {at}",
        "pending       006_f: Next",
        f"missing       000_z: applied {at}, and its file is gone",
    )


@pytest.mark.parametrize(
    "directive",
    [
        "changes transactions.bb_category",
        "changes transactions.bb_category where bb_category = 'Dining Out'",
        "inserts categories",
        "deletes transactions",
        "deletes transactions where amount = 0",
        "drops transactions.raw",
        "drops old_table",
        "drops index i",
        "drops trigger t",
        "drops view v",
        "renames transactions.note -> transactions.memo",
        "renames old_table -> new_table",
        "alters transactions.amount",
        "alters transactions",
        "alters index i",
        'alters trigger "my trigger"',
        "alters view v",
        "alters sequence transactions",
        'alters "odd name"."select me"',
        "irreversible because two categories become one",
        "requires unique transactions(account_id, external_id)",
        "requires transactions: amount <> 0",
        "derives transactions.cents = CAST(round(amount * 100) AS INTEGER)",
        'derives lines.cents = amount  * 100 from "the entries" by id, "by"',
        "foreign_keys on",
        "foreign_keys off",
        "no_transaction",
    ],
)
def test_a_directive_is_shown_as_it_is_written(directive: str) -> None:
    contract = read_contract(((1, f"bb: {directive}"),))

    assert describe_contract(contract) == (directive,)


def test_irreversible_needs_no_reason() -> None:
    assert describe_contract(Contract(irreversible="")) == ("irreversible",)


def test_no_contract_is_no_line() -> None:
    assert describe_contract(Contract(headers={"Migration": "Tables"})) == ()


def test_a_pending_migration_shows_what_it_declares_and_what_it_runs() -> None:
    contract = read_contract(((1, "bb: inserts t"),))
    part = SqlPart(
        FILE,
        (Statement("CREATE TABLE t (\n    a\n)", 2), Statement("INSERT INTO t VALUES (1)", 120)),
    )

    assert pending_lines(part, contract) == (
        "              inserts t",
        "                   2  CREATE TABLE t (",
        "                          a",
        "                      )",
        "                 120  INSERT INTO t VALUES (1)",
    )


@pytest.mark.parametrize(
    ("part", "line"),
    [
        (PythonPart(FILE, "upgrade", 17), "                  17  upgrade(db)"),
        (ScriptPart(Path("migrations/old.py")), "                   1  python old.py"),
    ],
)
def test_python_shows_what_is_called(part: Part, line: str) -> None:
    assert pending_lines(part) == (line,)

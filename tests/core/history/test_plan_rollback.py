"""Which migrations a rollback rolls back, and what it may take with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_bbmigrate.catalogue import Catalogue, Migration, ScriptPart, SqlPart
from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.errors import SettingsError, StepFailed
from pytest_bbmigrate.history.plan_rollback import plan_rollback
from pytest_bbmigrate.history.table import Applied

FOLDER = Path("migrations")


def migration(number: int, name: str) -> Migration:
    path = FOLDER / f"{name}.sql"
    down = SqlPart(path.with_suffix(".down.sql"), ())
    return Migration(name, path, (number,), SqlPart(path, ()), down, Contract(), f"sum of {name}")


MIGRATIONS = [migration(n, f"00{n}_{name}") for n, name in enumerate(("a", "b", "c", "d", "e"), 1)]
CATALOGUE = Catalogue(FOLDER, tuple(MIGRATIONS))


def applied(letters: str, batch: int) -> tuple[Applied, ...]:
    """Return the history rows of an apply of some of the migrations."""
    found = [next(m for m in MIGRATIONS if m.name.endswith(letter)) for letter in letters]
    return tuple(Applied(m.name, m.checksum, "2026-01-01T00:00:00", 0.1, batch, 1) for m in found)


HISTORY = (*applied("ac", 1), *applied("bd", 2))


def planned(which: str | None = None, catalogue: Catalogue = CATALOGUE) -> str:
    """Return the migrations to roll back, as their letters."""
    return "".join(migration.name[-1] for migration in plan_rollback(HISTORY, catalogue, which))


def refused(which: str | None = None, catalogue: Catalogue = CATALOGUE) -> str:
    """Return why nothing is rolled back."""
    with pytest.raises(StepFailed) as raised:
        plan_rollback(HISTORY, catalogue, which)
    return str(raised.value)


def with_changed(letter: str, **fields: object) -> Catalogue:
    """Return the catalogue with one migration that has other ``fields``."""
    return replace(
        CATALOGUE,
        migrations=tuple(
            replace(m, **fields) if m.name.endswith(letter) else m  # type: ignore[arg-type] # any
            for m in MIGRATIONS
        ),
    )


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (None, "db"),
        ("", "db"),
        ("1", "d"),
        ("3", "dbc"),
        ("4", "dbca"),
        ("002_b", "d"),
        ("002_b.sql", "d"),
        ("003_c", "db"),
        ("001", "dbc"),
        ("004_d", ""),
    ],
)
def test_what_was_applied_last_is_taken_back_first(which: str | None, expected: str) -> None:
    assert planned(which) == expected


def test_a_database_without_history_has_nothing_to_take_back() -> None:
    assert plan_rollback((), CATALOGUE) == ()


@pytest.mark.parametrize(
    ("which", "message"),
    [
        (
            "5",
            "4 migrations are applied; to roll back to the migration with that number, write its",
        ),
        (
            "005_e",
            "005_e is not applied, so nothing can be rolled back to it; --bb-status shows what",
        ),
        ("001_x", "no migration is called '001_x'; the nearest there is: 001_a or 005_e or 004_d"),
        ("0", "no migration is called '0'; the nearest there is: "),
    ],
)
def test_what_names_nothing_applied_is_refused(which: str, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        planned(which)

    assert str(raised.value).startswith(f"--bb-rollback={which}: {message}")


def test_a_renamed_migration_is_taken_back_by_its_file() -> None:
    renamed = with_changed("d", name="014_d", path=FOLDER / "014_d.sql")

    assert planned(None, renamed) == "db"
    assert planned("014_d", renamed) == ""
    assert planned("004_d", renamed) == ""


def test_a_kept_migration_needs_no_file() -> None:
    kept = replace(CATALOGUE, migrations=tuple(MIGRATIONS[1:]))

    assert planned("001_a", kept) == "dbc"


def test_everything_that_cannot_be_taken_back_is_named() -> None:
    catalogue = with_changed("a", down=None)
    fields = {
        "b": {"checksum": "another"},
        "c": {"contract": Contract(irreversible="two categories become one")},
    }
    catalogue = replace(
        catalogue,
        migrations=tuple(
            replace(m, **fields.get(m.name[-1], {}))  # type: ignore[arg-type] # any field
            for m in catalogue.migrations
            if not m.name.endswith("d")
        ),
    )

    assert refused("4", catalogue).splitlines() == [
        "cannot be rolled back: 004_d, 002_b, 003_c, 001_a",
        "004_d has no file any more; bring its file back into the folder",
        "002_b says something else since it was applied; bring migrations/002_b.sql back as it was",
        "003_c is declared irreversible because two categories become one",
        "001_a has no down part; write one into or beside migrations/001_a.sql",
        "--bb-restore restores a backup instead",
    ]


def test_a_script_is_not_told_to_write_a_down_part() -> None:
    script = ScriptPart(FOLDER / "004_d.py")

    assert refused("1", with_changed("d", up=script, down=None)).splitlines() == [
        "cannot be rolled back: 004_d",
        "004_d is a script, and scripts have no down part",
        "--bb-restore restores a backup instead",
    ]


def test_an_irreversible_migration_need_not_say_why() -> None:
    assert "004_d is declared irreversible\n" in refused(
        "1", with_changed("d", contract=Contract(irreversible=""))
    )

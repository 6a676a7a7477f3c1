"""Folders with a file for each database: SQLite gets its own, and is not given another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import ReadingRules, SqlPart, read_catalogue
from tests.core.cataloguing import complaints, migrations, write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Migration


def files(names: Iterable[str]) -> dict[str, str]:
    """Return files that each say their own name."""
    return {name: f"SELECT '{name}'" for name in names}


def said(migration: Migration) -> tuple[str, str]:
    """Return the names of the files that are the up and the down part."""
    texts = [
        part.statements[0].text.split("'")[1] if isinstance(part, SqlPart) else ""
        for part in (migration.up, migration.down)
    ]
    return texts[0], texts[1]


def test_files_for_other_databases_are_passed_over_and_counted(tmp_path: Path) -> None:
    names = [
        f"{number}_{word}.{half}.sql"
        for number, word in ((1, "a.sqlite3"), (1, "a.mysql"), (1, "a.postgres"), (2, "b.postgres"))
        for half in ("up", "down")
    ]
    catalogue = read_catalogue(write(tmp_path, files(names)))

    assert [said(each) for each in catalogue.migrations] == [
        ("1_a.sqlite3.up.sql", "1_a.sqlite3.down.sql")
    ]
    assert catalogue.notes == ("6 files for mysql and postgres are passed over",)


@pytest.mark.parametrize("word", ["sqlite", "sqlite3", "SQLite"])
def test_one_for_sqlite_goes_before_one_for_any_database(tmp_path: Path, word: str) -> None:
    names = ["1_a.up.sql", f"1_a.{word}.up.sql", "1_a.mysql.up.sql", "1_a.down.sql", "2_b.up.sql"]
    catalogue = read_catalogue(write(tmp_path, files(names)))

    assert [said(each)[0] for each in catalogue.migrations] == [f"1_a.{word}.up.sql", "2_b.up.sql"]
    assert said(catalogue.migrations[0])[1] == "1_a.down.sql"
    assert catalogue.notes[0] == (
        "1 file for mysql is passed over, and 1 that SQLite has a file of its own for"
    )


def test_whole_files_have_such_words_as_well(tmp_path: Path) -> None:
    found = migrations(tmp_path, files(["1_a.sqlite.sql", "1_a.pg.sql", "2_b.sql"]))

    assert [each.name for each in found] == ["1_a.sqlite", "2_b"]


def test_a_word_beside_no_other_is_a_part_of_the_name(tmp_path: Path) -> None:
    found = migrations(tmp_path, files(["1_from.sqlite.sql", "2_to.postgres.sql", "3_c.sql"]))

    assert [each.name for each in found] == ["1_from.sqlite", "2_to.postgres", "3_c"]


def test_a_folder_for_other_databases_alone_is_refused_once_with_the_patterns(
    tmp_path: Path,
) -> None:
    names = [f"{n}_a.{word}.up.sql" for n in range(1, 9) for word in ("mysql", "cockroach")]

    assert complaints(tmp_path, files([*names, "9_b.up.sql"])) == [
        (
            "1_a.cockroach.up.sql: this is for cockroach by its name, as 16 files here are for "
            "cockroach or mysql, and none is for sqlite or sqlite3; name the folder of SQLite's "
            "migrations with bb_migrations, or, if what is left runs on SQLite, pass these over "
            "with bb_ignore = *.cockroach.*sql and *.mysql.*sql"
        )
    ]


def test_the_patterns_that_are_named_pass_them_over(tmp_path: Path) -> None:
    names = ["1_a.mysql.up.sql", "1_a.cockroach.autocommit.up.sql", "1_a.up.sql", "2_b.mysql.sql"]
    rules = ReadingRules(ignore=("*.cockroach.*sql", "*.mysql.*sql"))

    assert [each.name for each in migrations(tmp_path, files(names), rules)] == ["1_a"]


def test_orys_autocommit_is_no_transaction(tmp_path: Path) -> None:
    names = ["1_a.autocommit.up.sql", "1_a.mysql.autocommit.up.sql", "1_a.sqlite.down.sql"]
    (migration,) = migrations(tmp_path, files([*names, "1_a.mysql.down.sql"]))

    assert isinstance(migration.up, SqlPart)
    assert isinstance(migration.down, SqlPart)
    assert (migration.up.in_transaction, migration.down.in_transaction) == (False, True)

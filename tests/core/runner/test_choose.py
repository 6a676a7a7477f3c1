"""Which runner a folder's files are for, by what lies there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.runner.choose import choose_profile, runner_of_base
from tests.core.running import image_of

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "CREATE TABLE notes (id);\n"
GOOSE = f"-- +goose Up\n{PLAIN}"
DBMATE = f"-- migrate:up\n{PLAIN}"
SQLX = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY);"


def chosen(root: Path, *files: str, base: str = "", runs_as: str = "") -> str:
    """Return the runner of a folder with SQL ``files`` in ``root``."""
    folder = root / "db" / "migrations"
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(files, 1):
        (folder / f"{number:03}_step.sql").write_text(text)
    image = image_of(base) if base else b""
    return choose_profile(runs_as, folder, root, read_catalogue(folder), image).name


def leave(root: Path, name: str) -> None:
    """Leave a file of another tool's there."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"entries": [{"tag": "001_step"}]}')


def test_a_folder_of_plain_files_is_nobodys(tmp_path: Path) -> None:
    assert chosen(tmp_path, PLAIN) == ""


@pytest.mark.parametrize(("text", "runner"), [(GOOSE, "goose"), (DBMATE, "dbmate")])
def test_marks_in_all_files_say_whose_they_are(tmp_path: Path, text: str, runner: str) -> None:
    assert chosen(tmp_path, text, text.replace("notes", "trips")) == runner


def test_marks_in_some_files_say_nothing(tmp_path: Path) -> None:
    assert chosen(tmp_path, GOOSE, PLAIN) == ""


def test_marks_of_two_tools_say_nothing(tmp_path: Path) -> None:
    assert chosen(tmp_path, GOOSE, DBMATE) == ""


@pytest.mark.parametrize(
    ("name", "runner"),
    [
        ("db/migrations/wrangler.toml", "d1"),
        ("db/wrangler.jsonc", "d1"),
        ("wrangler.json", "d1"),
        ("../wrangler.toml", ""),
        ("db/other/wrangler.toml", ""),
        ("db/migrations/meta/_journal.json", "drizzle"),
        ("db/meta/_journal.json", ""),
        ("db/migrations/migration_lock.toml", "prisma"),
    ],
)
def test_a_tools_own_file_in_its_place_says_whose_they_are(
    tmp_path: Path, name: str, runner: str
) -> None:
    root = tmp_path / "project"
    leave(root, name)

    assert chosen(root, PLAIN) == runner


def test_what_is_more_telling_goes_first(tmp_path: Path) -> None:
    said = [chosen(tmp_path, GOOSE)]
    for name in ("db/migrations/migration_lock.toml", "db/migrations/meta/_journal.json"):
        leave(tmp_path, name)
        said.append(chosen(tmp_path))
    leave(tmp_path, "wrangler.toml")
    said += [chosen(tmp_path), chosen(tmp_path, base=SQLX)]
    said.append(chosen(tmp_path, base=SQLX, runs_as="yoyo"))

    assert said == ["goose", "prisma", "drizzle", "d1", "sqlx", "yoyo"]


@pytest.mark.parametrize(
    ("table", "runner"),
    [
        ("_sqlx_migrations (version BIGINT)", "sqlx"),
        ("__diesel_schema_migrations (version VARCHAR(50))", "diesel"),
        ("_prisma_migrations (id TEXT)", "prisma"),
        ("__drizzle_migrations (id SERIAL)", "drizzle"),
        ("d1_migrations (id INTEGER)", "d1"),
        ("flyway_schema_history (installed_rank INT)", "flyway"),
        ("_yoyo_migration (migration_hash VARCHAR(64))", "yoyo"),
        ("_sqlite_migrations (migration_set TEXT)", "sqlite-utils"),
        ("GOOSE_DB_VERSION (id INTEGER)", "goose"),
        ("schema_migrations (version varchar(128) primary key)", "dbmate"),
        ("schema_migrations (version uint64, dirty bool)", "golang-migrate"),
        ("schema_migrations (version varchar NOT NULL PRIMARY KEY)", "Rails"),
        ("schema_migrations (name TEXT)", ""),
        ("migrations (id INTEGER)", ""),
    ],
)
def test_a_tools_own_table_says_whose_the_base_is(table: str, runner: str) -> None:
    assert runner_of_base(image_of(f"CREATE TABLE {table};")) == runner


def test_tables_of_two_tools_say_nothing() -> None:
    assert runner_of_base(image_of(SQLX, "CREATE TABLE d1_migrations (id INTEGER);")) == ""


def test_drizzle_on_a_phone_leaves_foreign_keys_to_the_app(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    leave(tmp_path, "migrations/meta/_journal.json")
    (folder / "001_step.sql").write_text(PLAIN)

    def enforced(runs_as: str = "") -> bool | None:
        catalogue = read_catalogue(folder)
        return choose_profile(runs_as, folder, tmp_path, catalogue, b"").foreign_keys

    assert enforced() is True
    (folder / "migrations.js").write_text("export default {}")
    assert (enforced(), enforced("drizzle")) == (None, True)

"""Names as real folders have them: what is read in them, and when they do not tell the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import ReadingRules, read_catalogue
from pytest_bbmigrate.errors import SettingsError
from tests.core.cataloguing import complaints, migration, migrations, sql, write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def names(folder: Path, files: Iterable[str], rules: ReadingRules | None = None) -> list[str]:
    found = migrations(folder, dict.fromkeys(files, "SELECT 1"), rules or ReadingRules())
    return [each.name for each in found]


def test_a_name_may_have_words_after_dots(tmp_path: Path) -> None:
    files = {"V0001.Budgets.up.sql": "SELECT 1", "V0001.Budgets.down.sql": "SELECT 2"}

    parsed = migration(tmp_path, files)

    assert (parsed.name, parsed.number) == ("V0001.Budgets", (1,))
    assert sql(parsed.down) == [(1, "SELECT 2")]


@pytest.mark.parametrize("word", ["dwon", "donw", "dow", "Dowm", "rolback", "ndo", "sq"])
def test_a_word_after_a_dot_that_is_nearly_an_ending_is_refused(tmp_path: Path, word: str) -> None:
    (found,) = complaints(tmp_path, {f"001_a.{word}.sql": "SELECT 1"})

    assert f"'.{word}.sql' is no ending of a migration" in found


@pytest.mark.parametrize(
    ("up", "down", "name"),
    [
        ("000012_x..up.sql", "000012_x.down.sql", "000012_x."),
        ("30_x.up..sql", "30_x.down.sql", "30_x"),
        ("30_x.up.sql", "30_x.down...sql", "30_x"),
        ("30_x..up..sql", "30_x..down..sql", "30_x."),
        ("030_x.up.sql", "30_y.down.sql", "030_x"),
    ],
)
def test_the_halves_of_a_pair_are_found_by_their_number_as_golang_migrate_reads_names(
    tmp_path: Path, up: str, down: str, name: str
) -> None:
    parsed = migration(tmp_path, {up: "SELECT 1", down: "SELECT 2"})

    assert (parsed.name, parsed.path.name) == (name, up)
    assert sql(parsed.down) == [(1, "SELECT 2")]


def test_a_down_file_of_another_number_or_beside_its_own_up_file_belongs_to_nothing(
    tmp_path: Path,
) -> None:
    alone = "a down file without its up file; write 1_{0}.up.sql or 1_{0}.sql beside it"
    files = ["1_a.up.sql", "1_a.down.sql", "1_b.down.sql", "2_b.up.sql"]

    assert complaints(tmp_path, dict.fromkeys(files, "SELECT 1")) == [
        f"1_b.down.sql: {alone.format('b')}"
    ]


def test_two_files_that_are_one_half_of_a_pair_are_refused(tmp_path: Path) -> None:
    files = ["1_a.down..sql", "1_a.down.sql", "1_a.up.sql", "2_b.up..sql", "2_b.up.sql"]

    found = complaints(tmp_path, dict.fromkeys(files, "SELECT 1"))

    assert found[0] == (
        "1_a.up.sql: two down files, 1_a.down..sql and 1_a.down.sql; leave one of them"
    )
    assert "2_b.up..sql: two up files, 2_b.up..sql and 2_b.up.sql; leave one of them" in found


@pytest.mark.parametrize("runner", ["sqlx", "d1"])
def test_a_doubled_dot_that_the_tool_reads_otherwise_is_refused(
    tmp_path: Path, runner: str
) -> None:
    rules = ReadingRules(runner=runner)

    found = complaints(tmp_path, dict.fromkeys(["30_x.up..sql", "31_y..up.sql"], ""), rules)

    assert [complaint.partition(";")[0] for complaint in found] == [
        "30_x.up..sql: '.up..sql' is no ending of a migration"
    ]


@pytest.mark.parametrize(
    ("files", "runner", "notes"),
    [
        (["1_a.up.sql", "1_a.down.sql"], "", []),
        (
            ["1_a..up.sql", "1_a.down.sql"],
            "golang-migrate",
            ["1_a.down.sql is the way back of 1_a..up.sql, by its number alone"],
        ),
        (
            ["1_a.up..sql", "1_a.down.sql"],
            "",
            [
                (
                    "1_a.up..sql is a half of a pair, as golang-migrate reads its doubled dot; to "
                    "sqlx it is a migration of its own, and others pass it over (bb_runs_as says "
                    "which tool runs it)"
                )
            ],
        ),
        (["1_a.up..sql", "1_a.down.sql"], "golang-migrate", []),
    ],
)
def test_what_not_every_tool_reads_so_is_noted(
    tmp_path: Path, files: list[str], runner: str, notes: list[str]
) -> None:
    folder = write(tmp_path, dict.fromkeys(files, "SELECT 1"))

    catalogue = read_catalogue(folder, rules=ReadingRules(runner=runner))

    assert list(catalogue.notes) == notes


def test_dots_before_the_ending_are_a_part_of_the_name_where_there_are_no_pairs(
    tmp_path: Path,
) -> None:
    assert names(tmp_path, ["001_a..sql", "002_b.sql"]) == ["001_a.", "002_b"]

    (found,) = complaints(tmp_path, {"003_c.up.sql": "SELECT 1"})

    assert found.startswith("001_a..sql: '..sql' is no ending of a migration")


def test_the_number_of_a_program_that_is_no_migration_is_nobodys(tmp_path: Path) -> None:
    files = {"001_a.sql": "SELECT 1", "001_write_a.py": "print('CREATE TABLE ..')"}

    (found,) = complaints(tmp_path, files)

    assert found.startswith("001_write_a.py: it has none of the functions that a migration has")


@pytest.mark.parametrize("word", ["Users", "Update", "Groups", "Initial", "Rollout"])
def test_a_word_after_a_dot_that_is_no_ending_is_part_of_the_name(
    tmp_path: Path, word: str
) -> None:
    assert names(tmp_path, [f"001.{word}.sql"]) == [f"001.{word}"]


def test_a_folder_of_a_version_holds_migrations_of_that_version(tmp_path: Path) -> None:
    files = ("0.10/00__x.sql", "0.2/01__b.sql", "0.2/00__a.sql", "0.2/00__a.down.sql")

    found = migrations(tmp_path, dict.fromkeys(files, "SELECT 1"))

    assert [each.name for each in found] == ["0.2/00__a", "0.2/01__b", "0.10/00__x"]
    assert [each.number for each in found] == [(0, 2, 0), (0, 2, 1), (0, 10, 0)]
    assert found[0].down is not None


def test_a_migration_in_a_folder_of_a_version_is_found_by_its_file(tmp_path: Path) -> None:
    files = ("0.2/00__a.sql", "0.10/00__x.sql", "0.10/01__y.sql")
    catalogue = read_catalogue(write(tmp_path, dict.fromkeys(files, "SELECT 1")))

    found = [catalogue.position(name) for name in ("0.10/00__x", "0.10/01__y.sql", "0.10.1")]

    assert found == [1, 2, 2]


def test_a_migration_in_a_folder_of_a_version_may_be_depended_on(tmp_path: Path) -> None:
    files = {"1/01_a.sql": "-- depends: 2/01_b.sql\nSELECT 1", "2/01_b.sql": "SELECT 1"}

    assert [each.name for each in migrations(tmp_path, files)] == ["2/01_b", "1/01_a"]


def test_a_step_from_one_number_to_the_next_goes_by_the_first(tmp_path: Path) -> None:
    assert names(tmp_path, ["10_to_11.sql", "9_to_10.sql"]) == ["9_to_10", "10_to_11"]


@pytest.mark.parametrize(
    "files",
    [
        ("database_version_09.sql", "database_version_10.sql"),
        ("schema-1.9.sql", "schema-2.0.sql"),
        ("only.sql",),
    ],
)
def test_numbers_within_names_are_an_order_where_they_are_that_of_the_names(
    tmp_path: Path, files: tuple[str, ...]
) -> None:
    assert names(tmp_path, reversed(files)) == [file.removesuffix(".sql") for file in files]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (("version_1.sql", "version_10.sql", "version_2.sql"), "the numbers in their names order"),
        (("b_1.sql", "a_2.sql"), "the numbers in their names order"),
        (("v_1a.sql", "v_1b.sql"), "the numbers in their names order"),
        (("users.sql", "trips.sql"), "their names do not begin with a number"),
        (("version_1.sql", "last.sql"), "their names do not begin with a number"),
    ],
)
def test_an_order_that_nothing_tells_is_asked_for(
    tmp_path: Path, files: tuple[str, ...], why: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        names(tmp_path, files)

    message = str(caught.value)
    assert why in message
    assert "bb_order = FILE" in message
    assert all(file in message for file in files)


def test_a_file_without_a_number_beside_folders_of_versions_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"it is not known when LATEST\.sql runs"):
        names(tmp_path, ["LATEST.sql", "0.2/00__a.sql", "0.10/00__b.sql"])


def test_dependencies_of_each_on_the_one_before_are_an_order(tmp_path: Path) -> None:
    files = {
        "a.sql": "-- depends: c\nSELECT 1",
        "b.sql": "SELECT 1",
        "c.sql": "-- depends: b.sql\nSELECT 1",
    }

    assert [each.name for each in migrations(tmp_path, files)] == ["b", "c", "a"]


@pytest.mark.parametrize("runner", ["d1", "prisma", "yoyo"])
def test_some_tools_order_by_name_what_has_one_number_or_none(tmp_path: Path, runner: str) -> None:
    rules = ReadingRules(runner=runner)

    same = names(tmp_path / "same", ["0001_b.sql", "0001_a.sql", "0000_c.sql"], rules)
    none = names(tmp_path / "none", ["users.sql", "trips.sql"], rules)

    assert (same, none) == (["0000_c", "0001_a", "0001_b"], ["trips", "users"])


@pytest.mark.parametrize(
    ("runner", "order"),
    [
        *((runner, ["10_b", "9_a"]) for runner in ("dbmate", "prisma", "yoyo")),
        *((runner, ["9_a", "10_b"]) for runner in ("", "bbmigrate", "d1", "sqlx", "goose")),
    ],
)
def test_to_some_tools_numbers_are_text(tmp_path: Path, runner: str, order: list[str]) -> None:
    assert names(tmp_path, ["9_a.sql", "10_b.sql"], ReadingRules(runner=runner)) == order


def test_a_file_that_does_not_read_is_told_before_the_order_is_asked_for(tmp_path: Path) -> None:
    found = complaints(tmp_path, {"a.sql": "SELECT 'x", "b.sql": "SELECT 1"})

    assert [complaint.split(": ")[0] for complaint in found] == ["a.sql:1"]


def test_a_package_that_holds_migrations_is_no_helper(tmp_path: Path) -> None:
    files = {"0.2/__init__.py": "", "0.2/01_a.sql": "SELECT 1", "sql/__init__.py": ""}

    assert [each.name for each in migrations(tmp_path, files)] == ["0.2/01_a"]
    assert complaints(tmp_path, {"sql/001_b.sql": "SELECT 1"}) == [
        (
            "sql: the folder holds neither up.sql nor migration.sql; "
            "write NAME/up.sql, or move the folder out of this one"
        )
    ]


def test_sql_that_the_python_file_of_its_name_reads_is_no_migration(tmp_path: Path) -> None:
    program = "def upgrade(db):\n    db.executescript(open(HERE + '/001_a.sql').read())"

    assert names(tmp_path / "others", ["002_b.sql"]) == ["002_b"]
    assert migration(tmp_path / "own", {"001_a.py": program, "001_a.sql": ""}).path.name == (
        "001_a.py"
    )


def test_sql_that_another_python_file_opens_by_its_name_is_no_migration(tmp_path: Path) -> None:
    program = "def upgrade(db):\n    db.executescript(open(HERE + '/{}').read())"
    files = {
        "001_a.py": program.format("002_seed.sql"),
        "002_seed.sql": "SELECT 1",
        "003_b.py": '"""Goes on from 004_c.sql"""\n\n\ndef up(db):\n    db.execute("SELECT 1")',
        "004_c.sql": "SELECT 1",
    }

    assert [each.name for each in migrations(tmp_path, files)] == ["001_a", "003_b", "004_c"]


def test_what_editors_leave_is_no_migration(tmp_path: Path) -> None:
    files = ("001_a.sql", "001_a.sql~", ".001_a.sql.swp", "002_b.sql.swp", ".#001_a.sql", "#1.sql#")

    assert names(tmp_path, files) == ["001_a"]


def test_helpers_of_python_migrations_are_no_migrations(tmp_path: Path) -> None:
    files = {
        "001_a.py": "def up(db): db.x()",
        "_money.py": "RATE = 2",
        "money/__init__.py": "",
        "money/rates.sql": "SELECT 1",
    }

    assert [each.name for each in migrations(tmp_path, files)] == ["001_a"]


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (
            {"002_b.sh": "", "003_c.go": b"\xff", "main.go": "", "helper.js": ""},
            (
                "002_b.sh: a step in a language that is not run here (so are 003_c.go); give the "
                "SQL that they amount to with bb_steps = FILE.toml, or pass them over with "
                "bb_ignore = *.go and *.sh"
            ),
        ),
        (
            {f"V{number}__x.kt": "class" for number in range(1, 8)},
            (
                "V1__x.kt: a step in a language that is not run here (so are V2__x.kt, V3__x.kt, "
                "V4__x.kt, V5__x.kt, 2 more); give the SQL that they amount to with "
                "bb_steps = FILE.toml, or pass them over with bb_ignore = *.kt"
            ),
        ),
        (
            {"20200101000000_a.rb": "class A < ActiveRecord::Migration[7.0]"},
            (
                "20200101000000_a.rb: this is a migration of Rails, which keeps an order of its "
                "own; run it with `bin/rails db:migrate`, or pass it over with bb_ignore = *.rb"
            ),
        ),
        (
            {"1700000000000-A.ts": "export class A implements MigrationInterface {"},
            (
                "1700000000000-A.ts: this is a migration of TypeORM, which keeps an order of its "
                "own; run it with `typeorm migration:run`, or pass it over with bb_ignore = *.ts"
            ),
        ),
        (
            {"20200101_a.js": "exports.up = (knex) => knex.schema"},
            (
                "20200101_a.js: this is a migration of Knex, which keeps an order of its own; "
                "run it with `knex migrate:latest`, or pass it over with bb_ignore = *.js"
            ),
        ),
        (
            {"1.json": '{"database": {"identityHash": "ab"}}'},
            (
                "1.json: this is a migration of Room, which keeps an order of its own; run it with "
                "the app, and test it with Room's MigrationTestHelper, or pass it over with "
                "bb_ignore = *.json"
            ),
        ),
    ],
)
def test_steps_in_other_languages_are_refused_together(
    tmp_path: Path, files: dict[str, str | bytes], complaint: str
) -> None:
    assert complaints(tmp_path, {"001_a.sql": "SELECT 1", **files}) == [complaint]


def test_a_folder_of_another_tool_is_recognised_whatever_its_names(tmp_path: Path) -> None:
    files = {
        "Migration1To2.kt": "val M = object : androidx.room.migration.Migration(1, 2) {}",
        "Helper.kt": "",
        "schemas/notes.txt": "",
    }

    (found,) = complaints(tmp_path, files)

    assert found.startswith("Migration1To2.kt: this is a migration of Room, which keeps an order")


def test_a_folder_of_alembic_is_recognised_by_its_environment(tmp_path: Path) -> None:
    (found,) = complaints(tmp_path, {"env.py": "from alembic import context", "versions/a.py": ""})

    assert found.startswith("env.py: this is a migration of Alembic")


def test_steps_in_other_languages_may_be_ignored(tmp_path: Path) -> None:
    files = ("001_a.sql", "002_b.sh", "0.2/01_c.go", "0.2/00_b.sql", "0.2/02_d.sql")

    rules = ReadingRules(ignore=("*.sh", "*.go", "0.2/02*"))

    assert names(tmp_path, files, rules) == ["0.2/00_b", "001_a"]

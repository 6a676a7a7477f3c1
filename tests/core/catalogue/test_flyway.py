"""Files named in Flyway's way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import ReadingRules, SqlPart, read_catalogue
from pytest_bbmigrate.catalogue.runner_marks import runner_of_marks
from tests.core.cataloguing import complaints, migration, migrations, sql, write

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Part


def in_transaction(part: Part | None) -> bool:
    assert isinstance(part, SqlPart)
    return part.in_transaction


def marks_of(folder: Path) -> str:
    catalogue = read_catalogue(folder)
    return runner_of_marks(catalogue.migrations, catalogue.texts)


def test_versions_are_compared_as_numbers(tmp_path: Path) -> None:
    names = ("V1.10__c.sql", "v1.9__b.sql", "V1__a.sql", "V2_1__e.sql", "V2__d.sql", "V10__f.sql")

    found = migrations(tmp_path, dict.fromkeys(names, "SELECT 1"))

    assert [each.name for each in found] == [
        *("V1__a", "v1.9__b", "V1.10__c", "V2__d", "V2_1__e", "V10__f"),
    ]
    assert [each.number for each in found] == [(1,), (1, 9), (1, 10), (2,), (2, 1), (10,)]


@pytest.mark.parametrize("undo", ["U1.2__other.sql", "u1.2__trips.sql", "U1_2_0__x.sql"])
def test_the_down_part_has_the_version_and_any_name(tmp_path: Path, undo: str) -> None:
    parsed = migration(tmp_path, {"V1.2__trips.sql": "SELECT 1", undo: "SELECT 2"})

    assert (sql(parsed.up), sql(parsed.down)) == ([(1, "SELECT 1")], [(1, "SELECT 2")])
    assert parsed.path == tmp_path / "V1.2__trips.sql"


def test_two_files_of_one_version_are_refused(tmp_path: Path) -> None:
    files = dict.fromkeys(("V1__a.sql", "V1.0__b.sql"), "SELECT 1")

    assert complaints(tmp_path, files) == [
        (
            "V1.0__b.sql: V1.0__b.sql and V1__a.sql have the same number; "
            "give each a number of its own, or list all in their order with bb_order = FILE"
        )
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("U1__a.sql", "U2__b.sql", "U10__c.sql"),
        ("U1__a.sql",),
        ("V1__a.sql", "U2__b.sql", "V3__c.sql", "U1785764695__d.sql"),
    ],
)
def test_u_is_refinerys_where_it_undoes_nothing(tmp_path: Path, names: tuple[str, ...]) -> None:
    catalogue = read_catalogue(write(tmp_path, dict.fromkeys(names, "SELECT 1")))

    assert tuple(each.path.name for each in catalogue.migrations) == names
    assert [each.down for each in catalogue.migrations] == [None] * len(names)
    assert runner_of_marks(catalogue.migrations, catalogue.texts) == ""


@pytest.mark.parametrize(
    "names", [("V1__a.sql", "U2__b.sql"), ("V1__a.sql", "U1__a.sql", "U2__b.sql", "U3__c.sql")]
)
def test_beside_what_flyway_has_a_u_is_not_taken_for_refinerys(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    found = complaints(tmp_path, dict.fromkeys(names, "SELECT 1"))

    assert found[0] == (
        "U2__b.sql: an undo file without its version file; write V2__NAME.sql "
        "(refinery, whose U is no undo, runs it likewise)"
    )


def test_under_flyway_u_is_never_refinerys(tmp_path: Path) -> None:
    files = dict.fromkeys(("U1__a.sql", "U2__b.sql"), "SELECT 1")

    assert len(complaints(tmp_path, files, ReadingRules(runner="flyway"))) == len(files)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (
            ("V1__a.sql", "R__views.sql"),
            (
                "R__views.sql: Flyway's repeatable migrations, which run again whenever they "
                "change, are not supported; pass it over with bb_ignore = R__*.sql, or write it as "
                "a versioned one"
            ),
        ),
        (
            ("V2__a.sql", "B1__all.sql"),
            (
                "B1__all.sql: Flyway's baseline migrations are not supported; pass it over with "
                "bb_ignore = B*__*.sql; bb_base = FILE is what the first one starts from"
            ),
        ),
        (
            ("V1__a.sql", "afterMigrate__views.sql"),
            (
                "afterMigrate__views.sql: Flyway's callbacks, which run around other migrations, "
                "are not supported; pass it over with bb_ignore = afterMigrate__views.sql"
            ),
        ),
        (
            ("V1__a.sql", "U2.1__b.sql"),
            "U2.1__b.sql: an undo file without its version file; write V2.1__NAME.sql",
        ),
        (
            ("V1__a.sql", "U1__a.sql", "U1.0__b.sql"),
            "V1__a.sql: two down files, U1.0__b.sql and U1__a.sql; leave one of them",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    tmp_path: Path, files: tuple[str, ...], complaint: str
) -> None:
    assert complaints(tmp_path, dict.fromkeys(files, "SELECT 1")) == [complaint]


def test_a_callbacks_name_alone_is_no_callback(tmp_path: Path) -> None:
    files = {"001_a.sql": "-- depends: beforeMigrate\nSELECT 1", "beforeMigrate.sql": "SELECT 1"}

    assert [each.name for each in migrations(tmp_path, files)] == ["beforeMigrate", "001_a"]


def test_what_is_to_be_ignored_is_passed_over(tmp_path: Path) -> None:
    files = {"V1__a.sql": "SELECT 1", "R__views.sql": "", "003_x.sh": ""}

    found = migrations(tmp_path, files, ReadingRules(ignore=("R__*", "*.sh")))

    assert [each.name for each in found] == ["V1__a"]


def test_settings_beside_a_file_say_whether_it_runs_in_a_transaction(tmp_path: Path) -> None:
    text = "# slow\n\nexecuteInTransaction=false\n"
    files = {"V1__a.sql": "SELECT 1", "V1__a.sql.conf": text, "U1__a.sql": "SELECT 2"}

    parsed = migration(tmp_path, files)

    assert (in_transaction(parsed.up), in_transaction(parsed.down)) == (False, True)


def test_settings_that_are_not_understood_are_refused(tmp_path: Path) -> None:
    text = "executeInTransaction=true\nencoding=latin1\nexecuteInTransaction=no"

    assert complaints(tmp_path, {"V1__a.sql": "SELECT 1", "V1__a.sql.conf": text}) == [
        f"V1__a.sql.conf:{line}: a setting that is not understood; "
        "write executeInTransaction or placeholderReplacement = true or false"
        for line in (2, 3)
    ]


def test_placeholders_are_filled_in_everywhere(tmp_path: Path) -> None:
    text = "-- ${table}\nDELETE FROM ${table} WHERE name = '${who}' OR a = '${empty}'"
    rules = ReadingRules((("table", "trips"), ("who", "O''Hara; x"), ("empty", "")))

    parsed = migration(tmp_path, {"V1__a.sql": text, "U1__a.sql": "DROP TABLE ${table}"}, rules)

    assert sql(parsed.up) == [(2, "DELETE FROM trips WHERE name = 'O''Hara; x' OR a = ''")]
    assert sql(parsed.down) == [(1, "DROP TABLE trips")]


def test_a_placeholder_without_a_value_is_refused_with_its_line(tmp_path: Path) -> None:
    text = "SELECT 1;\nSELECT ${delete};\n-- ${delete-empty}"

    found = complaints(tmp_path, {"V1__a.sql": text}, ReadingRules((("deletes", "1"),)))

    assert found == [
        (
            "V1__a.sql:2: the placeholder ${delete} has no value; "
            "give it one in bb_placeholders, with a line `delete = VALUE` (there is deletes)"
        ),
        (
            "V1__a.sql:3: the placeholder ${delete-empty} has no value; "
            "give it one in bb_placeholders, with a line `delete-empty = VALUE` (there is deletes)"
        ),
    ]


def test_settings_beside_a_file_may_leave_placeholders_alone(tmp_path: Path) -> None:
    files = {"V1__a.sql": "SELECT '${x}'", "V1__a.sql.conf": "placeholderReplacement=false"}

    assert sql(migration(tmp_path, files).up) == [(1, "SELECT '${x}'")]


def test_in_other_forms_there_are_placeholders_only_where_the_settings_name_some(
    tmp_path: Path,
) -> None:
    files = {"001_a.sql": "SELECT '${x}'", "001_a.down.sql": "SELECT '${x}', 2"}

    plain = migration(tmp_path, files)
    filled = migration(tmp_path, files, ReadingRules((("x", "y"),)))

    assert (sql(plain.up), sql(filled.up)) == ([(1, "SELECT '${x}'")], [(1, "SELECT 'y'")])
    assert sql(filled.down) == [(1, "SELECT 'y', 2")]


def test_the_way_of_naming_says_whose_rules_hold(tmp_path: Path) -> None:
    folder = write(tmp_path, {"V1__a.sql": "SELECT 1"})
    alone = marks_of(folder)
    write(tmp_path, {"002_b.sql": "SELECT 1"})

    assert (alone, marks_of(folder)) == ("flyway", "")


@pytest.mark.parametrize("name", ["1.10", "V1.10", "v1_10", "V1.10__c", "V1.10__c.sql"])
def test_a_version_may_be_asked_for_as_it_is_written(tmp_path: Path, name: str) -> None:
    names = ("V1.1__a.sql", "V1.10__c.sql")

    found = read_catalogue(write(tmp_path, dict.fromkeys(names, "SELECT 1"))).position(name)

    assert found == 1

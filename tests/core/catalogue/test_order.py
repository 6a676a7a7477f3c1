"""The order in which migrations run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_bbmigrate.catalogue import ReadingRules, read_catalogue
from pytest_bbmigrate.catalogue.names import leading_number
from pytest_bbmigrate.catalogue.order import OrderEntry, arrange
from pytest_bbmigrate.errors import SettingsError
from tests.core.cataloguing import complaints, migrations, write

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Catalogue


def names(folder: Path, *files: str, **depends: str) -> list[str]:
    """Return the names of a folder's migrations in order; ``depends`` is by the file's stem."""
    texts = dict.fromkeys(files, "SELECT 1")
    for stem, needed in depends.items():
        texts[f"{stem}.sql"] = f"-- depends: {needed}\nSELECT 1"
    return [migration.name for migration in migrations(folder, texts)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("001_a", (1,)),
        ("1", (1,)),
        ("0010-a", (10,)),
        ("3 a", (3,)),
        ("7.a", (7,)),
        ("v12_a", (12,)),
        ("20260101120000_a", (20260101120000,)),
        ("2026-01-01-120000_a", (2026, 1, 1, 120000)),
        ("2024-03-13_170000_a", (2024, 3, 13, 170000)),
        ("2014_10_12_000000_a", (2014, 10, 12, 0)),
        ("2026-01-01_a", (2026, 1, 1)),
        ("0001-2-a", (1, 2)),
        ("001-2fa", (1,)),
        ("001_2_a", (1,)),
        ("a_001", None),
        ("010a", None),
        ("v", None),
    ],
)
def test_the_leading_number_is_integers(name: str, expected: tuple[int, ...] | None) -> None:
    assert leading_number(name) == expected


def test_numbers_are_compared_as_numbers(tmp_path: Path) -> None:
    found = names(tmp_path, "10_c.sql", "9_b.sql", "001_a.sql", "20260101000000_d.sql")

    assert found == ["001_a", "9_b", "10_c", "20260101000000_d"]


@pytest.mark.parametrize(
    ("runner", "who"),
    [*((runner, "no tool runs it") for runner in ("", "bbmigrate", "goose", "sqlx", "d1"))]
    + [(runner, f"{runner} passes it over") for runner in ("dbmate", "golang-migrate")],
)
def test_when_a_name_without_a_number_among_numbered_ones_runs_is_not_guessed(
    tmp_path: Path, runner: str, who: str
) -> None:
    files = dict.fromkeys(("001_a.sql", "schema.sql", "002_b.up.sql"), "SELECT 1")

    with pytest.raises(SettingsError) as caught:
        migrations(tmp_path, files, ReadingRules(runner=runner))

    assert str(caught.value) == (
        "it is not known when schema.sql runs, without a number beside 2 with one: pass it over "
        f"with bb_ignore, if {who} (as the schema of the latest version is), start from it with "
        "bb_base, if it comes before all others and is no migration, or list all files in their "
        "order and name the list with bb_order = FILE"
    )


def test_several_without_a_number_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"when a\.sql, b\.sql, c\.sql, \.\. runs"):
        names(tmp_path, "001_a.sql", "a.sql", "b.sql", "c.sql", "d.sql")


@pytest.mark.parametrize("runner", ["prisma", "yoyo"])
def test_to_tools_that_run_by_name_one_without_a_number_is_a_name(
    tmp_path: Path, runner: str
) -> None:
    files = dict.fromkeys(("001_a.sql", "init.sql", "_first.sql"), "SELECT 1")

    found = migrations(tmp_path, files, ReadingRules(runner=runner))

    assert [each.name for each in found] == ["001_a", "_first", "init"]


def test_dependencies_place_names_without_a_number(tmp_path: Path) -> None:
    found = names(tmp_path, "init.sql", "002_b.sql", **{"last": "002_b", "001_a": "init"})

    assert found == ["init", "001_a", "002_b", "last"]


def test_forms_are_ordered_together(tmp_path: Path) -> None:
    files = {
        "4_d.sql": "SELECT 1",
        "3_c/up.sql": "SELECT 1",
        "2_b.py": "def up(db): db.x()",
        "1_a.up.sql": "SELECT 1",
        "1_a.down.sql": "SELECT 1",
    }

    assert [migration.name for migration in migrations(tmp_path, files)] == [
        "1_a",
        "2_b",
        "3_c",
        "4_d",
    ]


def test_a_dependency_runs_first_and_the_rest_keeps_its_order(tmp_path: Path) -> None:
    found = names(tmp_path, "2_b.sql", "3_c.sql", "4_d.sql", "5.sql", **{"1_a": "3_c"})

    assert found == ["2_b", "3_c", "1_a", "4_d", "5"]


@pytest.mark.parametrize("needed", ["3_c", "3_c.sql", '"3_c"', "2_b, 3_c.sql"])
def test_a_dependency_is_a_name_or_a_file(tmp_path: Path, needed: str) -> None:
    found = names(tmp_path, "2_b.sql", "3_c.sql", "4.sql", **{"1_a": needed})

    assert found == ["2_b", "3_c", "1_a", "4"]


def test_a_folder_may_be_depended_on(tmp_path: Path) -> None:
    files = {"a.sql": "-- depends: b/up.sql\nSELECT 1", "b/up.sql": "SELECT 1"}

    assert [migration.name for migration in migrations(tmp_path, files)] == ["b", "a"]


def test_a_number_that_two_have_is_refused(tmp_path: Path) -> None:
    files = dict.fromkeys(("001_a.sql", "1_b.sql", "0001_c.sql", "002_d.sql"), "SELECT 1")

    assert complaints(tmp_path, files) == [
        (
            "0001_c.sql: 0001_c.sql and 001_a.sql and 1_b.sql have the same number; "
            "give each a number of its own, or list all in their order with bb_order = FILE"
        )
    ]


def test_a_number_that_two_have_is_none_where_one_depends_on_the_other(tmp_path: Path) -> None:
    files = {"0001_b.sql": "SELECT 1", "0001_a.sql": "-- depends: 0001_b\nSELECT 1"}

    assert [each.name for each in migrations(tmp_path, files)] == ["0001_b", "0001_a"]


def test_a_name_that_two_have_is_refused(tmp_path: Path) -> None:
    files = {
        "001_a.sql": "SELECT 1",
        "001_a.up.sql": "SELECT 1",
        "001_a.py": "def up(db): db.x()",
    }

    assert complaints(tmp_path, files) == [
        (
            "001_a.py: 001_a.py and 001_a.sql and 001_a.up.sql have the same name; "
            "rename all but one of them, or pass over with bb_ignore what another one reads"
        )
    ]


def test_a_dependency_that_is_not_there_is_refused_with_the_nearest(tmp_path: Path) -> None:
    files = {"a.sql": "-- depends: 004_trip\nSELECT 1", "004_trips.sql": "SELECT 'x"}

    assert complaints(tmp_path, files)[-1] == (
        "a.sql: it depends on '004_trip', and no migration is called so; "
        "the nearest there is is '004_trips'"
    )


def test_a_dependency_on_a_file_that_does_not_read_is_no_second_problem(tmp_path: Path) -> None:
    files = {"a.sql": "-- depends: b c\nSELECT 1", "b.sql": "", "c/up.sql": "SELECT 'x"}

    assert [complaint.split(":")[0] for complaint in complaints(tmp_path, files)] == [
        "b.sql",
        "c/up.sql",
    ]


def test_cycles_are_refused_each_with_every_file_in_it(tmp_path: Path) -> None:
    needed = {"a": "c", "b": "a", "c": "b", "d": "a", "e": "e", "f": "d g", "g": "h", "h": "g"}
    files = {f"{name}.sql": f"-- depends: {names}\nSELECT 1" for name, names in needed.items()}

    assert complaints(tmp_path, files) == [
        (
            "a.sql: a.sql and c.sql and b.sql wait for one another; "
            "leave one of these dependencies out"
        ),
        "e.sql: e.sql depends on itself; leave one of these dependencies out",
        "g.sql: g.sql and h.sql wait for one another; leave one of these dependencies out",
    ]


@given(
    st.dictionaries(
        st.integers(0, 30), st.sets(st.integers(0, 30), max_size=4), min_size=1, max_size=20
    )
)
def test_every_dependency_is_met_and_nothing_is_lost(needs: dict[int, set[int]]) -> None:
    steps = [
        OrderEntry(
            f"{number:02}",
            f"{number:02}.sql",
            Path(),
            (number,),
            tuple(f"{other:02}" for other in sorted(others) if other in needs and other > number),
        )
        for number, others in needs.items()
    ]

    order = arrange(steps)
    places = {step.name: place for place, step in enumerate(order)}

    assert sorted(places) == sorted(step.name for step in steps)
    assert all(places[other] < places[step.name] for step in steps for other in step.depends)


def test_without_dependencies_the_order_is_that_of_the_numbers(tmp_path: Path) -> None:
    steps = [OrderEntry(f"{number}", f"{number}.sql", tmp_path, (number,)) for number in (3, 20, 1)]

    assert [step.number for step in arrange(steps)] == [(1,), (3,), (20,)]


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    files = dict.fromkeys(
        ("001_a.sql", "002_b.up.sql", "003_c/up.sql", "2026-01-02_d.sql", "000_e.sql"), "SELECT 1"
    )
    return read_catalogue(write(tmp_path, files))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("000_e", 0),
        ("001_a", 1),
        ("001_a.sql", 1),
        ("1", 1),
        ("001", 1),
        ("002_b.up.sql", 2),
        ("v2", 2),
        ("003_c/up.sql", 3),
        ("3", 3),
        ("2026-01-02", 4),
    ],
)
def test_a_migration_is_found_by_name_file_or_number(
    catalogue: Catalogue, name: str, expected: int
) -> None:
    assert catalogue.position(name) == expected


@pytest.mark.parametrize("name", ["002_bb", "4", "", "001_", "up.sql"])
def test_a_name_that_is_not_there_is_told_the_nearest(catalogue: Catalogue, name: str) -> None:
    with pytest.raises(LookupError, match=f"no migration is called '{name}'; the nearest there is"):
        catalogue.position(name)


def test_the_nearest_name_comes_first(catalogue: Catalogue) -> None:
    with pytest.raises(LookupError, match="the nearest there is: 002_b or "):
        catalogue.position("002_c_b")

"""yoyo's Python migrations, read without being run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import PythonPart, SqlPart, read_catalogue
from pytest_bbmigrate.catalogue.model import Call
from pytest_bbmigrate.catalogue.runner_marks import runner_of_marks
from tests.core.cataloguing import migration, migrations, sql, write

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = '''\
"""Trips."""
from yoyo import step

__depends__ = {}

steps = [
    step("""
        CREATE TABLE trips (id);
        """,
        "DROP TABLE trips"),
    step("CREATE INDEX i ON trips (id)", rollback="DROP INDEX i"),
    step("DELETE FROM trips WHERE id = 7", None),
]
'''


def test_steps_of_strings_are_read_as_sql(tmp_path: Path) -> None:
    parsed = migration(tmp_path, {"0001.create-trips.py": PLAIN})

    assert sql(parsed.up) == [
        (8, "CREATE TABLE trips (id)"),
        (11, "CREATE INDEX i ON trips (id)"),
        (12, "DELETE FROM trips WHERE id = 7"),
    ]
    assert sql(parsed.down) == [(11, "DROP INDEX i"), (10, "DROP TABLE trips")]
    assert parsed.path == tmp_path / "0001.create-trips.py"
    assert ("id", 7) in parsed.literals


@pytest.mark.parametrize(
    "text",
    [
        "from yoyo import step\nstep('SELECT 1')",
        "import yoyo\nsteps = yoyo.step('SELECT 1', '')",
        "from yoyo import step\nsteps = (step(apply='SELECT 1'),)",
    ],
)
def test_without_a_second_string_there_is_no_way_back(tmp_path: Path, text: str) -> None:
    parsed = migration(tmp_path, {"1_a.py": text})

    assert [statement for _, statement in sql(parsed.up)] == ["SELECT 1"]
    assert parsed.down is None


def test_what_is_declared_holds(tmp_path: Path) -> None:
    text = "# bb: drops t\nfrom yoyo import step\n__transactional__ = False\nstep('VACUUM')"
    files = {"b.py": f"{text}\n__depends__ = {{'a'}}", "a.sql": "SELECT 1"}

    _, parsed = migrations(tmp_path, files)

    assert isinstance(parsed.up, SqlPart)
    assert not parsed.up.in_transaction
    assert [drop.name for drop in parsed.contract.drops] == ["t"]


@pytest.mark.parametrize(
    ("text", "has_down"),
    [
        ("def go(conn): ...\nsteps = [step(go)]", False),
        ("def go(conn): ...\nsteps = [step(go, go)]", True),
        ("steps = [step(f'SELECT {1}', 'SELECT 2')]", True),
        ("steps = [step('SELECT 1', ignore_errors='apply')]", False),
        ("for n in range(3): step('SELECT 1', rollback='SELECT 2')", True),
        ("steps = [step('SELECT 1', 'SELECT 2', 'apply')]", True),
        ("steps = [step(*pair) for pair in pairs()]", True),
        ("steps = [step(**pair) for pair in pairs()]", True),
        ("from yoyo import group\nsteps = group(step('SELECT 1'))", False),
    ],
)
def test_steps_that_are_more_than_strings_run_as_python(
    tmp_path: Path, text: str, *, has_down: bool
) -> None:
    parsed = migration(tmp_path, {"1_a.py": f"from yoyo import step\n{text}"})

    assert isinstance(parsed.up, PythonPart)
    assert parsed.up.call is Call.STEPS
    assert (parsed.down is not None) is has_down
    if has_down:
        assert isinstance(parsed.down, PythonPart)
        assert parsed.down.call is Call.ROLLBACKS


def test_a_day_and_a_number_of_that_day_are_the_number(tmp_path: Path) -> None:
    names = ("20220101_02_xKXNh-b.sql", "20220101_10_aaaaa-c.sql", "20220101_01_zzzzz-a.sql")

    found = migrations(tmp_path, dict.fromkeys(names, "SELECT 1"))

    assert [each.number for each in found] == [(20220101, 1), (20220101, 2), (20220101, 10)]


def test_yoyos_rules_hold_for_its_steps(tmp_path: Path) -> None:
    files = {"1_a.py": PLAIN, "2_b.py": "from yoyo import step\nsteps = [step(print)]"}
    catalogue = read_catalogue(write(tmp_path, files))

    assert runner_of_marks(catalogue.migrations, catalogue.texts) == "yoyo"

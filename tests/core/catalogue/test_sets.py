"""Sets of sqlite-utils migrations: a migration for each function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import PythonPart, read_catalogue
from pytest_bbmigrate.catalogue.runner_marks import runner_of_marks
from tests.core.cataloguing import migrations, write

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Migration

SET = '''\
from {module} import Migrations

trips = Migrations("trips")
HELPS = 1


@trips()
def m002_create(db):
    # bb: inserts trips
    db["trips"].insert({{"id": 7}})


@trips(name="later", transactional=False)
def m001_vacuum(db):
    """Do."""
    db.execute("VACUUM")


def helper():
    ...
'''


def read(folder: Path, module: str = "sqlite_utils", more: str = "") -> tuple[Migration, ...]:
    return migrations(folder, {"migrations.py": SET.format(module=module) + more})


@pytest.mark.parametrize("module", ["sqlite_utils", "sqlite_migrate"])
def test_each_function_is_a_migration_in_the_order_registered(tmp_path: Path, module: str) -> None:
    create, later = read(tmp_path, module)

    assert [create.name, later.name] == ["m002_create", "later"]
    assert create.up == PythonPart(tmp_path / "migrations.py", "m002_create", 8)
    assert later.up == PythonPart(
        tmp_path / "migrations.py", "m001_vacuum", 14, in_transaction=False
    )
    assert [each.path.name for each in (create, later)] == ["migrations.py"] * 2
    assert [each.down for each in (create, later)] == [None, None]
    assert [insert.table for insert in create.contract.inserts] == ["trips"]
    assert later.contract.inserts == ()
    assert (None, 7) in create.literals


def test_a_function_that_is_added_changes_no_other(tmp_path: Path) -> None:
    before = read(tmp_path)
    after = read(tmp_path, more="\n\n@trips()\ndef m003(db):\n    db.execute('SELECT 1')\n")

    assert [each.checksum for each in after[:2]] == [each.checksum for each in before]
    assert len({each.checksum for each in after}) == 3


def test_a_set_may_have_two_names(tmp_path: Path) -> None:
    found = read(tmp_path, more="\n\nmore = trips\n\n@more()\ndef m003(db):\n    db.x()\n")

    assert [each.name for each in found] == ["m002_create", "later", "m003"]


@pytest.mark.parametrize("name", ["later", "migrations.py::m001_vacuum", "2"])
def test_a_function_is_found_by_its_name_or_file(tmp_path: Path, name: str) -> None:
    read(tmp_path)

    assert read_catalogue(tmp_path).position(name) == 1


def test_the_rules_of_sqlite_utils_hold(tmp_path: Path) -> None:
    catalogue = read_catalogue(write(tmp_path, {"m.py": SET.format(module="sqlite_utils")}))

    assert runner_of_marks(catalogue.migrations, catalogue.texts) == "sqlite-utils"

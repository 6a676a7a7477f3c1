"""What the same migrations cost elsewhere: the floor, pytest-alembic and pytest-mrt."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.environments import python_of
from benchmarks.folders import step, write_base
from benchmarks.timing import Cost, NoCost, TookTooLong, cost_of

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.timing import Taken

ITEMS = 6  # checks of a migration
# Without plugins of what the tests of this project use.
QUIETLY = ("-q", "-p", "no:cacheprovider", "-p", "no:anyio", "-p", "no:hypothesispytest")

BY_HAND = """
import sqlite3
from pathlib import Path
db = sqlite3.connect(":memory:", isolation_level=None)
with sqlite3.connect("base.db") as base:
    base.backup(db)
kept = []
for up in sorted(Path("migrations").glob("*.up.sql")):
    down = up.with_name(up.name.replace(".up.", ".down."))
    for path in (up, down, up):
        db.execute("BEGIN"); db.execute(path.read_text()); db.execute("COMMIT")
        kept = [db.serialize()]
"""
EMPTY = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_nothing(number):
    pass
"""
REVISION = """
from alembic import op
revision, down_revision = {name!r}, {before!r}
branch_labels = depends_on = None

def upgrade():
    op.execute({up!r})

def downgrade():
    op.execute({down!r})
"""
ENV = """
from alembic import context
connectable = context.config.attributes["connection"]
with connectable.connect() as connection:
    context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
CONFTEST = """
import shutil
import pytest
from sqlalchemy import create_engine

@pytest.fixture
def alembic_config():
    return {"script_location": "alembic"}

@pytest.fixture
def alembic_engine(tmp_path):
    shutil.copyfile("base.db", tmp_path / "app.db")
    return create_engine(f"sqlite:///{tmp_path / 'app.db'}")
"""
TESTS = """
from pytest_alembic.tests import (
    test_single_head_revision,
    test_up_down_consistency,
    test_upgrade,
)
"""


MRT_INI = """
[alembic]
script_location = alembic
sqlalchemy.url = sqlite:///app.db
"""
MRT_ENV = """
from alembic import context
from sqlalchemy import create_engine
url = context.config.get_main_option("sqlalchemy.url")
with create_engine(url).connect() as connection:
    context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
MRT_CONFTEST = """
import shutil
from pytest_mrt import MRTConfig

def pytest_configure(config):
    shutil.copyfile("base.db", "app.db")
    config._mrt_config = MRTConfig(alembic_ini="alembic.ini", db_url="sqlite:///app.db")
"""
NOT_THERE = NoCost("not to be had")


def floor(project: Path, size: int) -> Cost:
    """Return what plain sqlite3 costs on the migrations of ``project``, with as many empty items.

    Up, down and up again, a snapshot each; and a session of pytest that has this plugin too.
    """
    empty = project.parent / f"empty_{size}"
    if not empty.exists():
        empty.mkdir()
        (empty / "test_nothing.py").write_text(EMPTY.format(count=size * ITEMS + 1))
        (empty / "pytest.ini").write_text("[pytest]\n")
    items = cost_of([sys.executable, "-m", "pytest", *QUIETLY], empty)
    steps = cost_of([sys.executable, "-c", BY_HAND], project)
    return Cost(items.wall + steps.wall, items.cpu + steps.cpu)


def write_alembic(folder: Path, size: int, rows: int) -> Path:
    """Write the same migrations as revisions of alembic, and its three tests."""
    write_revisions(folder, size, rows, ENV)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_migrations.py").write_text(TESTS)
    return folder


def write_mrt(folder: Path, size: int, rows: int) -> Path:
    """Write the same revisions for pytest-mrt, which brings its tests along."""
    write_revisions(folder, size, rows, MRT_ENV)
    (folder / "alembic.ini").write_text(MRT_INI)
    (folder / "conftest.py").write_text(MRT_CONFTEST)
    return folder


def write_revisions(folder: Path, size: int, rows: int, environment: str) -> None:
    """Write the migrations as revisions of alembic, and the database that they start from."""
    versions = folder / "alembic" / "versions"
    versions.mkdir(parents=True)
    write_base(folder, rows)
    (folder / "alembic" / "env.py").write_text(environment)
    (folder / "alembic" / "script.py.mako").write_text("")
    (folder / "pytest.ini").write_text("[pytest]\n")
    before = None
    for number in range(1, size + 1):
        one, name = step(number), f"r{number:03}"
        text = REVISION.format(name=name, before=before, up=one.up, down=one.down)
        (versions / f"{name}.py").write_text(text)
        before = name


def run_alembic(folder: Path) -> Taken:
    """Return what pytest-alembic's three tests cost."""
    python = python_of("alembic")
    return cost_of([python, "-m", "pytest", *QUIETLY], folder) if python else NOT_THERE


def run_mrt(folder: Path, seconds: float) -> Taken:
    """Return what pytest-mrt's tests cost, which are ended after ``seconds``."""
    python = python_of("mrt")
    if python is None:
        return NOT_THERE
    try:
        return cost_of([python, "-m", "pytest", *QUIETLY], folder, seconds=seconds)
    except TookTooLong:
        return NoCost(f"more than {seconds:.0f}")

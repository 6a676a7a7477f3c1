"""What the same migrations cost elsewhere: the floor, and pytest-alembic in its own environment."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.folders import step, write_base
from benchmarks.timing import ROOT, Cost, cost_of

if TYPE_CHECKING:
    from pathlib import Path

ITEMS = 6  # checks of a migration
ENVIRONMENT = ROOT / ".bench" / "alembic"
PINNED = ("pytest-alembic==0.13.1", "alembic==1.20.1", "sqlalchemy==2.1.9", "pytest==9.2.0")
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


def alembic_python() -> Path:
    """Return the Python of pytest-alembic's environment, which is made once."""
    python = ENVIRONMENT / "bin" / "python"
    done = ENVIRONMENT / ".installed"
    wanted = "\n".join(PINNED)
    if not done.exists() or done.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
        quiet = ("--quiet", "--disable-pip-version-check")
        subprocess.run([python, "-m", "pip", "install", *quiet, *PINNED], check=True)
        done.write_text(wanted)
    return python


def write_alembic(folder: Path, size: int, rows: int) -> Path:
    """Write the same migrations as revisions of alembic, and its three tests."""
    versions = folder / "alembic" / "versions"
    versions.mkdir(parents=True)
    write_base(folder, rows)
    (folder / "alembic" / "env.py").write_text(ENV)
    (folder / "alembic" / "script.py.mako").write_text("")
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_migrations.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    before = None
    for number in range(1, size + 1):
        one, name = step(number), f"r{number:03}"
        text = REVISION.format(name=name, before=before, up=one.up, down=one.down)
        (versions / f"{name}.py").write_text(text)
        before = name
    return folder


def run_alembic(folder: Path) -> Cost:
    """Return what pytest-alembic's three tests cost."""
    return cost_of([alembic_python(), "-m", "pytest", *QUIETLY], folder)

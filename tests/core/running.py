"""What the tests of the runner share: migrations made by hand, and databases as images."""

from __future__ import annotations

import textwrap
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.catalogue import Migration, PythonPart, ScriptPart, SqlPart
from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.runner import Failure, Run, RunEnvironment
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.sql import split_statements
from pytest_bbmigrate.sqlite_files import open_image, take_image

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Part

FILE = Path("001_step.sql")
PLAIN = Contract()


def image_of(*scripts: str) -> bytes:
    """Return the image of a new database after ``scripts``."""
    with closing(open_image(b"")) as db:
        for script in scripts:
            db.executescript(script)
        return take_image(db)


def rows(image: bytes, sql: str) -> list[Any]:
    """Return what a query gives on ``image``; the values themselves if it has one column."""
    with closing(open_image(image)) as db:
        found = db.execute(sql).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def migration_of(part: Part, contract: Contract = PLAIN) -> Migration:
    """Return a migration with ``part`` as its way up."""
    return Migration("001_step", part.path, (1,), part, None, contract, "")


def run_sql(
    sql: str,
    image: bytes = b"",
    *,
    contract: Contract = PLAIN,
    in_transaction: bool = True,
    environment: RunEnvironment | None = None,
) -> tuple[Run, bytes]:
    """Run a file with ``sql`` on ``image``."""
    part = SqlPart(FILE, split_statements(sql), in_transaction)
    return run_part(migration_of(part, contract), part, image, environment or RunEnvironment())


def run_python(
    folder: Path,
    source: str,
    image: bytes = b"",
    *,
    contract: Contract = PLAIN,
    in_transaction: bool = True,
    environment: RunEnvironment | None = None,
) -> tuple[Run, bytes]:
    """Run ``up`` of a file with ``source`` in ``folder`` on ``image``."""
    path = folder / "002_step.py"
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    part = PythonPart(path, "up", 1, in_transaction)
    return run_part(migration_of(part, contract), part, image, environment or RunEnvironment())


def run_script(
    folder: Path, source: str, image: bytes = b"", *, environment: RunEnvironment
) -> tuple[Run, bytes]:
    """Run the program with ``source`` in ``folder`` on ``image``."""
    path = folder / "003_step.py"
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    part = ScriptPart(path)
    return run_part(migration_of(part), part, image, environment)


def failure_of(run: Run) -> Failure:
    """Return why ``run`` failed, which it must have."""
    assert run.failure is not None
    return run.failure

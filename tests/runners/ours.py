"""The same folder, run by the package's own core as its checks run it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import Migration, ReadingRules, ScriptPart, SqlPart, read_catalogue
from pytest_bbmigrate.errors import CatalogueError
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.profiles import PROFILES, Around
from pytest_bbmigrate.runner.transactions import as_run_by
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.sqlite_files import open_content, read_image, take_image
from tests.runners.forms import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Part
    from pytest_bbmigrate.runner.model import Run
    from tests.runners.tools import Tool


@dataclass(frozen=True)
class Result:
    """What came of a folder; ``content`` is what its tool would leave, None where it says nothing.

    ``refusal`` is why it was refused, '' for not.
    """

    content: bytes | None
    refusal: str = ""


def run_ours(tool: Tool, root: Path, seed: Path, *, goes_down: bool) -> Result:
    """Return what the profile of ``tool`` makes of the folder that is laid in ``root``."""
    profile = PROFILES[tool.profile]
    environment = RunEnvironment(profile=profile, root=root, foreign_keys=tool.foreign_keys)
    try:
        catalogue = read_catalogue(root / MIGRATIONS, rules=ReadingRules(runner=profile.name))
    except CatalogueError as error:
        return Result(None, f"{error}")
    begun = content = read_image(seed)
    steps: list[tuple[Migration, Part]] = [(each, each.up) for each in catalogue.migrations]
    if goes_down and (down := steps[-1][0].down) is not None:
        steps.append((steps[-1][0], down))
    for migration, part in steps:
        run, after = run_part(migration, part, content, environment)
        if run.failure:
            left = begun
            if profile.around is not Around.RUN:
                left = left_by(part, run, content, environment)
            return Result(left if tool.leaves else None, run.failure.message)
        content = after
    return Result(content)


def left_by(part: Part, run: Run, content: bytes, environment: RunEnvironment) -> bytes:
    """Return what a tool leaves of a file that fails: nothing, where it is in a transaction."""
    assert not isinstance(part, ScriptPart)
    shaped = as_run_by(environment.profile, part) if isinstance(part, SqlPart) else part
    if shaped.in_transaction:
        return content
    with closing(open_content(content)) as db:
        keys = environment.profile.foreign_keys
        db.execute(f"PRAGMA foreign_keys = {int(bool(keys))}")
        for statement in run.executed:
            db.execute(statement).fetchall()
        with suppress(sqlite3.Error):  # RAISE(ROLLBACK) takes back what it is part of
            db.execute(run.failure.statement if run.failure else "")
        if db.in_transaction:
            db.rollback()
        return take_image(db)

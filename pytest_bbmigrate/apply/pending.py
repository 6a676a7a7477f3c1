"""Ask, from the app itself, whether its database has every migration; without pytest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import ReadingRules, read_catalogue
from pytest_bbmigrate.catalogue.listing import read_order
from pytest_bbmigrate.catalogue.text import exact_text
from pytest_bbmigrate.errors import BBMigrateError, DatabaseError
from pytest_bbmigrate.history.plan import PlanError, compare_with_history, history_problems
from pytest_bbmigrate.history.table import lacks_history, read_history
from pytest_bbmigrate.sqlite_files.reading import read_database

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from pytest_bbmigrate.history.table import Applied


def pending(
    database: str | os.PathLike[str],
    migrations: str | os.PathLike[str],
    *,
    order: str | os.PathLike[str] | None = None,
    placeholders: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
    contracts: str | os.PathLike[str] | None = None,
    steps: str | os.PathLike[str] | None = None,
) -> tuple[str, ...]:
    """Return the names of the migrations in a folder that a database does not have, in order.

    () means that its schema is the one that the files make. A backend can so refuse to start on a
    stale schema::

        app = FastAPI()
        if stale := pytest_bbmigrate.pending("budget_buddy.db", "migrations"):
            raise RuntimeError(f"{', '.join(stale)} pending: run pytest --bb-apply first")

    ``order``, ``contracts`` and ``steps`` (files), ``placeholders`` and ``ignore`` are what
    bb_order, bb_contracts, bb_steps, bb_placeholders and bb_ignore say, for a folder that needs it.

    The database is read as any other program may read it, beside those that write; nothing is
    written to it, and nothing is made beside it, also where it is on a read-only disk. No migration
    is run or imported, and neither pytest nor anything else beside the standard library.

    Raises: DatabaseError when the database is not there, does not read, is locked for longer than 5
        seconds, or has tables and no history; CatalogueError when the folder or one of these
        files does not read; SettingsError when nothing tells the order; BBMigrateError when
        an applied migration's file was changed since or is missing. All are BBMigrateErrors, and
        say what to do.
    """
    path = Path(database)
    rules = ReadingRules(
        tuple((placeholders or {}).items()),
        tuple(ignore),
        Path(order) if order is not None else None,
        read_order(Path(order)) if order is not None else (),
        contracts_file=Path(contracts) if contracts is not None else None,
        contracts=exact_text(Path(contracts)) if contracts is not None else "",
        steps_file=Path(steps) if steps is not None else None,
        steps=exact_text(Path(steps)) if steps is not None else "",
    )
    catalogue = read_catalogue(Path(migrations), rules=rules)
    recorded = {applied.name: applied.checksum for applied in _history_of(path)}
    statuses = compare_with_history(catalogue, recorded)
    problems = [f"{path}: {problem}" for problem in history_problems(statuses)]
    if problems:
        raise PlanError(problems)
    return tuple(migration.name for migration in statuses.pending)


def _history_of(path: Path) -> tuple[Applied, ...]:
    """Return the history of the database ``path``. Raises: BBMigrateError, as ``pending``."""
    try:
        lacks, history = read_database(path, lambda db: (lacks_history(db), read_history(db)))
    except DatabaseError:
        raise
    except BBMigrateError as error:
        raise DatabaseError(path, str(error)) from error
    if lacks:
        raise DatabaseError(
            path,
            "it has tables and no history of migrations; have pytest --bb-adopt find the "
            "version that it is at and record it",
        )
    return history

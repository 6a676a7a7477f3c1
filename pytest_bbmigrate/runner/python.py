"""Run a migration that is a Python function ``up(db)``."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import os
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlite_utils import Database

from pytest_bbmigrate.catalogue.model import Call
from pytest_bbmigrate.runner.awaited import Awaitable
from pytest_bbmigrate.runner.fixed_imports import FixedFinder, ReadLoader, fixed
from pytest_bbmigrate.runner.model import Failure
from pytest_bbmigrate.runner.stand_ins import run_steps, stand_ins
from pytest_bbmigrate.runner.tracebacks import describe, line_in, statement_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

    from pytest_bbmigrate.catalogue import PythonPart
    from pytest_bbmigrate.runner.connection import RunConnection

MODULE_NAME = "bb_migration_at_work"


class RunDatabase(Database):
    """The ``db`` of a migration: ``commit()`` does nothing on it either."""

    def commit(self) -> None:
        """Do what ``db.conn.commit()`` does."""
        self.conn.commit()

    def rollback(self) -> None:
        """Do what ``db.conn.rollback()`` does."""
        self.conn.rollback()


@cache
def get_ready() -> None:
    """Do what sqlite-utils does once in a process, at the first database: find its plugins."""
    Database(memory=True).close()


def run_python(
    db: RunConnection,
    part: PythonPart,
    *,
    foreign_keys: bool | None,
    explain: Callable[[BaseException], str],
) -> Failure | None:
    """Begin as ``part`` asks for, and call its function with ``db``; return why it failed.

    ``foreign_keys`` is whether they are enforced, None for as the connection has it; ``explain``
    returns a note on what it raised, '' for none.
    """
    db.controls_transaction = not part.in_transaction
    db.begin(foreign_keys=foreign_keys, atomic=part.in_transaction)
    failure = call(db, part, explain)
    if failure is None and db.fault:
        failure = Failure(part.path, db.fault_line, db.fault_statement, db.fault)
    return failure


def call(
    db: RunConnection, part: PythonPart, explain: Callable[[BaseException], str]
) -> Failure | None:
    """Load the file of ``part`` and call its function; return what it raised."""
    try:
        of_yoyo = part.call in (Call.STEPS, Call.ROLLBACKS)
        with stand_ins(yoyo=of_yoyo) as steps, loaded(part.path, part.texts) as module:
            if of_yoyo:
                back = part.call is Call.ROLLBACKS
                run_steps(db, steps.made[::-1] if back else steps.made, back=back)
            else:
                call_function(db, part, getattr(module, part.function))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it raises is evidence, a skip as well
        line = line_in(str(part.path), error)
        note = explain(error)
        return Failure(part.path, line, statement_of(error), describe(error), note=note)
    return None


def call_function(db: RunConnection, part: PythonPart, function: Callable[..., object]) -> None:
    """Call ``function``, the one of ``part``, with what it is to be given; wait for an async one.

    Raises: whatever it raises; TypeError when what it returns would be run by nobody.
    """
    plain = part.call is Call.CONNECTION
    given: object = db if plain else RunDatabase(db, recursive_triggers=False)
    if inspect.iscoroutinefunction(function):
        asyncio.run(function(Awaitable(given)))
    else:
        refuse_unfinished(part.function, function(given))


def refuse_unfinished(function: str, result: object) -> None:
    """Raise TypeError when a function has only returned something that would do its work."""
    if inspect.iscoroutine(result) or inspect.isgenerator(result):
        result.close()
        kind = type(result).__name__
        raise TypeError(f"{function}() is a {kind} function: what it returns is run by nobody")


@contextmanager
def loaded(path: Path, texts: Mapping[str, bytes]) -> Iterator[ModuleType]:
    """Give the module in the file ``path``, its folder being first on ``sys.path`` meanwhile.

    It and what it imports say what ``texts`` say, as far as these are among them.
    """
    loader = ReadLoader(MODULE_NAME, str(path), texts.get(os.path.realpath(path)))
    spec = importlib.util.spec_from_file_location(MODULE_NAME, path, loader=loader)
    assert spec is not None  # noqa: S101 - it never is when a loader is given
    module = importlib.util.module_from_spec(spec)
    with importing_from(path.absolute().parent), fixed(FixedFinder(texts)):
        sys.modules[MODULE_NAME] = module
        try:
            loader.exec_module(module)
            yield module
        finally:
            sys.modules.pop(MODULE_NAME, None)  # the migration may have taken it out itself


@contextmanager
def importing_from(folder: Path) -> Iterator[None]:
    """Have imports look in ``folder`` first, write no compiled files, and leave no trace of it."""
    own = module_names(folder)
    path, writes_nothing = list(sys.path), sys.dont_write_bytecode
    others = {
        name: module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in own and not lies_in(module, folder)
    }
    for name in others:
        del sys.modules[name]
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    sys.path_importer_cache.pop(str(folder), None)  # it may not know of the newest files
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes_nothing
        sys.path[:] = path
        for name in set(sys.modules) - known:
            if name.partition(".")[0] in own:
                del sys.modules[name]
        sys.modules.update(others)


def module_names(folder: Path) -> set[str]:
    """Return the names of the modules and packages in ``folder`` that are a migration's own."""
    found = {each.stem for each in folder.glob("*.py")} | {
        each.parent.name for each in folder.glob("*/*.py")
    }
    return found - sys.stdlib_module_names - {__name__.partition(".")[0]}


def lies_in(module: ModuleType, folder: Path) -> bool:
    """Return whether ``module`` was loaded from ``folder``."""
    places = (getattr(module, "__file__", None), *getattr(module, "__path__", ()))
    return any(place is not None and Path(place).is_relative_to(folder) for place in places)

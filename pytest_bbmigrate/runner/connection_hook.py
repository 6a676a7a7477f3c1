"""The app's own function that prepares connections, found by its name and tried."""

from __future__ import annotations

import functools
import importlib
import inspect
import sqlite3
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.private import Known, muted, safe_exception, safe_message

if TYPE_CHECKING:
    from pathlib import Path

ConnectionHook = Callable[[sqlite3.Connection], object]


def load_connection_hook(name: str, root: Path) -> ConnectionHook | None:
    """Return the function that 'package.module:function' names; None for ''.

    The import sees ``root`` first, whatever the working directory is. The function is tried once;
    with every connection it is kept from other databases, and rows stay tuples.

    Raises: SettingsError when there is no such module or function, or it cannot prepare a
        connection.
    """
    if not name:
        return None
    module_name, _, function_name = name.partition(":")
    try:
        with muted():
            module = _import_from(root, module_name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the user's own module runs here and may raise anything
        raise SettingsError(
            f"bb_connection = {name}: {module_name} cannot be imported from {root} "
            f"({safe_exception(error, lines_of(error) | Known(texts=(module_name,)))})"
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise SettingsError(
            f"bb_connection = {name}: {module_name} has no function {function_name}; "
            f"define {function_name}(connection) there"
        )
    hook = _held(function)
    if fault := _fault_of(hook):
        raise SettingsError(f"bb_connection = {name}: {fault}")
    return hook


class LateHook:
    """Does as ``load_connection_hook``'s result, and imports the module at its first call.

    Where ``bb_python`` names the app's Python, this one need not have what that module imports.
    ``fault`` is why it could not be called where it was wanted if possible; '' for nothing.
    """

    def __init__(self, name: str, root: Path) -> None:
        self._load = functools.cache(lambda: load_connection_hook(name, root))
        self.fault = ""

    def __call__(self, connection: sqlite3.Connection) -> object:
        """Prepare ``connection``.

        Raises: SettingsError when the module cannot be imported here, or is of no use.
        """
        try:
            hook = self._load()
        except SettingsError as error:
            raise SettingsError(
                f"{error}; bb_python runs the migrations, but this database is opened in pytest's "
                "own Python, which needs the module as well"
            ) from error
        return None if hook is None else hook(connection)

    def if_possible(self, connection: sqlite3.Connection) -> object:
        """Prepare ``connection`` where that can be done: what then lacks a function says so."""
        try:
            return self(connection)
        except SettingsError as error:
            self.fault = f"; {error}"
            return None


def late_connection_hook(name: str, root: Path) -> LateHook | None:
    """Return the hook that 'package.module:function' names, not imported yet; None for ''."""
    return LateHook(name, root) if name else None


def called_if_possible(hook: ConnectionHook | None) -> ConnectionHook | None:
    """Return ``hook``; one that is not imported yet is called only where it can be."""
    return hook.if_possible if isinstance(hook, LateHook) else hook


def _held(function: ConnectionHook) -> ConnectionHook:
    """Return ``function`` so that it opens no other database, and rows stay plain tuples."""

    @functools.wraps(function)
    def prepare(connection: sqlite3.Connection) -> object:
        # The connection's own method would refuse, where a migration is to run on it.
        sqlite3.Connection.set_authorizer(connection, refuse_other_files)
        result = function(connection)
        sqlite3.Connection.set_authorizer(connection, None)
        connection.row_factory = None
        return result

    return prepare


def refuse_other_files(action: int, *_: str | None) -> int:
    """Refuse ATTACH and VACUUM INTO: an authorizer."""
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK


def _fault_of(hook: ConnectionHook) -> str:
    """Return what is wrong with ``hook``, found by calling it with an empty database; or ''."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        try:
            with muted():
                result = hook(db)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - the user's own function, see above
            raised = safe_exception(error, lines_of(error))
            return (
                f"called with an empty database it raised {raised}; "
                "it is to register functions and collations, whatever the database holds"
            )
        if inspect.iscoroutine(result):
            result.close()
            return "it is a coroutine function, and nobody awaits what it returns"
        try:
            return _trace_of_hook(db)
        except sqlite3.Error as error:
            return f"the connection is of no use after it ({safe_message(error)})"


def _trace_of_hook(db: sqlite3.Connection) -> str:
    """Return what a hook has left behind in the empty database ``db`` that it must not; or ''."""
    if db.in_transaction:
        return "it leaves a transaction open"
    if db.execute("PRAGMA page_count").fetchone()[0]:
        return "it writes to the database; it is to register functions and collations only"
    db.execute("CREATE TABLE written (there)")
    return ""


def lines_of(error: BaseException) -> Known:
    """Return the lines of source that ``error`` came through: what stands there may be shown."""
    frames = traceback.extract_tb(error.__traceback__)
    return Known(texts=tuple(frame.line or "" for frame in frames))


def _import_from(root: Path, module_name: str) -> object:
    path = list(sys.path)
    sys.path.insert(0, str(root))
    try:
        return importlib.import_module(module_name)
    finally:
        sys.path[:] = path

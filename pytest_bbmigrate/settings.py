"""Options and configured values, validated. No pytest."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import re
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.statements import UnreadableSql, split_statements, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    ConnectionHook = Callable[[sqlite3.Connection], object]

DEFAULT_MIGRATIONS = "migrations"
DEFAULT_DATABASE = "budget_buddy.db"
DEFAULT_ROWS = 200
DEFAULT_SEED = 20260101
MOST_ROWS = 1_000_000  # a chain of states is kept in memory

_HOOK = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_TRUE = ("1", "on", "true", "yes")
_FALSE = ("", "0", "false", "no", "off")
_WRITES = frozenset({"into", "update", "delete"})  # reserved: none can be a column's bare name


@dataclass(frozen=True)
class Given:
    """One value as it was given, by which option; a relative path counts from ``folder``."""

    option: str
    value: str | int | tuple[str, ...]
    folder: Path

    @property
    def text(self) -> str:
        """The value as text; '' when there is none."""
        return str(self.value).strip()


@dataclass(frozen=True)
class Settings:
    """Everything that can be set, validated; every path is absolute.

    ``invariants`` are (name, query) pairs; ``connection`` is 'package.module:function' or '';
    ``check_from`` is the first migration to judge, or ''.
    """

    root: Path
    migrations: Path
    database: Path
    baseline: Path | None = None
    invariants: tuple[tuple[str, str], ...] = ()
    rows: int = DEFAULT_ROWS
    seed: int = DEFAULT_SEED
    rows_from: Path | None = None
    connection: str = ""
    check_from: str = ""
    strict: bool = False


def read_settings(root: Path, given: Mapping[str, Given]) -> Settings:
    """Return the settings that ``given`` (a field of Settings to its raw value) says.

    A field that is not given, or given as '', has its default.

    Raises: SettingsError naming the option, its value and what is allowed.
    """
    nothing = Given("", "", root)

    def take(field: str) -> Given:
        return given.get(field, nothing)

    database = _path(take("database")) or root / DEFAULT_DATABASE
    return Settings(
        root=root,
        migrations=_path(take("migrations")) or root / DEFAULT_MIGRATIONS,
        database=database,
        baseline=_baseline(take("baseline"), database),
        invariants=_invariants(take("invariants")),
        rows=_row_count(take("rows")),
        seed=_integer(take("seed"), DEFAULT_SEED, "an integer"),
        rows_from=_existing_folder(take("rows_from")),
        connection=_hook_name(take("connection")),
        check_from=take("check_from").text,
        strict=_boolean(take("strict")),
    )


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
        module = _import_from(root, module_name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the user's own module runs here and may raise anything
        raise SettingsError(
            f"bb_connection = {name}: {module_name} cannot be imported from {root} "
            f"({type(error).__name__}: {error})"
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
            result = hook(db)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - the user's own function, see above
            return (
                f"called with an empty database it raised {type(error).__name__}: {error}; "
                "it is to register functions and collations, whatever the database holds"
            )
        if inspect.iscoroutine(result):
            result.close()
            return "it is a coroutine function, and nobody awaits what it returns"
        try:
            return _trace_of_hook(db)
        except sqlite3.Error as error:
            return f"the connection is of no use after it ({error})"


def _trace_of_hook(db: sqlite3.Connection) -> str:
    """Return what a hook has left behind in the empty database ``db`` that it must not; or ''."""
    if db.in_transaction:
        return "it leaves a transaction open"
    if db.execute("PRAGMA page_count").fetchone()[0]:
        return "it writes to the database; it is to register functions and collations only"
    db.execute("CREATE TABLE written (there)")
    return ""


def _import_from(root: Path, module_name: str) -> object:
    path = list(sys.path)
    sys.path.insert(0, str(root))
    try:
        return importlib.import_module(module_name)
    finally:
        sys.path[:] = path


def _refuse(given: Given, allowed: str) -> SettingsError:
    return SettingsError(f"{given.option} = {given.value}: {allowed}")


def _path(given: Given) -> Path | None:
    if not given.text:
        return None
    if "\0" in given.text:
        raise _refuse(given, "a path is wanted")
    path = given.folder / Path(given.text).expanduser()
    return Path(os.path.abspath(path))  # noqa: PTH100 (pytest leaves symbolic links alone, so we)


def _existing_file(given: Given) -> Path | None:
    path = _path(given)
    if path is not None and not path.is_file():
        raise _refuse(given, f"there is no such file ({path})")
    return path


def _baseline(given: Given, database: Path) -> Path | None:
    path = _existing_file(given)
    if path is not None and database.exists() and path.samefile(database):
        raise _refuse(
            given, "this is the real database, which a check never opens; make a copy of it"
        )
    return path


def _existing_folder(given: Given) -> Path | None:
    path = _path(given)
    if path is not None and not path.is_dir():
        raise _refuse(given, f"there is no such folder ({path})")
    return path


def _integer(given: Given, default: int, wanted: str, *, least: int | None = None) -> int:
    if not given.text:
        return default
    # int() would take '1_000', ' 7 ' and digits of other scripts: none of these was meant.
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", given.text):
        raise _refuse(given, f"{wanted} is wanted")
    number = int(given.text)
    if least is not None and number < least:
        raise _refuse(given, f"{wanted} is wanted")
    return number


def _row_count(given: Given) -> int:
    rows = _integer(given, DEFAULT_ROWS, "a positive integer", least=1)
    if rows > MOST_ROWS:
        raise _refuse(given, f"{MOST_ROWS} is the most")
    return rows


def _boolean(given: Given) -> bool:
    word = given.text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise _refuse(given, "true or false is wanted")


def _hook_name(given: Given) -> str:
    if given.text and not _HOOK.fullmatch(given.text):
        raise _refuse(given, "package.module:function is wanted")
    return given.text


def _invariants(given: Given) -> tuple[tuple[str, str], ...]:
    lines = given.value if isinstance(given.value, tuple) else given.text.splitlines()
    found: dict[str, str] = {}
    for line in (line.strip() for line in lines):
        if not line or line.startswith("#"):
            continue
        name, query = _invariant(Given(given.option, line, given.folder))
        if name in found:
            raise SettingsError(f"{given.option}: two queries are called {name}")
        found[name] = query
    return tuple(found.items())


def _invariant(given: Given) -> tuple[str, str]:
    name, colon, query = (part.strip() for part in given.text.partition(":"))
    if not (name and colon and re.match(r"(?i)(select|with|values)\b", query)):
        raise _refuse(given, "a line 'name: SELECT ..' is wanted")
    if fault := _fault_of_query(query):
        raise _refuse(given, fault)
    return name, query.removesuffix(";").rstrip()


def _fault_of_query(query: str) -> str:
    """Return why ``query`` could run on no database, or would write to one; '' when it is fine."""
    try:
        statements = split_statements(query)
    except UnreadableSql as error:
        return f"{error.message}; {error.remedy}"
    if len(statements) > 1:
        return "one query is wanted; write each on a line of its own, with a name of its own"
    depth = 0
    for token in tokenize(query):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.text.lower() in _WRITES:
            return f"a query that only reads is wanted, and this has {token.text}"
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute(f"EXPLAIN {query}")
        except sqlite3.Error as error:
            # A table, column or function that is missing here may be there at some version.
            if re.search("syntax error|incomplete input", str(error)):
                return str(error)
    return ""

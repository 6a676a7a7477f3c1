"""Options and configured values, validated. No pytest.

Read before the judge is started, which imports the core while this process does: what few settings
need is imported where it is used.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import CatalogueError, SettingsError
from pytest_bbmigrate.file_names import as_spelled
from pytest_bbmigrate.runner.limits import DEFAULT_MEMORY, LEAST_MEMORY, read_size, show_size
from pytest_bbmigrate.runner.profiles import PROFILES
from pytest_bbmigrate.zones import DEFAULT_ZONE, is_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeVar

    from pytest_bbmigrate.catalogue.rules import ReadingRules

    T = TypeVar("T")

DEFAULT_MIGRATIONS = "migrations"
DEFAULT_DATABASE = "budget_buddy.db"
DEFAULT_ROWS = 200
DEFAULT_SEED = 20260101
DEFAULT_SMOKE_SECONDS = 300
MOST_ROWS = 1_000_000  # a chain of states is kept in memory

_HOOK = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_TRUE = ("1", "on", "true", "yes")
_FALSE = ("", "0", "false", "no", "off")
_WRITES = frozenset({"into", "update", "delete"})  # reserved: none can be a column's bare name


@dataclass(frozen=True)
class GivenValue:
    """One value as it was given, by which option; a relative path counts from ``folder``."""

    option: str
    value: str | int | tuple[str, ...]
    folder: Path

    @property
    def text(self) -> str:
        """The value as text; '' when there is none."""
        return str(self.value).strip()

    @property
    def path_text(self) -> str:
        """The value as a path: of the command line, where a shell has quoted it, to the letter."""
        return str(self.value) if self.option.startswith("--") else self.text


@dataclass(frozen=True)
class Settings:
    """Everything that can be set, validated; every path is absolute.

    ``invariants`` are (name, query) pairs; ``connection`` is 'package.module:function' or '';
    ``check_from`` is the first migration to judge, or ''; ``zone`` is what TZ is for the checks.
    ``seconds`` is how long one run of one part may take, None for what is meant by giving nothing;
    ``memory`` is in bytes. ``runs_as`` is the runner profile, '' for the one that the folder's form
    says; ``foreign_keys`` is whether they are on for the folder, None for as the profile has it.
    ``python`` is the interpreter that runs the migrations, None for pytest's own.
    ``placeholders`` are (name, value) pairs, and ``ignore`` patterns of names to pass over;
    ``order`` are the lines of ``order_file``, which lists the migrations in their order;
    ``contracts`` is the text of ``contracts_file``, which has contract lines of migrations, and
    ``steps`` that of ``steps_file``, which says what SQL steps in other languages amount to.
    """

    root: Path
    migrations: Path
    database: Path
    base: Path | None = None
    invariants: tuple[tuple[str, str], ...] = ()
    rows: int = DEFAULT_ROWS
    seed: int = DEFAULT_SEED
    rows_from: Path | None = None
    connection: str = ""
    check_from: str = ""
    strict: bool = False
    backup_dir: Path | None = None
    keep_backups: int | None = None
    smoke_seconds: int = DEFAULT_SMOKE_SECONDS
    zone: str = DEFAULT_ZONE
    seconds: int | None = None
    memory: int = DEFAULT_MEMORY
    runs_as: str = ""
    foreign_keys: bool | None = None
    python: Path | None = None
    placeholders: tuple[tuple[str, str], ...] = ()
    ignore: tuple[str, ...] = ()
    order_file: Path | None = None
    order: tuple[str, ...] = ()
    contracts_file: Path | None = None
    contracts: str = ""
    steps_file: Path | None = None
    steps: str = ""

    @property
    def reading_rules(self) -> ReadingRules:
        """What is said here of how the folder is read."""
        from pytest_bbmigrate.catalogue.rules import ReadingRules

        return ReadingRules(
            self.placeholders,
            self.ignore,
            self.order_file,
            self.order,
            self.runs_as,
            self.contracts_file,
            self.contracts,
            self.steps_file,
            self.steps,
        )


def read_settings(root: Path, given: Mapping[str, GivenValue]) -> Settings:
    """Return the settings that ``given`` (a field of Settings to its raw value) says.

    A field that is not given, or given as '', has its default.

    Raises: SettingsError naming the option, its value and what is allowed.
    """
    nothing = GivenValue("", "", root)

    def take(field: str) -> GivenValue:
        return given.get(field, nothing)

    order_file = _existing_file(take("order"))
    contracts_file = _existing_file(take("contracts"))
    steps_file = _existing_file(take("steps"))
    database = as_spelled(_path(take("database")) or root / DEFAULT_DATABASE)
    return Settings(
        root=root,
        migrations=_path(take("migrations")) or root / DEFAULT_MIGRATIONS,
        database=database,
        base=_base_path(take("base"), database),
        invariants=_invariants(take("invariants"), is_tried=not take("python").text),
        rows=_row_count(take("rows")),
        seed=_integer(take("seed"), DEFAULT_SEED, "an integer"),
        rows_from=_existing_folder(take("rows_from")),
        connection=_hook_name(take("connection")),
        check_from=take("check_from").text,
        strict=_boolean(take("strict")),
        backup_dir=_existing_folder(take("backup_dir")),
        keep_backups=_given_integer(take("keep_backups")),
        smoke_seconds=_integer(
            take("smoke_seconds"), DEFAULT_SMOKE_SECONDS, "a positive integer", least=1
        ),
        zone=_zone(take("zone")),
        seconds=_given_integer(take("seconds")),
        memory=_memory(take("memory")),
        runs_as=_runner(take("runs_as")),
        foreign_keys=_on_or_off(take("foreign_keys")),
        python=_program(take("python")),
        placeholders=_placeholders(take("placeholders")),
        ignore=tuple(_lines(take("ignore"))),
        order_file=order_file,
        order=_read_file(take("order"), order_file, _lines_of_order, ()),
        contracts_file=contracts_file,
        contracts=_read_file(take("contracts"), contracts_file, _text, ""),
        steps_file=steps_file,
        steps=_read_file(take("steps"), steps_file, _text, ""),
    )


def _refuse(given: GivenValue, allowed: str) -> SettingsError:
    return SettingsError(f"{given.option} = {given.value}: {allowed}")


def _path(given: GivenValue) -> Path | None:
    if not given.text:
        return None
    if "\0" in given.text:
        raise _refuse(given, "a path is wanted")
    # Path.expanduser() raises for an unknown user; this takes ~user for a name then.
    path = given.folder / os.path.expanduser(given.path_text)  # noqa: PTH111
    return Path(os.path.abspath(path))  # noqa: PTH100 (pytest leaves symbolic links alone, so we)


def _existing_file(given: GivenValue) -> Path | None:
    path = _path(given)
    if path is not None and not path.is_file():
        raise _refuse(given, f"there is no such file ({path})")
    return path


def _program(given: GivenValue) -> Path | None:
    path = _path(given)
    if path is None:
        return None
    if os.name != "posix":
        raise _refuse(given, "migrations run in pytest's own Python on Windows; leave it out here")
    if path.is_dir():
        raise _refuse(
            given, f"this is a folder; name the interpreter in it, its bin/python ({path})"
        )
    if not path.exists():
        raise _refuse(given, f"there is no such file ({path})")
    if not os.access(path, os.X_OK):
        raise _refuse(given, f"this is no program: it may not be executed ({path})")
    return path


def _base_path(given: GivenValue, database: Path) -> Path | None:
    path = _existing_file(given)
    if path is not None and database.exists() and path.samefile(database):
        raise _refuse(
            given, "this is the real database, which a check never opens; make a copy of it"
        )
    return path


def _existing_folder(given: GivenValue) -> Path | None:
    path = _path(given)
    if path is not None and not path.is_dir():
        raise _refuse(given, f"there is no such folder ({path})")
    return path


def _integer(given: GivenValue, default: int, wanted: str, *, least: int | None = None) -> int:
    if not given.text:
        return default
    # int() would also take '1_000', ' 7 ' and digits of other scripts, which nobody meant.
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", given.text):
        raise _refuse(given, f"{wanted} is wanted")
    number = int(given.text)
    if least is not None and number < least:
        raise _refuse(given, f"{wanted} is wanted")
    return number


def _row_count(given: GivenValue) -> int:
    rows = _integer(given, DEFAULT_ROWS, "a positive integer", least=1)
    if rows > MOST_ROWS:
        raise _refuse(given, f"{MOST_ROWS} is the most")
    return rows


def _memory(given: GivenValue) -> int:
    if not given.text:
        return DEFAULT_MEMORY
    size = read_size(given.text)
    if size is None:
        raise _refuse(given, "a size is wanted, such as 512MB or 2GB")
    if size < LEAST_MEMORY:
        raise _refuse(given, f"{show_size(LEAST_MEMORY)} is the least: Python alone takes half")
    return size


def _given_integer(given: GivenValue) -> int | None:
    return _integer(given, 0, "a positive integer", least=1) if given.text else None


def _boolean(given: GivenValue) -> bool:
    word = given.text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise _refuse(given, "true or false is wanted")


def _runner(given: GivenValue) -> str:
    if given.text and given.text not in PROFILES:
        raise _refuse(given, f"one of {', '.join(PROFILES)} is wanted")
    return given.text


def _on_or_off(given: GivenValue) -> bool | None:
    if not given.text:
        return None
    if given.text.lower() not in ("on", "off"):
        raise _refuse(given, "on or off is wanted")
    return given.text.lower() == "on"


def _hook_name(given: GivenValue) -> str:
    if given.text and not _HOOK.fullmatch(given.text):
        raise _refuse(given, "package.module:function is wanted")
    return given.text


def _zone(given: GivenValue) -> str:
    if given.text and not is_zone(given.text):
        allowed = f"no such zone is known here; write it as a POSIX string, such as {DEFAULT_ZONE}"
        raise _refuse(given, allowed)
    return given.text or DEFAULT_ZONE


def _lines(given: GivenValue) -> Iterator[str]:
    """Yield the lines of a value that are neither empty nor a comment."""
    lines = given.value if isinstance(given.value, tuple) else given.text.splitlines()
    for line in (line.strip() for line in lines):
        if line and not line.startswith("#"):
            yield line


def _read_file(given: GivenValue, path: Path | None, read: Callable[[Path], T], nothing: T) -> T:
    """Return what ``read`` reads in the file at ``path``, ``nothing`` without a file."""
    if path is None:
        return nothing
    try:
        return read(path)
    except CatalogueError as error:
        problem = error.problems[0]
        raise _refuse(given, f"{problem.message}; {problem.remedy}") from error


def _lines_of_order(path: Path) -> tuple[str, ...]:
    from pytest_bbmigrate.catalogue.listing import read_order

    return read_order(path)


def _text(path: Path) -> str:
    from pytest_bbmigrate.catalogue.text import exact_text

    return exact_text(path)


def _placeholders(given: GivenValue) -> tuple[tuple[str, str], ...]:
    values: dict[str, str] = {}
    for line in _lines(given):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not (name and equals) or set(name) & set("{}$"):
            raise _refuse(GivenValue(given.option, line, given.folder), "'name = value' is wanted")
        if name in values:
            raise SettingsError(f"{given.option}: two values for {name}; leave one of them")
        values[name] = value
    return tuple(values.items())


def _invariants(given: GivenValue, *, is_tried: bool) -> tuple[tuple[str, str], ...]:
    # What only the SQLite of the app's Python knows is not tried with this one.
    queries: dict[str, str] = {}
    for line in _lines(given):
        one = GivenValue(given.option, line, given.folder)
        name, query = _invariant(one, is_tried=is_tried)
        if name in queries:
            raise SettingsError(f"{given.option}: two queries are called {name}")
        queries[name] = query
    return tuple(queries.items())


def _invariant(given: GivenValue, *, is_tried: bool) -> tuple[str, str]:
    name, colon, query = (part.strip() for part in given.text.partition(":"))
    if not (name and colon and re.match(r"(?i)(select|with|values)\b", query)):
        raise _refuse(given, "a line 'name: SELECT ..' is wanted")
    if fault := _fault_of_query(query, is_tried=is_tried):
        raise _refuse(given, fault)
    return name, query.removesuffix(";").rstrip()


def _fault_of_query(query: str, *, is_tried: bool) -> str:
    """Return why ``query`` can run on no database, or would write to one; '' if neither."""
    from pytest_bbmigrate.sql import UnreadableSql, split_statements, tokenize
    from pytest_bbmigrate.sql.cursor import keyword, outline

    try:
        statements = split_statements(query)
    except UnreadableSql as error:
        return f"{error.message}; {error.remedy}"
    if len(statements) > 1:
        return "one query is wanted; write each on a line of its own, with a name of its own"
    for _, token in outline(tokenize(query)):
        if keyword(token) in _WRITES:
            return f"a query that only reads is wanted, and this has {token.text}"
    if not is_tried:
        return ""
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute(f"EXPLAIN {query}")
        except sqlite3.Error as error:
            # A table, column or function that is missing here may be there at some version.
            if re.search("syntax error|incomplete input", str(error)):
                return str(error)
    return ""

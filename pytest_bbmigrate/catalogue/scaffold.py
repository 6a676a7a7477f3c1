"""Write the next migration of a folder from a template."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.names import (
    NUMBER,
    flyway_name,
    is_never_migration,
    leading_number,
    split_name,
)
from pytest_bbmigrate.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "001_"
DATE_PLACES = ("%Y", "%m", "%d")
TIMESTAMP = re.compile(r"(?:19|20)[0-9]{12}")

HEADER = """\
{mark} Migration: {title}
{mark} Date: {date}
{mark} Author: {author}
{mark} Purpose:
{mark}
{mark} What it does to data that is already there is declared in lines up here, such as
{mark} "bb: changes transactions.bb_category where bb_category = 'Dining Out'": changes, inserts,
{mark} deletes, drops, renames, alters, irreversible, requires. Adding things needs none.
"""
SQL_PARTS = """
-- migrate:up

-- migrate:down
"""
PYTHON_PARTS = """

def up(db):
    ...


def down(db):
    ...
"""


def write_new(folder: Path, name: str) -> Path:
    """Write the next numbered migration of ``folder``, called ``name``, and return its path.

    It is SQL unless ``name`` ends in ``.py``. Its parts are empty, which the catalogue reports
    until they are written. A missing folder is made; nothing is ever overwritten.

    Raises: SettingsError when ``name`` is empty or a path, or the file cannot be written.
    """
    title, ending = _title(name)
    now = datetime.now(UTC)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_next_number(folder, now)}{_slug(title)}{ending}"
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(_content(title, ending, f"{now:%Y-%m-%d}", _author(folder)))
    except OSError as error:
        raise SettingsError(
            f"--bb-new={name}: {error.filename} cannot be written ({error.strerror}); "
            "--bb-migrations=DIR names another folder"
        ) from error
    return path


def _title(name: str) -> tuple[str, str]:
    """Return the migration's title in words, and the file's ending."""
    if any(character in name for character in "/\\\0"):
        raise SettingsError(
            f"--bb-new={name}: a name, not a path; --bb-migrations=DIR names the folder"
        )
    stem, ending = name, ".sql"
    for allowed in (".sql", ".py"):
        if name.lower().endswith(allowed):
            stem, ending = name[: -len(allowed)], allowed
    title = _slug(stem).replace("_", " ")
    if not title:
        raise SettingsError(
            f"--bb-new={name}: there is no letter or digit in the name; "
            "write what the migration does, as in --bb-new=add_trip_tags"
        )
    return title, ending


def _slug(title: str) -> str:
    """Return ``title`` as part of a file's name: letters and digits, one _ between words."""
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", title).lower()).strip("_")


def _next_number(folder: Path, now: datetime) -> str:
    """Return the beginning of the next file's name, in the style of the last file."""
    there = [path.name for path in folder.iterdir() if not is_never_migration(path.name)]
    flyway = [(named, name) for name in there if (named := flyway_name(name))]
    if versions := [each for each in flyway if each[0].kind == "v"]:
        return _next_version(max(versions)[1])
    names = [split_name(name)[0] for name in there]
    numbered = [(number, name) for name in names if (number := leading_number(name)) is not None]
    match = NUMBER.match(max(numbered)[1]) if numbered else None
    if match is None:
        return FIRST
    mark = match.string[: match.start("number")]
    return f"{mark}{_after(match['number'], now)}{match['separator'] or '_'}"


def _next_version(last: str) -> str:
    """Return the beginning of the name after ``last``, which is named in Flyway's way."""
    version = last.partition("__")[0]
    before = version.rstrip("0123456789")
    return f"{before}{_plus_one(version.removeprefix(before))}__"


def _after(last: str, now: datetime) -> str:
    """Return the number after ``last``: the time now, if ``last`` is an earlier time."""
    groups = re.split("([-_])", last)  # digits at even indices, what joins them at odd ones
    if TIMESTAMP.fullmatch(last):
        return max(f"{now:%Y%m%d%H%M%S}", _plus_one(last))
    if len(groups) < 2 * len(DATE_PLACES) - 1:
        return _plus_one(groups[0])
    times = [f"{now:{places}}" for places in (*DATE_PLACES, "%H%M%S")[: (len(groups) + 1) // 2]]
    following = groups.copy()
    following[::2] = times
    if _numbers(following) <= _numbers(groups):
        following = [*groups[:-1], _plus_one(groups[-1])]
    return "".join(following)


def _numbers(groups: list[str]) -> list[int]:
    return [int(digits) for digits in groups[::2]]


def _plus_one(digits: str) -> str:
    return str(int(digits) + 1).zfill(len(digits))


def _content(title: str, ending: str, date: str, author: str) -> str:
    """Return the text of an empty migration."""
    mark, parts = ("--", SQL_PARTS) if ending == ".sql" else ("#", PYTHON_PARTS)
    title = title[0].upper() + title[1:]
    return HEADER.format(mark=mark, title=title, date=date, author=author) + parts


def _author(folder: Path) -> str:
    """Return the name that git knows the user by, else that of the login."""
    git = shutil.which("git")
    if git:
        configured = subprocess.run(  # noqa: S603 (our own arguments)
            [git, "config", "user.name"],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if configured.stdout.strip():
            return configured.stdout.strip()
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # the system has no name for the login
        return "unknown"

"""Who has a database open: as the system sees it, for SQLite's locks do not show idle programs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.sqlite_files.sidecars import SIDECARS

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC = Path("/proc")
Identity = tuple[int, int]  # st_dev, st_ino: the same for every name of a file


@dataclass(frozen=True)
class Opener:
    """A process that has a database open: its id, a name a person knows it by, and which file."""

    pid: int
    command: str
    file: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid})"


def openers_of(path: Path) -> tuple[Opener, ...]:
    """Return the other processes that have the database ``path`` or a file beside it open.

    Also those that are idle and hold no lock. Processes of other users are seen by root alone;
    those on other machines, and their use of a shared file, not at all. The file is not opened.
    """
    import psutil  # not there in the process that holds the lock, which is isolated

    wanted = dict(_identities(path))
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.pid == os.getpid():
            continue
        files = [wanted[identity] for identity in _open_files(process.pid) if identity in wanted]
        if files:
            command = command_name(process.info["name"] or "", process.info["cmdline"] or [])
            found.append(Opener(process.pid, command, min(files, key=len)))
    return tuple(found)


def in_use_message(database: Path, openers: tuple[Opener, ...], *, here: bool = False) -> str:
    """Return the words for a database that others have open, and the way out.

    ``here`` is whether this process has it open itself.
    """
    if here and not openers:
        return (
            f"{database.name} is open in this very pytest, and locked by that: a conftest.py, a "
            "test, or a module that one of them imports, has opened it and left it open; have it "
            "opened on first use, and closed, or leave conftest.py out (--noconftest)"
        )
    if not openers:
        return (
            f"{database.name} is locked by a program that cannot be seen from here: another "
            "user's, or one on another machine; stop it and run again"
        )
    names = [str(opener) for opener in openers]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
    return (
        f"{database.name} is open in {listed}: stop {'them' if names[1:] else 'it'} and run again"
    )


def is_open_here(path: Path) -> bool:
    """Return whether this very process has the database ``path`` or a file beside it open."""
    wanted = dict(_identities(path))
    return any(identity in wanted for identity in _open_files(os.getpid()))


def command_name(name: str, arguments: list[str]) -> str:
    """Return what a person calls a process: of an interpreter, the module or script it runs.

    >>> command_name("python3", ["/usr/bin/python3", "-m", "uvicorn", "app:app"])
    'uvicorn'
    """
    words = iter(arguments[1:])
    if not Path(name).name.startswith("python"):
        return name or "a program"
    for word in words:
        if word == "-m":
            return next(words, name)
        if word == "-c":
            return name
        if word in ("-W", "-X"):
            next(words, None)
        elif not word.startswith("-"):
            return Path(word).name
    return name


def _identities(path: Path) -> Iterator[tuple[Identity, str]]:
    real = os.path.realpath(path)
    for suffix in ("", *SIDECARS):
        try:
            status = os.stat(f"{real}{suffix}")  # noqa: PTH116 - a name, with an ending put to it
        except FileNotFoundError:
            continue
        yield (status.st_dev, status.st_ino), f"{path.name}{suffix}"


def _open_files(pid: int) -> Iterator[Identity]:
    """Yield what the process ``pid`` has open; nothing when it may not be seen or has ended.

    Linux shows the files themselves, also those of a process in a container, where they have other
    names; elsewhere psutil knows their names.
    """
    import psutil

    try:
        if PROC.joinpath(str(pid), "fd").exists():
            names = [entry.path for entry in os.scandir(PROC / str(pid) / "fd")]
        else:
            names = [file.path for file in psutil.Process(pid).open_files()]
    except (OSError, psutil.Error):
        return
    for name in names:
        try:
            status = os.stat(name)  # noqa: PTH116 - of many names, without a Path for each
        except OSError:
            continue
        yield status.st_dev, status.st_ino

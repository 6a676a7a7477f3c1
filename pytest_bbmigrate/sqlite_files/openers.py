"""Find who has a database open. The system is asked: SQLite's locks do not show idle programs."""

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
    """A process that has a database open: its id, a name that people know, and the file."""

    pid: int
    command: str
    file: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid})"


def openers_of(path: Path) -> tuple[Opener, ...]:
    """Return the other processes that have the database ``path`` or a sidecar of it open.

    Idle ones, which hold no lock, are among them. Only root sees processes of other users; those on
    other machines, which may share the file, are never seen. The file is not opened.
    """
    import psutil  # not at the top: the lock process, which is isolated, has no such module

    names = dict(_identities(path))
    openers = []
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.pid == os.getpid():
            continue
        files = [names[identity] for identity in _open_files(process.pid) if identity in names]
        if files:
            command = command_name(process.info["name"] or "", process.info["cmdline"] or [])
            openers.append(Opener(process.pid, command, min(files, key=len)))
    return tuple(openers)


def in_use_message(database: Path, openers: tuple[Opener, ...], *, here: bool = False) -> str:
    """Return a sentence on who has ``database`` open, and what to do.

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
    """Return whether this process itself has the database ``path`` or a sidecar of it open."""
    identities = dict(_identities(path))
    return any(identity in identities for identity in _open_files(os.getpid()))


def command_name(name: str, arguments: list[str]) -> str:
    """Return what people call a process: for Python, the module or script that it runs.

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
    """Yield the files that the process ``pid`` has open; none if it has ended or may not be seen.

    Linux shows the files themselves, also to a process in a container, where they have other names.
    Elsewhere psutil knows their names.
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

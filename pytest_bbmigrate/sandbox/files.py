"""Refuse to write outside the working folder, with a message that names the file.

Audit hooks (https://docs.python.org/3/library/sys.html#sys.addaudithook) see what this process does
in Python. What C code and other programs do is the kernel's to refuse, see ``landlock``; without
it, no other program is started.
"""

from __future__ import annotations

import errno
import functools
import os
import sys
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.sandbox.landlock import DEVICES

if TYPE_CHECKING:
    from pytest_bbmigrate.sandbox.paths import SandboxPaths

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

PATHS_WRITTEN = {  # event: which of its arguments are paths that it changes
    "os.chmod": (0,),
    "os.link": (0, 1),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
}
PROGRAMS = {"os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"}


def refuse_outside_writes(places: SandboxPaths, *, programs: bool) -> None:
    """Refuse writing outside the working folder, and without ``programs`` starting any, for good.

    What is refused raises PermissionError.
    """
    sys.addaudithook(functools.partial(refuse_event, places, programs))


def refuse_event(places: SandboxPaths, programs: bool, event: str, args: tuple[Any, ...]) -> None:  # noqa: FBT001 - bound, never written at a call
    """Look at one audit event.

    Raises: PermissionError when it is about to write elsewhere, or to start a program.
    """
    if event in PROGRAMS and not programs:
        raise PermissionError(
            errno.EACCES, "a migration script cannot start other programs on this system"
        )
    for path in paths_written(event, args):
        name = os.fsdecode(path)
        if name not in DEVICES and not places.may_write(name):
            raise PermissionError(
                errno.EACCES, "a migration script may not write outside its working folder", name
            )


def paths_written(event: str, args: tuple[Any, ...]) -> list[Any]:
    """Return the paths that ``event`` is about to write; files that are open already are none."""
    if event == "open":
        flags = args[2]
        paths = [args[0]] if isinstance(flags, int) and flags & WRITING else []
    else:
        paths = [args[position] for position in PATHS_WRITTEN.get(event, ())]
    return [path for path in paths if not isinstance(path, int)]


def show_copy(places: SandboxPaths) -> None:
    """Have ``os.stat`` and ``os.access`` show the working copy where the real database is meant.

    So a script that looks whether the database is there, before it opens it, finds it.
    """
    for function in ("stat", "access"):
        original = getattr(os, function)

        def shown(path: Any, *args: Any, original: Any = original, **options: Any) -> Any:
            if not isinstance(path, int) and is_meant(os.fsdecode(path)):
                path = places.copy
            return original(path, *args, **options)

        setattr(os, function, shown)
        for able in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if original in able:  # shutil looks there
                able.add(shown)

    def is_meant(path: str) -> bool:
        name = os.path.basename(path)  # noqa: PTH119 - asked for every file, so the cheap way
        return name in (places.real.name, places.copy.name) and places.is_real(path)

"""Refuse to write outside the working folder, with a message that names the file.

Audit hooks (https://docs.python.org/3/library/sys.html#sys.addaudithook) see what this process does
in Python. What C code and other programs do, only the kernel can refuse (``landlock``); where it
cannot, no other program may be started.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.sandbox.landlock import DEVICES
from pytest_bbmigrate.sandbox.paths import resolved

if TYPE_CHECKING:
    from pytest_bbmigrate.sandbox.paths import SandboxPaths

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

PATHS_WRITTEN = {  # event: the indexes of its arguments that are paths it changes
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


def refuse_outside_writes(
    paths: SandboxPaths, *, programs: bool, shared: tuple[str, ...] = ()
) -> None:
    """Refuse from now on to write outside the working folder, and to start programs.

    With ``programs``, these may be started; beneath the folders ``shared`` may be written as well.
    What is refused raises PermissionError.
    """

    def audit(event: str, args: tuple[Any, ...]) -> None:
        refuse_event(paths, programs, event, args, shared)

    sys.addaudithook(audit)


def refuse_event(
    paths: SandboxPaths,
    programs: bool,  # noqa: FBT001 - one of many, and never written at a call
    event: str,
    args: tuple[Any, ...],
    shared: tuple[str, ...] = (),
) -> None:
    """Refuse an audit event.

    Raises: PermissionError when it is about to write elsewhere, or to start a program.
    """
    if event in PROGRAMS and not programs:
        raise PermissionError(
            errno.EACCES, "a migration script cannot start other programs on this system"
        )
    for path in paths_written(event, args):
        name = os.fsdecode(path)
        is_shared = any(resolved(name).is_relative_to(folder) for folder in shared)
        if name not in DEVICES and not is_shared and not paths.may_write(name):
            raise PermissionError(
                errno.EACCES, "a migration script may not write outside its working folder", name
            )


def paths_written(event: str, args: tuple[Any, ...]) -> list[Any]:
    """Return the paths that ``event`` is about to write, without files that are already open."""
    if event == "open":
        flags = args[2]
        paths = [args[0]] if isinstance(flags, int) and flags & WRITING else []
    else:
        paths = [args[position] for position in PATHS_WRITTEN.get(event, ())]
    return [path for path in paths if not isinstance(path, int)]


def show_copy(paths: SandboxPaths) -> None:
    """Have ``os.stat`` and ``os.access`` show the working copy in place of the real database.

    So a script that checks whether the database exists, before it opens it, finds it.
    """
    for function in ("stat", "access"):
        original = getattr(os, function)

        def shown(path: Any, *args: Any, original: Any = original, **options: Any) -> Any:
            if not isinstance(path, int) and is_database(os.fsdecode(path)):
                path = paths.copy
            return original(path, *args, **options)

        setattr(os, function, shown)
        for capability in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if original in capability:  # shutil looks functions up there
                capability.add(shown)

    def is_database(path: str) -> bool:
        name = os.path.basename(path)  # noqa: PTH119 - called for every file, so the fast way
        return name in (paths.real.name, paths.copy.name) and paths.is_real(path)

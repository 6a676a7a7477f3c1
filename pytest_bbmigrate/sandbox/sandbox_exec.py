"""Have macOS refuse writes outside some folders, for a program and all that it starts.

``sandbox-exec`` runs a program under a profile of its kernel's sandbox, which every process that
comes from it inherits and none can leave: see ``man sandbox-exec``, and the profiles of the system
in /System/Library/Sandbox/Profiles. Apple calls the program deprecated and brings it all the same.
A process in such a sandbox cannot begin another one, so what a judge or a rehearsal starts has the
folder of that. No Mac has confirmed any of this: the guards in Python stand as they do without.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PROGRAM = "/usr/bin/sandbox-exec"
NOTHING = "/usr/bin/true"
DEVICES = ("/dev/null", "/dev/zero", "/dev/tty", "/dev/dtracehelper")
TRY_SECONDS = 10.0


def held_command(folders: Iterable[str], command: list[str]) -> list[str]:
    """Return ``command``, on macOS as one that may write beneath ``folders`` alone.

    It is left as it is on another system, and where macOS does not do that.
    """
    return [PROGRAM, "-p", profile(folders), *command] if is_usable() else command


def profile(folders: Iterable[str]) -> str:
    """Return the profile that allows everything but writing outside ``folders``.

    The kernel compares paths without symbolic links: /tmp is one there. Of several rules that fit,
    the last one counts.
    """
    beneath = (f"(subpath {quoted(os.path.realpath(folder))})" for folder in folders)
    devices = (f"(literal {quoted(device)})" for device in DEVICES)
    allowed = "\n".join(f"    {each}" for each in (*beneath, *devices))
    return f"(version 1)\n(allow default)\n(deny file-write*)\n(allow file-write*\n{allowed})\n"


def quoted(text: str) -> str:
    """Return ``text`` as a string of the profile's language, a Scheme."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def is_usable() -> bool:
    """Return whether this is a Mac whose ``sandbox-exec`` runs a program as it is to."""
    return is_mac() and runs_programs(PROGRAM)


def is_mac() -> bool:
    """Return whether this is macOS."""
    return sys.platform == "darwin"


@cache
def runs_programs(program: str) -> bool:
    """Return whether ``program`` runs another one under a profile, tried once in a process.

    It does not where this process is in such a sandbox itself.
    """
    if not os.access(program, os.X_OK):
        return False
    try:
        tried = subprocess.run(  # noqa: S603 - the system's own programs
            [program, "-p", profile([]), NOTHING],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TRY_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0

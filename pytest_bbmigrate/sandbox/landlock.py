"""Have the kernel refuse writes outside some folders, for this process and all that it starts.

See https://docs.kernel.org/userspace-api/landlock.html. Reading is allowed everywhere.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on x86, ARM, RISC-V, ...
VERSION_FLAG = 1
RULE_PATH_BENEATH = 1
PR_SET_NO_NEW_PRIVS = 38

WRITE_FILE, REFER, TRUNCATE = 1 << 1, 1 << 13, 1 << 14
REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))  # REMOVE_DIR up to MAKE_SYM
SINCE = {1: WRITE_FILE | REMOVE_AND_MAKE, 2: REFER, 3: TRUNCATE}

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty")


def abi_version() -> int:
    """Return the version of Landlock in this kernel; 0 when it has none."""
    if sys.platform != "linux":
        return 0
    return max(0, system_call(CREATE_RULESET, None, 0, VERSION_FLAG))


def write_rights(abi: int) -> int:
    """Return the rights to write, create, delete and truncate that version ``abi`` knows."""
    return sum(rights for version, rights in SINCE.items() if version <= abi)


def restrict_writes(folders: Iterable[str]) -> bool:
    """From now on allow writing only beneath ``folders``, and to /dev/null and the like.

    Return whether the kernel can do that; False means that nothing is restricted.

    Raises: OSError when it has Landlock, but refuses.
    """
    abi = abi_version()
    if not abi:
        return False
    rights = write_rights(abi)
    attributes = struct.pack("=Q", rights)  # struct landlock_ruleset_attr
    ruleset = checked_call(CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for folder in folders:
            allow(ruleset, folder, rights)
        for device in filter(os.path.exists, DEVICES):
            allow(ruleset, device, rights & (WRITE_FILE | TRUNCATE))
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # or the next call fails
        checked_call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return True


def allow(ruleset: int, path: str, rights: int) -> None:
    """Add the rule that allows ``rights`` on ``path`` and what is beneath it."""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, descriptor)  # struct landlock_path_beneath_attr
        checked_call(ADD_RULE, ruleset, RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)


def checked_call(number: int, *arguments: int | bytes | None) -> int:
    """Make one system call and return its result.

    Raises: OSError when it fails.
    """
    result = system_call(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock system call {number} failed")
    return result


def system_call(number: int, *arguments: int | bytes | None) -> int:
    """Make one system call; -1 on failure, with the reason in ``ctypes.get_errno()``."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    plain = (ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)
    return int(libc.syscall(ctypes.c_long(number), *plain))

"""Have the kernel refuse writes outside some folders, for this process and all that it starts.

See https://docs.kernel.org/userspace-api/landlock.html. Reading is allowed everywhere. A kernel
that can do that also refuses signals to processes outside, and sockets without a file of theirs.
"""

from __future__ import annotations

import ctypes
import errno
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
SCOPED_SINCE = 6
SCOPE_ABSTRACT_UNIX_SOCKET, SCOPE_SIGNAL = 1 << 0, 1 << 1
SCOPES = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty")
OWN_FOLDER = (
    "the kernel lets the process of a migration write to a folder of its own, where tempfile puts "
    "files, and nowhere else: have an app open its log or its cache where it starts, and not where "
    "a module of it is imported"
)
REFUSED = {
    errno.EACCES: OWN_FOLDER,
    errno.EXDEV: OWN_FOLDER,
    errno.EPERM: "the kernel lets the process of a migration reach no other process than its own",
}
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - where POSIX puts it: semaphores of multiprocessing, say


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
    attributes = ruleset_attributes(abi)
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


def ruleset_attributes(abi: int) -> bytes:
    """Return the ``struct landlock_ruleset_attr`` of version ``abi``: files, the net, scopes.

    Of the net nothing is restricted. An older version has no such fields, and would refuse them.
    """
    if abi < SCOPED_SINCE:
        return struct.pack("=Q", write_rights(abi))
    return struct.pack("=QQQ", write_rights(abi), 0, SCOPES)


def shared_memory_without(*paths: str) -> tuple[str, ...]:
    """Return the folder of shared memory, which does no harm if written; () if a path is in it."""
    folder = os.path.realpath(SHARED_MEMORY)
    is_apart = all(os.path.commonpath((folder, os.path.realpath(path))) != folder for path in paths)
    return tuple(filter(os.path.exists, (SHARED_MEMORY,) * is_apart))


def explain(error: BaseException) -> str:
    """Return why the kernel has refused what ``error``, or what led to it, was raised for."""
    following: BaseException | None = error
    while following is not None:
        if isinstance(following, OSError) and following.errno in REFUSED:
            return REFUSED[following.errno]
        following = following.__cause__ or following.__context__
    return ""


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

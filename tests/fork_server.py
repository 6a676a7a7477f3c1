"""Processes of ours that are forked from one without tests, where a run would start new Pythons.

Each would import the same modules first. Here one Python has done that, started as they would be,
with nothing of the test's in it and no database ever opened, and is forked each time it is asked.
The fork is a child of the process that asks, as if that had started it, and runs from ``main`` on.

→ a message, and with it the descriptors that are to be standard input, output and errors
← the id of the process, 0 where the system has no such fork
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import os
import platform
import resource
import signal
import socket
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 1 << 18
# https://man7.org/linux/man-pages/man2/clone.2.html
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE_PARENT = 0x8000
RUN = "import runpy, sys; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
PYTHONPATH = "PYTHONPATH"  # what is to read it may do so
LIMITS = ("AS", "CORE", "DATA", "FSIZE", "NOFILE", "NPROC", "STACK")

AT_START = {**os.environ}  # of the session: a test may have changed what it is asked in
pids: set[int] = set()  # of those that are forked


class ForkServer:
    """The process that is forked, as the one that asks has it.

    It is a Python with those ``flags``, and has ``modules``, which are in the folder ``packages``.
    """

    def __init__(self, flags: tuple[str, ...], packages: str, *modules: str) -> None:
        self.modules, self.owner = modules, os.getpid()
        self.surroundings = surroundings(AT_START)
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = [sys.executable, *flags, f"-Xutf8={sys.flags.utf8_mode}", "-c", RUN, __file__]
        arguments = [*program, str(theirs.fileno()), packages, *modules]
        self.pid = os.posix_spawn(
            sys.executable,
            arguments,
            AT_START,
            file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), theirs.fileno())],  # inherited
        )
        theirs.close()
        atexit.register(self.socket.close)
        pids.add(self.pid)

    def can_fork(self, module: str, environment: Mapping[str, str]) -> bool:
        """Return whether a fork would be what a process is that runs ``module``, started here."""
        is_its_own = self.owner == os.getpid() and module in self.modules
        return is_its_own and self.surroundings == surroundings(environment)

    def fork(
        self,
        module: str,
        arguments: list[str],
        standard: list[int],
        *,
        cwd: str | os.PathLike[str] | None,
        environment: Mapping[str, str],
        new_session: bool,
    ) -> int:
        """Return the id of a process that runs ``module`` with the three ``standard`` descriptors.

        Raises: OSError where the system has no such fork.
        """
        mask = os.umask(0)
        os.umask(mask)
        folder = str(Path.cwd() / (cwd or ""))
        order = json.dumps([module, arguments, folder, dict(environment), new_session, mask])
        socket.send_fds(self.socket, [order.encode()], standard)
        if not (pid := int(self.socket.recv(MOST_BYTES) or 0)):
            raise OSError("this system has no fork that is a child of another: run with --started")
        return pid


def surroundings(environment: Mapping[str, str]) -> tuple[object, ...]:
    """Return what a new process takes from the one that starts it, and a fork cannot.

    That is what Python and the loader read in the ``environment``, too.
    """
    users = (os.getresuid(), os.getresgid(), os.getgroups(), os.getsid(0), os.nice(0))
    limits = [resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in LIMITS]
    read = {
        name: value
        for name, value in environment.items()
        if name.startswith(("LD_", "PYTHON")) and name != PYTHONPATH
    }
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    ignored = {n for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN}
    return users, limits, read, blocked, ignored


def serve(pipe: socket.socket) -> tuple[str, list[str]]:
    """Fork on each message. Return in a fork what it is to run; the process ends with its owner."""
    libc = ctypes.PyDLL(None)  # it keeps hold of Python's lock, which the fork has then
    number = CLONE.get(platform.machine(), -1)
    while True:
        message, descriptors, _, _ = socket.recv_fds(pipe, MOST_BYTES, 3)
        if not message:
            os._exit(0)
        ctypes.pythonapi.PyOS_BeforeFork()
        # As fork(2) does it, but for whose child it is.
        pid = libc.syscall(number, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
        if pid == 0:
            ctypes.pythonapi.PyOS_AfterFork_Child()
            pipe.close()
            return become(json.loads(message), descriptors)
        ctypes.pythonapi.PyOS_AfterFork_Parent()
        for descriptor in descriptors:
            os.close(descriptor)
        pipe.send(b"%d" % max(pid, 0))


def become(order: Any, descriptors: list[int]) -> tuple[str, list[str]]:
    """Have this process be as ``order`` would have started it; return what it is to run."""
    module, arguments, cwd, environment, new_session, mask = order
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if new_session:
        os.setsid()
    os.umask(mask)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    return module, arguments


def main() -> int:
    """Be the process that is forked, and then each of its forks; return the exit code of a fork."""
    descriptor, packages, *modules = sys.argv[1:]
    sys.path.append(packages)
    imported = {module: import_module(module) for module in modules}
    for each in imported.values():
        getattr(each, "prepare", int)()
    del sys.path[-1]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with its owner
    os.chdir("/")
    gc.collect()
    gc.freeze()  # a fork that looks for garbage would have a copy of all of it
    module, arguments = serve(socket.socket(fileno=int(descriptor)))
    code: int = imported[module].main(*arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())

"""Make a process that was forked from another as good as a new one."""

from __future__ import annotations

import atexit
import faulthandler
import gc
import logging
import os
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Iterable

TEMPORARY_VARIABLES = ("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR")
OPEN_DESCRIPTORS = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
FAULT = 70  # the exit code after an error of our own: EX_SOFTWARE of sysexits.h
FIRST_OTHER = 3  # the descriptors below are standard input, output and error

_kept: list[
    object
] = []  # what must not be freed: it would close a descriptor that is another's now


def forget_parent(printed: Path, kept: Iterable[int] = ()) -> None:
    """Have this process, which was just forked, share nothing with the one it comes from.

    It is in a session of its own, where no terminal reaches it; its input is empty, its output and
    errors go to the file ``printed``, and every other descriptor but ``kept`` is closed. Handlers
    of signals, of the end and of logs are gone. What is garbage stays, for its end might close
    descriptors.
    """
    gc.freeze()
    os.setsid()
    atexit._clear()  # noqa: SLF001 - as multiprocessing has it for the processes that it forks
    logging.root.handlers.clear()
    forget_handlers()
    faulthandler.disable()
    replace_descriptors(printed, {*kept})
    faulthandler.enable()


def forget_handlers() -> None:
    """Have signals do what they do in a new Python."""
    with suppress(ValueError):
        signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def replace_descriptors(printed: Path, kept: set[int]) -> None:
    """Open the standard descriptors anew, and close all others but ``kept``."""
    empty = os.open(os.devnull, os.O_RDONLY)
    output = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(empty, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    open_now = [int(entry.name) for entry in Path(OPEN_DESCRIPTORS).iterdir()]
    for descriptor in open_now:
        if descriptor >= FIRST_OTHER and descriptor not in kept:
            with suppress(OSError):  # the one by which the folder was listed
                os.close(descriptor)
    _kept.extend((sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__))
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        stream = open(  # noqa: SIM115 - as long as the process lives
            descriptor,
            "w" if descriptor else "r",
            buffering=1,
            encoding="utf-8",
            errors="backslashreplace",
            closefd=False,
        )
        vars(sys).update({name: stream, f"__{name}__": stream})


def use_temporary(folder: Path) -> None:
    """Have this process, and what it starts, put temporary files into ``folder``."""
    os.environ.update(dict.fromkeys(TEMPORARY_VARIABLES, str(folder)))
    tempfile.tempdir = None  # it is looked up again


def limit_memory(most: int) -> None:
    """Have no process from here on get more than four times ``most`` bytes of addresses.

    They are added to what this process has already. That is more than it holds in memory, which is
    looked at from time to time, but nobody can take all of the machine's between two looks.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS does not hold to it
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        wanted = pages * resource.getpagesize() + 4 * most
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard in (resource.RLIM_INFINITY, -1) or wanted < hard:
            resource.setrlimit(resource.RLIMIT_AS, (wanted, wanted))


def end_process(code: int) -> NoReturn:
    """End this process, and do nothing of what Python does at its end, but write out its output."""
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # no handler raises now
        flush_output()
    finally:
        os._exit(code)


def flush_output() -> None:
    """Write out what the standard streams still hold."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with suppress(Exception):  # a migration may have put anything in their place
            stream.flush()  # type: ignore[union-attr]

"""What the process of one Python part does: run it on a copy of the database, and say how it went.

It may write to its own folder alone. What it leaves there is the copy as it is then, in ``after``
or, if that was a file, in place; and a report, last of all.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.catalogue import PythonPart
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.private import showing_values
from pytest_bbmigrate.processes.measured import measured_folders, save_measured
from pytest_bbmigrate.processes.messages import encode_message, read_file, read_message
from pytest_bbmigrate.runner.connection_hook import load_connection_hook
from pytest_bbmigrate.runner.fixed_imports import FixedFinder, young_modules
from pytest_bbmigrate.runner.model import Failure, PartResult, RunEnvironment, ShapeConflict
from pytest_bbmigrate.runner.profiles import Profile
from pytest_bbmigrate.runner.python import run_python
from pytest_bbmigrate.runner.tracebacks import describe
from pytest_bbmigrate.sandbox import landlock
from pytest_bbmigrate.sandbox.fresh import end_process, flush_output
from pytest_bbmigrate.sandbox.in_process import no_note, run_on_connection
from pytest_bbmigrate.sandbox.keep_order import KeepOrder
from pytest_bbmigrate.sandbox.keeper import be_keeper
from pytest_bbmigrate.sandbox.watch import guarded_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from pytest_bbmigrate.runner.connection import RunConnection
    from pytest_bbmigrate.sqlite_files import Content

ORDER, BEFORE, AFTER, REPORT = "order.json", "before", "after", "report.json"
NOT_WRITTEN = 74  # the exit code where the result could not be: EX_IOERR of sysexits.h
THREAD_SECONDS = 5.0  # for the threads that a migration has started to come to an end
UNFINISHED = "a thread that the migration has started was still at work when it had come back"
CLOSED = "it closed the descriptors of its own process"


@dataclass(frozen=True)
class PartOrder:
    """One Python part to run, in plain values.

    ``content`` is the database, a file that is worked on in place; None for an image in memory,
    which a process that was not forked reads from ``before``. ``kept`` is the folder and the
    limits; of the rest see ``RunEnvironment``. ``path`` is ``sys.path``.
    """

    part: PythonPart
    foreign_keys: bool | None
    profile: Profile
    content: Path | None
    kept: KeepOrder
    root: Path
    connection_hook: str
    since: int | None
    path: tuple[str, ...]
    shows_values: bool


@dataclass(frozen=True)
class PartReport:
    """How a part went: ``executed`` and ``idle`` are positions in ``texts``, each being there once.

    ``young`` are modules that were written since they must not be. See ``PartResult`` for the rest.
    """

    failure: Failure | None
    texts: tuple[str, ...]
    executed: tuple[int, ...]
    idle: tuple[int, ...]
    conflicts: tuple[ShapeConflict, ...]
    young: tuple[str, ...]
    foreign_keys: bool


@dataclass(frozen=True)
class PartRefused:
    """Why a part could not be run at all, which is no fault of its own."""

    reason: str


# What the annotations of these values name that their modules import for a type checker alone.
NAMES: dict[str, Any] = {
    "KeepOrder": KeepOrder,
    "Mapping": Mapping,
    "Path": Path,
    "Profile": Profile,
    "PythonPart": PythonPart,
}
REPORTS: dict[str, type[PartReport | PartRefused]] = {
    "report": PartReport,
    "refused": PartRefused,
}


class StillRunning(BaseException):
    """Raised where threads have not come to their end in time."""


class Threads:
    """Whether those of this process were still at work; Python 3.13 drops what is raised then."""

    are_late = False


def main(folder: str, report: str, lifeline: str) -> int:
    """Keep a process that does what the order in ``folder`` says, in one that was started."""
    order = read_message(read_file(Path(folder) / ORDER), {"order": PartOrder}, NAMES)
    sys.path[:] = order.path
    folders = [str(order.root), str(order.part.path.parent)]
    sys.meta_path.insert(0, FixedFinder({}, order.since, folders))

    def work() -> int:
        return work_on_part(order)

    be_keeper(order.kept, work, int(report), int(lifeline))


def work_on_part(
    order: PartOrder,
    image: bytes | None = None,
    prepare: Callable[[Any], object] | None = None,
) -> int:
    """Do what ``order`` says, in this process, and leave what came of it; return its exit code.

    A process that was forked has the ``image`` and the app's hook already.
    """
    folder = order.kept.folder
    shared = landlock.shared_memory_without(str(order.kept.real), str(order.root))
    holds = order.kept.confined and landlock.restrict_writes(
        [str(folder), *shared, *measured_folders()]
    )
    content: Content = image if order.content is None else order.content  # type: ignore[assignment]
    if content is None:
        content = (folder / BEFORE).read_bytes()
    try:
        with showing_values(everything=order.shows_values):
            if prepare is None:
                prepare = load_connection_hook(order.connection_hook, order.root)
            result = run_confined(order, content, prepare, holds=holds)
    except BBMigrateError as error:
        return leave(folder, encode_message("refused", PartRefused(str(error))))
    try:
        if isinstance(result.content, bytes) and result.failure is None:
            (folder / AFTER).write_bytes(result.content)
    except OSError:
        traceback.print_exc()
        return NOT_WRITTEN
    if failure := end_of_program(order.part):
        result = replace(result, failure=result.failure or failure)
    save_measured()
    return leave(folder, encode_message("report", report_of(result)))


def run_confined(
    order: PartOrder,
    content: Content,
    prepare: Callable[[Any], object] | None,
    *,
    holds: bool,
) -> PartResult:
    """Run the part; ``holds`` says whether the kernel keeps this process to its folder."""
    environment = RunEnvironment(
        order.kept.real,
        order.root,
        prepare,
        seconds=order.kept.seconds,
        memory=order.kept.memory,
        profile=order.profile,
    )
    process = os.getpid()

    def run(db: RunConnection) -> Failure | None:
        try:
            with guarded_files(order.kept.real, programs=holds):
                failure = run_python(
                    db,
                    order.part,
                    foreign_keys=order.foreign_keys,
                    explain=landlock.explain if holds else no_note,
                )
        except BaseException as error:  # noqa: BLE001 - a KeyboardInterrupt of its own, say
            failure = Failure(order.part.path, None, "", describe(error))
        if os.getpid() != process:  # a copy that the migration has forked, and let come back
            end_process(int(failure is not None))
        return failure or young_failure(order.part)

    return run_on_connection(order.part, content, environment, run)


def young_failure(part: PythonPart) -> Failure | None:
    """Return the failure of a part that has imported what was written since it must not be."""
    for path in young_modules():
        return Failure(part.path, None, "", f"{path} was changed after the session had begun")
    return None


def end_of_program(part: PythonPart) -> Failure | None:
    """Do what Python does at the end of a program; return what was wrong with that, or None.

    Threads that are no daemons are waited for, then the handlers of ``atexit`` are called: what the
    migration has registered, for there are no others in this process.
    """
    failure = None
    with suppress(StillRunning):
        signal.signal(signal.SIGALRM, raise_still_running)
        signal.setitimer(signal.ITIMER_REAL, THREAD_SECONDS)
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing
        signal.setitimer(signal.ITIMER_REAL, 0)
    if Threads.are_late:
        failure = Failure(
            part.path,
            None,
            "",
            UNFINISHED,
            note="it was ended: have the migration wait for its threads (join) before it returns",
        )
    atexit._run_exitfuncs()  # noqa: SLF001 - likewise
    flush_output()
    try:
        for descriptor in (1, 2):
            os.fstat(descriptor)
    except OSError:
        failure = failure or Failure(part.path, None, "", CLOSED)
    return failure


def raise_still_running(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """Note that, and raise StillRunning: a handler of signals."""
    Threads.are_late = True
    raise StillRunning


def report_of(result: PartResult) -> PartReport:
    """Return what is reported of ``result``."""
    positions = {text: at for at, text in enumerate(dict.fromkeys(result.executed + result.idle))}
    return PartReport(
        result.failure,
        tuple(positions),
        tuple(positions[text] for text in result.executed),
        tuple(positions[text] for text in result.idle),
        result.conflicts,
        young_modules(),
        result.foreign_keys,
    )


def leave(folder: Path, message: bytes) -> int:
    """Write the report; return the exit code."""
    try:
        (folder / REPORT).write_bytes(message)
    except OSError:
        with suppress(Exception):
            traceback.print_exc()
        return NOT_WRITTEN
    return 0

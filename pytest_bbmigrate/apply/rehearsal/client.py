"""Run the pending migrations on copies of the real database, in a process of their own."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.apply.model import Rehearsal
from pytest_bbmigrate.catalogue import (
    NO_RULES,
    Fingerprint,
    Importing,
    ReadingRules,
    path_by,
)
from pytest_bbmigrate.checks.discards import Discarded
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.identity import Identity, read_identity
from pytest_bbmigrate.private import class_name
from pytest_bbmigrate.processes.app_python import AppPython, app_python
from pytest_bbmigrate.processes.launch import command_with_packages
from pytest_bbmigrate.processes.measured import FOLDER as MEASURED
from pytest_bbmigrate.processes.measured import VARIABLES, Measurement, hand_over, measurement
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_file, read_message
from pytest_bbmigrate.processes.orphans import FOLDER_VARIABLE
from pytest_bbmigrate.processes.untrusted_files import read_untrusted_text
from pytest_bbmigrate.processes.watch import ended_with_this_process
from pytest_bbmigrate.sandbox.fresh import TEMPORARY_VARIABLES
from pytest_bbmigrate.sandbox.sandbox_exec import held_command
from pytest_bbmigrate.sql.values import Cell
from pytest_bbmigrate.sqlite_files import open_content
from pytest_bbmigrate.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT = "rehearsal.json"  # in the order's folder: a Rehearsal, or why there is none
WORKING_COPY = "work.db"
ERRORS = "errors"
NOT_WRITTEN = 74  # the exit code where the result could not be: EX_IOERR of sysexits.h
LONGEST_NAME = 4096  # bytes of a migration's name, as the process says it
NOT_OURS = (
    "what the process of the rehearsal has left is not what it writes, so nothing was published; a "
    "migration is to leave the files of its rehearsal alone: "
)
TEMPORARY = "tmp"
MOST_SHOWN = 4000  # characters of what a process that has died had printed


@dataclass(frozen=True)
class Refused:
    """Why there is no rehearsal."""

    reason: str


@dataclass(frozen=True)
class RehearsalOrder:
    """What is to be rehearsed, in plain values.

    ``names`` are the migrations of the folder ``migrations``, in the order to run, and
    ``checksums`` what each must still say. ``before`` is the backup, ``folder`` an empty folder of
    ours and ``work`` where the working copy is to be left, on the same disk. ``database`` is the
    real one, which is never opened; relative paths count from ``root``. ``connection`` is
    'package.module:function' or ''. ``batch`` is this apply's number and ``backup`` the name of the
    backup file, '' for none, for the history, and ``backup_digest`` its hash; ``identity`` is the
    id that the database is to have. ``renamed`` are applied migrations whose file has another name
    since (old, new).

    ``fixed`` is what every file said when it was checked, and is to say when it is read again;
    ``importing`` is where the migrations find modules of the project, none of which may have been
    written after ``since``, in nanoseconds; ``rules`` is how the folder is read.

    With ``is_rollback`` the migrations are rolled back instead, in the order of ``names``;
    ``applied`` are then all that the database has, in their order, and ``start`` is the image of
    the base. With ``shows_values`` findings and messages may hold the values of rows. ``seconds``
    and ``memory`` are what one run of one part may take and hold, None for any. ``runs_as`` is the
    runner profile, '' for an unknown one, and ``foreign_keys`` what the settings say of them.
    ``python`` is the app's interpreter, None for this process's own.
    """

    migrations: Path
    names: tuple[str, ...]
    database: Path
    root: Path
    before: Path = Path()
    folder: Path = Path()
    work: Path = Path()
    checksums: tuple[str, ...] = ()
    connection: str = ""
    invariants: tuple[tuple[str, str], ...] = ()
    skip_down: bool = False
    strict: bool = False
    batch: int = 1
    backup: str = ""
    backup_digest: str = ""
    identity: str = ""
    renamed: tuple[tuple[str, str], ...] = ()
    is_rollback: bool = False
    applied: tuple[str, ...] = ()
    start: bytes = b""
    fixed: Fingerprint | None = None
    importing: Importing | None = None
    rules: ReadingRules = NO_RULES
    since: int | None = None
    shows_values: bool = False
    seconds: int | None = None
    memory: int | None = None
    runs_as: str = ""
    foreign_keys: bool | None = None
    python: Path | None = None


@dataclass(frozen=True)
class RehearsalInput:
    """What the process of a rehearsal is told: the order, ``sys.path``, and what is measured."""

    order: RehearsalOrder
    path: tuple[str, ...]
    measured: Measurement | None = None


# What the annotations of these values name that their modules import for a type checker alone.
NAMES: dict[str, Any] = {
    "Cell": Cell,
    "Discarded": Discarded,
    "Fingerprint": Fingerprint,
    "Importing": Importing,
    "Mapping": Mapping,
    "Path": Path,
    "ReadingRules": ReadingRules,
    "Verdict": Verdict,
}
RESULTS: dict[str, type[Rehearsal | Refused]] = {"rehearsal": Rehearsal, "refused": Refused}


def identity_after(order: RehearsalOrder) -> Identity:
    """Return which database it is, and what is known of its backups, after this run.

    Raises: StepFailed when it has got another id since the one of the order was chosen.
    """
    with closing(open_content(order.before)) as db:
        before = read_identity(db)
    if before.id not in ("", order.identity):
        raise StepFailed(
            f"{order.database}: it is not the database that it was a moment ago: another run has "
            "come between, or another file has taken its place; run again"
        )
    made = {order.backup: order.backup_digest} if order.backup_digest else {}
    return Identity(order.identity, {**before.digests, **made})


def rehearse(order: RehearsalOrder, on_progress: Callable[[str], None]) -> Rehearsal:
    """Rehearse in a process of its own and return what it came to; Ctrl-C ends it, too.

    The verified working copy is at ``order.work`` when the rehearsal has a digest. ``on_progress``
    is told the name of each migration as it begins.

    Raises: StepFailed when it cannot be done: a requirement is not met, a file does not read, the
        disk is full, or its process has ended by itself.
    """
    (order.folder / TEMPORARY).mkdir()
    at: list[str] = []
    python = None if order.python is None else app_python(order.python)
    measured = measurement() if python is None else None  # the app need not have coverage.py
    errand = RehearsalInput(order, path_by(python, order.root), measured)
    begin = partial(start, order, python)
    # What is still at work after a Ctrl-C ends with it.
    with ended_with_this_process(begin, order.folder, FOLDER_VARIABLE) as child:
        code = follow(child, errand, at, on_progress)
    if errand.measured is not None:
        hand_over(errand.measured, order.folder / MEASURED)
    rehearsal = read_result(order, code, at)
    if rehearsal.digest:
        take_working_copy(order)
    return rehearsal


def take_working_copy(order: RehearsalOrder) -> None:
    """Put the working copy where it is to be.

    Raises: StepFailed when none was left.
    """
    left = order.folder / WORKING_COPY
    if not left.exists() or not stat.S_ISREG(left.lstat().st_mode):
        raise StepFailed(f"{NOT_OURS}no working copy was left")
    shutil.move(left, order.work)


def start(order: RehearsalOrder, python: AppPython | None = None) -> subprocess.Popen[bytes]:
    """Start the process, in a session of its own, which a terminal's Ctrl-C does not reach."""
    temporary = str(order.folder / TEMPORARY)
    name = "pytest_bbmigrate.apply.rehearsal.server"
    server = command_with_packages(name, str(os.getpid()), python=python)
    with (order.folder / ERRORS).open("wb") as errors:
        return subprocess.Popen(  # noqa: S603 - our own program
            held_command([str(order.folder)], server),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={
                **{name: value for name, value in os.environ.items() if name not in VARIABLES},
                # SQLite, too, puts what does not fit into memory there.
                **dict.fromkeys(TEMPORARY_VARIABLES, temporary),
            },
            start_new_session=True,
        )


def follow(
    child: subprocess.Popen[bytes],
    errand: RehearsalInput,
    at: list[str],
    on_progress: Callable[[str], None],
) -> int:
    """Hand ``errand`` over, pass on what is begun (also to ``at``), and return the exit code."""
    assert child.stdin is not None  # noqa: S101 - a pipe was asked for
    assert child.stdout is not None  # noqa: S101 - likewise
    with suppress(BrokenPipeError):  # it has ended: its exit code says more
        child.stdin.write(encode_message("errand", errand))
        child.stdin.close()
    while line := child.stdout.readline(LONGEST_NAME):
        name = line.decode("utf-8", "surrogateescape").rstrip("\n")
        if name in errand.order.names:  # a migration may have found the way to say something here
            at.append(name)
            on_progress(name)
    return child.wait()


def read_result(order: RehearsalOrder, code: int, at: list[str]) -> Rehearsal:
    """Return what the process has left.

    Raises: StepFailed when that is why there is no rehearsal, or nothing at all.
    """
    result = order.folder / RESULT
    if code == 0 and result.exists():
        try:
            left = read_message(read_file(result), RESULTS, NAMES)
        except Unreadable as error:
            raise StepFailed(f"{NOT_OURS}{error}") from error
        if isinstance(left, Refused):
            raise StepFailed(left.reason)
        return left
    if code == NOT_WRITTEN:
        raise StepFailed(f"{order.folder}: nothing can be written there any more; make room")
    manner = f"ended with exit code {code}"
    if code < 0:
        manner = f"was ended by {signal.Signals(-code).name}"
    during = f" while {at[-1]} was tried" if at else " before the first migration"
    errors = read_untrusted_text(order.folder / ERRORS)
    said = raised_in(errors)
    printed = f"\n{errors[-MOST_SHOWN:].rstrip()}" if order.shows_values else ""
    raise StepFailed(
        f"the process of the rehearsal {manner}{during}{said}; "
        "a migration must come back to its caller, and not end the process that it runs in"
        f"{printed}"
    )


def raised_in(errors: str) -> str:
    """Return the type of the exception that a traceback ends with, where it is one of Python's."""
    last = errors.rstrip().splitlines()[-1:] if "Traceback" in errors else []
    names = (line.partition(":")[0] for line in last)
    return "".join(f", by {name}" for name in names if class_name(name) == name)

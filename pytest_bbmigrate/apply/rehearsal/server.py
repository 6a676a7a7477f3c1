"""The process of a rehearsal: told what to do on its standard input, it leaves what came of it."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.rehearsal.client import (
    NAMES,
    NOT_WRITTEN,
    RESULT,
    Refused,
    RehearsalInput,
)
from pytest_bbmigrate.apply.rehearsal.worker import attempt
from pytest_bbmigrate.processes.measured import FOLDER as MEASURED
from pytest_bbmigrate.processes.measured import save_measured, start_measuring
from pytest_bbmigrate.processes.messages import encode_message, read_message
from pytest_bbmigrate.processes.parent import end_with_parent
from pytest_bbmigrate.processes.untrusted_files import MOST_BYTES
from pytest_bbmigrate.sandbox import landlock

if TYPE_CHECKING:
    from pytest_bbmigrate.apply.model import Rehearsal

THREAD_SECONDS = 5.0  # for the threads that the app's hook has started to come to an end


def main(parent: str) -> int:
    """Do what standard input says, in the process that ``parent`` has started; return 0.

    Standard output is for the names of migrations alone: what others print goes with the errors.
    """
    end_with_parent(int(parent))
    errand = read_message(sys.stdin.buffer.read(), {"errand": RehearsalInput}, NAMES)
    order = errand.order
    sys.path[:] = errand.path
    told = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="surrogateescape")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(name: str) -> None:
        told.write(f"{name}\n")
        told.flush()

    if errand.measured is not None:
        start_measuring(errand.measured, order.folder / MEASURED)
    try:
        result = attempt(order, tell, confine=landlock.restrict_writes)
    finally:  # what coverage.py would say at the end of one that raises is nobody's output
        save_measured()
    try:
        (order.folder / RESULT).write_bytes(told_of(result))
    except OSError:
        return NOT_WRITTEN
    threading.Thread(target=end_late, args=(THREAD_SECONDS,), daemon=True).start()
    return 0


def told_of(result: Rehearsal | str) -> bytes:
    """Return the message that says what a rehearsal came to; one that is too long has no rows."""
    if isinstance(result, str):
        return encode_message("refused", Refused(result))
    said = encode_message("rehearsal", result)
    if len(said) <= MOST_BYTES:
        return said
    verdicts = tuple(
        replace(v, findings=tuple(replace(f, examples=(), printed="") for f in v.findings))
        for v in result.verdicts
    )
    return encode_message("rehearsal", replace(result, verdicts=verdicts, printed=()))


def end_late(seconds: float) -> None:
    """End this process after ``seconds``, if a thread of the app's keeps it from its end."""
    time.sleep(seconds)
    os._exit(0)

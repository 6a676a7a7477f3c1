"""The process between ours and one that runs somebody's code: it watches that, and ends it.

It runs nobody's code. Whatever the other has started, as often as it has forked and in whichever
session, is a descendant of this process and is ended before that says what has come of it. It ends
with the process that has started it, and everything below it with it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from pytest_bbmigrate.processes.children import reap, woken_by_children
from pytest_bbmigrate.processes.measured import save_measured
from pytest_bbmigrate.processes.messages import encode_message
from pytest_bbmigrate.processes.orphans import end_orphans
from pytest_bbmigrate.processes.parent import adopt_orphans, end_with_parent
from pytest_bbmigrate.sandbox.descendants import end_descendants
from pytest_bbmigrate.sandbox.fresh import (
    FAULT,
    end_process,
    forget_parent,
    limit_memory,
    use_temporary,
)
from pytest_bbmigrate.sandbox.landlock import abi_version
from pytest_bbmigrate.sandbox.passed_limits import IN_TIME, TOO_LARGE, TOO_LOUD, Limits
from pytest_bbmigrate.sandbox.real_file import Meanwhile, look_at, put_back

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.sandbox.keep_order import KeepOrder

NOTHING_HAPPENED = Meanwhile()


@dataclass(frozen=True)
class Ending:
    """How a kept process has come to its end.

    ``code`` is its exit code, negative for the signal that has ended it; ``running`` are the
    programs that it had left running, and that had to be ended. ``over`` is which limit it has
    passed, '' for none; ``meanwhile`` is what has happened to the real database.
    """

    code: int
    running: tuple[str, ...] = ()
    over: str = IN_TIME
    meanwhile: Meanwhile = NOTHING_HAPPENED


def be_keeper(order: KeepOrder, work: Callable[[], int], report: int, lifeline: int) -> NoReturn:
    """Keep a process that does ``work``, write the ``Ending`` to ``report``, and end.

    ``report`` and ``lifeline`` are descriptors of pipes; when nobody has the other end of the
    second one any more, everything is ended.
    """
    code = FAULT
    try:
        forget_parent(order.errors, (report, lifeline))
        ending = keep(order, work, lifeline)
        os.write(report, encode_message("ending", ending))
        code = 0
    except BaseException:  # noqa: BLE001 - the process that has started this one says it
        traceback.print_exc()
    finally:
        save_measured()
        end_process(code)


def keep(order: KeepOrder, work: Callable[[], int], lifeline: int) -> Ending:
    """Have a child do ``work``; return how it came to its end, once all that it started has."""
    adopts = adopt_orphans()
    woken = woken_by_children()
    real = look_at(order.real)
    printed = os.open(order.printed, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    child = fork_worker(order, work)
    limits = Limits(order.seconds, order.memory, printed)
    code, over = wait_for(child, limits, lifeline, woken)
    if not over and limits.has_held_more():
        over = TOO_LARGE
    patience = 0.0 if over else order.patience
    if adopts:
        running = end_descendants(patience, limits.is_too_loud)
    else:
        running = end_orphans(order.temporary, patience, group=child)
    if not over and limits.is_too_loud():
        over = TOO_LOUD
    return Ending(code, running, over, put_back(real, held=order.confined and abi_version() > 0))


def fork_worker(order: KeepOrder, work: Callable[[], int]) -> int:
    """Return the process id of a new child, which does ``work`` and ends with its exit code."""
    keeper = os.getpid()
    child = os.fork()
    if child:
        return child
    code = FAULT
    try:
        forget_parent(order.printed)
        end_with_parent(keeper)
        use_temporary(order.temporary)
        if order.memory is not None:
            limit_memory(order.memory)
        code = work()
    except BaseException:  # noqa: BLE001 - it must not come to what the keeper does next
        traceback.print_exc()
    finally:
        end_process(code)


def wait_for(child: int, limits: Limits, lifeline: int, woken: int) -> tuple[int, str]:
    """Wait for the ``child``, and end it where it passes a limit; return its code and which one."""
    over = IN_TIME
    while (code := reap().get(child)) is None:
        wait = None if over else limits.seconds_to_next()
        ready, _, _ = select.select([lifeline, woken], [], [], wait)
        if lifeline in ready:
            end_descendants(0.0)
            sys.exit("the process that has started this one is gone")
        if woken in ready:
            os.read(woken, select.PIPE_BUF)
        over = over or limits.passed()
        if over:
            os.kill(child, signal.SIGKILL)
    return code, over

"""Commands timed in turns: what one costs, and what a part of the benchmarks has to do it with."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

ROOT = Path(__file__).parent.parent
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"  # would compile the package anew in every run
SECONDS_TO_END = 10.0  # that an interrupted command has to take its processes and files away


class RunFailed(Exception):
    """Raised when a command that is timed does not succeed, with the end of its output."""


class TookTooLong(RunFailed):
    """Raised when it was ended because it went on for longer than it may."""


@dataclass(frozen=True)
class Cost:
    """What one run cost: seconds on the clock, and of processors in all of its processes.

    ``peak`` is the most memory, in MB, that any one of its processes had.
    """

    wall: float
    cpu: float
    peak: float = 0.0


@dataclass(frozen=True)
class NoCost:
    """Why there is nothing to be told of a run, as it stands in a table."""

    words: str


Taken: TypeAlias = Cost | NoCost


@dataclass(frozen=True)
class Bench:
    """What a part is measured with.

    ``scratch`` is a folder of its own, gone afterwards; ``quick`` asks for small sizes and one
    turn; ``folders`` is where public folders of migrations are, None for nowhere. What went wrong
    is kept in ``failures``.
    """

    scratch: Path
    quick: bool = False
    folders: Path | None = None
    failures: list[str] = field(default_factory=list)

    def in_turns(self, runs: Mapping[str, Callable[[], Taken]], turns: int) -> dict[str, Taken]:
        """Run each of ``runs`` once in every turn; return the medians of what they cost.

        Turns, so that what else the machine does meanwhile meets all of them alike. A run that
        fails, or has no cost, is not tried again; the others go on.
        """
        costs: dict[str, list[Cost]] = {name: [] for name in runs}
        without: dict[str, Taken] = {}
        for _ in range(1 if self.quick else turns):
            for name, run in runs.items():
                if name in without:
                    continue
                taken = self.attempt(name, run)
                if isinstance(taken, Cost):
                    costs[name].append(taken)
                else:
                    without[name] = taken
        return {name: without.get(name) or median(costs[name]) for name in runs}

    def attempt(self, name: str, run: Callable[[], Taken]) -> Taken:
        """Return what ``run`` cost; where it fails, that is kept, and there is no cost."""
        try:
            return run()
        except (RunFailed, OSError) as error:
            self.failures.append(f"{name}: {error}")
            return NoCost("failed")


def median(costs: Sequence[Cost]) -> Cost:
    """Return the median of each number of ``costs``."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.peak for cost in costs),
    )


def cost_of(
    command: Sequence[str | Path],
    folder: Path,
    *,
    accepts: Collection[int] = (0,),
    seconds: float | None = None,
) -> Cost:
    """Return what a command cost that must end with an exit code of ``accepts``.

    Raises: RunFailed with the end of its output where it ends with another; TookTooLong where it
        goes on for longer than ``seconds``, and is ended.
    """
    return run_timed(command, folder, accepts=accepts, seconds=seconds)[0]


def run_timed(
    command: Sequence[str | Path],
    folder: Path,
    *,
    accepts: Collection[int] = (0,),
    seconds: float | None = None,
) -> tuple[Cost, str]:
    """Return what a command cost, and what it printed. Raises: RunFailed, as ``cost_of`` does."""
    settings = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that all of it can be ended
        )
        late = threading.Timer(seconds or threading.TIMEOUT_MAX, end_group, [process.pid])
        late.daemon = True
        late.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            end_group(process.pid, signal.SIGINT)
            wait_or_kill(process)
            raise
        finally:
            late.cancel()
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in accepts:
            told = [*map(str, command)]
            if seconds is not None and wall >= seconds:
                raise TookTooLong(f"{told} took more than {seconds:.0f} s")
            raise RunFailed(f"{told}: exit {process.returncode}\n{end_of(output)}")
        printed = end_of(output)
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), printed


def end_group(leader: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to a process and to those of its group."""
    with suppress(ProcessLookupError):
        os.killpg(leader, number)


def wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    """Wait for an interrupted command to take its processes and files away, but not for ever."""
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        end_group(process.pid)
        process.wait()


def end_of(output: IO[bytes]) -> str:
    """Return the last of what was printed."""
    output.seek(0)
    return output.read().decode(errors="replace")[-3000:]


def table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    every = [headings, ["---"] * len(headings), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in every) + "\n"


def shown(taken: Taken) -> str:
    """Return a cost as it stands in a table."""
    return taken.words if isinstance(taken, NoCost) else f"{taken.wall:.2f} ({taken.cpu:.2f})"


def times(taken: Taken, other: Taken) -> str:
    """Return how many times ``other`` something cost, as it stands in a table."""
    if isinstance(taken, NoCost) or isinstance(other, NoCost):
        return "-"
    return f"{quotient(taken.wall, other.wall)} ({quotient(taken.cpu, other.cpu)})"


def quotient(one: float, other: float) -> str:
    """Return a ratio with two digits that count."""
    if not other:
        return "-"
    ratio = one / other
    return f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"

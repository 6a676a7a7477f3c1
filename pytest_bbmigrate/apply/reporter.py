"""Reporting the steps of a run on the real database."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from pytest_bbmigrate.errors import BBMigrateError, StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.apply.what_is_left import FileFound


class Reporter(Protocol):
    """Tells the user about the steps."""

    def begin(self) -> None:
        """Begin a step: start the clock."""

    def progress(self, step: str, done: float | str, /) -> None:
        """Say how far a step is: a part of 1, or what it is doing now."""

    def end(self, step: str, detail: str, /) -> None:
        """Say that a step is done, and its result in words."""

    def fail(self, step: str, error: StepFailed, /) -> None:
        """Say why a step has failed; no step comes after it."""

    def conclude(self, file_found: FileFound, /) -> None:
        """Say what is on the disk at the end of a run that had the lock."""


@contextmanager
def step(reporter: Reporter, name: str) -> Iterator[list[str]]:
    """Report the block as the step ``name``; it appends its result in words to the list.

    Raises: StepFailed, reported first, for any error of ours that the block raises, and for what
        the system refuses (OSError), such as room on the disk.
    """
    detail: list[str] = []
    reporter.begin()
    try:
        yield detail
    except StepFailed as error:
        reporter.fail(name, error)
        raise
    except BBMigrateError as error:
        failure = StepFailed(str(error))
        reporter.fail(name, failure)
        raise failure from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        failure = StepFailed(f"{where}{error.strerror or error}; mend that, and run again")
        reporter.fail(name, failure)
        raise failure from error
    reporter.end(name, "; ".join(detail))

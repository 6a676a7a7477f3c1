"""Read the content of the last copy while it is judged: SQLite and Python use a core each."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager, suppress
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.rows import content_of
from pytest_bbmigrate.sqlite_files import open_content
from pytest_bbmigrate.sqlite_files.held_file import state_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.experiment import Snapshot
    from pytest_bbmigrate.rows import TableContent
    from pytest_bbmigrate.sqlite_files import Content
    from pytest_bbmigrate.sqlite_files.held_file import FileState

CACHE_KIB = 2048  # each page is read once
STEPS = 100_000  # of SQLite's machine, after each of which it is asked whether to go on


@contextmanager
def reading_ahead() -> Iterator[ContentAhead]:
    """Yield what can read a copy meanwhile; when the block ends, it reads no more."""
    ahead = ContentAhead()
    try:
        yield ahead
    finally:
        ahead.stop()


class ContentAhead:
    """What ``content_of`` returns for a closed copy, found by a thread of its own.

    No process may be forked until ``stop`` or ``of`` was called.
    """

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None
        self.state: FileState | None = None
        self.found: tuple[TableContent, ...] | None = None
        self.is_unwanted = False

    def start(self, copy: Content) -> None:
        """Begin to read ``copy``."""
        if isinstance(copy, Path):
            self.state = state_of_file(copy.stat())
            context = copy_context()  # has the app's hook, which each connection needs
            self.thread = threading.Thread(target=context.run, args=(self.read, copy), daemon=True)
            self.thread.start()

    def read(self, copy: Path) -> None:
        """Read ``copy``; where it cannot be read, nothing is found."""
        with suppress(BBMigrateError, sqlite3.Error, OSError), closing(open_content(copy)) as db:
            db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            db.set_progress_handler(lambda: self.is_unwanted, STEPS)
            self.found = content_of(db)

    def stop(self) -> None:
        """Read no further, and wait until nothing is read any more."""
        self.is_unwanted = True
        self.wait()

    def wait(self) -> None:
        """Wait until everything is read."""
        if self.thread is not None:
            self.thread.join()

    def of(self, snapshot: Snapshot) -> tuple[TableContent, ...] | None:
        """Return the content of ``snapshot``, if its file is what was read, as it was then.

        None where it is another, was written since, or could not be read.
        """
        self.wait()
        then, written = self.state, snapshot.written
        if then is None or written is None or then.identity != written.identity:
            return None
        return self.found if then.is_as_written_as(written) else None

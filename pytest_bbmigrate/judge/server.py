"""The judge's process: confined first, and only then told what to import and to judge.

→ a line with an Opening, then one for each question, on standard input
← a line with the reply to each question, on standard output
"""

from __future__ import annotations

import gc
import json
import os
import site
import sys
from pathlib import Path

from pytest_bbmigrate.judge.folder import IMAGES, PARTS, TEMPORARY
from pytest_bbmigrate.processes.measured import (
    FOLDER,
    Measurement,
    measures_nothing_itself,
    start_measuring,
)
from pytest_bbmigrate.processes.messages import read_message
from pytest_bbmigrate.processes.parent import end_with_parent
from pytest_bbmigrate.sandbox import landlock
from pytest_bbmigrate.sandbox.fresh import use_temporary

OBJECTS_BEFORE_COLLECTING = (
    20_000  # rows, and what is imported, are thousands of objects, and no circle of them is garbage
)


def main(writable: str, path: str, measured: str, parent: str) -> int:
    """Answer questions until there are no more; return 0.

    ``writable`` are the only folders that may be written to, this process's own first, and ``path``
    is ``sys.path``, both as JSON; ``measured`` is what coverage.py is to measure, as a message, or
    ''; ``parent`` is the process id of the supervisor. Python was started without its site: what
    that brings in may be somebody's code.
    """
    end_with_parent(int(parent))
    folders = json.loads(writable)
    landlock.restrict_writes(folders)
    folder = Path(folders[0])
    questions, replies = take_pipes()
    for name in (IMAGES, PARTS, TEMPORARY):
        (folder / name).mkdir()
    use_temporary(folder / TEMPORARY)
    measures_nothing_itself()
    site.main()
    sys.path[:] = json.loads(path)
    if measured:
        start_measuring(
            read_message(measured.encode(), {"measured": Measurement}, {"Path": Path}),
            folder / FOLDER,
        )
    gc.set_threshold(OBJECTS_BEFORE_COLLECTING, 20, 20)
    from pytest_bbmigrate.judge.turns import answer_all

    answer_all(folder, questions, replies)
    return 0


def take_pipes() -> tuple[int, int]:
    """Return the pipes of the questions and the replies; nothing else can read or write there."""
    questions, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return questions, replies

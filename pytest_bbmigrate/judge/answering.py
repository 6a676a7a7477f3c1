"""Answer the questions that come to the judge's process."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.fixed_text import refuse_changed
from pytest_bbmigrate.errors import BBMigrateError, StateUnreachable
from pytest_bbmigrate.judge.folder import IMAGES, PARTS
from pytest_bbmigrate.judge.judge import Judge, describe_broken
from pytest_bbmigrate.judge.model import (
    KIND_OF,
    NAMES,
    QUESTIONS,
    AskFolder,
    AskRun,
    AskState,
    AskVerdicts,
    Broken,
    Judged,
    Opening,
    Refused,
    Stored,
    Unreachable,
)
from pytest_bbmigrate.private import showing_values
from pytest_bbmigrate.processes.messages import encode_message, read_message
from pytest_bbmigrate.project import read_project

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from pytest_bbmigrate.judge.model import Question, Reply
    from pytest_bbmigrate.project import Project


def answer_all(folder: Path, questions: BinaryIO, replies: BinaryIO) -> None:
    """Read the opening, then answer each question, until there are no more."""
    first = questions.readline()
    if not first:
        return  # nothing was asked
    responder = Responder(folder, read_message(first, {"opening": Opening}, NAMES))
    while line := questions.readline():
        reply = responder.reply(read_message(line, QUESTIONS, NAMES))
        replies.write(encode_message(KIND_OF[type(reply)], reply) + b"\n")
        replies.flush()


class Responder:
    """Answers for the judge of an opening; the images that come and go are files in a folder."""

    def __init__(self, folder: Path, opening: Opening) -> None:
        self._folder = folder
        self._opening = opening
        self._judge: Judge | None = None
        self._count = 0

    def reply(self, question: Question) -> Reply:
        """Return the answer to ``question``, or why there is none."""
        try:
            with showing_values(everything=self._opening.shows_errors):
                return self._answer(question)
        except StateUnreachable as error:
            return Unreachable(error.migration, error.lacks)
        except BBMigrateError as error:
            return Refused(str(error))
        except Exception as error:  # noqa: BLE001 - it is reported, and the next question answered
            return Broken(describe_broken(error, hides_values=not self._opening.shows_errors))

    def _answer(self, question: Question) -> Reply:
        if self._judge is None:
            self._judge = Judge(open_project(self._opening, self._folder / PARTS))
        judge = self._judge
        match question:
            case AskVerdicts():
                return judge.verdicts(question.position, question.checks)
            case AskFolder():
                return Judged((judge.folder_verdict(),))
            case AskState():
                return Stored(self._store(judge.state(question.position)))
            case AskRun():
                given = self._folder / IMAGES / question.image
                ran, image = judge.run(question.position, question.side, given.read_bytes())
                return ran if ran.failure else replace(ran, image=self._store(image))

    def _store(self, image: bytes) -> str:
        """Write ``image`` into a file of its own; return its name."""
        self._count += 1
        name = f"{self._count}.db"
        (self._folder / IMAGES / name).write_bytes(image)
        return name


def open_project(opening: Opening, parts: Path) -> Project:
    """Return the project of ``opening`` as it reads now; its Python runs in the folder ``parts``.

    Raises: BBMigrateError when a setting is wrong, or a file is not what it was when the session
        began.
    """
    sys.path[:] = opening.path
    set_zone(opening.settings.zone)
    project = read_project(
        opening.settings,
        fixes_modules=opening.fixes_modules,
        shows_values=opening.shows_values,
        runs_migrations=True,
    )
    refuse_changed(opening.fixed, opening.fixed.read_again(project.catalogue.texts))
    if opening.order is not None and opening.judged is not None:
        project = project.in_order(opening.order, opening.judged)
    return replace(project, environment=replace(project.environment, parts=parts))


def set_zone(zone: str) -> None:
    """Have this process, and what it starts, tell the time in ``zone``."""
    os.environ["TZ"] = zone
    time.tzset()

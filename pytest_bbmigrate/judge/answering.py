"""Answer a question that comes to the judge's process."""

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
    AskFolder,
    AskKept,
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
from pytest_bbmigrate.processes import forking
from pytest_bbmigrate.processes.messages import encode_message
from pytest_bbmigrate.project import read_project

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.judge.model import Question, Reply
    from pytest_bbmigrate.project import Project


class Responder:
    """Answers for the judge of an opening; the images that come and go are files in a folder."""

    def __init__(self, folder: Path, opening: Opening) -> None:
        self._folder = folder
        self._opening = opening
        self._judge: Judge | None = None
        self._count = 0

    @property
    def most_apart(self) -> int:
        """How many questions may be answered apart at the same time."""
        return self._opening.most_apart

    def prepare_apart(self, question: Question) -> bool:
        """Prepare for a process forked from this one to answer ``question``.

        Return whether it is to: where one cannot be, this process does better.
        """
        if not self.most_apart or not isinstance(question, AskVerdicts) or not forking.can_fork():
            return False
        try:
            return self._the_judge().prepare_apart(question.position)
        except Exception:  # noqa: BLE001 - the answer to the question says it
            return False

    def answered_apart(self, question: Question) -> None:
        """Drop what was kept for a ``question`` that another process answers."""
        if isinstance(question, AskVerdicts):
            self._the_judge().answered_apart(question.position)

    def message(self, question: Question) -> bytes:
        """Return the answer to ``question`` as it is sent."""
        reply = self.reply(question)
        return encode_message(KIND_OF[type(reply)], reply)

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
        judge = self._the_judge()
        match question:
            case AskVerdicts():
                return judge.verdicts(question.position, question.checks)
            case AskFolder():
                return Judged((judge.folder_verdict(question.before),))
            case AskState():
                return Stored(self._store(judge.state(question.position)))
            case AskKept():
                state = judge.kept_state(question.position)
                return Stored("" if state is None else self._store(state))
            case AskRun():
                given = self._folder / IMAGES / question.image
                ran, image = judge.run(question.position, question.side, given.read_bytes())
                return ran if ran.failure else replace(ran, image=self._store(image))

    def _the_judge(self) -> Judge:
        """Return the judge, which reads the project when it is first asked."""
        if self._judge is None:
            project = open_project(self._opening, self._folder / PARTS)
            self._judge = Judge(project, self._opening.resume)
        return self._judge

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

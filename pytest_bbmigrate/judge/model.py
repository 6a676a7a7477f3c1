"""What the judge is asked and what it answers, as plain values that travel as messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.catalogue import Fingerprint
from pytest_bbmigrate.errors import BBMigrateError, StateUnreachable
from pytest_bbmigrate.runner import Failure
from pytest_bbmigrate.settings import Settings
from pytest_bbmigrate.sql.values import Cell
from pytest_bbmigrate.verdict import Verdict

if TYPE_CHECKING:
    from typing import TypeVar

    R = TypeVar("R")


class JudgeFailed(BBMigrateError):
    """Raised when the judge gives no answer: it has ended, or was not able to."""


@dataclass(frozen=True)
class Resume:
    """The entry with the state after ``position`` migrations, kept in ``folder`` under ``key``."""

    folder: Path
    key: str
    position: int


@dataclass(frozen=True)
class Opening:
    """The first message: what is to be judged.

    ``path`` is ``sys.path``. ``fixed`` is what every file says that counts. ``order`` are the
    migrations in the order that the database gets them and ``judged`` those that are judged, both
    None but in a session that changes a database; ``fixes_modules`` as in ``read_project``. With
    ``shows_values`` rows of the user's own may be shown, with ``shows_errors`` errors as they are.
    ``most_apart`` is how many questions may be answered at the same time in further processes.
    ``resume`` is the state of an earlier run that the chain goes on from, None for none.
    """

    settings: Settings
    path: tuple[str, ...]
    fixed: Fingerprint
    order: tuple[str, ...] | None = None
    judged: tuple[str, ...] | None = None
    fixes_modules: bool = False
    shows_values: bool = False
    shows_errors: bool = False
    most_apart: int = 0
    resume: Resume | None = None


@dataclass(frozen=True)
class AskVerdicts:
    """Asks for some ``checks`` of the migration at ``position``."""

    position: int
    checks: tuple[str, ...]


@dataclass(frozen=True)
class AskFolder:
    """Asks for the check of the folder as a whole; it is known to hold ``before`` a position."""

    before: int = 0


@dataclass(frozen=True)
class AskState:
    """Asks for the database after the first ``position`` migrations, as a file."""

    position: int


@dataclass(frozen=True)
class AskKept:
    """Asks for the state after the first ``position`` migrations as it is kept, as a file."""

    position: int


@dataclass(frozen=True)
class AskRun:
    """Asks to run a side of the migration at ``position`` on the database in the file ``image``."""

    position: int
    side: str
    image: str


@dataclass(frozen=True)
class Broken:
    """An error that nobody expected, with its traceback where that may be shown."""

    report: str


@dataclass(frozen=True)
class Judged:
    """The answers to the checks asked for, in their order, and what the migration printed.

    ``is_whole`` is whether it and all before it have run on all generated rows.
    """

    answers: tuple[Verdict | Broken, ...]
    printed: str = ""
    is_whole: bool = False


@dataclass(frozen=True)
class Stored:
    """The file, in the folder for images, with what was asked for; '' where there is none."""

    image: str


@dataclass(frozen=True)
class Ran:
    """What running a side of a migration gave: why it failed, or the file with the database."""

    failure: Failure | None
    image: str = ""
    printed: str = ""


@dataclass(frozen=True)
class Unreachable:
    """The ``migration`` that does not apply, so that what was asked for cannot be had.

    ``lacks`` is what the set-up lacks for it, '' for nothing.
    """

    migration: str
    lacks: str = ""


@dataclass(frozen=True)
class Refused:
    """What is wrong with the set-up, in a sentence."""

    message: str


Question = AskVerdicts | AskFolder | AskState | AskKept | AskRun
Reply = Judged | Stored | Ran | Unreachable | Refused | Broken

QUESTIONS: dict[str, type[Question]] = {
    "verdicts": AskVerdicts,
    "folder": AskFolder,
    "state": AskState,
    "kept": AskKept,
    "run": AskRun,
}
REPLIES: dict[str, type[Reply]] = {
    "judged": Judged,
    "stored": Stored,
    "ran": Ran,
    "unreachable": Unreachable,
    "refused": Refused,
    "broken": Broken,
}
KIND_OF = {type_: kind for kind, type_ in (*QUESTIONS.items(), *REPLIES.items())}
# What annotations of these values name that their modules import for a type checker alone.
NAMES: dict[str, Any] = {
    "Cell": Cell,
    "Failure": Failure,
    "Fingerprint": Fingerprint,
    "Mapping": Mapping,
    "Path": Path,
    "Settings": Settings,
    "Verdict": Verdict,
}


def wanted_reply(reply: object, wanted: type[R]) -> R:
    """Return ``reply``, which is to be of the type ``wanted``.

    Raises: StateUnreachable; JudgeFailed where it says why there is no answer, or answers another
        question.
    """
    if isinstance(reply, wanted):
        return reply
    if isinstance(reply, Unreachable):
        raise StateUnreachable(reply.migration, reply.lacks)
    if isinstance(reply, Refused):
        raise JudgeFailed(reply.message)
    if isinstance(reply, Broken):
        raise JudgeFailed(reply.report)
    raise JudgeFailed("the process that judges has given another answer than was asked for")


def judged(answer: Verdict | Broken) -> Verdict:
    """Return the verdict.

    Raises: JudgeFailed when an error of the check stands in its place.
    """
    if isinstance(answer, Broken):
        raise JudgeFailed(answer.report)
    return answer

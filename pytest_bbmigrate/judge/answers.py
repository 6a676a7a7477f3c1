"""What a judge has answered, kept for the checks that ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import StateUnreachable
from pytest_bbmigrate.judge.kinds import with_kinds
from pytest_bbmigrate.judge.model import (
    AskVerdicts,
    Broken,
    Judged,
    JudgeFailed,
    Unreachable,
    judged,
)
from pytest_bbmigrate.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_bbmigrate.judge.model import Reply


class Answers:
    """The answers of a judge, by the position of the migration and the check."""

    def __init__(self) -> None:
        self._answers: dict[tuple[int, str], Verdict | Broken] = {}
        self._printed: dict[int, str] = {}
        self._whole: set[int] = set()
        self._failures: dict[int, str] = {}
        self._unreachable: dict[int, Unreachable] = {}

    def keep(self, question: AskVerdicts, reply: Reply) -> None:
        """Keep ``reply`` if it holds for ``question`` whenever that is asked."""
        position = question.position
        if isinstance(reply, Unreachable):
            self._unreachable[position] = reply
        if not isinstance(reply, Judged):
            return
        for check, answer in zip(question.checks, reply.answers, strict=True):
            self._answers[position, check] = (
                with_kinds(answer) if isinstance(answer, Verdict) else answer
            )
        self._printed[position] = reply.printed
        if reply.is_whole:
            self._whole.add(position)

    def ask(self, question: AskVerdicts, ask: Callable[[], Judged]) -> None:
        """Keep what ``ask`` returns to ``question``, or why it returns nothing."""
        try:
            reply = ask()
        except StateUnreachable as error:
            self.keep(question, Unreachable(error.migration, error.lacks))
        except JudgeFailed as error:
            self.fail(question.position, str(error))
        else:
            self.keep(question, reply)

    def fail(self, position: int, message: str) -> None:
        """Keep that the migration at ``position`` was not judged, and why."""
        self._failures[position] = message

    def knows(self, position: int, check: str) -> bool:
        """Return whether it is known what ``check`` is told of the migration at ``position``."""
        has_none = position in self._failures or position in self._unreachable
        return has_none or (position, check) in self._answers

    def is_whole(self, position: int) -> bool:
        """Return whether the migration at ``position`` was judged on all generated rows."""
        return position in self._whole

    def verdict(self, position: int, check: str) -> tuple[Verdict, str]:
        """Return the verdict of ``check`` on the migration at ``position``, and what it printed.

        Raises: StateUnreachable when an earlier migration does not apply; JudgeFailed.
        """
        self._refuse_missing(position)
        return judged(self._answers[position, check]), self._printed.get(position, "")

    def reply(self, position: int, checks: Sequence[str]) -> Judged:
        """Return the answers of ``checks``, as the judge has given them; raises as ``verdict``."""
        self._refuse_missing(position)
        answers = tuple(self._answers[position, check] for check in checks)
        return Judged(answers, self._printed.get(position, ""), is_whole=self.is_whole(position))

    def _refuse_missing(self, position: int) -> None:
        """Raise why there is no answer on the migration at ``position``, if there is none."""
        if position in self._failures:
            raise JudgeFailed(self._failures[position])
        if position in self._unreachable:
            unreachable = self._unreachable[position]
            raise StateUnreachable(unreachable.migration, unreachable.lacks)


def question_for(check: str, position: int, expected: Mapping[int, tuple[str, ...]]) -> AskVerdicts:
    """Return what to ask to know ``check``: all that is ``expected`` of the migration with it."""
    checks = expected.get(position, ())
    return AskVerdicts(position, checks if check in checks else (check,))

"""Whether a session has proved what is to be applied: positively, or not at all. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks import CATALOGUE_CHECK, CHECKS, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_REASONS = 5


@dataclass
class ApplyGate:
    """What became of each check in this session, by migration and check.

    A check counts as proved when pytest reports it passed and its own verdict says so, or when it
    was skipped by its own verdict. Whatever else happened to it, or did not, keeps the gate shut.
    """

    proved: set[tuple[str, str]] = field(default_factory=set)
    refused: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, subject: str, check: str, verdict: str, outcome: str, *, expected: str) -> None:
        """Take down what pytest reports of a check: its ``outcome``, and the check's ``verdict``.

        ``verdict`` is '' when the check came to none; ``expected`` is the reason of an xfail.
        """
        key = (subject, check)
        if expected or verdict != outcome or outcome == Outcome.FAILED.value:
            what = f"marked xfail ({expected})" if expected else outcome
            if outcome != Outcome.FAILED.value and not expected:
                what = f"{outcome} by something else than the check itself"
            self.refused[key] = what
        else:
            self.proved.add(key)

    def refuse(self, subject: str, check: str, why: str) -> None:
        """Take down that a check proves nothing of what is to be applied."""
        self.refused[subject, check] = why

    def faults(self, migrations: Iterable[str], folder: str) -> tuple[str, ...]:
        """Return why ``migrations`` may not be applied; () when all of them are proved."""
        wanted = [(folder, CATALOGUE_CHECK)]
        wanted += [(name, check) for name in migrations for check in CHECKS]
        return tuple(
            f"{subject}: {check} {self.refused.get((subject, check), 'was not asked')}"
            for subject, check in wanted
            if (subject, check) in self.refused or (subject, check) not in self.proved
        )


def describe_faults(faults: tuple[str, ...]) -> str:
    """Return the reasons as lines, the first few of many."""
    shown = faults[:MOST_REASONS]
    more = len(faults) - len(shown)
    return "\n".join([*shown, *([f"and {more} more"] if more else [])])

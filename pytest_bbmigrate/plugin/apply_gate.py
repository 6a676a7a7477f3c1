"""Whether a session has proved what is to be applied: positively, or not at all. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_REASONS = 5


@dataclass
class ApplyGate:
    """The results of this session's checks, by migration and check.

    A check is proved when pytest reports it passed and its own verdict is so, or when its own
    verdict skipped it. Any other outcome, or none, keeps the gate shut.
    """

    proved: set[tuple[str, str]] = field(default_factory=set)
    refused: dict[tuple[str, str], str] = field(default_factory=dict)

    def record(
        self, subject: str, check: str, verdict: str, outcome: str, *, expected: str
    ) -> None:
        """Record the ``outcome`` of a check, as pytest has it, beside the check's own ``verdict``.

        ``verdict`` is '' when the check reached none; ``expected`` is the reason of an xfail.
        """
        key = (subject, check)
        if expected or verdict != outcome or outcome == Outcome.FAILED.value:
            reason = f"marked xfail ({expected})" if expected else outcome
            if outcome != Outcome.FAILED.value and not expected:
                reason = f"{outcome} by something else than the check itself"
            self.refused[key] = reason
        else:
            self.proved.add(key)

    def refuse(self, subject: str, check: str, reason: str) -> None:
        """Record that a check proves nothing about what is to be applied."""
        self.refused[subject, check] = reason

    def faults(self, migrations: Iterable[str], folder: str) -> tuple[str, ...]:
        """Return why ``migrations`` may not be applied; () when every check of them is proved."""
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

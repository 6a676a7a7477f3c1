"""One text is checked, rehearsed and applied: what was fixed when the session began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.catalogue import Fingerprint

MOST_FILES = 5


def refuse_changed(fixed: Fingerprint, now: Fingerprint) -> None:
    """Make sure that every file that counts says what it said when the session began.

    Raises: StepFailed that names those that do not.
    """
    if changed := list(fixed.changes_to(now)):
        raise StepFailed(describe_changed(changed))


def describe_changed(changed: Sequence[str]) -> str:
    """Return which files are not what was checked, and the way out."""
    shown = list(changed[:MOST_FILES])
    if more := len(changed) - len(shown):
        shown.append(f"and {more:,} more")
    lines = "\n".join(shown)
    return (
        f"{lines}\nwhat was checked is what the files said when this session began; nothing else "
        "is applied: run again"
    )

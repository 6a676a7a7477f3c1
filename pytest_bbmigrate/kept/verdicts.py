"""Passed verdicts as they are kept: all of one migration in one entry, as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pytest_bbmigrate.processes.messages import to_plain
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS, Outcome, Verdict

KIND = "verdicts"
KNOWN = frozenset({CATALOGUE_CHECK, *CHECKS})
# The fields of a Verdict that may be kept, with their types in JSON: it has no findings, and was
# reached on all rows.
TYPES: dict[str, type] = {
    "check": str,
    "subject": str,
    "outcome": str,
    "reason": str,
    "notes": list,
    "rows": int,
    "values": int,
    "unneeded": list,
}


@dataclass(frozen=True)
class KeptVerdicts:
    """The verdicts of one migration or folder that are kept, and what it ``printed``."""

    verdicts: tuple[Verdict, ...]
    printed: str = ""

    @cached_property
    def by_check(self) -> dict[str, Verdict]:
        """Each by its check."""
        return {verdict.check: verdict for verdict in self.verdicts}


def may_be_kept(verdict: Verdict) -> bool:
    """Return whether ``verdict`` may stand for one of the next run: no failure may."""
    return (
        verdict.outcome is not Outcome.FAILED
        and not verdict.findings
        and not verdict.narrowed
        and (verdict.outcome is Outcome.PASSED) == (not verdict.reason)
    )


def encode_verdicts(kept: KeptVerdicts) -> bytes:
    """Return ``kept`` as it is kept."""
    verdicts = [{name: to_plain(getattr(each, name)) for name in TYPES} for each in kept.verdicts]
    return json.dumps({"printed": kept.printed, "verdicts": verdicts}).encode()


def read_verdicts(content: bytes | None, subject: str) -> KeptVerdicts | None:
    """Return the verdicts on ``subject`` in an entry; None where it is none that may be kept."""
    try:
        plain = json.loads(content or b"")
        verdicts = tuple(_read_verdict(each, subject) for each in plain["verdicts"])
        printed = plain["printed"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return KeptVerdicts(verdicts, printed) if isinstance(printed, str) else None


def _read_verdict(plain: dict[str, Any], subject: str) -> Verdict:
    """Return one verdict. Raises: ValueError, LookupError or TypeError for what is none."""
    if plain.keys() != TYPES.keys():
        raise ValueError
    for name, kind in TYPES.items():
        if type(plain[name]) is not kind and not (plain[name] is None and name == "unneeded"):
            raise ValueError
    told = {name: plain[name] for name in TYPES}
    for name in ("notes", "unneeded"):
        if told[name] is not None:
            told[name] = tuple(told[name])
            if not all(type(each) is str for each in told[name]):
                raise ValueError
    verdict = Verdict(**{**told, "outcome": Outcome(told["outcome"])})
    is_known = verdict.check in KNOWN and verdict.subject == subject
    if not (is_known and may_be_kept(verdict)):
        raise ValueError
    return verdict

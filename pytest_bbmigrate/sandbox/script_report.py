"""What the process of a script has to tell the one that started it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.processes.untrusted_files import read_left

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class ScriptReport:
    """What happened while a script ran; it grows as the script runs and is written at its end.

    ``executed`` is the SQL it had SQLite run and ``refused`` what it was refused, in words;
    ``lost`` says how changes were thrown away, '' when they were not. ``error`` describes the
    exception that ended it and ``statement`` is the SQL that raised it, '' when none did; ``line``
    is the script's line of either.
    """

    executed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lost: str = ""
    error: str = ""
    line: int | None = None
    statement: str = ""

    def write(self, path: Path) -> None:
        """Write it to ``path``."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def read_ledger(path: Path) -> ScriptReport | None:
    """Return what was written to ``path``; None when the script's process never came to that.

    What the script itself has put there, and is none, counts as nothing.
    """
    try:
        said = json.loads(read_left(path))
    except (OSError, ValueError, RecursionError):
        return None
    kinds = {"executed": list, "refused": list, "line": int | None}
    wanted = {name: kinds.get(name, str) for name in ScriptReport.__dataclass_fields__}
    if not isinstance(said, dict) or said.keys() != wanted.keys():
        return None
    lines = [*said["executed"], *said["refused"]] if _are(said, wanted) else [None]
    return ScriptReport(**said) if all(isinstance(line, str) for line in lines) else None


def _are(said: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(isinstance(said[name], kind) for name, kind in wanted.items())

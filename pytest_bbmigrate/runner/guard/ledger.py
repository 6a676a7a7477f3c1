"""What the process of a script has to tell the one that started it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Ledger:
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


def read_ledger(path: Path) -> Ledger | None:
    """Return what was written to ``path``; None when the script's process never came to that."""
    if not path.exists():
        return None
    return Ledger(**json.loads(path.read_text(encoding="utf-8")))

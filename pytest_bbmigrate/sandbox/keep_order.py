"""How the process of somebody's code is to be kept, as its keeper and that process are told.

Apart from the keeper, for the process of a script needs nothing of what keeps it: each import is
paid for at the start of each script.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class KeepOrder:
    """How a process is to be kept.

    ``folder`` is the one that it may write to, with ``tmp`` in it; ``real`` is the real database.
    ``seconds`` and ``memory`` are as in ``RunEnvironment``. What it has started has ``patience``
    seconds more than itself. With ``confined`` the process asks the kernel to refuse what it
    writes elsewhere.
    """

    folder: Path
    real: Path
    seconds: float | None = None
    memory: int | None = None
    patience: float = 0.0
    confined: bool = True

    @property
    def temporary(self) -> Path:
        """The folder for its temporary files."""
        return self.folder / "tmp"

    @property
    def printed(self) -> Path:
        """The file that its output goes to."""
        return self.folder / "printed"

    @property
    def errors(self) -> Path:
        """The file for errors of the keeper's own."""
        return self.folder / "keeper"

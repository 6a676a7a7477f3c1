"""What the process of a script is told, and its report to the one that started it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_file, read_message
from pytest_bbmigrate.sandbox.keep_order import KeepOrder
from pytest_bbmigrate.sandbox.paths import SandboxPaths

ORDER, REPORT = "order.json", "report.json"


@dataclass(frozen=True)
class ScriptOrder:
    """One script to run, in plain values; ``texts`` are those of a ``ScriptPart``."""

    script: Path
    paths: SandboxPaths
    texts: Mapping[str, bytes]
    kept: KeepOrder
    since: int | None
    connection_hook: str

    @property
    def file(self) -> Path:
        """The file with this order, which its process reads."""
        return self.kept.folder / ORDER

    @property
    def report(self) -> Path:
        """The file for the report that its process writes at the end."""
        return self.kept.folder / REPORT


@dataclass(frozen=True)
class ScriptReport:
    """What happened while a script ran.

    ``executed`` is the SQL that the script ran, ``refused`` are sentences on what was refused.
    ``lost`` says how changes were thrown away, '' if none were. ``error`` describes the exception
    that ended the script, ``statement`` is the SQL that raised it and ``note`` what is not said
    there, '' if none did. ``line`` is the script's line of ``lost`` or ``error``.
    """

    executed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    lost: str = ""
    error: str = ""
    line: int | None = None
    statement: str = ""
    note: str = ""


@dataclass
class ScriptLog:
    """What happens while a script runs, noted as it does; of the fields see ``ScriptReport``."""

    executed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lost: str = ""
    error: str = ""
    line: int | None = None
    statement: str = ""
    note: str = ""

    def report(self) -> ScriptReport:
        """Return what has happened so far."""
        return ScriptReport(
            tuple(self.executed),
            tuple(self.refused),
            self.lost,
            self.error,
            self.line,
            self.statement,
            self.note,
        )


# What the annotations of these values name that their modules import for a type checker alone.
NAMES: dict[str, Any] = {
    "KeepOrder": KeepOrder,
    "Mapping": Mapping,
    "Path": Path,
    "SandboxPaths": SandboxPaths,
}


def write_order(order: ScriptOrder) -> None:
    """Write ``order`` where its process reads it."""
    order.file.write_bytes(encode_message("order", order))


def read_order(path: str) -> ScriptOrder:
    """Return the order in the file ``path``."""
    return read_message(read_file(Path(path)), {"order": ScriptOrder}, NAMES)


def write_report(path: Path, report: ScriptReport) -> None:
    """Write ``report`` to the file ``path``."""
    path.write_bytes(encode_message("report", report))


def read_report(path: Path) -> ScriptReport | None:
    """Return the report in ``path``; None when the script's process has not written it.

    The script itself may have put something else there: that counts as none.
    """
    try:
        return read_message(read_file(path), {"report": ScriptReport}, NAMES)
    except Unreadable:
        return None

"""The report of a script's process to the one that started it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes.untrusted_files import read_untrusted

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class ScriptReport:
    """What happened while a script ran; filled in as it runs, and written at its end.

    ``executed`` is the SQL that the script ran, ``refused`` are sentences on what was refused.
    ``lost`` says how changes were thrown away, '' if none were. ``error`` describes the exception
    that ended the script and ``statement`` is the SQL that raised it, '' if none did. ``line`` is
    the script's line of ``lost`` or ``error``.
    """

    executed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lost: str = ""
    error: str = ""
    line: int | None = None
    statement: str = ""

    def write(self, path: Path) -> None:
        """Write the report to the file ``path``."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def read_report(path: Path) -> ScriptReport | None:
    """Return the report in ``path``; None when the script's process has not written it.

    The script itself may have put something else there: that counts as none.
    """
    try:
        values = json.loads(read_untrusted(path))
    except (OSError, ValueError, RecursionError):
        return None
    types = {"executed": list, "refused": list, "line": int | None}
    types_by_name = {name: types.get(name, str) for name in ScriptReport.__dataclass_fields__}
    if not isinstance(values, dict) or values.keys() != types_by_name.keys():
        return None
    if not all(isinstance(values[name], type_) for name, type_ in types_by_name.items()):
        return None
    texts = [*values["executed"], *values["refused"]]
    return ScriptReport(**values) if all(isinstance(text, str) for text in texts) else None

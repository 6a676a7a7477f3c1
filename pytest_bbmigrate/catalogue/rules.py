"""What the settings say of how a folder of migrations is read."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path  # noqa: TC003 - read at run time, with the message that it is sent in


@dataclass(frozen=True)
class ReadingRules:
    """What the folder does not say by itself.

    ``placeholders`` are (name, value) pairs: ``${name}`` in SQL is the value. ``ignore`` are
    patterns (``*.sh``) of the names, or paths within the folder, that are passed over.
    ``order_file`` is the file that lists the migrations in their order, and ``order`` its lines;
    ``runner`` is the tool that runs them, as far as that is told by another thing than the files.
    ``contracts`` is the text of ``contracts_file``, which declares what files do not that must not
    be touched; ``steps`` is that of ``steps_file``, which says what SQL code amounts to.
    """

    placeholders: tuple[tuple[str, str], ...] = ()
    ignore: tuple[str, ...] = ()
    order_file: Path | None = None
    order: tuple[str, ...] = ()
    runner: str = ""
    contracts_file: Path | None = None
    contracts: str = ""
    steps_file: Path | None = None
    steps: str = ""

    def passes_over(self, name: str) -> bool:
        """Return whether ``name``, a path within the folder with /, is to be passed over."""
        names = {name, name.rpartition("/")[2]}
        return any(fnmatchcase(each, pattern) for each in names for pattern in self.ignore)


NO_RULES = ReadingRules()

"""Have Python itself load the modules of this package in pytest's process.

pytest has a loader of its own for every module of what brings a plugin: it explains asserts that
fail, and nobody is to see one of ours. What it makes of a module it keeps beside Python's compiled
files, and where it cannot, as in a container with PYTHONDONTWRITEBYTECODE, it parses, rewrites and
compiles all that a check run imports, at every start, whatever was compiled when this package was
installed.

Imported in every session: nothing here may import the core.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

WITHIN = f"{__name__.partition('.')[0]}."


class PlainFinder:
    """Finds the modules of this package as Python does; no others."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module of ours is; None for anybody else's."""
        return PathFinder.find_spec(name, path, target) if name.startswith(WITHIN) else None


def load_plainly() -> None:
    """Be asked before pytest is for a module of this package."""
    sys.meta_path.insert(0, PlainFinder())

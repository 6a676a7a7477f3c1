"""How a process of ours is started: on which Python, with what on its path, and what it runs."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGES = str(Path(__file__).resolve().parents[2])  # the folder that this package lies in
# Ours is on the path for the import of the module alone. Isolated, it comes last there: what lies
# beside this package must not stand in for the standard library.
START_ISOLATED = (
    "import sys; from importlib import import_module; sys.path.append(sys.argv[1]); "
    "main = import_module(sys.argv[2]).main; del sys.path[-1]; sys.exit(main(*sys.argv[3:]))"
)
START = (
    "import sys; from importlib import import_module; sys.path.insert(0, sys.argv[1]); "
    "main = import_module(sys.argv[2]).main; del sys.path[0]; sys.exit(main(*sys.argv[3:]))"
)


def isolated_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``main`` of a module of ours, beside the standard library alone.

    Isolated (-I) and without site (-S): no .pth line, no sitecustomize and no PYTHON variable has a
    say in a process that holds somebody's database.
    """
    python = [sys.executable, "-I", "-S", f"-Xutf8={sys.flags.utf8_mode}"]
    return [*python, "-c", START_ISOLATED, PACKAGES, module, *arguments]


def command_with_packages(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``main`` of a module of ours, beside all installed packages.

    -P keeps the folder that it is started in off its path.
    """
    return [sys.executable, "-P", "-c", START, PACKAGES, module, *arguments]

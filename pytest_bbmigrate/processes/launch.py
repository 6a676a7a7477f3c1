"""How a child process of ours is started: the Python, the import path and the module it runs."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGES = str(Path(__file__).resolve().parents[2])  # the folder that this package lies in
# That folder is on the path only while the module is imported. Isolated, it comes last there:
# what lies beside this package must not take the place of the standard library.
START_ISOLATED = (
    "import sys; from importlib import import_module; sys.path.append(sys.argv[1]); "
    "main = import_module(sys.argv[2]).main; del sys.path[-1]; sys.exit(main(*sys.argv[3:]))"
)
START = (
    "import sys; from importlib import import_module; sys.path.insert(0, sys.argv[1]); "
    "main = import_module(sys.argv[2]).main; del sys.path[0]; sys.exit(main(*sys.argv[3:]))"
)


def isolated_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``main`` of our ``module`` with the standard library only.

    It is isolated (-I) and without site (-S): in a process that holds somebody's database, no .pth
    line, no sitecustomize and no PYTHON variable takes effect.
    """
    python = [sys.executable, "-I", "-S", f"-Xutf8={sys.flags.utf8_mode}"]
    return [*python, "-c", START_ISOLATED, PACKAGES, module, *arguments]


def command_with_packages(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``main`` of our ``module`` with all installed packages.

    -P keeps the folder in which it is started off its path.
    """
    return [sys.executable, "-P", "-c", START, PACKAGES, module, *arguments]

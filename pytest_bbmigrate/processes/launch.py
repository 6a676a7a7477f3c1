"""How a child process of ours is started: the Python, the import path and the module it runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes.own_packages import PACKAGES, USE_OWN_PACKAGES, Installed

if TYPE_CHECKING:
    from pytest_bbmigrate.processes.app_python import AppPython

__all__ = ["PACKAGES", "command_with_packages", "isolated_command"]

# The folder of this package is on the path only while the module is imported. Isolated, it comes
# last there: what lies beside this package must not take the place of the standard library.
START_ISOLATED = (
    "import sys; from importlib import import_module; sys.path.append(sys.argv[1]); "
    "main = import_module(sys.argv[2]).main; del sys.path[-1]; sys.exit(main(*sys.argv[3:]))"
)
START = (
    "import sys; from importlib import import_module; sys.path.insert(0, sys.argv[1]); "
    "main = import_module(sys.argv[2]).main; del sys.path[0]; sys.exit(main(*sys.argv[3:]))"
)
# By the app's Python it is never there.
START_BY_APP = (
    f"import sys\n{USE_OWN_PACKAGES}sys.exit(import_module(sys.argv[3]).main(*sys.argv[4:]))"
)


def isolated_command(module: str, *arguments: str, python: AppPython | None = None) -> list[str]:
    """Return the command that runs ``main`` of our ``module`` with the standard library only.

    It is isolated (-I) and without site (-S): in a process that holds somebody's database, no .pth
    line, no sitecustomize and no PYTHON variable takes effect. ``python`` is the app's, None for
    the one that runs this process.
    """
    program = [sys.executable if python is None else python.program]
    program += ["-I", "-S", f"-Xutf8={sys.flags.utf8_mode}", "-c"]
    if packages := packages_for(python):
        return [*program, START_BY_APP, PACKAGES, packages, module, *arguments]
    return [*program, START_ISOLATED, PACKAGES, module, *arguments]


def command_with_packages(
    module: str, *arguments: str, python: AppPython | None = None
) -> list[str]:
    """Return the command that runs ``main`` of our ``module`` with all installed packages.

    -P keeps the folder in which it is started off its path. Of ``python`` see ``isolated_command``.
    """
    program = [sys.executable if python is None else python.program, "-P", "-c"]
    if packages := packages_for(python):
        return [*program, START_BY_APP, PACKAGES, packages, module, *arguments]
    return [*program, START, PACKAGES, module, *arguments]


def packages_for(python: AppPython | None) -> str:
    """Return where a process finds our packages; '' where it has them by itself."""
    return Installed.told if python is None else python.packages

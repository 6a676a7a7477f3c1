"""Start the program of a script, in a process that was forked for it."""

from __future__ import annotations

import os
from typing import NoReturn

from pytest_bbmigrate.processes.launch import command_with_packages
from pytest_bbmigrate.sandbox.keeper import be_keeper
from pytest_bbmigrate.sandbox.script_report import ScriptOrder, read_order

VARIABLES = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "utf-8",
    "PYTHONUNBUFFERED": "1",  # so that output and errors come in their order
}


def start_script(order: ScriptOrder) -> NoReturn:
    """Have this process become the one that runs the script of ``order``."""
    command = command_with_packages("pytest_bbmigrate.sandbox.script_main", str(order.file))
    os.chdir(order.paths.work)
    os.execve(command[0], command, {**os.environ, **VARIABLES})  # noqa: S606 - our own program


def main(file: str, report: str, lifeline: str) -> int:
    """Keep a process that runs the script of the order in ``file``, in one that was started."""
    order = read_order(file)
    be_keeper(order.kept, lambda: start_script(order), int(report), int(lifeline))

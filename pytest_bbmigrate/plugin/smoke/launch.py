"""Run the tests marked bb_smoke on copies of a migrated database, in a pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.plugin.options import (
    SMOKE_VARIABLE,
    argument_path,
    migrations_folder,
    settings_of,
)
from pytest_bbmigrate.plugin.ordering import modules_without_smoke_tests, smoke_tests_set_aside
from pytest_bbmigrate.plugin.selection import SMOKE_MARKER, holds_marked
from pytest_bbmigrate.plugin.smoke import child_plugin
from pytest_bbmigrate.plugin.smoke.events import ORDER, REPORT, SmokeOrder
from pytest_bbmigrate.plugin.smoke.result import (
    OUTPUT,
    SmokeResult,
    describe_missing,
    not_found,
    read_result,
)
from pytest_bbmigrate.processes.messages import encode_message
from pytest_bbmigrate.processes.watch import ended_with_this_process
from pytest_bbmigrate.sqlite_files import digest_of

if TYPE_CHECKING:
    import pytest


def run_smoke_tests(config: pytest.Config, work: Path) -> SmokeResult:
    """Run the tests marked bb_smoke, each with ``bb_head_path`` a copy of its own of ``work``.

    ``work`` is a closed database file. The tests run in a pytest of their own, with the root
    folder, configuration and plugins of this one; its files and the copies lie in a folder beside
    ``work``, which is removed afterwards; every process that the tests have left running is killed.

    Where no test can be marked nothing is started, for a conftest.py may open the real database,
    which is locked. Nor does it import modules that this session has found without such a test.
    """
    if not smoke_tests_set_aside(config) and not may_have_smoke_tests(config):
        return SmokeResult(())
    before = digest_of(work)
    with tempfile.TemporaryDirectory(
        prefix="smoke-", dir=work.parent, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        code = run_session(config, work, folder)
        result = read_result(folder, code, settings_of(config).smoke_seconds)
    if digest_of(work) != before:
        fault = f"the working copy {work} was changed while the smoke tests ran"
        return SmokeResult(result.tests, fault, result.output)
    if not result.fault and (missing := not_found(smoke_tests_set_aside(config), result.tests)):
        return SmokeResult(result.tests, describe_missing(missing), result.output)
    return result


def may_have_smoke_tests(config: pytest.Config) -> bool:
    """Return whether there may be a smoke test, judging by the text of the test modules."""
    paths = [config.rootpath, *paths_outside(config)]
    return any(holds_marked(config, path, (SMOKE_MARKER,)) for path in paths)


def run_session(config: pytest.Config, work: Path, folder: Path) -> int | None:
    """Run the smoke tests' pytest; return its exit code, None when it took too long."""
    settings = settings_of(config)
    without = tuple(modules_without_smoke_tests(config))
    order = SmokeOrder(work, settings.database.name, without)
    (folder / ORDER).write_bytes(encode_message("order", order))
    (folder / REPORT).touch()

    def start() -> subprocess.Popen[bytes]:
        with (folder / OUTPUT).open("wb") as output:
            return subprocess.Popen(  # noqa: S603 - our own interpreter
                [*interpreter(config), "-m", "pytest", *pytest_arguments(config, folder)],
                cwd=config.invocation_params.dir,
                env={**os.environ, SMOKE_VARIABLE: str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    with (
        ended_with_this_process(start, folder, SMOKE_VARIABLE) as child,
        suppress(subprocess.TimeoutExpired),
    ):
        return child.wait(settings.smoke_seconds)
    return None


def interpreter(config: pytest.Config) -> list[str]:
    """Return how to start Python: the working directory is on its sys.path if it is on ours."""
    is_on_path = not {"", str(config.invocation_params.dir)}.isdisjoint(sys.path)
    return [sys.executable] if is_on_path else [sys.executable, "-P"]


def pytest_arguments(config: pytest.Config, folder: Path) -> list[str]:
    """Return the arguments of the smoke tests' pytest: ours, but for those that select tests.

    pytest reads addopts and PYTEST_ADDOPTS again, before these.
    """
    option = config.option
    arguments = [f"--rootdir={config.rootpath}"]
    arguments += [f"--config-file={config.inipath}"] if config.inipath else []
    arguments += ["--noconftest"] if option.noconftest else []
    arguments += [f"--confcutdir={option.confcutdir}"] if option.confcutdir else []
    arguments += [f"--import-mode={option.importmode}"]
    repeated = {"-p": option.plugins, "-o": option.override_ini, "-W": option.pythonwarnings}
    repeated |= {"--ignore": option.ignore, "--ignore-glob": option.ignore_glob}
    arguments += [
        part for flag, values in repeated.items() for v in values or () for part in (flag, v)
    ]
    typed = {flag: config.getoption(name) for name, flag in child_plugin.SETTINGS.items()}
    arguments += [f"{flag}={value}" for flag, value in typed.items() if value is not None]
    # One process: the copies are as large as the database, and the tests share its ports.
    arguments += ["-n0"] if hasattr(option, "numprocesses") else []
    arguments += ["--no-cov"] if hasattr(option, "no_cov") else []
    arguments += ["-p", child_plugin.__name__, "-m", SMOKE_MARKER, "-k", ""]
    if config.pluginmanager.has_plugin("cacheprovider"):  # without it there is no such setting
        arguments += ["-o", f"cache_dir={folder / 'cache'}"]
    arguments += [f"--basetemp={folder / 'tmp'}"] if hasattr(option, "basetemp") else []
    return [*arguments, str(config.rootpath), *map(str, paths_outside(config))]


def paths_outside(config: pytest.Config) -> list[Path]:
    """Return the arguments outside the root folder whose tests may be marked."""
    paths = (argument_path(config, argument) for argument in config.args)
    folder = migrations_folder(config)
    return [
        path
        for path in paths
        if not path.is_relative_to(config.rootpath)
        and not path.is_relative_to(folder)
        and holds_marked(config, path)
    ]

"""The commands to type for acting on the same project and database as this session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.verdict import CATALOGUE_CHECK
from pytest_bbmigrate.visible import typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

# Where pytest looks for its settings, from the folder of its arguments upwards.
CONFIGURATION_FILES = (
    *("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"),
    *("pyproject.toml", "tox.ini", "setup.cfg"),
)
SETTING_FLAGS = {
    "bb_migrations": "--bb-migrations",
    "bb_database": "--bb-db",
    "bb_rows": "--bb-rows",
    "bb_seed": "--bb-seed",
    "bb_backup_dir": "--bb-backup-dir",
}
PATHS = ("bb_migrations", "bb_database", "bb_backup_dir")
OF_FOLDER = f"::{CATALOGUE_CHECK}"
APPLY_FLAGS = {
    "bb_to": "--bb-to",
    "bb_allow_late": "--bb-allow-late",
    "bb_create": "--bb-create",
    "bb_skip_way_back": "--bb-skip-way-back",
}


def command_of(
    config: pytest.Config, *arguments: str, path: Path | None = None, anywhere: bool = False
) -> str:
    """Return the command with ``arguments``, as typed in the folder where this session was started.

    It repeats whatever this session was given that says which project and database is meant.
    ``path`` is a file that the arguments name: pytest looks for its settings from there. Where that
    folder is gone, or with ``anywhere``, it works in any other.
    """
    anywhere = anywhere or not config.invocation_params.dir.is_dir()
    given = (
        f"{option}={_value(config, name, anywhere=anywhere)}"
        for name, option in SETTING_FLAGS.items()
        if config.getoption(name) is not None
    )
    overridden = (word for each in config.getoption("override_ini") or () for word in ("-o", each))
    settings = _settings(config, path, anywhere=anywhere)
    words = ["pytest", *settings, *overridden, *given, *_since(config, arguments), *arguments]
    return " ".join(map(typed, words))


def _since(config: pytest.Config, arguments: tuple[str, ...]) -> Iterator[str]:
    """Yield the option that says what is old history, where ``arguments`` ask about more."""
    ref = config.getoption("bb_since")
    asks = any(each == "--bb-check-migrations" or each.endswith(OF_FOLDER) for each in arguments)
    if ref is not None and asks:
        yield f"--bb-since={ref}"


def rerun_command(config: pytest.Config, path: Path, check: str) -> str:
    """Return the command that asks one check again."""
    where = Path(os.path.relpath(path, config.invocation_params.dir)).as_posix()
    return command_of(config, f"{where}::{check}", path=path)


def rehearsal_command(config: pytest.Config) -> str:
    """Return the command that rehearses again what this session was to apply or roll back."""
    target = config.getoption("bb_rollback")
    if target is not None:
        return command_of(config, f"--bb-rollback={target}" if target else "--bb-rollback")
    given = ((option, config.getoption(name)) for name, option in APPLY_FLAGS.items())
    modifiers = [
        option if value is True else f"{option}={value}" for option, value in given if value
    ]
    return command_of(config, "--bb-rehearse", *modifiers)


def _settings(config: pytest.Config, path: Path | None, *, anywhere: bool) -> Iterator[str]:
    """Yield the options by which pytest finds the same settings, where it would not otherwise."""
    start, ini = config.invocation_params.dir, config.inipath
    if anywhere:
        if ini is not None and ini.is_file():
            yield from ("-c", str(ini))
        if config.rootpath.is_dir():
            yield f"--rootdir={config.rootpath}"
        return
    starts = (start, path or start)
    is_rooted = config.getoption("rootdir") is not None
    if ini is None:
        is_rooted = is_rooted or any(not each.is_relative_to(config.rootpath) for each in starts)
        is_rooted = is_rooted or config.rootpath != start
    elif config.getoption("inifilename") or not all(_finds(each, ini) for each in starts):
        yield from ("-c", os.path.relpath(ini, start))
    if is_rooted:
        yield f"--rootdir={os.path.relpath(config.rootpath, start)}"


def _value(config: pytest.Config, name: str, *, anywhere: bool) -> object:
    """Return what the option ``name`` was given; a path in full with ``anywhere``."""
    value, start = config.getoption(name), config.invocation_params.dir
    if name not in PATHS or not anywhere:
        return value
    return os.path.normpath(start / value)  # nothing leads through a folder that is gone


def _finds(start: Path, ini: Path) -> bool:
    """Return whether pytest, looking upwards from ``start``, finds the file ``ini`` first."""
    if not start.is_relative_to(ini.parent):
        return False
    below = [folder for folder in (start, *start.parents) if folder.is_relative_to(ini.parent)]
    return not any(
        (folder / name).exists() for folder in below[:-1] for name in CONFIGURATION_FILES
    )

"""Which arguments and files a session collects: the checks, marked tests, or what was asked for.

Imported in every session: nothing here may import the core before it is needed.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.options import (
    argument_path,
    checks_are_wanted,
    migrations_folder,
    usage_error,
)

if TYPE_CHECKING:
    from pathlib import Path

SMOKE_MARKER = "bb_smoke"
MARKERS = ("bb_migration", SMOKE_MARKER)
CATALOGUE_ITEM = "catalogue_reads"

Selection = dict["Path", frozenset[str]]

_ARRANGED = pytest.StashKey[bool]()
_CHECKS_ALONE = pytest.StashKey[bool]()
_SELECTION = pytest.StashKey[Selection]()
_HOLDS_MARKED = pytest.StashKey[dict[tuple["Path", tuple[str, ...]], bool]]()


def arrange_arguments(config: pytest.Config) -> None:
    """Have ``config.args`` say what this session collects; a second call changes nothing.

    Raises: pytest.UsageError for a migration that pytest cannot collect where it is.
    """
    if _ARRANGED in config.stash:
        return
    config.stash[_ARRANGED] = True
    folder = migrations_folder(config)
    _refuse_strays(config, folder)
    _take_catalogue_item(config, folder)
    config.args = _without_doubles(config, folder)
    if not config.getoption("bb_check_migrations"):
        return
    typed = config.args_source is pytest.Config.ArgsSource.ARGS
    if typed and any(_asks_for(config, arg, folder) for arg in config.args):
        return
    if typed:
        config.args = [str(folder), *config.args]
        return
    config.stash[_CHECKS_ALONE] = True
    config.args_source = pytest.Config.ArgsSource.ARGS
    config.args = [str(config.rootpath)]
    if not folder.is_relative_to(config.rootpath):
        config.args.insert(0, str(folder))


def selection_of(config: pytest.Config) -> Selection | None:
    """Return which files of the folder, and which of their checks, were asked for by name.

    None when pytest's own arguments say it; an empty set stands for all checks of a file.
    """
    return config.stash.get(_SELECTION, None)


def runs_checks_alone(config: pytest.Config) -> bool:
    """Return whether the session runs the checks and the marked tests, and no other test."""
    return config.stash.get(_CHECKS_ALONE, False)


def passes_over(config: pytest.Config, path: Path) -> bool | None:
    """Return whether ``path`` is not to be collected; None when that is for others to say.

    The migrations asked for are collected whatever ``norecursedirs`` says. With the checks alone, a
    module is read for the name of a marker before it is imported, and passed over without one.
    """
    if not config.getoption("bb_check_migrations"):
        return None
    folder = migrations_folder(config)
    if folder.is_relative_to(path):
        return False
    if runs_checks_alone(config) and not holds_marked(config, path):
        return True
    return None


def _refuse_strays(config: pytest.Config, folder: Path) -> None:
    """Raise for a migration outside the root folder: pytest would import it as a test module."""
    if folder.is_relative_to(config.rootpath):
        return
    for argument in config.args:
        if folder in argument_path(config, argument).parents:
            raise usage_error(
                f"{argument} is not below the root folder {config.rootpath}; give the whole folder "
                f"{folder}, or give its root with --rootdir=DIR"
            )


def _take_catalogue_item(config: pytest.Config, folder: Path) -> None:
    """Let ``migrations::catalogue_reads`` be an argument, though pytest wants a file before '::'.

    The folder takes its place, and the selection says what of the folder was meant.
    """
    parts = {arg: frozenset(arg.partition("[")[0].split("::")[1:]) for arg in config.args}
    ours = [arg for arg in config.args if argument_path(config, arg) == folder]
    named = [arg for arg in ours if parts[arg] == {CATALOGUE_ITEM}]
    if not named:
        return
    paths = {arg: argument_path(config, arg) for arg in config.args}
    config.args = [str(folder) if arg in named else arg for arg in config.args]
    if any(not parts[arg] and folder.is_relative_to(path) for arg, path in paths.items()):
        return
    selection: Selection = {}
    for arg, path in paths.items():
        if path.is_relative_to(folder):
            asked = selection.get(path)
            selection[path] = parts[arg] if asked is None else _both(asked, parts[arg])
    config.stash[_SELECTION] = selection


def _without_doubles(config: pytest.Config, folder: Path) -> list[str]:
    """Return the arguments without those that name a part of the folder beside a whole with it.

    So pytest 9 reads them; earlier ones collect the part and leave it, or more, out of the whole.
    """
    if not checks_are_wanted(config) or config.getoption("keepduplicates"):
        return config.args
    wholes = {argument_path(config, arg) for arg in config.args if "::" not in arg}
    return [
        arg
        for arg in config.args
        if not (path := argument_path(config, arg)).is_relative_to(folder)
        or not path.exists()  # which pytest is to say
        or wholes.isdisjoint(path.parents)
    ]


def _asks_for(config: pytest.Config, argument: str, folder: Path) -> bool:
    """Return whether ``argument`` names migrations, or a folder that holds the folder of them."""
    path = argument_path(config, argument)
    return path.is_relative_to(folder) or (folder.is_relative_to(path) and "::" not in argument)


def _both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    return one | other if one and other else frozenset()


def holds_marked(config: pytest.Config, path: Path, markers: tuple[str, ...] = MARKERS) -> bool:
    """Return whether ``path`` is, or has below it, a module that may hold a marked test."""
    known = config.stash.setdefault(_HOLDS_MARKED, {})
    if (path, markers) not in known:
        known[path, markers] = _may_be_marked(config, path, markers)
    return known[path, markers]


def _may_be_marked(config: pytest.Config, path: Path, markers: tuple[str, ...]) -> bool:
    if path.is_dir():
        return any(holds_marked(config, below, markers) for below in _entries(config, path))
    if not _is_test_module(config, path):
        return False
    # A conftest.py may give a marker to every test below it.
    above = (parent for parent in path.parents if parent.is_relative_to(config.rootpath))
    modules = [path, *(parent / "conftest.py" for parent in above)]
    return any(_names_marker(module, markers) for module in modules)


def _names_marker(module: Path, markers: tuple[str, ...]) -> bool:
    text = module.read_bytes() if module.is_file() else b""
    return any(marker.encode() in text for marker in markers)


def _is_test_module(config: pytest.Config, path: Path) -> bool:
    patterns: list[str] = config.getini("python_files")
    return path.suffix == ".py" and any(
        "/" in pattern or fnmatch.fnmatch(path.name, pattern) for pattern in patterns
    )


def _entries(config: pytest.Config, folder: Path) -> list[Path]:
    """Return what is in ``folder``; nothing for one that pytest does not enter or may not read."""
    patterns: list[str] = config.getini("norecursedirs")
    is_environment = (folder / "pyvenv.cfg").is_file()
    if (
        (folder != config.rootpath and any(fnmatch.fnmatch(folder.name, p) for p in patterns))
        or (is_environment and not config.getoption("collect_in_virtualenv"))
        or (folder.is_symlink() and folder.is_relative_to(folder.resolve()))
    ):
        return []
    try:
        return sorted(folder.iterdir())
    except PermissionError:
        return []

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
    """Make ``config.args`` what this session collects; a second call changes nothing.

    Raises: pytest.UsageError for a migration that pytest cannot collect, outside the root folder.
    """
    if _ARRANGED in config.stash:
        return
    config.stash[_ARRANGED] = True
    folder = migrations_folder(config)
    _refuse_strays(config, folder)
    _accept_catalogue_item(config, folder)
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
    """Return the files of the folder that were asked for by name, each with its checks.

    An empty set stands for all checks of a file. None when pytest selects by its arguments itself.
    """
    return config.stash.get(_SELECTION, None)


def runs_checks_alone(config: pytest.Config) -> bool:
    """Return whether the session runs the checks and the marked tests, and no other test."""
    return config.stash.get(_CHECKS_ALONE, False)


def passes_over(config: pytest.Config, path: Path) -> bool | None:
    """Return whether ``path`` is left out of the collection; None when others may decide.

    The migration folder is collected whatever ``norecursedirs`` says. In a session of the checks
    alone, a test module is imported only when the name of one of our markers is in its text.
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
    """Raise for a migration outside the root folder, which pytest would import as a test module."""
    if folder.is_relative_to(config.rootpath):
        return
    for argument in config.args:
        if folder in argument_path(config, argument).parents:
            raise usage_error(
                f"{argument} is not below the root folder {config.rootpath}; give the whole folder "
                f"{folder}, or give its root with --rootdir=DIR"
            )


def _accept_catalogue_item(config: pytest.Config, folder: Path) -> None:
    """Accept the argument ``migrations::catalogue_reads``, though pytest wants a file before '::'.

    The folder takes its place among the arguments, and the selection keeps what of it was meant.
    """
    parts = {arg: frozenset(arg.partition("[")[0].split("::")[1:]) for arg in config.args}
    paths = {arg: argument_path(config, arg) for arg in config.args}
    items = [arg for arg in config.args if paths[arg] == folder and parts[arg] == {CATALOGUE_ITEM}]
    if not items:
        return
    config.args = [str(folder) if arg in items else arg for arg in config.args]
    # An argument that names the whole folder beside it asks for everything: nothing to select.
    if any(not parts[arg] and folder.is_relative_to(path) for arg, path in paths.items()):
        return
    selection: Selection = {}
    for arg, path in paths.items():
        if path.is_relative_to(folder):
            earlier = selection.get(path)
            selection[path] = parts[arg] if earlier is None else _both(earlier, parts[arg])
    config.stash[_SELECTION] = selection


def _without_doubles(config: pytest.Config, folder: Path) -> list[str]:
    """Return the arguments, but for parts of the folder that are in another argument as well.

    pytest 9 does the same; earlier versions then leave the part, or more, out of the whole.
    """
    if not checks_are_wanted(config) or config.getoption("keepduplicates"):
        return config.args
    whole_paths = {argument_path(config, arg) for arg in config.args if "::" not in arg}
    return [
        arg
        for arg in config.args
        if not (path := argument_path(config, arg)).is_relative_to(folder)
        or not path.exists()  # pytest reports that
        or whole_paths.isdisjoint(path.parents)
    ]


def _asks_for(config: pytest.Config, argument: str, folder: Path) -> bool:
    """Return whether ``argument`` names migrations, or a folder that the migration folder is in."""
    path = argument_path(config, argument)
    return path.is_relative_to(folder) or (folder.is_relative_to(path) and "::" not in argument)


def _both(checks: frozenset[str], more: frozenset[str]) -> frozenset[str]:
    """Return the checks of two arguments for one file; an empty set stands for all of them."""
    return checks | more if checks and more else frozenset()


def holds_marked(config: pytest.Config, path: Path, markers: tuple[str, ...] = MARKERS) -> bool:
    """Return whether ``path`` is, or has below it, a module that may hold a marked test."""
    answers = config.stash.setdefault(_HOLDS_MARKED, {})
    if (path, markers) not in answers:
        answers[path, markers] = _may_be_marked(config, path, markers)
    return answers[path, markers]


def _may_be_marked(config: pytest.Config, path: Path, markers: tuple[str, ...]) -> bool:
    if path.is_dir():
        return any(holds_marked(config, below, markers) for below in _entries(config, path))
    if not _is_test_module(config, path):
        return False
    # A conftest.py may mark every test below it.
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

"""The project's own modules that Python migrations import: found and read, and never run.

A module whose name a program computes at run time cannot be found by reading.
"""

from __future__ import annotations

import ast
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.python.syntax import parse
from pytest_bbmigrate.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.catalogue.sources import Sources
    from pytest_bbmigrate.processes.app_python import AppPython

IMPORTS = frozenset({"import_module", "__import__"})
NOT_THE_PROJECT = frozenset({"site-packages", "dist-packages", "node_modules", "__pycache__"})


@dataclass(frozen=True)
class Importing:
    """Where a project's own modules are: ``folders`` as ``sys.path`` has them, the first one first.

    ``modules`` are names that are imported whether a migration says so or not.
    """

    folders: tuple[Path, ...]
    modules: tuple[str, ...] = ()


def importing_of(
    folder: Path, root: Path, path: Iterable[str], modules: Iterable[str] = ()
) -> Importing:
    """Return where the migrations in ``folder`` find modules of the project in ``root``.

    ``path`` is ``sys.path``; what is installed there is not the project's own.
    """
    candidates = [folder, *(Path(os.path.abspath(entry)) for entry in path), root]  # noqa: PTH100
    own = (each for each in candidates if each == folder or belongs_to_project(each, root))
    return Importing(tuple(dict.fromkeys(own)), tuple(modules))


def path_by(python: AppPython | None, root: Path) -> tuple[str, ...]:
    """Return what ``sys.path`` is to be in a process of ours: this one's, or with the app's Python.

    That one finds the project in ``root`` as this process does, and what it has itself.
    """
    if python is None:
        return tuple(sys.path)
    own = (each for each in sys.path if each and belongs_to_project(Path(each), root))
    return tuple(dict.fromkeys((*own, *python.path)))


def belongs_to_project(path: Path, root: Path) -> bool:
    """Return whether ``path`` belongs to the project in ``root``, and is not installed in it."""
    if not path.is_relative_to(root):
        return False
    below = path.relative_to(root).parts
    if any(part.startswith(".") or part in NOT_THE_PROJECT for part in below):
        return False
    between = (p for p in (path, *path.parents) if p.is_relative_to(root) and p != root)
    return not any((folder / "pyvenv.cfg").is_file() for folder in between)


def read_imported(sources: Sources, programs: Iterable[Path], importing: Importing) -> None:
    """Read the modules that ``programs`` import, and that those import in turn, each once."""
    finders: dict[str, FileFinder] = {}
    seen: set[str] = set()
    waiting = [*importing.modules]
    for path in programs:
        waiting += imported_names(sources.content(path), "", sources.python)
    while waiting:
        name = waiting.pop()
        for spec in specs_of(name, importing, finders):
            if spec.name in seen or spec.origin is None:
                continue
            seen.add(spec.name)
            package = spec.name if spec.submodule_search_locations is not None else spec.parent
            with suppress(CatalogueError):  # then importing it fails as well
                content = sources.content(Path(spec.origin))
                waiting += imported_names(content, package or "", sources.python)


def specs_of(
    name: str, importing: Importing, finders: dict[str, FileFinder]
) -> Iterator[ModuleSpec]:
    """Yield the module called ``name`` and the packages that it is in, as far as they are found."""
    folders = [str(folder) for folder in importing.folders]
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        spec = find_module(folders, ".".join(parts[:end]), finders)
        if spec is None:
            return
        yield spec
        folders = list(spec.submodule_search_locations or ())


def find_module(folders: list[str], name: str, finders: dict[str, FileFinder]) -> ModuleSpec | None:
    """Return the first module called ``name`` in ``folders``, else the namespace package."""
    namespace: ModuleSpec | None = None
    for folder in folders:
        if folder not in finders:
            finders[folder] = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))
        spec = finders[folder].find_spec(name)
        if spec is None:
            continue
        if spec.loader is not None:
            return spec
        namespace = namespace or ModuleSpec(name, None, is_package=True)
        if namespace.submodule_search_locations is not None:
            namespace.submodule_search_locations += spec.submodule_search_locations or []
    return namespace


def imported_names(content: bytes, package: str, python: AppPython | None = None) -> list[str]:
    """Return the full names of the modules that a file in ``package`` may import."""
    try:
        tree = parse(content, python)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module_of_from(node, package)
            names += [base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)]
        elif isinstance(node, ast.Call):
            names += module_of_call(node)
    return [name for name in names if name]


def module_of_from(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of the module of a ``from .. import``."""
    if not node.level:
        return node.module or ""
    packages = package.split(".")
    base = packages[: len(packages) - node.level + 1]
    return ".".join([*filter(None, base), *([node.module] if node.module else [])])


def module_of_call(node: ast.Call) -> Iterator[str]:
    """Yield the name that ``import_module("a.b")`` or the like is given."""
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name in IMPORTS and node.args and isinstance(node.args[0], ast.Constant):
        value = node.args[0].value
        if isinstance(value, str) and all(part.isidentifier() for part in value.split(".")):
            yield value

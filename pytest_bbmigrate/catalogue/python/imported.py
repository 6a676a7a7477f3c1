"""The project's own modules that Python migrations import: found and read, and never run.

What a program imports by a name that it makes up at run time cannot be known from its text.
"""

from __future__ import annotations

import ast
import os
import warnings
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.catalogue.sources import Sources

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
    found = [folder, *(Path(os.path.abspath(at)) for at in path), root]  # noqa: PTH100
    own = (at for at in found if at == folder or is_own(at, root))
    return Importing(tuple(dict.fromkeys(own)), tuple(modules))


def is_own(path: Path, root: Path) -> bool:
    """Return whether ``path`` belongs to the project in ``root``, and is not installed in it."""
    if not path.is_relative_to(root):
        return False
    below = path.relative_to(root).parts
    if any(part.startswith(".") or part in NOT_THE_PROJECT for part in below):
        return False
    between = (at for at in (path, *path.parents) if at.is_relative_to(root) and at != root)
    return not any((at / "pyvenv.cfg").is_file() for at in between)


def read_imported(sources: Sources, programs: Iterable[Path], importing: Importing) -> None:
    """Read each module that one of ``programs`` imports, or that one of those does, once."""
    finders: dict[str, FileFinder] = {}
    seen: set[str] = set()
    waiting = [*importing.modules]
    for path in programs:
        waiting += imported_names(sources.content(path), "")
    while waiting:
        name = waiting.pop()
        for spec in specs_of(name, importing, finders):
            if spec.name in seen or spec.origin is None:
                continue
            seen.add(spec.name)
            package = spec.name if spec.submodule_search_locations is not None else spec.parent
            with suppress(CatalogueError):  # to import it fails likewise
                waiting += imported_names(sources.content(Path(spec.origin)), package or "")


def specs_of(
    name: str, importing: Importing, finders: dict[str, FileFinder]
) -> Iterator[ModuleSpec]:
    """Yield the module called ``name`` and the packages that it is in, as far as they are found."""
    places = [str(folder) for folder in importing.folders]
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        spec = find_in(places, ".".join(parts[:end]), finders)
        if spec is None:
            return
        yield spec
        places = list(spec.submodule_search_locations or ())


def find_in(places: list[str], name: str, finders: dict[str, FileFinder]) -> ModuleSpec | None:
    """Return the first module called ``name`` in ``places``, else the package without a file."""
    bare: ModuleSpec | None = None
    for place in places:
        if place not in finders:
            finders[place] = FileFinder(place, (SourceFileLoader, SOURCE_SUFFIXES))
        spec = finders[place].find_spec(name)
        if spec is None:
            continue
        if spec.loader is not None:
            return spec
        bare = bare or ModuleSpec(name, None, is_package=True)
        if bare.submodule_search_locations is not None:
            bare.submodule_search_locations += spec.submodule_search_locations or []
    return bare


def imported_names(content: bytes, package: str) -> list[str]:
    """Return the full names of the modules that a file in ``package`` may import."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = named_from(node, package)
            found += [base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)]
        elif isinstance(node, ast.Call):
            found += named_in_call(node)
    return [name for name in found if name]


def named_from(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of what follows FROM."""
    if not node.level:
        return node.module or ""
    above = package.split(".")
    kept = above[: len(above) - node.level + 1]
    return ".".join([*filter(None, kept), *([node.module] if node.module else [])])


def named_in_call(node: ast.Call) -> Iterator[str]:
    """Yield the name that ``import_module("a.b")`` or the like is given."""
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name in IMPORTS and node.args and isinstance(node.args[0], ast.Constant):
        value = node.args[0].value
        if isinstance(value, str) and all(part.isidentifier() for part in value.split(".")):
            yield value

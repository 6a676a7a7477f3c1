"""Our own packages in a process that the app's Python runs (``bb_python``).

Such a process has the packages of the app, or none. The modules of this package get sqlite-utils,
Faker, psutil and what these need from pytest's environment there; the app's code gets what the app
has. So they are imported by names of their own (``_bbmigrate_own.click``), beside any ``click`` of
the app's, and only import statements in our modules and in those packages are read as asking for
these: a statement calls the ``__import__`` of the builtins that its module was given
(https://docs.python.org/3/reference/simple_stmts.html#import).

This module uses nothing but the standard library.
"""

from __future__ import annotations

import builtins
import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

PACKAGE = __name__.partition(".")[0]
PACKAGES = str(Path(__file__).resolve().parents[2])  # the folder that this package lies in
OWN = "_bbmigrate_own"
# sqlite-utils takes that driver where it finds it; connections here are of the sqlite3 there is.
NOBODYS = frozenset({"pysqlite3"})
# '.so' alone does not say for which Python a module was compiled.
LOADABLE = [suffix for suffix in EXTENSION_SUFFIXES if suffix != ".so"]


# How a process begins to use this: with that folder and what ``install`` is told as arguments.
USE_OWN_PACKAGES = """\
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("pytest_bbmigrate", sys.argv[1] + "/pytest_bbmigrate/__init__.py")
sys.modules["pytest_bbmigrate"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["pytest_bbmigrate"])
import_module("pytest_bbmigrate.processes.own_packages").install(sys.argv[2])
"""


class Installed:
    """Where our packages are, as ``install`` was told; '' in a process that has them itself."""

    told = ""


def install(told: str) -> None:
    """Have our modules, and nobody else, import the packages that ``told`` says.

    That is a JSON object from the name of each package to the folder that it is in.
    """
    Installed.told = told
    folders: dict[str, str] = json.loads(told)
    parent = ModuleType(OWN)
    parent.__path__ = []
    sys.modules[OWN] = parent
    sys.meta_path.insert(0, OwnFinder(folders))


class OwnFinder:
    """Finds the modules of this package, and by their names of their own those that it needs.

    The class for finders, of importlib.abc, costs each process of ours a dozen imports.
    """

    def __init__(self, folders: Mapping[str, str]) -> None:
        self.folders = folders
        self.finders: dict[str, FileFinder] = {}
        importing = Importing(frozenset(folders))
        self.for_package = {**vars(builtins), "__import__": importing.for_package}
        self.for_others = {**vars(builtins), "__import__": importing.for_others}

    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module of ours is; None for anybody else's."""
        top, _, rest = name.partition(".")
        if top not in (OWN, PACKAGE) or not rest:
            return None
        if top == OWN and "." not in rest:
            path = [self.folders[rest]] if rest in self.folders else []
        for folder in path or ():
            spec = self.finder(folder).find_spec(name, target)
            if spec is None:
                continue
            if isinstance(spec.loader, SourceFileLoader):
                given = self.for_package if top == PACKAGE else self.for_others
                spec.loader = OwnLoader(spec.loader.name, spec.loader.path, given)
            return spec
        return None

    def finder(self, folder: str) -> FileFinder:
        """Return what finds modules in ``folder``."""
        if folder not in self.finders:
            self.finders[folder] = FileFinder(
                folder, (ExtensionFileLoader, LOADABLE), (SourceFileLoader, SOURCE_SUFFIXES)
            )
        return self.finders[folder]


class OwnLoader(SourceFileLoader):
    """Loads a module that is given builtins of its own; its compiled file is anybody's."""

    def __init__(self, name: str, path: str, given: Mapping[str, Any]) -> None:
        super().__init__(name, path)
        self.given = given

    def exec_module(self, module: ModuleType) -> None:
        """Run the module."""
        vars(module)["__builtins__"] = self.given
        super().exec_module(module)


class Importing:
    """What an import statement does in our modules and in the packages that they need."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.original = builtins.__import__
        self.import_module = importlib.import_module
        self.stand_ins = {
            "importlib": StandIn(importlib, import_module=self.module_called),
            "sys": StandIn(sys, modules=OwnModules(self.own_name)),
        }

    def own_name(self, name: str) -> str:
        """Return the name by which ``sys.modules`` has the module that one of ours calls so."""
        return f"{OWN}.{name}" if name.partition(".")[0] in self.names else name

    def for_package(
        self,
        name: str,
        given: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        wanted: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Be ``__import__`` for the modules of this package."""
        own = name if level else self.own_name(name)
        module = self.original(own, given, local, wanted or (), level)
        if own == name or wanted:
            return module
        top: ModuleType = sys.modules[self.own_name(name.partition(".")[0])]
        return top

    def for_others(
        self,
        name: str,
        given: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        wanted: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Be ``__import__`` for the packages that ours needs: they look modules up by name, too."""
        if not level and name in self.stand_ins:
            return self.stand_ins[name]
        return self.for_package(name, given, local, wanted, level)

    def module_called(self, name: str, package: str | None = None) -> ModuleType:
        """Be ``importlib.import_module`` for these packages.

        Raises: ImportError.
        """
        if name.partition(".")[0] in NOBODYS:
            raise ModuleNotFoundError(f"{name} is not for the packages of pytest-bbmigrate")
        return self.import_module(self.own_name(name), package)


class StandIn(ModuleType):
    """Another module, with some attributes of its own."""

    def __init__(self, real: ModuleType, **own: object) -> None:
        super().__init__(real.__name__)
        self.__real = real
        vars(self).update(own)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__real, name)


class OwnModules(Mapping[str, ModuleType]):
    """``sys.modules`` as the packages that ours needs see it."""

    def __init__(self, own_name: Any) -> None:
        self._own_name = own_name

    def __getitem__(self, name: str) -> ModuleType:
        module: ModuleType = sys.modules[self._own_name(name)]
        return module

    def __iter__(self) -> Iterator[str]:
        return iter([*sys.modules])

    def __len__(self) -> int:
        return len(sys.modules)

"""Imports that give what was read before, and refuse what was written since."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType


class ReadLoader(SourceFileLoader):
    """A loader that gives the ``content`` that was read before, and uses no compiled files.

    Without content it reads the file.
    """

    def __init__(self, name: str, path: str, content: bytes | None) -> None:
        super().__init__(name, path)
        self.content = content

    def get_data(self, path: Any) -> bytes:
        """Return what is known of the file."""
        return super().get_data(path) if self.content is None else self.content

    def path_stats(self, path: Any) -> Any:
        """Tell nothing of the source's age, without which Python caches nothing.

        Raises: OSError.
        """
        raise OSError(f"no cache for {path}")


class DatedLoader(SourceFileLoader):
    """A loader of a file that must not have been written since ``finder.since``."""

    def __init__(self, name: str, path: str, finder: FixedFinder) -> None:
        super().__init__(name, path)
        self.finder = finder

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code of the module, unless its file is younger than it may be.

        Raises: ImportError.
        """
        code = super().get_code(fullname)
        self.finder.refuse_young(self.path)  # now that it was read
        return code


class FixedFinder:
    """Finds modules where the finders after it do, and has them say what ``texts`` say.

    ``texts`` are by real path. With ``since``, a time in nanoseconds, any other file below
    ``folders`` must be older; ``young`` are those that were not.
    """

    def __init__(
        self, texts: Mapping[str, bytes], since: int | None = None, folders: Sequence[str] = ()
    ) -> None:
        self.texts = texts
        self.since = since
        self.within = tuple(f"{os.path.realpath(folder)}{os.sep}" for folder in folders)
        self.young: list[str] = []

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return where a module is, with a loader that gives what it is to say."""
        spec = self.found_after(name, path, target)
        if spec is None or spec.origin is None or not spec.has_location:
            return spec
        file = os.path.realpath(spec.origin)
        if isinstance(spec.loader, SourceFileLoader) and file in self.texts:
            spec.loader = ReadLoader(name, spec.origin, self.texts[file])
            spec.cached = None
        elif type(spec.loader) is SourceFileLoader and self.since is not None:
            spec.loader = DatedLoader(name, spec.origin, self)
        return spec

    def found_after(self, name: str, path: Any, target: Any) -> ModuleSpec | None:
        """Return what the finders after this one find."""
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find else None
            if spec is not None:
                return spec
        return None

    def refuse_young(self, path: str) -> None:
        """Raise ImportError when a file of the project was written since it must not be."""
        file = os.path.realpath(path)
        if self.since is None or not file.startswith(self.within):
            return
        if os.stat(file).st_ctime_ns > self.since:  # noqa: PTH116 - as the guard reads it
            self.young.append(file)
            raise ImportError(f"{file} was changed after the session had begun", path=file)


def young_modules() -> tuple[str, ...]:
    """Return the modules that this process has refused, for they were written too late."""
    finders = (finder for finder in sys.meta_path if isinstance(finder, FixedFinder))
    return tuple(path for finder in finders for path in finder.young)


def note_young(paths: Iterable[str]) -> None:
    """Have this process know of modules that another one has refused: those that the project has.

    Others are passed over: what a process that runs somebody's code says may be anything.
    """
    for finder in sys.meta_path:
        if isinstance(finder, FixedFinder):
            there = (path for path in paths if path.startswith(finder.within))
            finder.young.extend(path for path in there if os.path.isfile(path))  # noqa: PTH113


@contextmanager
def fixed(finder: FixedFinder) -> Iterator[None]:
    """Have ``finder`` asked first while the block runs."""
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)

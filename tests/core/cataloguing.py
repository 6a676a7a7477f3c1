"""What the tests of the catalogue share: folders written in place, and what reading one says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import NO_RULES, ReadingRules, SqlPart, read_catalogue
from pytest_bbmigrate.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Migration, Part


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write ``files`` into ``folder`` and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def migrations(
    folder: Path, files: Mapping[str, str | bytes], rules: ReadingRules = NO_RULES
) -> tuple[Migration, ...]:
    """Return what a folder with ``files`` reads as."""
    return read_catalogue(write(folder, files), rules=rules).migrations


def migration(
    folder: Path, files: Mapping[str, str | bytes], rules: ReadingRules = NO_RULES
) -> Migration:
    """Return the one migration that a folder with ``files`` reads as."""
    (only,) = migrations(folder, files, rules)
    return only


def complaints(
    folder: Path, files: Mapping[str, str | bytes], rules: ReadingRules = NO_RULES
) -> list[str]:
    """Return the problems of a folder with ``files``, in words, without the path of the folder."""
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(write(folder, files), rules=rules)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def sql(part: Part | None) -> list[tuple[int, str]]:
    """Return the lines and statements of an SQL part."""
    assert isinstance(part, SqlPart)
    return [(statement.line, statement.text) for statement in part.statements]

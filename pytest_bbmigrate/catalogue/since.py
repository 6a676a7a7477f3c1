"""What has become of the migrations that a commit has: which are as they were, which are not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.folder import read_catalogue
from pytest_bbmigrate.catalogue.python.imported import Importing
from pytest_bbmigrate.errors import CatalogueError, SettingsError
from pytest_bbmigrate.processes.git import file_at, files_at, find_revision, last_change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue.model import Catalogue, Migration
    from pytest_bbmigrate.catalogue.rules import ReadingRules
    from pytest_bbmigrate.processes.app_python import AppPython
    from pytest_bbmigrate.processes.git import Revision


@dataclass(frozen=True)
class Change:
    """A migration that a commit has and that is not as it was.

    ``what`` is 'edited', 'renamed' (to ``renamed``) or 'deleted'; ``path`` is the file that tells,
    or told, it; ``commit`` is the last one to touch that, '' where that is not committed.
    """

    migration: str
    what: str
    path: Path
    commit: str
    renamed: str = ""


@dataclass(frozen=True)
class Past:
    """The migrations, by ``names``, that run unjudged since a setting ``says`` so.

    ``changes`` are what has become of those that have to stay as they are, at ``ref``.
    """

    names: frozenset[str] = frozenset()
    says: str = ""
    ref: str = ""
    changes: tuple[Change, ...] = ()


NOTHING_PAST = Past()


def past_since(
    ref: str, catalogue: Catalogue, rules: ReadingRules, python: AppPython | None = None
) -> Past:
    """Return which migrations of ``catalogue`` the commit ``ref`` has, and which of its changed.

    Comments and line ends do not count. Of a branch that has gone another way since, that counts
    which it has in common with HEAD.

    Raises: SettingsError when git does not know the commit, or what it has does not read.
    """
    revision = find_revision(catalogue.folder, ref)
    with TemporaryDirectory(prefix="bbmigrate-") as top:
        folder = Path(top) / catalogue.folder.name
        before = migrations_at(revision, folder, rules, python)
        paths = {
            migration.name: catalogue.folder / migration.path.relative_to(folder)
            for migration in before
        }
    now = catalogue.migrations
    changes = tuple(changes_between(before, now, paths, revision))
    changed = {change.migration for change in changes}
    names = {migration.name for migration in before} & {migration.name for migration in now}
    return Past(frozenset(names - changed), f"--bb-since={ref}", ref, changes)


def migrations_at(
    revision: Revision, folder: Path, rules: ReadingRules, python: AppPython | None
) -> tuple[Migration, ...]:
    """Return the migrations that there were at ``revision``, whose files go into ``folder``.

    Raises: SettingsError when they do not read.
    """
    files = files_at(revision)
    if not files:
        return ()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    order = rules.order
    if rules.order_file is not None and (told := file_at(revision, rules.order_file)) is not None:
        order = tuple(told.decode(errors="replace").splitlines())
    as_it_was = replace(rules, order=order, contracts_file=None, contracts="")
    try:
        return read_catalogue(folder, Importing((folder,)), as_it_was, python).migrations
    except CatalogueError as error:
        problem = error.problems[0]
        if all(each.path == folder for each in error.problems):
            return ()  # no migration was there yet
        where = problem.path.name if problem.line is None else f"{problem.path.name}:{problem.line}"
        raise SettingsError(
            f"the folder does not read as it was there ({where}: {problem.message}); give a later "
            "commit, or name the first migration to judge with bb_check_from"
        ) from error


def changes_between(
    before: tuple[Migration, ...],
    now: tuple[Migration, ...],
    paths: dict[str, Path],
    revision: Revision,
) -> Iterator[Change]:
    """Yield what has become of the migrations ``before`` that are not as they were.

    ``paths`` are their files in the folder, by name.
    """
    there = {migration.name: migration for migration in now}
    names = {migration.name for migration in before}
    new = {checksum_of(m): m.name for m in reversed(now) if m.name not in names}
    for migration in before:
        name = migration.name
        path = paths[name]
        if name not in there:
            renamed = new.get(checksum_of(migration), "")
            what = "renamed" if renamed else "deleted"
            yield Change(name, what, path, last_change(revision, [path]), renamed)
        elif checksum_of(migration) != checksum_of(there[name]):
            parts = (there[name].up, there[name].down)
            files = dict.fromkeys([path, *(part.path for part in parts if part is not None)])
            yield Change(name, "edited", there[name].path, last_change(revision, files))


def checksum_of(migration: Migration) -> str:
    """Return the checksum of what a migration's files say, without what bb_contracts adds."""
    return migration.checksum.partition("+")[0]

"""Find the migrations of a folder, read each by the reader of its form, and order them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pytest_bbmigrate.catalogue.contract_file import ContractFile, read_contract_file
from pytest_bbmigrate.catalogue.files import START_HERE, list_entries
from pytest_bbmigrate.catalogue.forms import (
    dbmate,
    down_file,
    flyway,
    goose,
    managed,
    nested,
    pair,
    plain,
    script,
    sets,
    step,
    unsupported,
    yoyo,
)
from pytest_bbmigrate.catalogue.listing import Listing, listing_of, read_journal
from pytest_bbmigrate.catalogue.model import Catalogue
from pytest_bbmigrate.catalogue.order import OrderEntry, arrange, refuse_guess
from pytest_bbmigrate.catalogue.python.imported import Importing, read_imported
from pytest_bbmigrate.catalogue.rules import NO_RULES, ReadingRules
from pytest_bbmigrate.catalogue.runner_marks import runner_of_marks
from pytest_bbmigrate.catalogue.sources import Sources
from pytest_bbmigrate.catalogue.steps_file import read_steps, unknown_steps
from pytest_bbmigrate.catalogue.templates import told_once
from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.model import Migration
    from pytest_bbmigrate.errors import Problem
    from pytest_bbmigrate.processes.app_python import AppPython


class Form(Protocol):
    """One way of writing a migration; the module that reads it."""

    def claims(self, entry: FolderEntry) -> bool:
        """Return whether ``entry`` is of this form. Raises: CatalogueError."""
        ...

    def read(self, entry: FolderEntry) -> Migration | tuple[Migration, ...] | None:
        """Return the migration, or those of a set; None for what another entry reads.

        Raises: CatalogueError.
        """
        ...


# The first that claims an entry reads it.
FORMS: tuple[Form, ...] = (
    step,
    nested,
    down_file,
    pair,
    dbmate,
    goose,
    flyway,
    plain,
    unsupported,
    sets,
    yoyo,
    managed,
    script,
)


def read_catalogue(
    folder: Path,
    importing: Importing | None = None,
    rules: ReadingRules = NO_RULES,
    python: AppPython | None = None,
) -> Catalogue:
    """Return the migrations of ``folder``, read by ``rules`` and ordered.

    The modules of the project that their Python imports are read with them, from ``folder`` and
    where else ``importing`` says. ``python`` is the app's, which may know syntax that this one does
    not.

    Raises: CatalogueError with every problem found: no such folder, no migration in it, a file
    that fits no form or does not read, duplicate numbers, unknown dependencies, cycles;
    SettingsError when nothing says in which order they run.
    """
    sources = Sources(python)
    outside = _outside(rules, sources)
    entries, problems = _list(folder, sources, rules)
    migrations: dict[str, Migration] = {}
    steps = []
    for entry in entries:
        try:
            found = tuple(outside.joined(m, _file_of(entry, m)) for m in _read(entry))
        except CatalogueError as error:
            problems.extend(error.problems)
            # It keeps its place, so that what depends on it is not reported as well.
            is_down = down_file.claims(entry) or flyway.is_undo(entry)
            steps.extend([] if is_down else [_step(entry, None)])
            continue
        migrations.update((migration.name, migration) for migration in found)
        steps.extend(_step(entry, migration) for migration in found)
    if not steps and not problems:
        raise fault(folder, "there is no migration in this folder", START_HERE)
    if not problems:
        known = dict.fromkeys(name for step in steps for name in (step.name, step.shown))
        problems.extend(outside.unknown(known))
    runner = rules.runner or runner_of_marks(migrations.values(), sources.texts)
    listing: Listing | None = None
    try:
        listing = _listing(folder, sources, rules)
        ordered = arrange(steps, listing, runner)
    except CatalogueError as error:
        problems.extend(error.problems)
    if problems:
        raise CatalogueError(
            told_once(sorted(problems, key=lambda problem: (problem.path, problem.line or 0)))
        )
    if listing is None:
        refuse_guess(ordered, runner)
    programs = tuple(m.path for m in migrations.values() if m.path.suffix.lower() == ".py")
    read_imported(sources, programs, importing or Importing((folder,)))
    return Catalogue(
        folder,
        tuple(migrations[step.name] for step in ordered),
        sources.texts,
        rules.contracts_file,
        _notes(entries),
    )


def _notes(entries: Iterable[FolderEntry]) -> tuple[str, ...]:
    """Return what is worth saying of the names of ``entries``."""
    places = {id(entry.siblings): entry.siblings for entry in entries}
    return tuple(note for place in places.values() for note in place.notes())


def _outside(rules: ReadingRules, sources: Sources) -> ContractFile:
    """Return what bb_contracts declares; nothing without it. Raises: CatalogueError."""
    path = rules.contracts_file
    if path is None:
        return ContractFile(Path(), ())
    sources.keep(path, rules.contracts.encode())
    return read_contract_file(path, rules.contracts)


def _list(
    folder: Path, sources: Sources, rules: ReadingRules
) -> tuple[tuple[FolderEntry, ...], list[Problem]]:
    """Return the entries of ``folder``, those that bb_steps names too, and what is wrong there.

    Raises: CatalogueError when the folder, or the file of bb_steps, does not read.
    """
    path, steps = rules.steps_file, {}
    if path is not None:
        sources.keep(path, rules.steps.encode())
        steps = read_steps(path, rules.steps, sources)
    entries, doubtful = list_entries(folder, sources, rules, steps=steps)
    found = [entry.step.name for entry in entries if entry.step is not None]
    unknown = unknown_steps(path, steps, found) if path is not None else ()
    return entries, [*doubtful, *unknown]


def _read(entry: FolderEntry) -> tuple[Migration, ...]:
    form = next(form for form in FORMS if form.claims(entry))
    found = form.read(entry)
    if found is None:
        return ()
    return found if isinstance(found, tuple) else (found,)


def _listing(folder: Path, sources: Sources, rules: ReadingRules) -> Listing | None:
    """Return the list of the migrations in their order that there is. Raises: CatalogueError."""
    if rules.order_file is not None:
        return listing_of(rules.order_file, rules.order)
    return read_journal(folder, sources)


def _step(entry: FolderEntry, migration: Migration | None) -> OrderEntry:
    """Return what the order needs to know of ``entry``, which may have failed to read."""
    if migration is None:
        shown = f"{entry.within}{entry.path.name}"
        doubtful = entry.ending == ".py"  # a program that is none has a number of no meaning
        return OrderEntry(entry.name, shown, entry.path, entry.number, is_doubtful=doubtful)
    depends = migration.contract.depends
    shown = _file_of(entry, migration)
    return OrderEntry(migration.name, shown, migration.path, migration.number, depends)


def _file_of(entry: FolderEntry, migration: Migration) -> str:
    """Return the path within the folder of a migration's file, with its function in a set."""
    shown = f"{entry.within}{migration.path.relative_to(entry.path.parent).as_posix()}"
    return f"{shown}::{migration.function}" if migration.function else shown

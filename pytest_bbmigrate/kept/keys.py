"""The keys of what is kept: digests of everything that a verdict or a state rests on.

A key begins with what all rest on (this tool and what it runs on, the settings, the base, what the
rows are made of), and goes on with each migration in its turn, as it was read: a later one changes
no key but by what it asks of the rows before it.
"""

from __future__ import annotations

import importlib.metadata
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.kept.certainty import certainties, why_nothing
from pytest_bbmigrate.kept.digests import digest_of_value
from pytest_bbmigrate.kept.python_reads import texts_used
from pytest_bbmigrate.kept.surroundings import surroundings, zone_files
from pytest_bbmigrate.sandbox import landlock
from pytest_bbmigrate.seeding.recipes import folder_recipe

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.kept.surroundings import Surroundings
    from pytest_bbmigrate.project import Project
    from pytest_bbmigrate.settings import Settings

FORM = 1  # of what is kept
# Fields of Settings that no verdict rests on: those of an apply; which migrations are asked about;
# and what is in the migrations, as these are read, each with what concerns it.
NO_MATTER = frozenset(
    ["backup_dir", "keep_backups", "smoke_seconds", "check_from", "contracts", "order", "steps"]
)


@dataclass(frozen=True)
class Keys:
    """The keys of a project.

    ``states[n]`` is that of the state after the first n migrations, ``verdicts[n]`` that of the
    verdicts on the one at n, None where they are not to be kept; ``folder`` is that of the verdict
    on the folder. ``source`` is what ``source_of_ours`` gave for them, '' where there are none.
    """

    states: tuple[str | None, ...]
    verdicts: tuple[str | None, ...]
    folder: str | None
    source: str = ""


def keys_of(project: Project, *, shows_errors: bool) -> Keys:
    """Return the keys of what is judged of ``project``, whose folder reads."""
    migrations = project.catalogue.migrations
    if why_nothing(project):
        return Keys((None,) * (len(migrations) + 1), (None,) * len(migrations), None)
    around = surroundings()
    links = [digest_of_value(*all_rest_on(project, around, shows_errors=shows_errors))]
    for migration in migrations:
        links.append(digest_of_value(links[-1], with_own_texts(migration, project)))
    day = time.strftime("%Y-%m-%d", time.gmtime())
    chain = [
        None if each.why else digest_of_value(link, day if each.by_day else "")
        for link, each in zip(links, certainties(project), strict=True)
    ]
    return Keys(
        states=tuple(key and digest_of_value("state", key) for key in chain),
        verdicts=tuple(key and digest_of_value("verdicts", key) for key in chain[1:]),
        folder=chain[-1] and digest_of_value("folder", chain[-1]),
        source=around.source,
    )


def with_own_texts(migration: Migration, project: Project) -> Migration:
    """Return ``migration`` with those texts alone that its Python runs; all of the folder's are."""
    folder = project.settings.migrations

    def with_own(part: Part) -> Part:
        if isinstance(part, SqlPart):
            return part
        return replace(part, texts=texts_used(part.path, part.texts, folder))

    down = migration.down and with_own(migration.down)
    return replace(migration, up=with_own(migration.up), down=down)


def all_rest_on(
    project: Project, around: Surroundings, *, shows_errors: bool
) -> tuple[object, ...]:
    """Return the values that every key begins with."""
    migrations = project.catalogue.migrations
    environment = replace(project.environment, prepare_connection=None)
    is_sql = all(
        isinstance(part, SqlPart) for each in migrations for part in (each.up, each.down or each.up)
    )
    return (
        FORM,
        around,
        () if is_sql else plugins(),
        landlock.abi_version(),
        settings_that_matter(project.settings),
        zone_files(project.settings.zone),
        environment,
        project.base,
        project.catalogue.folder,
        folder_recipe(project.recipe, migrations),
        project.shows_values,
        shows_errors,
    )


def settings_that_matter(settings: Settings) -> dict[str, object]:
    """Return all settings but those that no verdict rests on."""
    return {name: value for name, value in vars(settings).items() if name not in NO_MATTER}


def plugins() -> tuple[tuple[str, str], ...]:
    """Return the plugins that sqlite-utils would find, which may add to any database."""
    found = importlib.metadata.entry_points(group="sqlite_utils")
    return tuple(sorted((each.name, each.value) for each in found))

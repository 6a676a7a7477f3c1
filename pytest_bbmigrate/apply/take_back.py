"""Find the schema that the first migration started from, where nobody has written it down.

Today's schema is the only witness. What the migrations of it that are there have made is taken back
on an empty copy, and believed only where running them again gives today's schema exactly.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.adopt import MatchingVersions, find_version, replay
from pytest_bbmigrate.apply.base_text import image_of, schema_text
from pytest_bbmigrate.apply.reversal import Lacking, reverse
from pytest_bbmigrate.apply.schema_distance import every_difference, unexplained_text
from pytest_bbmigrate.apply.structure_written import (
    creations,
    may_be_done,
    outcome_of,
    statements_written,
    structural_commands,
)
from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.masking import safe_part_message
from pytest_bbmigrate.private import Known
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sqlite_files import app_connections, open_image, take_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.apply.structure_written import Structural, Thing
    from pytest_bbmigrate.catalogue import Catalogue, Migration
    from pytest_bbmigrate.runner import Failure, RunEnvironment
    from pytest_bbmigrate.schema import Schema

MOST_TRIES = 6  # versions that a database may be at; each costs a replay
MOST_STATEMENTS = 40  # of one Python migration, that are found out by running it


@dataclass(frozen=True)
class TakenBack:
    """What was found to lie before the first migration.

    ``matching`` is what the database is at, starting from that, and ``count`` how many migrations
    are there. ``text`` are the statements that make what lies before them, '' where that is not
    known, or one of them is there in part; ``obstacles`` are the steps that cannot be taken back,
    and why, a sentence each.
    """

    matching: MatchingVersions | None
    count: int
    text: str = ""
    obstacles: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Made:
    """The ``commands`` of a migration that change a schema, in order.

    ``failure`` is why a program stops on today's schema even where all that they make is taken
    away.
    """

    commands: tuple[Structural, ...]
    failure: Failure | None = None


@dataclass(frozen=True)
class _Try:
    """A base for the version after ``count`` migrations; ``target`` is the schema it leads to.

    That is today's, without what migrations have left that are there in part.
    """

    count: int
    target: Schema
    text: str
    obstacles: tuple[str, ...]


def take_back(today: str, catalogue: Catalogue, environment: RunEnvironment) -> TakenBack:
    """Return what ``today``, the statements that make a database's schema, started from."""
    with app_connections(environment.prepare_connection):
        start = image_of(today)
        schema = _schema_in(start)
        made = [_made_by(m, start, environment) for m in catalogue.migrations]
        failed: TakenBack | None = None
        for count in _counts(catalogue, made, start, environment):
            tried = _try(count, today, catalogue.migrations, made, environment)
            if obstacles := tried.obstacles or _way_there(tried, catalogue, environment):
                stuck = tuple(
                    _stops(migration.name, each.failure, catalogue)
                    for migration, each in zip(catalogue.migrations[:count], made, strict=False)
                    if each.failure is not None
                )
                failed = failed or TakenBack(
                    None, count, obstacles=tuple(dict.fromkeys((*obstacles, *stuck)))
                )
                continue
            replayed = replay(catalogue, environment, image_of(tried.text))
            matching = find_version(schema, replayed, catalogue)
            # What a step that cannot be taken back has left may look like the step not being there.
            if failed is None or (
                replayed.failure is None and failed.count not in matching.positions
            ):
                return TakenBack(matching, count, tried.text if matching.positions else "")
    assert failed is not None  # noqa: S101 - what is there is a way to itself
    return failed


def _counts(
    catalogue: Catalogue, made: Sequence[_Made], start: bytes, environment: RunEnvironment
) -> Iterator[int]:
    """Yield how many migrations may be there by what they leave, the most first; 0 at last."""
    schema = _schema_in(start)
    tries = 0
    for count in range(len(made), 0, -1):
        outcome, migration = outcome_of(made[count - 1].commands), catalogue.migrations[count - 1]
        if tries >= MOST_TRIES or not may_be_done(outcome, schema):
            continue
        if not (outcome.made or outcome.gone):  # made anew: only running it tells
            run, after = run_part(migration, migration.up, start, environment)
            if run.succeeded and every_difference(schema, _schema_in(after)):
                continue
        tries += 1
        yield count
    yield 0


def _way_there(tried: _Try, catalogue: Catalogue, environment: RunEnvironment) -> tuple[str, ...]:
    """Return why the migrations that are there do not make what they are to make; () if they do."""
    first = replace(catalogue, migrations=catalogue.migrations[: tried.count])
    replayed = replay(first, environment, image_of(tried.text))
    if replayed.failure is not None:
        who = catalogue.migrations[len(replayed.steps)].name
        return (_stops(who, replayed.failure, catalogue),)
    differences = every_difference(replayed.schemas[-1], tried.target)
    return tuple(
        "run again on what was taken back, they come to another schema: "
        f"{unexplained_text(difference, Known(texts=catalogue.shown_texts))}"
        for difference in differences[:1]
    )


def _stops(who: str, failure: Failure, catalogue: Catalogue) -> str:
    known = Known(texts=catalogue.shown_texts)
    message = safe_part_message(failure.path, failure.message, failure.error, known)
    return f"{who} cannot be taken back: on what is left it stops ({message})"


def _try(
    count: int,
    today: str,
    migrations: Sequence[Migration],
    made: Sequence[_Made],
    environment: RunEnvironment,
) -> _Try:
    """Return what lies before the first migration, if the first ``count`` are there."""
    lacking = Lacking()
    with closing(open_image(image_of(today))) as db:
        for index in range(len(migrations) - 1, count - 1, -1):
            reverse(db, creations(made[index].commands), migrations[index].name, Lacking())
        target, image = read_schema(db), take_image(db)
    for index in range(count - 1, -1, -1):
        image = _before(migrations[index], made[index].commands, image, lacking, environment)
    with closing(open_image(image)) as db:
        return _Try(count, target, schema_text(db), _obstacles(lacking))


def _before(
    migration: Migration,
    commands: tuple[Structural, ...],
    image: bytes,
    lacking: Lacking,
    environment: RunEnvironment,
) -> bytes:
    """Return the image before ``migration``; what cannot be known is noted in ``lacking``."""
    found = Lacking(dict(lacking.dropped), dict(lacking.refused))
    with closing(open_image(image)) as db:
        after = read_schema(db)
        reverse(db, commands, migration.name, found)
        taken_back = take_image(db)
    is_worse = set(found.dropped) - set(lacking.dropped) or found.refused != lacking.refused
    if is_worse and migration.down is not None:
        run, by_down = run_part(migration, migration.down, image, environment)
        if run.succeeded:
            run, again = run_part(migration, migration.up, by_down, environment)
            if run.succeeded and not every_difference(after, _schema_in(again)):
                return _without_rows(by_down)
    lacking.dropped, lacking.refused = found.dropped, found.refused
    return taken_back


def _made_by(migration: Migration, today: bytes, environment: RunEnvironment) -> _Made:
    """Return the statements of ``migration`` that change the schema.

    What a program puts together shows when it runs: on today's schema it stops at what is there
    already, which is then taken away, until it runs to its end.
    """
    written = structural_commands(statements_written(migration))
    if isinstance(migration.up, SqlPart):
        return _Made(written)
    known = list(written)
    failure = None
    for _ in range(MOST_STATEMENTS):
        run, _ = run_part(migration, migration.up, _reversed(today, known), environment)
        failure = run.failure
        failed = (failure.statement,) if failure else ()
        new = [c for c in structural_commands((*run.executed, *failed)) if c not in known]
        known += new
        if not new:
            break
    return _Made(tuple(known), failure)


def _reversed(today: bytes, commands: Sequence[Structural]) -> bytes:
    with closing(open_image(today)) as db:
        reverse(db, commands, "", Lacking())
        return take_image(db)


def _obstacles(lacking: Lacking) -> tuple[str, ...]:
    """Return for each migration why it cannot be taken back."""
    lines = []
    for who in dict.fromkeys(lacking.dropped.values()):
        things = [_in_words(thing) for thing, name in lacking.dropped.items() if name == who]
        lines.append(
            f"{who} cannot be taken back: it drops {', '.join(things)}, and nothing says what that "
            "was: no migration before it, and no down part"
        )
    for thing, (who, why) in lacking.refused.items():
        lines.append(f"{who} cannot be taken back: {_in_words(thing)} cannot be removed ({why})")
    return tuple(lines)


def _in_words(thing: Thing) -> str:
    return f"column {thing[1]}.{thing[2]}" if thing[0] == "column" else " ".join(thing)


def _schema_in(image: bytes) -> Schema:
    with closing(open_image(image)) as db:
        return read_schema(db)


def _without_rows(image: bytes) -> bytes:
    """Return the schema of ``image`` alone: a down part may have written rows."""
    with closing(open_image(image)) as db:
        return image_of(schema_text(db))

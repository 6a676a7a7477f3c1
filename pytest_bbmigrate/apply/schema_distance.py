"""How a database differs from a version, and which migrations explain it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema import SchemaDifference, apart, compare_schemas
from pytest_bbmigrate.sql import Kind, UnreadableSql, tokenize
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.visible import first_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_bbmigrate.private import Known
    from pytest_bbmigrate.schema import Schema

Key = tuple[str, ...]

IDENTIFIED_BY_TEXT = {"check", "unique"}  # have no name of their own
CONSTRAINTS = IDENTIFIED_BY_TEXT | {"foreign key"}
OBJECTS = {"table", "index", "view", "trigger"}
ENDINGS = (" lost", " added", " changed", " broken")


@dataclass(frozen=True)
class SchemaStep:
    """What a migration did to a schema, and every name (folded) in the SQL that it ran."""

    name: str
    effects: tuple[SchemaDifference, ...]
    names: frozenset[str]


def every_difference(before: Schema, after: Schema) -> tuple[SchemaDifference, ...]:
    """Return every difference, with what otherwise goes with another one.

    That are the indexes of columns that are themselves lost or added, and the indexes and triggers
    of added tables: where a migration was applied in part, there may be one without the other. For
    the same reason a CHECK that changed is one that is lost and another that is added.
    """
    differences = tuple(apart(compare_schemas(before, after)))
    said = {fold_name(difference.name) for difference in differences}
    unsaid = (*_indexes_of_columns(before, after), *_parts_of_added_tables(before, after))
    return (*differences, *(each for each in unsaid if fold_name(each.name) not in said))


def _indexes_of_columns(before: Schema, after: Schema) -> Iterator[SchemaDifference]:
    """Yield the explicit indexes on columns that only one of two tables has."""
    for side, other, kind in ((before, after, "index lost"), (after, before, "index added")):
        for table in side.tables:
            others = other.table(table.name)
            for index in table.indexes if others is not None else ():
                is_of_own = any(
                    column.name is not None
                    and others is not None
                    and not others.column(column.name)
                    for column in index.columns
                )
                if index.name is not None and is_of_own and other.index(index.name) is None:
                    yield SchemaDifference(kind, index.name, table.name, "", "", "")


def _parts_of_added_tables(before: Schema, after: Schema) -> Iterator[SchemaDifference]:
    added = {fold_name(t.name) for t in after.tables if before.table(t.name) is None}
    for table in after.tables:
        for index in table.indexes:
            if index.name is not None and fold_name(table.name) in added:
                yield SchemaDifference("index added", index.name, table.name, "", "", "")
    for trigger in after.triggers:
        if fold_name(trigger.table) in added:
            yield SchemaDifference("trigger added", trigger.name, trigger.table, "", "", "")


def names_in(executed: Iterable[str]) -> frozenset[str]:
    """Return, case-folded, every name that the statements mention."""
    names: set[str] = set()
    for sql in executed:
        try:
            tokens = tokenize(sql)
        except UnreadableSql:  # a PRAGMA that the runner itself has put together
            continue
        names.update(fold_name(t.name) for t in tokens if t.kind in (Kind.WORD, Kind.QUOTED))
    return frozenset(names)


def names_mentioned(versions: Iterable[Schema], steps: Iterable[SchemaStep]) -> frozenset[str]:
    """Return, case-folded, every name that a version has or a migration mentions."""
    names = frozenset[str]().union(*(step.names for step in steps))
    for schema in versions:
        names |= schema.table_names
        names |= {fold_name(view.name) for view in schema.views}
        names |= {fold_name(trigger.name) for trigger in schema.triggers}
        names |= {fold_name(i.name) for t in schema.tables for i in t.indexes if i.name}
    return names


@dataclass(frozen=True)
class SchemaDistance:
    """How a database differs from a version, and by how many parts of a schema.

    ``extras`` are its own tables, indexes, views and triggers, which make no other version of it.
    """

    differences: tuple[SchemaDifference, ...]
    extras: tuple[str, ...]
    distance: int


def compare_version(
    version: Schema, schema: Schema, mentioned: frozenset[str] | None
) -> SchemaDistance:
    """Return how ``schema`` differs from ``version``.

    An object whose name is not among those ``mentioned`` is an extra; with None there are none.
    """
    differences, extras = [], []
    own = set()  # tables among the extras: what is on them goes with them
    for difference in every_difference(version, schema):
        kind = difference.kind.removesuffix(" added")
        if (
            kind in OBJECTS
            and mentioned is not None
            and fold_name(difference.name) not in mentioned
        ):
            own |= {fold_name(difference.name)} if kind == "table" else set()
            if fold_name(difference.table) not in own or kind == "table":
                extras.append(f"{kind} {difference.name}")
        else:
            differences.append(difference)
    distance = sum(parts_of(difference, version, schema) for difference in differences)
    return SchemaDistance(tuple(differences), tuple(extras), distance)


def parts_of(difference: SchemaDifference, *schemas: Schema) -> int:
    """Return how many parts of a schema a difference is in: a table counts with all its parts."""
    tables = [table for schema in schemas if (table := schema.table(difference.name))]
    if family_of(difference) != "table":
        return 1
    (table,) = tables  # lost or added: one of the two has it
    return 1 + sum(map(len, (table.columns, table.indexes, table.checks, table.foreign_keys)))


def describe_distance(
    differences: Sequence[SchemaDifference],
    version: int,
    steps: Sequence[SchemaStep],
    known: Known | None = None,
) -> tuple[str, ...]:
    """Return what the database has and lacks, migration by migration, in words.

    ``differences`` are those from the nearest version: that after the first ``version`` of
    ``steps``. Values in what no migration made are masked unless they are ``known``; None masks
    nothing.
    """
    origins = [origin(difference, version, steps) for difference in differences]
    concerned = sorted({step for step in origins if step is not None})
    lines = [
        line for step in concerned if (line := describe_step(differences, version, steps, step))
    ]
    unexplained = [d for d, step in zip(differences, origins, strict=True) if step is None]
    whole = {fold_name(d.name) for d in unexplained if d.kind == "table added"}
    unexplained = [
        d for d in unexplained if d.kind == "table added" or fold_name(d.table) not in whole
    ]
    lines += [
        f"by no migration: {unexplained_text(difference, known)}" for difference in unexplained
    ]
    return first_lines(lines)


def origin(difference: SchemaDifference, version: int, steps: Sequence[SchemaStep]) -> int | None:
    """Return the index of the step that makes, or should have made, what differs; None for none.

    That is the last one up to the ``version`` that touches it, else the first one after it.
    """
    key = key_of(difference)
    order: list[int] = [*range(version - 1, -1, -1), *range(version, len(steps))]
    for goes_with_its_table in (False, True):  # that may have gone by a step of its own
        for index in order:
            if any(
                key_of(effect) == key
                for effect in steps[index].effects
                if goes_with_its_table or effect.before or effect.after
            ):
                return index
    name = fold_name(difference.name)
    if difference.kind == "table added":  # such as the new table of a rebuild that stopped halfway
        return next((index for index in order if name in steps[index].names), None)
    return None


def describe_step(
    differences: Sequence[SchemaDifference], version: int, steps: Sequence[SchemaStep], index: int
) -> str:
    """Return what the step ``index`` did that is there, and what is not, in a line."""
    differing = {key_of(difference) for difference in differences}
    lost = {fold_name(d.name) for d in differences if d.kind == "table lost"}
    touched_later = {key_of(e) for step in steps[index + 1 : version] for e in step.effects}
    lacking = set()  # tables that it should have made: what is on them need not be said
    effect_texts = []
    for effect in steps[index].effects:
        key = key_of(effect)
        if fold_name(effect.table) in lacking:
            continue
        if index >= version:
            is_done = key in differing
        else:
            is_done = key not in differing and fold_name(effect.table) not in lost
        if effect.kind == "table added" and not is_done:
            lacking.add(fold_name(effect.name))
        if not (is_done and key in touched_later):
            effect_texts.append((is_done, effect_text(effect, is_done=is_done)))
    effects = {key_of(effect) for effect in steps[index].effects}
    leftovers = [
        f"table {d.name} is left over"
        for d in differences
        if d.kind == "table added"
        and key_of(d) not in effects
        and origin(d, version, steps) == index
    ]
    texts = [*(text for _, text in sorted(effect_texts, key=lambda part: not part[0])), *leftovers]
    return f"of {steps[index].name}: {', '.join(texts)}"


def key_of(difference: SchemaDifference) -> Key:
    """Return what a difference is about, the same for its reverse."""
    family = family_of(difference)
    text = difference.before or difference.after if family in IDENTIFIED_BY_TEXT else ""
    # A table has one primary key, and a database one index of a name.
    column = "" if family in {"primary key", "index"} else fold_name(difference.column)
    return (
        family,
        fold_name(difference.table),
        fold_name(difference.name),
        column,
        text,
    )


def family_of(difference: SchemaDifference) -> str:
    """Return the kind of object that a difference is about: 'column', 'foreign key'."""
    for ending in ENDINGS:
        if difference.kind.endswith(ending):
            return difference.kind.removesuffix(ending)
    return difference.kind


def object_text(difference: SchemaDifference) -> str:
    """Return what a difference is about, in words."""
    family, table = family_of(difference), difference.table
    if family in OBJECTS:
        return f"{family} {difference.name}"
    if family == "column":
        return f"column {table}.{difference.name}"
    if family in CONSTRAINTS:
        return f"{difference.after or difference.before} of {table}"
    aspect = family.removeprefix("column ")
    if family == "column order":
        return f"the order of the columns of {table}"
    if family != aspect:
        return f"the {aspect.replace('not null', 'NOT NULL')} of {table}.{difference.column}"
    return f"the {family} of {table}"


def effect_text(effect: SchemaDifference, *, is_done: bool) -> str:
    """Return whether an effect of a migration is there, in words: 'index i is not there'."""
    what = object_text(effect)
    if effect.kind.endswith(" added"):
        return f"{what} is there" if is_done else f"{what} is not there"
    if effect.kind.endswith(" lost"):
        return f"{what} is gone" if is_done else f"{what} is still there"
    return f"{what} is changed" if is_done else f"{what} is not changed"


def unexplained_text(difference: SchemaDifference, known: Known | None = None) -> str:
    """Return in words a difference that no migration makes."""
    if known is not None:
        before, after = known.masked_sql(difference.before), known.masked_sql(difference.after)
        difference = replace(difference, before=before, after=after)
    what = object_text(difference)
    if difference.kind.endswith(" added"):
        return f"{what} is there"
    if difference.kind.endswith(" lost"):
        return f"{what} is missing"
    if difference.kind.endswith(" broken"):
        return f"{what} {difference.after}"
    actual, expected = difference.after or "nothing", difference.before or "nothing"
    return f"{what}: {actual} is there, {expected} was expected"

"""What a schema says of one column, and the profile of its values that this makes.

A chain of migrations comes to the same columns again and again: what was found of one is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.model import exact_key
from pytest_bbmigrate.seeding.values.accepted import ColumnProbe
from pytest_bbmigrate.seeding.values.meaning import (
    Family,
    is_loosely_meant,
    length_limit,
    read_family,
    read_meaning,
)
from pytest_bbmigrate.seeding.values.pools import ColumnProfile
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from pytest_bbmigrate.schema import CheckConstraint, Column
    from pytest_bbmigrate.schema.model import Tokens
    from pytest_bbmigrate.seeding.filling.mentioned import MentionedValues

KEPT_COLUMNS = 8192


@dataclass(frozen=True)
class ColumnFacts:
    """All of a schema that decides which values a ``column`` of ``table`` is given.

    ``own_checks`` name no other column. ``child_checks`` are the defaults and CHECKs of the columns
    that refer to it, and ``children`` the (folded) names of those that are called otherwise. It is
    of the ``primary`` key, or ``in_unique`` columns, alone (``distinct``) or with others;
    with ``null_key`` one row may have NULL in it although it is the key.
    """

    column: Column
    table: str
    strict: bool
    virtual: bool
    own_checks: tuple[CheckConstraint, ...]
    child_checks: tuple[Tokens, ...]
    children: tuple[str, ...]
    primary: bool
    null_key: bool
    distinct: bool
    in_unique: bool


@lru_cache(maxsize=KEPT_COLUMNS)
def profile_of(mentioned: MentionedValues, facts: ColumnFacts) -> ColumnProfile:
    """Return what decides the values of a column, of which the migrations say ``mentioned``."""
    column, name = facts.column, fold_name(facts.column.name)
    family = Family.TEXT if facts.virtual else read_family(column.type, column.affinity)
    meaning = read_meaning(facts.table, column.name, column.type)
    key = facts.primary or bool(facts.child_checks)
    if mentioned.reads.is_json(column) and family in (Family.TEXT, Family.ANY) and not key:
        family, meaning = Family.TEXT, "json"
    probe = ColumnProbe(
        column.name if facts.own_checks else "value",
        column.type,
        column.affinity,
        column.collation.upper(),
        facts.strict,
        tuple(check.text for check in facts.own_checks),
    )
    return ColumnProfile(
        probe=probe,
        family=family,
        meaning=meaning,
        seed=mentioned.seed,
        nullable=not column.not_null and not facts.primary,
        key=key,
        null_key=facts.null_key,
        distinct=facts.distinct,
        default=column.default,
        limit=length_limit(column.type),
        check_tokens=(*(check.tokens for check in facts.own_checks), *facts.child_checks),
        literals=tuple(
            (exact_key(value), value)
            for value in mentioned.possible(name, family, meaning, avoided=key or facts.distinct)
        ),
        expected=mentioned.expected_in_form(
            facts.children, column, family, meaning, unique=facts.in_unique
        ),
        assigned=tuple((exact_key(value), value) for value in mentioned.assigned(name, family)),
        documents=mentioned.reads.documents(column) if meaning == "json" else ((), ()),
        loose=family is Family.TEXT
        and not key
        and is_loosely_meant(column.name, column.type)
        and not mentioned.is_day(column)
        and not mentioned.reads.is_read_by_python(column)
        and not mentioned.reads.documents(column)[0],
    )

"""The kinds of differences between two schemas, and how one is described."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Renames:
    """Names before to names after, of what was renamed; all names case-folded.

    ``columns`` is keyed by (table before, column before) and gives the column after.
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class SchemaDifference:
    """One difference of structure.

    ``kind`` is one of KINDS; ``name`` the object's name before (after, for an added one);
    ``table`` and ``column`` say where, '' when they do not apply; ``before`` and ``after`` are
    short texts for a reader, '' when absent.

    For a constraint ``name`` is its table's. ``column`` is only set if exactly one column is
    concerned; but for a foreign key it is all its columns, as in 'a, b'.
    """

    kind: str
    name: str
    table: str
    column: str
    before: str
    after: str


KINDS = (
    "table lost",
    "table added",
    "column lost",
    "column added",
    "column order",
    "column type",
    "column not null",
    "column default",
    "column collation",
    "column generated",
    "primary key",
    "check lost",
    "check added",
    "check changed",
    "unique lost",
    "unique added",
    "foreign key lost",
    "foreign key added",
    "foreign key changed",
    "index lost",
    "index added",
    "index changed",
    "strict",
    "without rowid",
    "autoincrement",
    "on conflict",
    "virtual table",
    "table broken",
    "trigger lost",
    "trigger added",
    "trigger changed",
    "trigger broken",
    "view lost",
    "view added",
    "view changed",
    "view broken",
)

"""The values a migration's declarations are read into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Each declaration has its ``line``, from 1, and the ``path`` of the file that it is in, which is
# None for the migration's own.


@dataclass(frozen=True)
class Change:
    """``changes table.column [where ..]``: values of one column may change."""

    table: str
    column: str
    where: str | None
    line: int
    path: Path | None = None


@dataclass(frozen=True)
class Insert:
    """``inserts table``: rows may be added to a table that was there before."""

    table: str
    line: int
    path: Path | None = None


@dataclass(frozen=True)
class Delete:
    """``deletes table [where ..]``: rows may go."""

    table: str
    where: str | None
    line: int
    path: Path | None = None


@dataclass(frozen=True)
class Drop:
    """``drops t``, ``drops t.c``, ``drops index i``, ``drops trigger t`` or ``drops view v``.

    ``kind`` is 'table', 'column', 'index', 'trigger' or 'view'; ``table`` is set for a column only.
    """

    kind: str
    name: str
    table: str | None
    line: int
    path: Path | None = None


@dataclass(frozen=True)
class Rename:
    """``renames a -> b`` (``column`` and ``new_column`` None) or ``renames a.x -> b.y``."""

    table: str
    column: str | None
    new_table: str
    new_column: str | None
    line: int
    path: Path | None = None


@dataclass(frozen=True)
class Alter:
    """``alters t.c`` or ``alters t``: type, NOT NULL, default, CHECK, collation or key change."""

    table: str
    column: str | None
    line: int
    path: Path | None = None


@dataclass(frozen=True)
class AlterObject:
    """``alters index i``, ``alters trigger t``, ``alters view v`` or ``alters sequence t``.

    What is called so is something else afterwards, and is there; a sequence, which goes by the name
    of its table, is lower. ``kind`` is 'index', 'trigger', 'view' or 'sequence'.
    """

    kind: str
    name: str
    line: int
    path: Path | None = None


@dataclass(frozen=True)
class Requirement:
    """``requires unique t(a, b)`` (``unique`` holds the columns) or ``requires t: expression``."""

    table: str
    unique: tuple[str, ...]
    expression: str | None
    line: int
    path: Path | None = None

    @property
    def allows_no_row(self) -> bool:
        """Whether it is ``requires t: 0``: that the table is empty then."""
        return self.expression is not None and self.expression.strip().lower() in {"0", "false"}


@dataclass(frozen=True)
class Derive:
    """``derives t.c = expression [from s] [by k, ..]``: which value a new or changed column has.

    ``table`` and ``column`` go by their names after. The expression is read over the row of
    ``source``, a table before (None: what ``table`` was); ``by`` pairs the rows, () for their key.
    """

    table: str
    column: str
    expression: str
    source: str | None
    by: tuple[str, ...]
    line: int
    path: Path | None = None


Declaration = Change | Insert | Delete | Drop | Rename | Alter | AlterObject | Requirement | Derive


@dataclass(frozen=True)
class Contract:
    """Everything a migration's comment lines declare; names as written, compared without case."""

    changes: tuple[Change, ...] = ()
    inserts: tuple[Insert, ...] = ()
    deletes: tuple[Delete, ...] = ()
    drops: tuple[Drop, ...] = ()
    renames: tuple[Rename, ...] = ()
    alters: tuple[Alter, ...] = ()
    altered_objects: tuple[AlterObject, ...] = ()
    requires: tuple[Requirement, ...] = ()
    derives: tuple[Derive, ...] = ()
    irreversible: str | None = None  # the reason given; '' when none was
    foreign_keys: bool | None = None  # None: not declared
    no_transaction: bool = False
    script: bool = False  # the line `# bb: script`
    depends: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)  # Migration, Date, Author, Purpose


class ContractError(ValueError):
    """Raised when a directive is not understood; ``line`` counts from 1."""

    def __init__(self, line: int, message: str, remedy: str) -> None:
        self.line = line
        self.message = message
        self.remedy = remedy
        super().__init__(f"line {line}: {message}; {remedy}")

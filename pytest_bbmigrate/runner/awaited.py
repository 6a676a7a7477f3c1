"""A database that can be awaited, for migrations that are ``async def`` functions.

What they call is done at once, as everything here is; ``await`` hands it out. So both
``await db.execute(..)``, as aiosqlite has it, and ``db.execute(..)`` work.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator
    from types import TracebackType


class NamedRow(tuple[Any, ...]):
    """A row as SQLAlchemy gives it, whose cells have the names of their columns."""

    names: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[self.names.index(name)]
        except ValueError:
            raise AttributeError(f"the row has no column {name}") from None

    @property
    def _mapping(self) -> dict[str, Any]:
        return dict(zip(self.names, self, strict=False))


def named_row(cursor: sqlite3.Cursor, cells: tuple[Any, ...]) -> NamedRow:
    """Return a row of ``cursor``; a row factory."""
    row = NamedRow(cells)
    row.names = tuple(column[0] for column in cursor.description)
    return row


def is_text_clause(value: Any) -> bool:
    """Return whether a value is SQLAlchemy's ``text("..")``."""
    return type(value).__name__ == "TextClause"


def plain_sql(value: Any) -> Any:
    """Return the SQL of SQLAlchemy's ``text("..")``, and any other value as it is."""
    return str(value) if is_text_clause(value) else value


class Awaitable:
    """``inner``, of which every method gives what can be awaited."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Awaitable:
            result = found(*map(plain_sql, args), **kwargs)
            if isinstance(result, sqlite3.Cursor) and any(map(is_text_clause, args)):
                result.row_factory = named_row
            return Awaitable(result)

        return call

    def __getitem__(self, key: Any) -> Any:
        return self._inner[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._inner)

    async def __aiter__(self) -> AsyncIterator[Any]:
        for each in self._inner:
            yield each

    def __await__(self) -> Generator[Any, None, Any]:
        yield from ()
        return self if hasattr(self._inner, "fetchall") else self._inner

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave what was done to the runner, as ``with conn:`` does."""

"""The values that a contract derives, computed by SQLite and compared with those that are there.

They are put into a table of their own, whose columns have the affinities of those that they are
compared with, so that they are what the column would store (https://sqlite.org/datatype3.html, 3).
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.derivations import (
    Derivation,
    DerivedCell,
    RowPairs,
    UnderivableError,
    pair_rows,
    rowid_name,
)
from pytest_bbmigrate.rows import same_cell
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_content
from pytest_bbmigrate.sqlite_files.in_time import GivenUp, given_up_in_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.contract import Contract, Derive
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.rows import Key
    from pytest_bbmigrate.schema import Column, Renames, Table
    from pytest_bbmigrate.sql.values import Cell

DERIVED = 'temp."bb derived"'
SHOWN = 5  # rows that are told of each kind


def judge_derived(
    pair: sqlite3.Connection,
    before: Snapshot,
    after: Snapshot,
    renames: Renames,
    contract: Contract,
) -> tuple[Derivation, ...]:
    """Return what became of each value that ``contract`` derives.

    ``pair`` is a connection to both databases.
    """
    found = []
    for declared in contract.derives:
        try:
            pairs = pair_rows(declared, before.schema, after.schema, renames)
            found.append(DerivedRows(pair, before, pairs, declared, contract).judge())
        except UnderivableError as error:
            found.append(Derivation(declared, declared.table, unusable=str(error)))
    return tuple(found)


class DerivedRows:
    """The rows of one table whose values are derived from those of another, or of itself before."""

    def __init__(
        self,
        pair: sqlite3.Connection,
        before: Snapshot,
        pairs: RowPairs,
        declared: Derive,
        contract: Contract,
    ) -> None:
        self.db, self.before, self.pairs = pair, before, pairs
        self.declared, self.contract = declared, contract
        source, table = quote_name(pairs.source.name), quote_name(pairs.table.name)
        self.source = f"before.{source} AS {source}"
        self.table = f"main.{table} AS t"
        self.value = f"({declared.expression}\n)"
        numbers = range(len(pairs.keys))
        self.keys = [f"k{number}" for number in numbers]
        self.source_keys = [f"{source}.{quote_name(old)}" for old, _ in pairs.keys]
        self.table_keys = [f"t.{quote_name(new)}" for _, new in pairs.keys]
        self.cell = f"t.{quote_name(pairs.column.name)}"
        self.same_key = " AND ".join(
            f"d.{key} IS {of_table}"
            for key, of_table in zip(self.keys, self.table_keys, strict=True)
        )

    def judge(self) -> Derivation:
        """Return what became of the values.

        Raises: UnderivableError when SQLite cannot read the expression.
        """
        self._refuse_unreadable()
        pairs = self.pairs
        result = Derivation(
            self.declared,
            pairs.table.name,
            pairs.source.name,
            tuple(new for _, new in pairs.keys),
            self.before.row_counts[fold_name(pairs.source.name)],
        )
        if pairs.former is not None and pairs.column_before:
            result = replace(
                result, column_before=(fold_name(pairs.former.name), pairs.column_before)
            )
        try:
            self._make_table()
            result = self._compute(result)
            if equal := self._count_equal_keys():
                by = ", ".join(old for old, _ in pairs.keys)
                told = f"other rows have the same {by}"
                return replace(result, failed=equal, failed_keys=(), error=told)
            return self._compare(result)
        finally:
            self.db.execute(f"DROP TABLE IF EXISTS {DERIVED}")

    def _refuse_unreadable(self) -> None:
        """Make sure that the expression is one of a single row: no aggregate may stand in WHERE.

        Nor may it read the column that it is to be compared with, which always holds what it holds.

        Raises: UnderivableError.
        """
        derived = ("main", fold_name(self.pairs.table.name), fold_name(self.pairs.column.name))
        reads: set[tuple[str, str, str]] = set()

        def authorize(
            action: int, table: str | None, column: str | None, schema: str | None, _: str | None
        ) -> int:
            if action == sqlite3.SQLITE_READ:
                reads.add((schema or "", fold_name(table or ""), fold_name(column or "")))
            return sqlite3.SQLITE_OK

        self.db.set_authorizer(authorize)
        try:
            self.db.execute(
                f"EXPLAIN SELECT 1 FROM {self.source} WHERE {self.value} IS NULL"
            ).close()
        except sqlite3.Error as error:
            raise UnderivableError(str(error)) from error
        finally:
            self.db.set_authorizer(None)
        if derived in reads:
            raise UnderivableError(
                "it is read from that column itself as it is afterwards, which proves nothing: "
                "read it from what was there before"
            )

    def _make_table(self) -> None:
        """Make the table for the values, with a key as the rows after have it."""
        columns = [
            f"{key} {stored_affinity(self.pairs.table, self.pairs.table.column(new))}"
            for key, (_, new) in zip(self.keys, self.pairs.keys, strict=True)
        ]
        columns.append(f"v {stored_affinity(self.pairs.table, self.pairs.column)}")
        self.db.execute(f'CREATE TEMP TABLE "bb derived" ({", ".join(columns)})')
        self.db.execute(
            f'CREATE INDEX temp."bb derived keys" ON "bb derived" ({", ".join(self.keys)})'
        )

    def _compute(self, result: Derivation) -> Derivation:
        """Compute the value of every row; where one fails, of each by itself.

        Raises: UnderivableError where it takes too long.
        """
        insert = (
            f"INSERT INTO {DERIVED} SELECT {', '.join(self.source_keys)}, {self.value}"
            f" FROM {self.source}"
        )
        try:
            with given_up_in_time(self.db):
                self.db.execute(insert)
        except GivenUp as raised:
            raise UnderivableError(str(raised)) from raised
        except sqlite3.Error:
            self.db.execute(f"DELETE FROM {DERIVED}")
        else:
            return result
        identity = self._identity()
        each = f"{insert} WHERE ({', '.join(identity)}) IS ({', '.join('?' * len(identity))})"
        failed, error = 0, ""
        keys: list[Key] = []
        shown = ", ".join(self.source_keys)
        listed = f"SELECT {', '.join(identity)}, {shown} FROM {self.source}"
        for row in self.db.execute(listed).fetchall():
            try:
                self.db.execute(each, row[: len(identity)])
            except (sqlite3.Error, UnicodeEncodeError) as raised:  # of a key that is not UTF-8
                failed += 1
                error = error or str(raised)
                keys += [row[len(identity) :]] if len(keys) < SHOWN else []
        return replace(result, failed=failed, failed_keys=tuple(keys), error=error)

    def _identity(self) -> list[str]:
        """Return the columns that tell the rows before apart, as SQL."""
        source = self.pairs.source
        name = rowid_name(source)
        names = [name] if name else map(fold_name, source.primary_key)
        return [f"{quote_name(source.name)}.{quote_name(each)}" for each in names]

    def _count_equal_keys(self) -> int:
        """Return how many rows before have a key that another one has; NULL is like no other."""
        groups = (
            f"SELECT count(*) AS rows FROM {DERIVED} AS d WHERE {self._whole('d')}"
            f" GROUP BY {', '.join(self.keys)} HAVING count(*) > 1"
        )
        (count,) = self.db.execute(f"SELECT coalesce(sum(rows), 0) FROM ({groups})").fetchone()
        return int(count)

    def _whole(self, alias: str) -> str:
        """Return the condition that no column of a key is NULL."""
        columns = self.table_keys if alias == "t" else [f"{alias}.{key}" for key in self.keys]
        return " AND ".join(f"{column} IS NOT NULL" for column in columns)

    def _compare(self, result: Derivation) -> Derivation:
        """Return ``result`` with what was compared."""
        wrong = 0
        cells: list[DerivedCell] = []
        for cell in self._wrong_cells():
            wrong += 1
            cells += [cell] if len(cells) < SHOWN else []
        missing = 0
        absent: list[DerivedCell] = []
        for cell in () if self.pairs.is_same else self._missing_cells():
            missing += 1
            absent += [cell] if len(absent) < SHOWN else []
        (judged,) = self.db.execute(
            f"SELECT count(*) FROM {self.table}"
            f" WHERE EXISTS (SELECT 1 FROM {DERIVED} AS d WHERE {self.same_key})"
        ).fetchone()
        return replace(
            result,
            judged=int(judged),
            wrong=wrong,
            wrong_cells=tuple(cells),
            missing=missing,
            missing_cells=tuple(absent),
        )

    def _wrong_cells(self) -> Iterator[DerivedCell]:
        """Yield the rows that hold another value than is declared.

        A row with no row before is new, and none of this, unless it was there and belongs to
        another table than the values do: then nothing says what it is to hold.
        """
        width = len(self.keys)
        # To SQLite 0.0 and -0.0 are equal.
        zero = f"(typeof({self.cell}) = 'real' AND {self.cell} = 0)"
        differs = (
            f"d.rowid IS NULL OR typeof(d.v) <> typeof({self.cell})"
            f" OR d.v IS NOT {self.cell} COLLATE BINARY OR {zero}"
        )
        query = (
            f"SELECT {', '.join(self.table_keys)}, d.rowid, d.v, {self.cell}, {self._was_there()}"
            f" FROM {self.table} LEFT JOIN {DERIVED} AS d ON {self.same_key}"
            f" WHERE {self._whole('t')} AND ({differs})"
        )
        for row in self.db.execute(query):
            paired, declared, found, was_there = row[width:]
            if was_there if paired is None else not same_cell(declared, found):
                yield DerivedCell(row[:width], declared, found)
        yield from self._wrong_beside_null()

    def _was_there(self) -> str:
        """Return SQL for whether a row without a counterpart was there, its column too."""
        former, table = self.pairs.former, self.pairs.table
        if former is None or self.pairs.is_same or not self.pairs.column_before:
            return "0"
        names = [fold_name(name) for name in former.primary_key]
        if not names or any(table.column(name) is None for name in names):
            return "1"
        same = " AND ".join(f"f.{quote_name(name)} IS t.{quote_name(name)}" for name in names)
        return f"EXISTS (SELECT 1 FROM before.{quote_name(former.name)} AS f WHERE {same})"

    def _wrong_beside_null(self) -> Iterator[DerivedCell]:
        """Yield what differs in rows with NULL in their key: told apart by their values alone."""
        declared = self._by_key(
            f"SELECT {', '.join(self.keys)}, v FROM {DERIVED} AS d WHERE NOT ({self._whole('d')})"
        )
        found = self._by_key(
            f"SELECT {', '.join(self.table_keys)}, {self.cell} FROM {self.table}"
            f" WHERE NOT ({self._whole('t')})"
        )
        for key, cells in found.items():
            others = declared.get(key, [])
            unmatched = [cell for cell in cells if not taken(others, cell)]
            for cell, other in zip(unmatched, others, strict=False):
                yield DerivedCell(key, other, cell)

    def _by_key(self, query: str) -> dict[Key, list[Cell]]:
        """Return the last column of the rows of ``query`` by the columns before it."""
        found = defaultdict(list)
        for *key, cell in self.db.execute(query):
            found[tuple(key)].append(cell)
        return found

    def _missing_cells(self) -> Iterator[DerivedCell]:
        """Yield the rows before that have no row after; not those declared deleted.

        Where the value is NULL, there is nothing that a row would have to hold.
        """
        keys = ", ".join(f"d.{key}" for key in self.keys)
        gone = (
            f"SELECT {', '.join(self.keys)} FROM {DERIVED} EXCEPT"
            f" SELECT {', '.join(self.table_keys)} FROM {self.table}"
        )
        names = " AND ".join(f"d.{key} IS m.{key}" for key in self.keys)
        query = (
            f"SELECT {keys}, d.v FROM ({gone}) AS m JOIN {DERIVED} AS d ON {names}"
            " WHERE d.v IS NOT NULL"
        )
        rows = self.db.execute(query)
        deleted: set[Key] | None = None
        for *key, declared in rows:
            if deleted is None:
                deleted = self._deleted_keys()
            if tuple(key) not in deleted:
                yield DerivedCell(tuple(key), declared, None)

    def _deleted_keys(self) -> set[Key]:
        """Return the keys of the rows that are declared deleted, read in the database before."""
        source = self.pairs.source
        conditions = [
            delete.where or "1"
            for delete in self.contract.deletes
            if fold_name(delete.table) == fold_name(source.name)
        ]
        keys = ", ".join(quote_name(old) for old, _ in self.pairs.keys)
        deleted: set[Key] = set()
        with closing(open_content(self.before.image)) as db:
            for condition in conditions:
                query = f"SELECT {keys} FROM {quote_name(source.name)} WHERE ({condition}\n)"
                deleted.update(rows_of(db, query))
        return deleted


def rows_of(db: sqlite3.Connection, query: str) -> list[Key]:
    """Return the rows of ``query``; none where a condition fails, which catalogue_reads tells."""
    try:
        with given_up_in_time(db):
            return db.execute(query).fetchall()
    except sqlite3.Error:
        return []


def taken(cells: list[Cell], wanted: Cell) -> bool:
    """Take the cell that is ``wanted`` out of ``cells``; return whether it was there."""
    for place, cell in enumerate(cells):
        if same_cell(cell, wanted):
            del cells[place]
            return True
    return False


def stored_affinity(table: Table, column: Column | None) -> str:
    """Return a type with the affinity of ``column``, a rowid's for None.

    ANY has none in a STRICT table (https://sqlite.org/stricttables.html).
    """
    if column is None:
        return "INTEGER"
    return "BLOB" if table.strict and column.type == "ANY" else column.affinity

"""The user's own rows: TABLE.json, TABLE.csv and TABLE.sql files of a folder."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, overload

from pytest_bbmigrate.errors import SeedingError
from pytest_bbmigrate.seeding.model import storable
from pytest_bbmigrate.seeding.values.accepted import evaluate
from pytest_bbmigrate.sql import Kind, UnreadableSql, split_statements, tokenize
from pytest_bbmigrate.sql.cursor import Cursor
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.values import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_bbmigrate.seeding.model import OwnRows
    from pytest_bbmigrate.sql import Statement, Token
    from pytest_bbmigrate.sql.cursor import Tokens

PASSED_OVER = (".md", ".txt")
SQL_FORM = "write INSERT INTO {table} (column, ...) VALUES (literal, ...), ...;"


@dataclass(frozen=True)
class FileRows(Sequence[Mapping[str, Cell]]):
    """One table's rows and the file that they are from."""

    path: Path
    rows: tuple[Mapping[str, Cell], ...]

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Cell]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Mapping[str, Cell], ...]: ...
    def __getitem__(
        self, index: int | slice
    ) -> Mapping[str, Cell] | tuple[Mapping[str, Cell], ...]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)


def read_own_rows(folder: Path) -> OwnRows:
    """Return the user's rows from ``TABLE.json``, ``.csv`` and ``.sql`` files of ``folder``.

    Keyed by the table's name, case-folded. Dot-files, ``.md`` and ``.txt`` files are passed over.

    Raises: SeedingError naming the file that does not read.
    """
    if not folder.is_dir():
        raise SeedingError(folder, "no such folder of rows")
    found: dict[str, FileRows] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix in PASSED_OVER:
            continue
        table = fold_name(path.stem)
        if table in found:
            raise SeedingError(path, f"{found[table].path.name} has rows of the same table")
        read = _READERS.get(path.suffix.lower())
        if read is None:
            raise SeedingError(path, "not understood; write TABLE.json, TABLE.csv or TABLE.sql")
        found[table] = FileRows(path, tuple(read(path, _text(path))))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SeedingError(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SeedingError(path, f"line {line}: not UTF-8; save the file as UTF-8") from error


def _read_json(path: Path, text: str) -> Iterator[Mapping[str, Cell]]:
    """Yield the objects of a list; lists and objects in them are kept as JSON text."""
    try:
        rows = json.loads(text, parse_constant=lambda name: _refuse_constant(path, name))
    except json.JSONDecodeError as error:
        raise SeedingError(path, f"line {error.lineno}: not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        why = "a number is too long, or lists are nested too deeply"
        raise SeedingError(path, f"it cannot be read: {why}") from error
    if not isinstance(rows, list):
        raise SeedingError(path, 'not a list; write [{"column": value, ...}, ...]')
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise SeedingError(path, f"row {number}: not an object {{column: value, ...}}")
        cells = {name: _json_cell(value) for name, value in row.items()}
        for name, cell in cells.items():
            if not storable(cell):
                raise SeedingError(path, f"row {number}: {name} is nothing that SQLite can store")
        yield cells


def _json_cell(value: object) -> Cell:
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, int | float | str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _refuse_constant(path: Path, name: str) -> NoReturn:
    raise SeedingError(path, f"{name} is no JSON; write a number or null")


def _read_csv(path: Path, text: str) -> Iterator[Mapping[str, Cell]]:
    """Yield a row for each line below the header; an empty cell is NULL, all else is text.

    Numbers become numbers in the columns whose type says so.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if not all(header) or len(set(header)) < len(header) or not header:
            raise SeedingError(path, "line 1: the header must name each column once")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise SeedingError(
                    path,
                    f"line {reader.line_num}: {len(cells)} values for {len(header)} columns",
                )
            yield dict(zip(header, (cell or None for cell in cells), strict=True))
    except csv.Error as error:
        raise SeedingError(path, f"line {reader.line_num}: not CSV: {error}") from error


def _read_sql(path: Path, text: str) -> Iterator[Mapping[str, Cell]]:
    """Yield the rows of INSERT statements whose values are literals."""
    try:
        for statement in split_statements(text):
            yield from _read_insert(path, statement)
    except UnreadableSql as error:
        raise SeedingError(path, str(error)) from error


def _read_insert(path: Path, statement: Statement) -> Iterator[Mapping[str, Cell]]:
    """Yield the rows of one ``INSERT INTO table (columns) VALUES (literals), ...``."""
    cursor = Cursor(tokenize(statement.text))
    columns = _read_columns(path, statement, cursor)
    while not cursor.is_at_end:
        if not cursor.is_symbol("("):
            _refuse(path, statement, "a row was expected, in brackets")
        literals = [_read_literal(path, statement, tokens) for tokens in cursor.take_list()]
        closed = cursor.is_symbol(")", -1)
        if not closed or not (cursor.take_symbol(",") or cursor.is_at_end):
            _refuse(path, statement, "the rows are not (literal, ...), (literal, ...)")
        if len(literals) != len(columns):
            _refuse(path, statement, f"{len(literals)} values for {len(columns)} columns")
        yield dict(zip(columns, evaluate(literals), strict=True))


def _read_columns(path: Path, statement: Statement, cursor: Cursor) -> list[str]:
    """Take everything before the rows; return the names of the columns."""
    is_insert = cursor.take_words("insert", "into")
    table, columns = cursor.take_name(), cursor.take_list()
    if not (is_insert and table and columns and cursor.take_words("values")):
        _refuse(path, statement, "not a plain INSERT with its columns")
    if not same_name(table, path.stem):
        _refuse(path, statement, f"inserts into {table}, not {path.stem}")
    if any(len(tokens) != 1 for tokens in columns):
        _refuse(path, statement, "the columns are not a list of names")
    return [token.name for (token,) in columns]


def _read_literal(path: Path, statement: Statement, tokens: Tokens) -> str:
    """Return what stands between two commas: a literal, or a sign and a number."""
    if not all(_is_literal(token) for token in tokens):
        _refuse(path, statement, "what stands in place of a literal is none")
    kinds = [token.kind for token in tokens]
    if kinds != [Kind.SYMBOL, Kind.NUMBER] and (len(kinds) != 1 or Kind.SYMBOL in kinds):
        _refuse(path, statement, "a literal was expected between the commas")
    return "".join(token.text for token in tokens)


def _is_literal(token: Token) -> bool:
    return (
        token.kind in (Kind.STRING, Kind.NUMBER, Kind.BLOB)
        or token.text in ("+", "-")
        or fold_name(token.text) in ("null", "true", "false")
    )


def _refuse(path: Path, statement: Statement, message: str) -> NoReturn:
    form = SQL_FORM.format(table=path.stem)
    raise SeedingError(path, f"line {statement.line}: {message}; {form}")


_READERS: Mapping[str, Callable[[Path, str], Iterator[Mapping[str, Cell]]]] = {
    ".json": _read_json,
    ".csv": _read_csv,
    ".sql": _read_sql,
}

"""The user's own rows: TABLE.json, TABLE.csv and TABLE.sql files of a folder."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, overload

from pytest_bbmigrate.errors import SeedingError
from pytest_bbmigrate.seeding.model import Cell, storable
from pytest_bbmigrate.seeding.values.accepted import evaluate
from pytest_bbmigrate.sql import Kind, UnreadableSql, split_statements, tokenize
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_bbmigrate.seeding.model import OwnRows
    from pytest_bbmigrate.sql import Statement, Token

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
    tokens = list(tokenize(statement.text))
    columns, rest = _insert_head(path, statement, tokens)
    for values in _tuples(rest, path, statement):
        if len(values) != len(columns):
            _refuse(path, statement, f"{len(values)} values for {len(columns)} columns")
        yield dict(zip(columns, values, strict=True))


def _insert_head(
    path: Path, statement: Statement, tokens: list[Token]
) -> tuple[list[str], list[Token]]:
    """Return the columns of an INSERT and the tokens after VALUES."""
    words = [fold_name(token.text) for token in tokens]
    if words[:2] != ["insert", "into"] or "values" not in words or words[3:4] != ["("]:
        _refuse(path, statement, "not a plain INSERT with its columns")
    if not same_name(tokens[2].name, path.stem):
        _refuse(path, statement, f"inserts into {tokens[2].name}, not {path.stem}")
    close = words.index("values") - 1
    names = tokens[4:close]
    if words[close] != ")" or any(token.text != "," for token in names[1::2]):
        _refuse(path, statement, "the columns are not a list of names")
    return [token.name for token in names[::2]], tokens[close + 2 :]


def _tuples(tokens: list[Token], path: Path, statement: Statement) -> Iterator[list[Cell]]:
    """Yield the values of each ``(literal, ...)``; commas must stand between them."""
    position = 0
    while position < len(tokens):
        if tokens[position].text != "(":
            _refuse(path, statement, "a row was expected, in brackets")
        close = next((at for at in range(position, len(tokens)) if tokens[at].text == ")"), None)
        if close is None or [one.text for one in tokens[close + 1 : close + 2]] not in ([], [","]):
            _refuse(path, statement, "the rows are not (literal, ...), (literal, ...)")
        yield [*_literals(tokens[position + 1 : close], path, statement)]
        position = close + 2


def _literals(tokens: list[Token], path: Path, statement: Statement) -> Iterator[Cell]:
    """Yield the values between commas: a literal, or a sign and a number."""
    literal: list[Token] = []
    for token in [*tokens, None]:
        if token is not None and token.text != ",":
            if not _is_literal(token):
                _refuse(path, statement, "what stands in place of a literal is none")
            literal.append(token)
        else:
            kinds = [one.kind for one in literal]
            if kinds != [Kind.SYMBOL, Kind.NUMBER] and (len(kinds) != 1 or Kind.SYMBOL in kinds):
                _refuse(path, statement, "a literal was expected between the commas")
            yield evaluate("".join(one.text for one in literal))
            literal = []


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

"""Whether rows hold a text that is no JSON, where a statement met one: there may be none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.column_reads import column_reads
from pytest_bbmigrate.catalogue.literals import read_statement
from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.explain.advice_by_statement import ELEMENT, ELEMENT_IS_TEXT
from pytest_bbmigrate.explain.syntax import plain_text
from pytest_bbmigrate.sql import folded, quote_name
from pytest_bbmigrate.sql.clauses import Update
from pytest_bbmigrate.sql.cursor import source_text
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.experiment.model import SeededState
    from pytest_bbmigrate.runner import Failure
    from pytest_bbmigrate.schema import Schema

MALFORMED = "malformed JSON"
PUT_TOGETHER = (
    "what it reads as JSON is put together on the way: json_array(..) and json_object(..) mind "
    "quotes as || does not"
)


def json_conditions(failure: Failure, before: Schema) -> Iterator[str]:
    """Yield the ``requires`` lines that the columns which a statement reads hold JSON."""
    if MALFORMED in failure.message:
        for table, column in columns_read(failure, before):
            name, of_table = bare_or_quoted(column), before.table(table)
            found = of_table.column(column) if of_table else None
            may_be_null = f"{name} IS NULL OR " * (found is not None and not found.not_null)
            yield f"{bare_or_quoted(table)}: {may_be_null}json_valid({name})"


def columns_read(failure: Failure, before: Schema) -> list[tuple[str, str]]:
    """Return the (table, column) of ``before`` that the statement at fault reads as JSON."""
    read = read_statement(failure.statement)
    columns = dict.fromkeys(
        each.column for each in column_reads(read) if each.kind in {"json", "json value"}
    )
    named = set(folded(failure.statement))
    return [
        (table.name, found.name)
        for table in before.tables
        if fold_name(table.name) in named
        for column in columns
        if (found := table.column(column)) is not None
    ]


def advice_on_json(failure: Failure, state: SeededState) -> str | None:
    """Return what to do about text that is no JSON where no row of ``state`` holds any.

    None where a row does, or it cannot be told.
    """
    if MALFORMED not in failure.message or not failure.statement:
        return None
    columns = columns_read(failure, state.schema)
    command = read_command(failure.statement)
    where = source_text(command.where) if isinstance(command, Update) else ""
    with closing(open_image(state.image)) as db:
        if not columns or any(holds_other(db, *column, where) for column in columns):
            return None
    if ELEMENT.search(plain_text(failure.statement)):
        return ELEMENT_IS_TEXT
    return PUT_TOGETHER if "||" in failure.statement else ""


def holds_other(db: sqlite3.Connection, table: str, column: str, where: str) -> bool:
    """Return whether a row that ``where`` means, as far as it can be asked, has no JSON there."""
    is_other = f"NOT json_valid({quote_name(column)})"
    query = f"SELECT count(*) FROM {quote_name(table)} WHERE {is_other}"
    try:
        (met,) = db.execute(f"{query} AND ({where or 1})").fetchone()
    except sqlite3.Error as error:
        if MALFORMED in str(error):
            return True
        (met,) = db.execute(query).fetchone()
    return bool(met)

"""Parts of a schema as short texts for a reader, spelled as one would write them in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.read.tokens import readable

if TYPE_CHECKING:
    from pytest_bbmigrate.schema.model import (
        CheckConstraint,
        Column,
        ForeignKey,
        Index,
        IndexColumn,
        Table,
        Tokens,
    )

CONTEXT_TOKENS = 12  # of a view or trigger, on either side of the first difference


def table_text(table: Table) -> str:
    """Return ``TABLE trips (id, name)``."""
    return f"TABLE {table.name} ({', '.join(column.name for column in table.columns)})"


def column_text(column: Column) -> str:
    """Return a column's definition: ``note TEXT COLLATE NOCASE NOT NULL DEFAULT ''``."""
    parts = [column.name, column.type]
    if column.collation.upper() != "BINARY":
        parts.append(f"COLLATE {column.collation}")
    if column.not_null:
        parts.append("NOT NULL")
    if column.default is not None:
        parts.append(default_text(column))
    parts.append(generated_text(column))
    return " ".join(part for part in parts if part)


def default_text(column: Column) -> str:
    """Return ``DEFAULT 0``, or '' when there is none."""
    return "" if column.default is None else f"DEFAULT {column.default}"


def generated_text(column: Column) -> str:
    """Return ``GENERATED ALWAYS AS (a * 2) STORED``, or '' for an ordinary column."""
    if not column.generated:
        return ""
    return f"GENERATED ALWAYS AS ({readable(column.expression or ())}) {column.generated.upper()}"


def check_text(check: CheckConstraint) -> str:
    """Return ``CHECK (amount >= 0)``."""
    return f"CHECK ({check.text})"


def primary_key_text(table: Table) -> str:
    """Return ``PRIMARY KEY (id)``, ``INTEGER PRIMARY KEY (id)`` for the rowid; '' for none."""
    if not table.primary_key:
        return ""
    terms = _terms(table.key) if table.key is not None else ", ".join(table.primary_key)
    if table.rowid_alias is not None:
        return f"INTEGER PRIMARY KEY ({terms})"
    return f"PRIMARY KEY ({terms})"


def foreign_key_text(key: ForeignKey) -> str:
    """Return ``FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE``."""
    text = f"FOREIGN KEY ({', '.join(key.columns)}) REFERENCES {key.parent}"
    if key.parent_columns:
        text += f" ({', '.join(key.parent_columns)})"
    if key.on_delete != "NO ACTION":
        text += f" ON DELETE {key.on_delete}"
    if key.on_update != "NO ACTION":
        text += f" ON UPDATE {key.on_update}"
    if key.deferred:
        text += " DEFERRABLE INITIALLY DEFERRED"
    return text


def index_text(index: Index) -> str:
    """Return ``UNIQUE INDEX i ON t (a, lower(b) DESC) WHERE a > 0``, or ``UNIQUE (a, b)``."""
    if index.name is None:
        return f"UNIQUE ({_terms(index)})"
    unique = "UNIQUE " if index.unique else ""
    where = f" WHERE {readable(index.where)}" if index.where is not None else ""
    return f"{unique}INDEX {index.name} ON {index.table} ({_terms(index)}){where}"


def _terms(index: Index) -> str:
    return ", ".join(_term(column) for column in index.columns)


def _term(column: IndexColumn) -> str:
    text = column.name if column.name is not None else readable(column.expression or ())
    if column.collation.upper() != "BINARY":
        text += f" COLLATE {column.collation}"
    return f"{text} DESC" if column.descending else text


def texts_around_difference(before: Tokens, after: Tokens) -> tuple[str, str]:
    """Return the tokens around the first difference of both, with … for what is left out."""
    limit = min(len(before), len(after))
    differ = next((index for index in range(limit) if before[index] != after[index]), limit)
    start = max(differ - CONTEXT_TOKENS, 0)
    end = differ + CONTEXT_TOKENS
    return _excerpt(before, start, end), _excerpt(after, start, end)


def _excerpt(tokens: Tokens, start: int, end: int) -> str:
    head = "… " if start else ""
    tail = " …" if end < len(tokens) else ""
    return head + readable(tokens[start:end]) + tail


def beginning_text(tokens: Tokens) -> str:
    """Return the beginning of a view or trigger."""
    return _excerpt(tokens, 0, 2 * CONTEXT_TOKENS)

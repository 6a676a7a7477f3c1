"""How a contract writes the names of tables and columns."""

from __future__ import annotations


def dotted(table: str, column: str) -> str:
    """Return ``table.column`` as a contract writes it, quoted where it must be."""
    return f"{bare_or_quoted(table)}.{bare_or_quoted(column)}"


def bare_or_quoted(name: str) -> str:
    """Return ``name``, in double quotes when it is not a plain word."""
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'

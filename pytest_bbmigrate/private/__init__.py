"""What may be shown of somebody's rows: names of the schema and what stands in files, no values."""

from __future__ import annotations

from pytest_bbmigrate.private.known import HIDDEN, Known
from pytest_bbmigrate.private.muting import muted
from pytest_bbmigrate.private.safe_messages import (
    class_name,
    error_name,
    safe_exception,
    safe_message,
    safe_python_message,
    safe_sqlite_message,
)
from pytest_bbmigrate.private.showing import (
    is_showing_values,
    note_own_rows,
    own_rows_are_hidden,
    showing_values,
)
from pytest_bbmigrate.private.value_kinds import INTEGER, as_kind, kind_of_value

__all__ = [
    "HIDDEN",
    "INTEGER",
    "Known",
    "as_kind",
    "class_name",
    "error_name",
    "is_showing_values",
    "kind_of_value",
    "muted",
    "note_own_rows",
    "own_rows_are_hidden",
    "safe_exception",
    "safe_message",
    "safe_python_message",
    "safe_sqlite_message",
    "showing_values",
]

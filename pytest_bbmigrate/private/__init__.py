"""What may be told of somebody's rows: what is known to be ours or the schema's, and no more."""

from __future__ import annotations

from pytest_bbmigrate.private.known import HIDDEN, NOTHING_KNOWN, Known
from pytest_bbmigrate.private.muting import unheard
from pytest_bbmigrate.private.safe_messages import (
    as_said,
    class_name,
    kind_of,
    raised,
    said,
    said_by_python,
    said_by_sqlite,
)
from pytest_bbmigrate.private.showing import (
    is_telling,
    note_own_rows,
    own_rows_are_hidden,
    telling,
)
from pytest_bbmigrate.private.value_kinds import INTEGER, shape_of

__all__ = [
    "HIDDEN",
    "INTEGER",
    "NOTHING_KNOWN",
    "Known",
    "as_said",
    "class_name",
    "is_telling",
    "kind_of",
    "note_own_rows",
    "own_rows_are_hidden",
    "raised",
    "said",
    "said_by_python",
    "said_by_sqlite",
    "shape_of",
    "telling",
    "unheard",
]

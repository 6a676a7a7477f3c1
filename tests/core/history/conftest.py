"""A database in memory."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """Return an empty database, with no transaction open."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection

"""What an SQLite may be built without, as marks of the tests that need it."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.rows.pages import has_dbstat

NEEDS_DBSTAT = pytest.mark.skipif(not has_dbstat(), reason="this SQLite has no dbstat")

"""Tables of as many columns as SQLite allows."""

from __future__ import annotations

from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.seeding.filling.fill import fill_columns
from pytest_bbmigrate.seeding.model import Recipe
from tests.core.filling import filled

OTHERS = ", ".join(f"c{number} TEXT" for number in range(1998))


def test_the_last_column_that_a_table_can_have_gets_values() -> None:
    with filled(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {OTHERS})", Recipe(rows=3)) as result:
        result.db.execute("ALTER TABLE t ADD COLUMN trip TEXT")

        filling = fill_columns(result.db, read_schema(result.db), [("t", "trip")], Recipe(rows=3))

        assert filling.unfilled == ()
        assert result.values("SELECT count(trip) FROM t")[0] >= 1

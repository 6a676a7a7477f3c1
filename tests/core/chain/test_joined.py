"""Rows that a later migration finds by a text around another table's key."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.sqlite_files import open_image
from tests.core.checking import chain_of
from tests.core.running import image_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.chain import Chain
    from pytest_bbmigrate.sql.values import Cell

LIKES = "CREATE TABLE likes (id INTEGER PRIMARY KEY, about TEXT NOT NULL);"
MEMOS = "CREATE TABLE memos (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
NAMED = "ALTER TABLE memos RENAME COLUMN name TO uid;"
JOINS = "DELETE FROM likes WHERE about NOT IN (SELECT 'memos/' || uid FROM memos);"
FOUND = "SELECT count(*) FROM likes JOIN memos ON about = 'memos/' || uid"


def found(chain: Chain, position: int) -> int:
    with closing(open_image(chain.state(position).image)) as db:
        return int(db.execute(FOUND).fetchone()[0])


def test_rows_find_others_as_soon_as_both_columns_are_there(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, LIKES, MEMOS, NAMED, "SELECT 1;", JOINS, rows=60)

    assert min(found(chain, position) for position in (3, 4)) > 40
    assert chain.state(4).row_counts["likes"] > chain.state(5).row_counts["likes"] > 40


def test_rows_of_the_user_find_what_they_found(tmp_path: Path) -> None:
    own: dict[str, list[dict[str, Cell]]] = {"likes": [{"id": 1, "about": "Rent"}]}
    base = image_of(f"{MEMOS}{NAMED}{LIKES} INSERT INTO likes VALUES (1, 'Rent')")

    assert found(chain_of(tmp_path, JOINS, base=base, rows=60), 0) < 5
    assert found(chain_of(tmp_path, MEMOS, LIKES, NAMED, JOINS, own_rows=own, rows=60), 3) == 0

"""Where a migration looks for rows of another table by a text around its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.cataloguing import migration

if TYPE_CHECKING:
    from pathlib import Path

MEMO = ("likes", "about", "memos/", "memos", "uid", "")
FILE = ("likes", "about", "f/", "files", "uid", ".png")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 FROM likes JOIN memos ON likes.about = 'memos/' || memos.uid", {MEMO}),
        ("SELECT 1 FROM Likes AS l, memos m WHERE ('memos/' || m.uid) == l.About", {MEMO}),
        ("DELETE FROM likes WHERE likes.about NOT IN (SELECT 'memos/' || memos.uid FROM memos)",
         {MEMO}),
        ("UPDATE likes SET a = (SELECT id FROM memos m WHERE likes.about = 'memos/' || m.uid)",
         {MEMO}),
        ("UPDATE likes AS l SET a = m.id FROM memos AS m WHERE l.about = 'memos/' || m.uid",
         {MEMO}),
        ("SELECT 1 FROM likes AS l JOIN files AS f ON l.about = 'f' || '/' || f.uid || '.png'",
         {FILE}),
        ("SELECT 1 FROM likes WHERE about = 'memos/' || uid", set()),
        ("UPDATE likes SET about = 'memos/' || m.uid FROM memos AS m", set()),
        ("SELECT 1 FROM likes l JOIN memos m ON l.about = 'memos/' || lower(m.uid)", set()),
        ("SELECT 1 FROM likes l JOIN memos m ON l.about = m.a || '/' || m.uid", set()),
        ("SELECT 1 FROM likes l JOIN memos m ON l.a || l.about = 'memos/' || m.uid", set()),
        ("SELECT 1 FROM likes l JOIN memos m ON 'memos/' || m.uid = l.about || l.a", set()),
        ("SELECT 1 FROM likes l JOIN memos m ON lower(l.about) = 'memos/' || m.uid", set()),
        ("SELECT 1 FROM likes l JOIN memos m ON other.about = 'memos/' || m.uid", set()),
    ],
)  # fmt: skip
def test_a_text_around_the_key_of_another_table_is_known(
    tmp_path: Path, sql: str, expected: set[tuple[str, ...]]
) -> None:
    code = f"def up(db):\n    db.execute({sql!r})\n"

    assert migration(tmp_path / "one", {"a.sql": sql}).joined_texts == expected
    assert migration(tmp_path / "other", {"a.py": code}).joined_texts == expected


def test_a_column_without_its_table_may_be_that_of_any_that_is_read(tmp_path: Path) -> None:
    sql = "DELETE FROM likes WHERE about NOT IN (SELECT 'memos/' || uid FROM memos)"

    assert MEMO in migration(tmp_path, {"a.sql": sql}).joined_texts


def test_what_a_way_back_joins_is_not_asked_of_rows_before(tmp_path: Path) -> None:
    down = "DELETE FROM likes WHERE about NOT IN (SELECT 'memos/' || uid FROM memos)"

    assert not migration(tmp_path, {"a.up.sql": "SELECT 1", "a.down.sql": down}).joined_texts

"""A bare word after DEFAULT is a text: that is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.checking import NOTES, chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("ALTER TABLE notes ADD COLUMN tag TEXT NOT NULL DEFAULT mood;", "mood of notes.tag"),
        ('CREATE TABLE tags (id INTEGER, tag TEXT DEFAULT "text");', "text of tags.tag"),
        (
            "CREATE TABLE tags (a DEFAULT CURRENT_TIME, b DEFAULT open UNIQUE);",
            "open of tags.b",
        ),
    ],
)
def test_a_word_after_default_is_noted(tmp_path: Path, step: str, said: str) -> None:
    (note,) = judge_last("schema_survives", chain_of(tmp_path, NOTES, step)).notes

    assert note.startswith(f"002_step.sql:1: DEFAULT {said} is the text ")


@pytest.mark.parametrize(
    "default", ["NULL", "true", "CURRENT_DATE", "'mood'", "12", "-1", "(1 + 1)", "x'00'", "FALSE"]
)
def test_what_is_no_word_is_not_noted(tmp_path: Path, default: str) -> None:
    step = f"CREATE TABLE tags (id INTEGER, tag DEFAULT {default});"

    assert judge_last("schema_survives", chain_of(tmp_path, NOTES, step)).notes == ()

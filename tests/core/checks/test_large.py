"""A dump's INSERTs are judged without each being read again: counted in statements tokenized."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.judging import QUESTIONS
from pytest_bbmigrate.sql import tokens
from tests.core.checking import NOTES, chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType


def tokenized(folder: Path, count: int) -> int:
    """Return how many texts are tokenized to judge a migration of ``count`` INSERTs."""
    folder.mkdir()
    inserts = "".join(f"INSERT INTO notes VALUES ({n}, 'a{n}', NULL);\n" for n in range(count))
    made = 0

    def look(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal made
        made += event == "call" and frame.f_code is tokens.tokenize.__code__

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        chain = chain_of(folder, f"-- bb: inserts notes\n{NOTES}{inserts}")
        verdicts = [judge_last(check, chain) for check in QUESTIONS]
    finally:
        sys.setprofile(before)
    assert not any(verdict.findings for verdict in verdicts)
    return made


def test_inserts_of_one_shape_are_read_once_for_all_checks(tmp_path: Path) -> None:
    tokenized(tmp_path / "first", 1)  # what is kept from then on is not counted

    assert tokenized(tmp_path / "some", 30) == tokenized(tmp_path / "more", 60)

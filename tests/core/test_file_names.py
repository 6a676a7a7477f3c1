"""A file is called what its folder calls it."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.file_names import as_spelled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("there", "given"),
    [
        ("Budget_Buddy.db", "budget_buddy.DB"),
        (
            unicodedata.normalize("NFD", "Geldbörse.db"),
            unicodedata.normalize("NFC", "geldbörse.db"),
        ),
    ],
)
def test_a_database_has_the_name_that_its_folder_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str, given: str
) -> None:
    (tmp_path / there).touch()
    (tmp_path / "other.db").touch()
    lstat = os.lstat

    def pass_over_letters(path: Path) -> os.stat_result:
        return lstat(tmp_path / there if path.name == given else path)

    monkeypatch.setattr(os, "lstat", pass_over_letters)

    assert as_spelled(tmp_path / given) == tmp_path / there
    assert as_spelled(tmp_path / there) == tmp_path / there
    assert as_spelled(tmp_path / "other.db") == tmp_path / "other.db"


def test_two_files_whose_names_differ_in_letters_alone_are_two(tmp_path: Path) -> None:
    (tmp_path / "Budget.db").touch()
    (tmp_path / "budget.db").touch()

    assert as_spelled(tmp_path / "budget.db") == tmp_path / "budget.db"
    assert as_spelled(tmp_path / "BUDGET.db") == tmp_path / "BUDGET.db"
    assert as_spelled(tmp_path / "nowhere" / "budget.db") == tmp_path / "nowhere" / "budget.db"

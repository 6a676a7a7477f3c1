"""A file is read once, whatever name it is asked for by."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.sources import Sources

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_file_is_kept_by_its_real_path_under_any_name(tmp_path: Path) -> None:
    folder, sources = tmp_path / "folder", Sources()
    folder.mkdir()
    (folder / "1.sql").write_text("one")
    (folder / "2.sql").symlink_to("1.sql")
    (tmp_path / "link").symlink_to("folder")

    for name in ("folder/1.sql", "folder/2.sql", "link/1.sql", "folder/../link/2.sql"):
        assert sources.text(tmp_path / name) == "one"

    assert sources.texts == {os.path.realpath(folder / "1.sql"): b"one"}


def test_the_folder_of_many_files_is_looked_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = Sources()
    looked_up: list[str] = []
    real = os.path.realpath

    def look_up(path: str) -> str:
        looked_up.append(path)
        return real(path)

    for number in range(5):
        (tmp_path / f"{number}.sql").write_text("one")
    monkeypatch.setattr(os.path, "realpath", look_up)

    for number in range(5):
        sources.text(tmp_path / f"{number}.sql")

    assert looked_up == [str(tmp_path)]

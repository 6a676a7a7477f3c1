"""A database file that is made anew."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_bbmigrate.apply.made_file import made_if_missing, set_aside_if_unusable
from pytest_bbmigrate.apply.model import StepFailed
from pytest_bbmigrate.errors import DatabaseError
from tests.core.real_databases import make, names_in, note_in

NOW = datetime(2026, 2, 3, 14, 5, 6, tzinfo=UTC)
ASIDE = "real.db.failed.20260203_140506"


def test_the_target_of_a_link_to_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "real.db").symlink_to(Path("data", "money.db"))

    with made_if_missing(tmp_path / "real.db") as is_new:
        assert is_new

    assert (tmp_path / "real.db").is_symlink()
    assert (tmp_path / "data" / "money.db").stat().st_mode & 0o777 == 0o600


def fail_after(change: object, real: Path) -> None:
    with made_if_missing(real):
        if change == "removed":
            real.unlink()
        elif change == "replaced":
            real.with_name("new").touch()
            real.with_name("new").rename(real)
        elif change == "written":
            make(real, "by another")
        raise StepFailed("the restore failed")


@pytest.mark.parametrize(
    ("change", "left"),
    [("", []), ("removed", []), ("replaced", ["real.db"]), ("written", ["real.db"])],
)
def test_what_was_made_is_removed_after_a_failure_and_nothing_else_is(
    tmp_path: Path, change: str, left: list[str]
) -> None:
    (tmp_path / "other").touch()
    with pytest.raises(StepFailed, match="the restore failed"):
        fail_after(change, tmp_path / "real.db")

    assert names_in(tmp_path) == ["other", *left]


def test_what_cannot_be_made_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(StepFailed, match=r"real\.db: it cannot be made \(No such file or dir"),
        made_if_missing(tmp_path / "nowhere" / "real.db"),
    ):
        pass


def test_what_is_no_database_is_set_aside_for_its_owner_alone(tmp_path: Path) -> None:
    real = tmp_path / "real.db"
    real.write_text("dear diary " * 1000)
    (tmp_path / "real.db-wal").write_text("frames")

    with set_aside_if_unusable(real, NOW) as aside:
        there = names_in(tmp_path)

    assert aside == (tmp_path / ASIDE, tmp_path / f"{ASIDE}-wal")
    assert there == [ASIDE, f"{ASIDE}-wal"]
    assert [path.stat().st_mode & 0o777 for path in aside] == [0o600, 0o600]


def test_it_gets_its_name_back_when_nothing_came_of_it(tmp_path: Path) -> None:
    real = tmp_path / "real.db"
    real.write_text("dear diary " * 1000)

    with pytest.raises(StepFailed), set_aside_if_unusable(real, NOW):
        raise StepFailed("the restore failed")

    assert names_in(tmp_path) == ["real.db"]
    assert real.read_text().startswith("dear diary")


def test_what_is_a_database_or_empty_or_not_there_stays(tmp_path: Path) -> None:
    make(tmp_path / "real.db", "old")
    (tmp_path / "empty.db").touch()
    for name in ("real.db", "empty.db", "nothing.db"):
        with set_aside_if_unusable(tmp_path / name, NOW) as aside:
            assert aside == ()

    assert names_in(tmp_path) == ["empty.db", "real.db"]
    assert note_in(tmp_path / "real.db") == "old"


def test_a_folder_is_not_set_aside(tmp_path: Path) -> None:
    (tmp_path / "real.db").mkdir()

    with (
        pytest.raises(DatabaseError, match="not a database file but a folder"),
        set_aside_if_unusable(tmp_path / "real.db", NOW),
    ):
        pass


def test_what_cannot_be_moved_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    real = tmp_path / "real.db"
    real.write_text("dear diary " * 1000)
    monkeypatch.setattr(Path, "rename", refuse)

    with (
        pytest.raises(StepFailed, match=f"it cannot be moved to {tmp_path / ASIDE} "),
        set_aside_if_unusable(real, NOW),
    ):
        pass

"""A database file that is made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.apply.made_file import made_if_missing
from pytest_bbmigrate.errors import StepFailed
from tests.core.real_databases import make, names_in


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

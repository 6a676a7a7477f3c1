"""A connection that could not be made ready is closed: nobody else could close it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.runner.dialect import scratch
from pytest_bbmigrate.sqlite_files import (
    app_connections,
    images,
    open_content,
    open_contents,
    open_image,
    open_private,
)
from pytest_bbmigrate.sqlite_files.locking import try_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GARBAGE = b"no database" * 100
WAYS: dict[str, Callable[[Path], object]] = {
    "to read": open_content,
    "to write": open_private,
    "beside an empty one": lambda path: open_contents(path, b""),
    "with an empty one beside it": lambda path: open_contents(b"", path),
    "in memory, beside an empty one": lambda path: open_contents(path.read_bytes(), b""),
    "to lock": lambda path: try_lock(path, 0.1),
}


class Stubborn(sqlite3.Connection):
    """A connection whose ``close()`` does nothing, like that of a migration."""

    made: ClassVar[list[Stubborn]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made.append(self)

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Stubborn]:
    """Return the list that all connections come into, each a stubborn one."""
    made: list[Stubborn] = []
    connect = sqlite3.connect
    monkeypatch.setattr(Stubborn, "made", made, raising=False)
    monkeypatch.setattr(
        sqlite3,
        "connect",
        lambda *args, **options: connect(*args, **{**options, "factory": Stubborn}),
    )
    return made


def refuse(db: sqlite3.Connection) -> None:
    db.execute("SELECT absent")


def assert_closed(connections: list[Stubborn]) -> None:
    assert connections
    for db in connections:
        with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
            db.execute("SELECT 1")


@pytest.mark.parametrize("way", WAYS)
def test_what_does_not_read_is_closed_again(way: str, tmp_path: Path, made: list[Stubborn]) -> None:
    path = tmp_path / "garbage.db"
    path.write_bytes(GARBAGE)

    with pytest.raises(sqlite3.DatabaseError):
        WAYS[way](path)

    assert_closed(made)


@pytest.mark.parametrize("kind", ["image", "file"])
def test_what_the_apps_hook_refuses_is_closed_again(
    kind: str, tmp_path: Path, made: list[Stubborn]
) -> None:
    path = tmp_path / "empty.db"
    path.touch()

    with app_connections(refuse), pytest.raises(SettingsError, match="refuse"):
        open_content(path if kind == "file" else b"")

    assert_closed(made)


def test_an_image_that_there_is_no_room_for_is_closed_again(
    made: list[Stubborn], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_nothing(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(images, "load_image", load_nothing)
    with pytest.raises(MemoryError):
        open_image(GARBAGE)

    assert_closed(made)


def test_a_database_to_try_something_out_in_is_closed_when_it_cannot_be_prepared(
    made: list[Stubborn],
) -> None:
    with pytest.raises(sqlite3.OperationalError, match="absent"):
        scratch(refuse)

    assert_closed(made)

"""The folders: each a case in which runners differ, or people trip."""

from __future__ import annotations

import sqlite3
import tomllib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

FOLDERS = Path(__file__).parent / "folders"
DOWN = ".down.sql"


@dataclass(frozen=True)
class File:
    """One migration in plain SQL; ``down`` is None for none. ``atomic`` is whether it says so."""

    name: str
    up: bytes
    down: bytes | None
    atomic: bool


@dataclass(frozen=True)
class Folder:
    """A case. ``why`` is what it shows; ``seed`` the SQL of the database before the run.

    ``only`` are the tools that it is about, () for all; ``not_held`` says for one why its form
    cannot hold it, ``not_imitated`` why what it does is left to differ: it must. ``goes_down`` has
    the last migration undone afterwards; ``joined`` is whether drizzle's files come without
    breakpoints.
    """

    name: str
    why: str
    seed: str
    files: tuple[File, ...]
    only: tuple[str, ...]
    not_held: dict[str, str]
    not_imitated: dict[str, str]
    goes_down: bool
    joined: bool


def read_folders() -> tuple[Folder, ...]:
    """Return all folders, by name."""
    return tuple(read_folder(path) for path in sorted(FOLDERS.iterdir()) if path.is_dir())


def read_folder(path: Path) -> Folder:
    told = tomllib.loads((path / "case.toml").read_text())
    bare = frozenset(told.pop("no_transaction", ()))
    ups = sorted(
        file
        for file in path.glob("*.sql")
        if not file.name.endswith(DOWN) and file.name != "seed.sql"
    )
    seed = path / "seed.sql"
    folder = Folder(
        name=path.name,
        why=told.pop("why"),
        seed=seed.read_text() if seed.is_file() else "",
        files=tuple(_read_file(file, atomic=file.stem not in bare) for file in ups),
        only=tuple(told.pop("only", ())),
        not_held=told.pop("not_held", {}),
        not_imitated=told.pop("not_imitated", {}),
        goes_down=told.pop("goes_down", False),
        joined=told.pop("joined", False),
    )
    assert folder.files, f"{path} holds no migration"
    assert not told, f"{path}/case.toml says {sorted(told)}, which nothing reads"
    return folder


def make_seed(database: Path, sql: str) -> None:
    """Execute ``sql`` in the database that a run begins with."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.executescript(sql)


def cut(sql: bytes) -> tuple[str, ...]:
    """Return the statements of ``sql``; a tail that is none, or comments alone, is left out."""
    found, begun = [], ""
    for piece in sql.decode("utf-8-sig").split(";"):
        begun += piece
        if begun.strip() and sqlite3.complete_statement(f"{begun};"):
            found.append(f"{begun.strip()};")
            begun = ""
        elif begun.strip():
            begun += ";"
    return tuple(found)


def _read_file(path: Path, *, atomic: bool) -> File:
    down = path.with_name(f"{path.stem}{DOWN}")
    return File(path.stem, path.read_bytes(), down.read_bytes() if down.exists() else None, atomic)

"""A folder in the form of each tool."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.runners.folders import cut

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runners.folders import File, Folder

MIGRATIONS = "migrations"
SCHEMA = b'datasource db {\n  provider = "sqlite"\n  url = "file:./real.db"\n}\n'


class NotHeld(Exception):
    """Raised when a tool's form cannot hold a folder; says why."""


def as_plain(folder: Folder, root: Path) -> None:
    """Write the files as they are, for wrangler and the shell."""
    for file in folder.files:
        _only_atomic(file)
        _write(root / MIGRATIONS / f"{file.name}.sql", file.up)


def as_dbmate(folder: Folder, root: Path) -> None:
    for file in folder.files:
        option = b"" if file.atomic else b" transaction:false"
        down = b"\n-- migrate:down" + option + b"\n" + (file.down or b"-- none\n")
        text = b"-- migrate:up" + option + b"\n" + file.up + down
        _write(root / MIGRATIONS / f"{file.name}.sql", text)


def as_sqlx(folder: Folder, root: Path) -> None:
    """Pairs, where one of the files has a down part."""
    paired = any(file.down is not None for file in folder.files)
    for file in folder.files:
        first = b"" if file.atomic else b"-- no-transaction\n"
        _write(root / MIGRATIONS / f"{file.name}{'.up' * paired}.sql", first + file.up)
        if paired:
            _write(root / MIGRATIONS / f"{file.name}.down.sql", file.down or b"")


def as_yoyo(folder: Folder, root: Path) -> None:
    for file in folder.files:
        first = b"" if file.atomic else b"-- transactional: false\n"
        _write(root / MIGRATIONS / f"{file.name}.sql", first + file.up)
        if file.down is not None:
            _write(root / MIGRATIONS / f"{file.name}.rollback.sql", file.down)


def as_prisma(folder: Folder, root: Path) -> None:
    for file in folder.files:
        _only_atomic(file)
        _write(root / MIGRATIONS / file.name / "migration.sql", file.up)
    _write(root / MIGRATIONS / "migration_lock.toml", b'provider = "sqlite"\n')
    _write(root / "schema.prisma", SCHEMA)


def as_drizzle(folder: Folder, root: Path) -> None:
    entries = []
    for position, file in enumerate(folder.files):
        _only_atomic(file)
        text = file.up
        if not folder.joined:
            text = "\n--> statement-breakpoint\n".join(cut(file.up)).encode()
        _write(root / MIGRATIONS / f"{file.name}.sql", text)
        entries.append({"idx": position, "when": position + 1, "tag": file.name})
    journal = {"version": "7", "dialect": "sqlite", "entries": entries}
    _write(root / MIGRATIONS / "meta" / "_journal.json", json.dumps(journal).encode())


def as_set(folder: Folder, root: Path) -> None:
    """sqlite-utils: a function a file, and in it a call for each statement."""
    text = "from sqlite_utils import Migrations\n\nmigration = Migrations('case')\n"
    for file in folder.files:
        option = "" if file.atomic else "transactional=False"
        text += f"\n\n@migration({option})\ndef m{file.name}(db):\n"
        text += _calls("db.execute", cut(file.up))
    _write(root / MIGRATIONS / "migrations.py", text.encode())


def as_caribou(folder: Folder, root: Path) -> None:
    for file in folder.files:
        _only_atomic(file)
        number, _, rest = file.name.partition("_")
        if not number.isdigit():
            raise NotHeld("its names begin with a number")
        stamp = f"20260101{int(number):06}_{rest}"
        text = f"def upgrade(connection):\n{_calls('connection.execute', cut(file.up))}"
        down = "    pass\n" if file.down is None else _calls("connection.execute", cut(file.down))
        text += f"\n\ndef downgrade(connection):\n{down}"
        _write(root / MIGRATIONS / f"{stamp}.py", text.encode())


def _calls(function: str, statements: tuple[str, ...]) -> str:
    return "".join(f"    {function}({statement!r})\n" for statement in statements) or "    pass\n"


def _only_atomic(file: File) -> None:
    if not file.atomic:
        raise NotHeld("nothing in its form turns the transaction off")


def _write(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)

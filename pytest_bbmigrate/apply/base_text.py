"""A schema as a text that makes it: what the first migration starts from, to be kept in a file."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.read.entries import read_entries
from pytest_bbmigrate.schema.read.schema import read_schema
from pytest_bbmigrate.sql import split_statements
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_image, take_image

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

KINDS = ("table", "index", "view", "trigger")  # in the order in which they can be made
HEADER = "-- The schema from before the first migration: bb_base names this file.\n"


def schema_text(db: sqlite3.Connection, left_out: Iterable[str] = ()) -> str:
    """Return the statements that make the schema of ``db``, but for the tables ``left_out``.

    Those are names, folded. Tables of SQLite and of ours, and what a virtual table keeps for
    itself, are left out as well.
    """
    schema, others = read_schema(db), frozenset(left_out)
    kept = schema.table_names | {fold_name(view.name) for view in schema.views}
    texts: list[tuple[str, str, str]] = [
        (kind, fold_name(table), sql)
        for kind, _, table, sql, _ in read_entries(db)
        if fold_name(table) in kept - others
    ]
    lines = []
    for table in [table for kind, table, _ in texts if kind == "table"]:
        of_table = [text for text in texts if text[1] == table and text[0] in KINDS[:2]]
        ordered = sorted(of_table, key=lambda text: KINDS.index(text[0]))
        lines.append("".join(f"{sql};\n" for _, _, sql in ordered))
    for wanted in KINDS[2:]:
        lines += [f"{sql};\n" for kind, _, sql in texts if kind == wanted]
    return "\n".join(lines)


def image_of(text: str) -> bytes:
    """Return the image of a database that the statements of ``text`` make."""
    with closing(open_image(b"")) as db:
        for statement in split_statements(text):
            db.execute(statement.text)
        return take_image(db)


def write_base(path: Path, text: str) -> None:
    """Write ``text``, statements, into the new file ``path``.

    Raises: FileExistsError when there is one; OSError when it cannot be written.
    """
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(f"{HEADER}\n{text}")

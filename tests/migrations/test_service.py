"""The example service, started on the migrated database as its users start it."""

from __future__ import annotations

import os
import runpy
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy.dialects import sqlite

from pytest_bbmigrate.sqlite_files import read_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Table

SERVICE = Path(__file__).parents[2] / "fixtures" / "service"
START_SECONDS = 30.0  # until the service has answered, on a machine that does other things too


@contextmanager
def serving(database: Path) -> Iterator[httpx.Client]:
    """Yield a client of the service, which runs on ``database`` in a process of its own.

    The service gets a socket that listens already: the port is free, and the first request waits
    until the service is there to answer it.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        service = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "backend.main:app", f"--fd={listening.fileno()}"],
            cwd=SERVICE,
            env={**os.environ, "BUDGET_BUDDY_DB": str(database), "PYTHONDONTWRITEBYTECODE": "1"},
            pass_fds=[listening.fileno()],
        )
    # The socket is closed here: a service that does not start refuses, and nobody waits for it.
    try:
        url = f"http://127.0.0.1:{port}/api/v2"
        with httpx.Client(base_url=url, timeout=START_SECONDS, trust_env=False) as client:
            yield client
    finally:
        service.terminate()
        service.wait(START_SECONDS)


def table_names(db: sqlite3.Connection) -> set[str]:
    """Return the app's own tables in ``db``."""
    rows = db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
    )
    return {name for (name,) in rows} - {"_bb_migrations"}


def columns_there(db: sqlite3.Connection, table: str) -> dict[str, tuple[str, bool, bool]]:
    """Return each column of ``table``: declared type, whether in the key, whether it takes NULL."""
    rows = db.execute("SELECT name, type, pk, [notnull] FROM pragma_table_xinfo(?)", [table])
    return {name: (kind, bool(key), not (key or filled)) for name, kind, key, filled in rows}


def columns_of(model: Table) -> dict[str, tuple[str, bool, bool]]:
    """Return the same of the model's table."""
    return {
        column.name: (
            column.type.compile(dialect=sqlite.dialect()),
            column.primary_key,
            bool(column.nullable),
        )
        for column in model.columns
    }


@pytest.mark.bb_smoke
def test_the_diagnostics_answer(bb_head_path: Path) -> None:
    with closing(sqlite3.connect(bb_head_path)) as db:
        there = {
            table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in table_names(db)
        }
    with serving(bb_head_path) as client:
        answer = client.get("/diagnostics")

    assert answer.status_code == 200, answer.text
    assert answer.json() == {"status": "ok", "rows": there}


@pytest.mark.bb_smoke
def test_the_models_match_the_migrated_schema(bb_head_path: Path) -> None:
    models = runpy.run_path(str(SERVICE / "backend" / "database" / "models.py"))
    tables: dict[str, Any] = models["Base"].metadata.tables
    with closing(sqlite3.connect(bb_head_path)) as db:
        there = {table: columns_there(db, table) for table in table_names(db)}

    assert {name: columns_of(table) for name, table in tables.items()} == there


@pytest.mark.bb_smoke
def test_what_the_app_writes_stays_in_the_copy(bb_head_path: Path, tmp_path: Path) -> None:
    before = read_image(bb_head_path)
    with serving(bb_head_path) as client:
        answer = client.post("/goals", json={"title": "A week at the lake", "target_cents": 90_000})

    assert bb_head_path.parent == tmp_path
    assert answer.status_code == 201, answer.text
    assert read_image(bb_head_path) != before
    with closing(sqlite3.connect(bb_head_path)) as db:
        query = "SELECT title, target_cents, status FROM chat_goals WHERE id = ?"
        assert db.execute(query, [answer.json()["id"]]).fetchall() == [
            ("A week at the lake", 90_000, "open")
        ]


def test_a_schema_that_the_app_does_not_know_is_no_good_health(bb_head_path: Path) -> None:
    with closing(sqlite3.connect(bb_head_path)) as db:
        db.execute("ALTER TABLE weekly_summaries RENAME COLUMN insight TO told")
    with serving(bb_head_path) as client:
        answer = client.get("/diagnostics")

    assert answer.status_code == 503
    assert "weekly_summaries cannot be read: no such column" in answer.json()["detail"]

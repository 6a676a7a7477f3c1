"""What the benchmarks compare is the same work everywhere."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from benchmarks.folders import step, write_project
from benchmarks.rivals import write_alembic
from benchmarks.timing import Cost, in_turns

if TYPE_CHECKING:
    from pathlib import Path


def test_each_migration_goes_up_and_back_on_the_base(tmp_path: Path) -> None:
    write_project(tmp_path / "project", 8, 3)
    with closing(sqlite3.connect(tmp_path / "project" / "base.db")) as db:
        tables = "SELECT sql FROM sqlite_schema ORDER BY name"
        before = db.execute(tables).fetchall()
        for number in range(1, 9):
            db.execute(step(number).up)
        for number in range(8, 0, -1):
            db.execute(step(number).down)

        assert db.execute(tables).fetchall() == before
        assert db.execute("SELECT count(*) FROM big").fetchone() == (3,)


def test_the_revisions_of_alembic_hold_the_same_statements(tmp_path: Path) -> None:
    write_project(tmp_path / "project", 4, 0)
    write_alembic(tmp_path / "alembic", 4, 0)
    ups = sorted((tmp_path / "project" / "migrations").glob("*.up.sql"))
    revisions = sorted((tmp_path / "alembic" / "alembic" / "versions").glob("*.py"))

    for up, revision in zip(ups, revisions, strict=True):
        assert repr(up.read_text().rstrip(";\n")) in revision.read_text()


def test_runs_take_turns_and_their_medians_are_told() -> None:
    order: list[str] = []
    seconds = iter([1.0, 5.0, 3.0, 5.0, 2.0, 5.0])

    def run(name: str) -> Cost:
        order.append(name)
        return Cost(next(seconds), 1.0)

    costs = in_turns({"one": lambda: run("one"), "other": lambda: run("other")}, 3)

    assert order == ["one", "other"] * 3
    assert costs == {"one": Cost(2.0, 1.0), "other": Cost(5.0, 1.0)}

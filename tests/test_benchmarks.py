"""What the benchmarks compare is the same work everywhere, and no part that fails hides another."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as command
from benchmarks import again, large
from benchmarks.compared import CHANGES
from benchmarks.folders import step, write_project
from benchmarks.household import rows_for, write_database
from benchmarks.machine import QUICK
from benchmarks.public import projects_in
from benchmarks.results import keep, read
from benchmarks.rivals import write_alembic, write_mrt
from benchmarks.timing import Bench, Cost, NoCost, RunFailed, TookTooLong, cost_of, shown, times
from pytest_bbmigrate.apply.rehearsal.compare_rows import compare_tables

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


@pytest.mark.parametrize("kind", large.FILES)
def test_large_files_run_as_they_are(tmp_path: Path, kind: str) -> None:
    large.write_file(tmp_path, kind, 5000)
    text = (tmp_path / "migrations" / "001_first.sql").read_text()

    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.executescript(text)

        assert db.execute("SELECT count(*) FROM sqlite_schema").fetchone() >= (1,)
    assert 5000 <= len(text) < 8000


def test_the_revisions_of_alembic_hold_the_same_statements(tmp_path: Path) -> None:
    write_project(tmp_path / "project", 4, 0)
    write_alembic(tmp_path / "alembic", 4, 0)
    write_mrt(tmp_path / "mrt", 4, 0)
    ups = sorted((tmp_path / "project" / "migrations").glob("*.up.sql"))

    for rival in ("alembic", "mrt"):
        revisions = sorted((tmp_path / rival / "alembic" / "versions").glob("*.py"))
        for up, revision in zip(ups, revisions, strict=True):
            assert repr(up.read_text().rstrip(";\n")) in revision.read_text()


def test_runs_take_turns_and_their_medians_are_told(tmp_path: Path) -> None:
    order: list[str] = []
    seconds = iter([1.0, 5.0, 3.0, 5.0, 2.0, 5.0])

    def run(name: str) -> Cost:
        order.append(name)
        return Cost(next(seconds), 1.0)

    bench = Bench(tmp_path)
    costs = bench.in_turns({"one": lambda: run("one"), "other": lambda: run("other")}, 3)

    assert order == ["one", "other"] * 3
    assert costs == {"one": Cost(2.0, 1.0), "other": Cost(5.0, 1.0)}
    assert not bench.failures


def test_a_run_that_fails_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    tried: list[str] = []

    def fail() -> Cost:
        tried.append("fails")
        raise RunFailed("exit 3")

    bench = Bench(tmp_path)
    costs = bench.in_turns({"fails": fail, "other": lambda: Cost(1.0, 1.0)}, 2)

    assert costs == {"fails": NoCost("failed"), "other": Cost(1.0, 1.0)}
    assert tried == ["fails"]
    assert bench.failures == ["fails: exit 3"]
    assert (shown(costs["fails"]), times(costs["fails"], costs["other"])) == ("failed", "-")


def test_a_command_costs_what_its_processes_do_and_must_succeed(tmp_path: Path) -> None:
    taken = cost_of([sys.executable, "-c", "b'x' * (200 << 20)"], tmp_path)

    assert taken.peak > 200
    with pytest.raises(RunFailed, match="exit 1"):
        cost_of([sys.executable, "-c", "raise SystemExit('no')"], tmp_path)
    assert cost_of([sys.executable, "-c", "raise SystemExit(1)"], tmp_path, accepts=(0, 1))


def test_a_command_that_takes_too_long_ends_with_its_processes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "open")
    held = os.open(tmp_path / "open", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(TookTooLong, match="more than 1 s"):
            cost_of(["sh", "-c", "sleep 60 > open & wait"], tmp_path, seconds=0.6)

        assert ends(held)
    finally:
        os.close(held)


def ends(pipe: int) -> bool:
    """Return whether nobody has the other end of a pipe open, or will not within seconds."""
    for _ in range(500):
        try:
            return os.read(pipe, 1) == b""
        except BlockingIOError:
            time.sleep(0.01)
    return False


def test_a_part_that_fails_is_a_row_and_the_others_are_measured_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scratches: list[Path] = []

    def fail(bench: Bench) -> str:
        scratches.append(bench.scratch)
        raise ValueError("no room\nleft")

    parts = {
        "one": command.Part("One", fail),
        "other": command.Part("Other", lambda _: "| seconds |\n"),
    }
    monkeypatch.setattr(command, "PARTS", parts)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    results = tmp_path / "RESULTS.md"

    assert command.main(["--out", str(results)]) == 1

    sections = read(results)
    assert "| ValueError: no room |" in sections["One"]
    assert "| seconds |" in sections["Other"]
    assert "failed: One: ValueError: no room" in capsys.readouterr().err
    assert not scratches[0].exists()


def test_an_interrupted_part_leaves_no_folder_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratches: list[Path] = []

    def interrupt(bench: Bench) -> str:
        scratches.append(bench.scratch)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "PARTS", {"one": command.Part("One", interrupt)})
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    with pytest.raises(KeyboardInterrupt):
        command.main(["--out", str(tmp_path / "RESULTS.md")])

    assert not scratches[0].exists()


def test_results_stay_until_their_part_is_measured_again(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    order = ("One", "Other")

    assert keep(file, "Other", "first", order)
    assert keep(file, "One", "second", order)
    assert not keep(file, "One", f"third ({QUICK})", order)
    assert keep(file, "Other", "fourth", order)

    assert [*read(file).items()] == [("One", "second"), ("Other", "fourth")]


def test_the_databases_that_are_compared_differ_as_their_lines_say(tmp_path: Path) -> None:
    before, rows = tmp_path / "before.db", 1000
    write_database(before, rows)
    seen = {}
    for name, change in CHANGES.items():
        after = tmp_path / "after.db"
        change(before, after)
        seen[name] = [
            (one.table, one.lost, one.came, one.values) for one in compare_tables(before, after, ())
        ]
        after.unlink()

    assert seen == {
        "no page": [],
        "ten rows": [("transactions", 0, 0, (("category", 10),))],
        "every page, no value (a rebuild)": [],
        "every page, a value in each row": [("transactions", 0, 0, (("note", rows),))],
    }


def test_a_database_has_about_the_size_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "two.db"
    write_database(path, rows_for(2))

    assert 1_800_000 < path.stat().st_size < 2_200_000


def test_public_folders_are_those_with_settings(tmp_path: Path) -> None:
    for name in ("two", "one", "output"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "pyproject.toml").touch()
    (tmp_path / "two" / "pytest.ini").touch()

    assert [*projects_in(tmp_path)] == ["one", "two"]


def test_each_edit_of_the_last_file_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_project(tmp_path / "project", 4, 0)
    monkeypatch.setattr(again, "run", lambda *_: Cost(1.0, 1.0))
    edits, texts = count(), []
    for _ in range(3):
        again.run_edited(project, 4, edits)
        texts.append((project / "migrations" / "004_step.up.sql").read_text())
    down = (project / "migrations" / "004_step.down.sql").read_text()
    with closing(sqlite3.connect(project / "base.db")) as db:
        db.execute(texts[-1])
        db.execute(down)

    assert len({*texts, f"{step(4).up};\n"}) == 4

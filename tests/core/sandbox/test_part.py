"""A Python part runs in a process that is made for this one call."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import pytest

from pytest_bbmigrate.sandbox import kept
from tests.core.running import failure_of, image_of, rows
from tests.core.sandbox.parts import TABLE, Household, household


@pytest.fixture(params=["forked", "started"])
def home(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Household:
    forks = request.param == "forked"
    if forks and not kept.can_fork():
        pytest.skip("this process has more than one thread")
    monkeypatch.setattr(kept, "can_fork", lambda: forks)
    monkeypatch.setattr("pytest_bbmigrate.sandbox.part.can_fork", lambda: forks)
    return household(tmp_path)


def test_it_changes_a_copy_and_says_what_it_executed(home: Household) -> None:
    run, image = home.run(
        "db.execute('UPDATE money SET cents = 5 WHERE cents = 9')\n"
        "db['notes'].create({'id': int})\n"
        "print('done'); print('and said', file=sys.stderr); os.write(1, b'by hand')"
    )

    assert run.succeeded
    assert run.executed[0].startswith("UPDATE money")
    assert run.idle == run.executed[:1]
    assert rows(image, "SELECT count(*) FROM notes") == [0]
    assert run.printed == "done\nand said\nby hand"
    assert [*home.parts.iterdir()] == []


def test_what_it_raises_is_its_failure_with_line_and_statement(home: Household) -> None:
    before = image_of(TABLE)
    run, image = home.run("db.execute('DELETE FROM money')\ndb.execute('BOOM')", before)

    failure = failure_of(run)
    assert failure.message == 'OperationalError: near "BOOM": syntax error'
    assert (failure.line, failure.statement) == (5, "BOOM")
    assert image == before
    assert [*home.parts.iterdir()] == []


def test_it_is_another_process_and_leaves_this_one_as_it_was(home: Household) -> None:
    path, folder, connect = list(sys.path), Path.cwd(), sqlite3.connect
    run, _ = home.run(
        "sys.path.clear(); os.chdir('/'); sqlite3.connect = None\n"
        "os.environ['TZ'] = 'Asia/Tokyo'; time.tzset(); print(os.getpid())"
    )

    assert run.succeeded
    assert int(run.printed) != os.getpid()
    assert (path, folder, connect) == (list(sys.path), Path.cwd(), sqlite3.connect)
    assert "TZ" not in os.environ

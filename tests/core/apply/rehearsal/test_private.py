"""What a rehearsal hands back of real rows: nothing of them, unless it is asked to show values."""

from __future__ import annotations

import sqlite3
import tempfile
import textwrap
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_bbmigrate.apply.rehearsal.client import TEMPORARY, RehearsalOrder, rehearse
from pytest_bbmigrate.apply.rehearsal.worker import attempt
from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.verdict import Outcome

SECRET = "Harbour47"
MONEY = f"""
    CREATE TABLE payees (id INTEGER PRIMARY KEY, name TEXT DEFAULT 'known', data TEXT);
    CREATE TABLE log (at TEXT);
    INSERT INTO payees VALUES (1, '{SECRET}', '{{}}'), (2, '{SECRET}', NULL), (3, NULL, NULL);
    CREATE VIRTUAL TABLE words USING fts5 (word);
    INSERT INTO words VALUES ('any');
"""
PYTHON = "def up(db):\n    value = db.execute('SELECT name FROM payees').fetchone()[0]\n    "
SCRIPT = """\
import sqlite3

def migrate():
    db = sqlite3.connect('money.db')
    value = db.execute('SELECT name FROM payees').fetchone()[0]
    """
SQL = {
    "JSON path": "UPDATE payees SET data = json_extract(data, name) WHERE id = 1;",
    "full text": "SELECT word FROM words, payees WHERE words MATCH name || ':x';",
    "generated column": (
        "ALTER TABLE payees ADD COLUMN part AS (json_extract('{}', name));\n"
        "UPDATE payees SET data = part;"
    ),
    "a trigger's expression": (
        "CREATE TRIGGER r AFTER INSERT ON log BEGIN "
        "SELECT json_extract('{}', name) FROM payees; END;\nINSERT INTO log VALUES (1);"
    ),
    "changed values": "UPDATE payees SET name = name || '!';",
    "lost rows": "DELETE FROM payees WHERE id = 1;",
    "required": "-- bb: requires payees: json_extract('{}', name) IS NULL\nSELECT 1;",
}
CODE = {
    "raised": "raise ValueError(value)",
    "raised as a constraint": "raise ValueError('UNIQUE constraint failed: ' + value)",
    "raised as SQLite": "import sqlite3; raise sqlite3.OperationalError('no such table: ' + value)",
    "a class": "raise type(value, (Exception,), {})('x')",
    "a module": "import importlib; importlib.import_module(value)",
    "an exit": "raise SystemExit(value)",
    "a file": "open('/nowhere/' + value)",
    "SQL": "db.execute(f'SELECT {value} FROM payees')",
    "SQL in quotes": "db.execute(f\"SELECT '{value}' FROM gone\")",
    "printed": "print(value); raise KeyError('name')",
    "a default": (
        'db.executescript(f"CREATE TABLE made (id INTEGER PRIMARY KEY, name TEXT DEFAULT '
        "'{value}', data TEXT); INSERT INTO made SELECT * FROM payees; DROP TABLE payees; "
        'ALTER TABLE made RENAME TO payees")'
    ),
    "a shape": (
        'db.execute(f"CREATE TABLE IF NOT EXISTS payees (id INTEGER PRIMARY KEY, '
        "name TEXT DEFAULT '{value}', data TEXT)\")"
    ),
}


def order_for(folder: Path, text: str, *, suffix: str, money: str = MONEY) -> RehearsalOrder:
    """Return the order to rehearse a migration on the database that ``money`` makes."""
    migrations = folder / "migrations"
    migrations.mkdir()
    (migrations / f"001_step{suffix}").write_text(text)
    for path in (folder / "money.db", folder / "backup.db"):
        with closing(sqlite3.connect(path)) as db:
            db.executescript(money)
    return RehearsalOrder(
        migrations,
        ("001_step",),
        folder / "money.db",
        folder,
        before=folder / "backup.db",
        work=folder / "work.db",
    )


def in_new_folder(order: RehearsalOrder) -> RehearsalOrder:
    return replace(order, folder=Path(tempfile.mkdtemp(dir=order.root)))


def told(order: RehearsalOrder) -> str:
    """Return everything that the process of the rehearsal hands back, and how that is shown."""
    order = in_new_folder(order)
    (order.folder / TEMPORARY).mkdir()
    result = attempt(order, lambda _: None)
    if isinstance(result, str):
        return result
    failed = [v for v in result.verdicts if v.outcome is Outcome.FAILED]
    assert failed
    shown = [describe_failure(v, "pytest", "of the database") for v in failed]
    return "\n".join([*shown, repr(result)])


def assert_hidden(order: RehearsalOrder) -> None:
    assert SECRET not in told(order)
    assert SECRET in told(replace(order, shows_values=True))


@pytest.mark.parametrize("text", SQL.values(), ids=SQL)
def test_nothing_of_sql(tmp_path: Path, text: str) -> None:
    assert_hidden(order_for(tmp_path, text, suffix=".sql"))


@pytest.mark.parametrize("code", CODE.values(), ids=CODE)
def test_nothing_of_python(tmp_path: Path, code: str) -> None:
    assert_hidden(order_for(tmp_path, PYTHON + code + "\n", suffix=".py"))


@pytest.mark.parametrize("name", ["raised", "a class", "an exit", "printed", "SQL in quotes"])
def test_nothing_of_a_script(tmp_path: Path, name: str) -> None:
    assert_hidden(order_for(tmp_path, SCRIPT + CODE[name] + "\n", suffix=".py"))


def test_nothing_of_a_shape_that_is_there(tmp_path: Path) -> None:
    money = f"CREATE TABLE payees (id INTEGER PRIMARY KEY, name TEXT DEFAULT '{SECRET}');"
    text = "CREATE TABLE IF NOT EXISTS payees (id INTEGER PRIMARY KEY, name TEXT DEFAULT 'known');"

    order = order_for(tmp_path, text, suffix=".sql", money=money)

    assert_hidden(order)
    assert "DEFAULT 'known'" in told(order) or "'known'" in told(order)


def test_nothing_of_a_row_that_cannot_be_read(tmp_path: Path) -> None:
    part = "ALTER TABLE payees ADD COLUMN part AS (json_extract('{}', name));"
    order = order_for(
        tmp_path, "UPDATE payees SET id = id + 10;", suffix=".sql", money=MONEY + part
    )

    text = told(order)

    assert SECRET not in text
    assert "room for four copies" not in text


def test_what_is_known_is_told(tmp_path: Path) -> None:
    text = "CREATE UNIQUE INDEX one_name ON payees (name);\n"

    shown = told(order_for(tmp_path, text, suffix=".sql"))

    assert "up does not run: UNIQUE constraint failed: payees.name" in shown
    assert "CREATE UNIQUE INDEX one_name ON payees (name)" in shown
    assert "merge them first" in shown


def test_a_requirement_that_cannot_be_asked_says_of_what_kind_the_error_is(tmp_path: Path) -> None:
    shown = told(order_for(tmp_path, SQL["required"], suffix=".sql"))

    assert "001_step.sql:1: `requires payees: json_extract('{}', name) IS NULL`" in shown
    assert "SQLITE_ERROR (not shown" in shown
    assert "room" not in shown


DIES = """\
import os, sys
os.write(2, f'Traceback (most recent call last)\\n{value}: {value}\\n'.encode())
os.kill(os.getpid(), 9)
"""


def test_nothing_of_a_process_that_has_died(tmp_path: Path) -> None:
    code = textwrap.indent(DIES, "    ").lstrip()
    order = order_for(tmp_path, PYTHON + code, suffix=".py")

    hidden = rehearse(in_new_folder(order), lambda _: None)
    shown = rehearse(in_new_folder(replace(order, shows_values=True)), lambda _: None)

    assert SECRET not in str(hidden)
    assert "its process was ended by SIGKILL" in str(hidden)
    assert SECRET in str(shown)


SAYS_A_NAME = """\
import os
for n in os.listdir('/proc/self/fd'):
    if os.path.exists(f'/proc/self/fd/{n}') and 'pipe' in os.readlink(f'/proc/self/fd/{n}'):
        os.write(int(n), (value + chr(10)).encode())
"""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="descriptors have no names here")
def test_what_a_migration_writes_among_the_names_is_passed_over(tmp_path: Path) -> None:
    code = textwrap.indent(SAYS_A_NAME, "    ").lstrip()
    order = order_for(tmp_path, PYTHON + code, suffix=".py")
    seen: list[str] = []

    rehearse(in_new_folder(order), seen.append)

    assert set(seen) == {"001_step"}


def test_nothing_of_a_hook_that_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "canary_hook.py").write_text(
        "def prepare(db):\n"
        "    if db.execute('SELECT count(*) FROM sqlite_schema').fetchone()[0]:\n"
        "        raise ValueError(db.execute('SELECT name FROM payees').fetchone()[0])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    order = order_for(tmp_path, "SELECT 1;", suffix=".sql")

    assert_hidden(replace(order, connection="canary_hook:prepare"))

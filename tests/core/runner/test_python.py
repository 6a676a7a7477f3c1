"""The runner on Python parts: a function that gets a sqlite-utils database."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.explain.advice import advise_on_failure
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.model import ShapeConflict
from tests.core.running import failure_of, image_of, rows, run_python

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

TRIPS = """
    CREATE TABLE trips (id INTEGER PRIMARY KEY, place TEXT, cost REAL);
    INSERT INTO trips VALUES (1, 'Rome', 120.5), (2, 'Oslo', NULL);
"""


def test_the_function_gets_a_sqlite_utils_database_in_our_transaction(tmp_path: Path) -> None:
    run, after = run_python(
        tmp_path,
        """
        def up(db):
            print(type(db).__mro__[1].__name__, db.conn.in_transaction, db.conn.isolation_level)
            print(db.execute("PRAGMA recursive_triggers").fetchone())
            db["trips"].insert({"place": "Bern", "cost": 3.5})
        """,
        image_of(TRIPS),
    )

    assert run.failure is None
    assert run.printed == "Database True None\n(0,)\n"
    assert rows(after, "SELECT place FROM trips") == ["Rome", "Oslo", "Bern"]


@pytest.mark.parametrize("in_transaction", [True, False])
@pytest.mark.parametrize(
    "code",
    [
        "db['trips'].insert_all({'place': str(n)} for n in range(300))",
        "db['trips'].upsert({'id': 1, 'place': 'Roma'}, pk='id')",
        "db['trips'].transform(types={'cost': int}, rename={'place': 'where_to'})",
        "db['trips'].add_column('tag', str, not_null_default='')",
        "db['trips'].create_index(['place'], unique=True, if_not_exists=True)",
        "db['new'].create({'id': int, 'name': str}, pk='id', if_not_exists=True)",
        "db['trips'].extract('place')",
        "db['trips'].convert('place', lambda v: v.upper())",
        "db['trips'].enable_fts(['place'], create_triggers=True)",
        "db['trips'].rename('journeys') if hasattr(db['trips'], 'rename') else None",
        "db['trips'].drop()",
        "db.create_view('v', 'select 1')",
        "list(db.query('INSERT INTO trips (place) VALUES (1) RETURNING id'))",
        "list(db.query('PRAGMA table_info(trips)'))",
        "db.vacuum() if not db.conn.in_transaction else None",
    ],
)
def test_what_sqlite_utils_does_works_on_the_connection(
    tmp_path: Path,
    code: str,
    in_transaction: bool,  # noqa: FBT001 - a case
) -> None:
    run, _ = run_python(
        tmp_path,
        "def up(db):\n    with db.atomic():\n        pass\n"
        f"    {code}\n    print(db.conn.in_transaction)",
        image_of(TRIPS),
        in_transaction=in_transaction,
    )

    assert run.failure is None
    assert run.printed == f"{in_transaction}\n"


@pytest.mark.parametrize(
    "idiom",
    [
        "db.conn.commit()",
        "db.commit()",
        "with db.conn: pass",
        "db.conn.close()",
        "db.close()",
        "db.conn.isolation_level = None",
        "db.conn.isolation_level = 'IMMEDIATE'",
        "db.executescript('SELECT 1; SELECT 2;')",
        "db.conn.executescript('BEGIN; SELECT 1; COMMIT;')",
        "db.conn.cursor().executescript('SELECT 1;')",
    ],
)
def test_the_idioms_people_write_stay_in_the_transaction(tmp_path: Path, idiom: str) -> None:
    before = image_of(TRIPS)

    run, after = run_python(
        tmp_path,
        f"""
        def up(db):
            db.execute("DELETE FROM trips")
            {idiom}
            assert db.conn.in_transaction
            raise RuntimeError("too late")
        """,
        before,
    )

    failure = failure_of(run)
    assert (failure.line, failure.message) == (6, "RuntimeError: too late")
    assert after is before


@pytest.mark.parametrize("call", ["db.conn.executescript", "db.executescript"])
def test_executescript_runs_statement_by_statement(tmp_path: Path, call: str) -> None:
    run, after = run_python(
        tmp_path,
        f"""
        def up(db):
            {call}('''
                CREATE TABLE log (at); -- a ; in a comment
                CREATE TRIGGER t AFTER INSERT ON trips BEGIN
                    INSERT INTO log VALUES ('x;y'); DELETE FROM log WHERE 0;
                END;
                INSERT INTO trips (place) VALUES ('Bern')
            ''')
        """,
        image_of(TRIPS),
    )

    assert run.failure is None
    assert rows(after, "SELECT at FROM log") == ["x;y"]
    written = [sql for sql in run.executed if "CREATE" in sql or "INSERT INTO trips" in sql]
    assert len(written) == 3


def test_executescript_that_does_not_read_is_an_error_of_sqlite(tmp_path: Path) -> None:
    run, _ = run_python(tmp_path, 'def up(db):\n    db.conn.executescript("SELECT \'x")')

    assert failure_of(run).message.startswith("OperationalError: line 1: ")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("db.execute('COMMIT')", "OperationalError: COMMIT is refused in a migration"),
        ("db.begin()", "OperationalError: BEGIN is refused in a migration"),
        ("db.attach('other', 'o.db')", "OperationalError: ATTACH of {}/o.db is refused in a"),
        ("db.conn.backup(db.conn)", "NotSupportedError: a migration cannot make a backup"),
        ("db.conn.set_authorizer(None)", "NotSupportedError: a migration cannot set an auth"),
    ],
)
def test_what_would_leave_the_transaction_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)

    run, _ = run_python(tmp_path, f"def up(db):\n    {code}")

    assert failure_of(run).line == 2
    assert failure_of(run).message.startswith(message.format(tmp_path))
    assert not (tmp_path / "o.db").exists()


@pytest.mark.parametrize(
    ("code", "line", "message"),
    [
        ("db.conn.rollback()", 2, "the migration rolled back"),
        ("db.rollback()\n    db.conn.rollback()", 2, "the migration rolled back"),
        (
            "try:\n        db.execute('BOOM')\n    except Exception:\n        db.conn.rollback()",
            5,
            'the migration rolled back, after OperationalError: near "BOOM": syntax error',
        ),
        (
            "try:\n        with db.conn:\n            1 / 0\n    except ZeroDivisionError: pass",
            3,
            "the migration rolled back, after ZeroDivisionError: division by zero",
        ),
        (
            (
                "db.execute('CREATE TABLE t (a UNIQUE ON CONFLICT ROLLBACK)')\n"
                "    db.execute('INSERT INTO t VALUES (1)')\n"
                "    try: db.execute('INSERT INTO t VALUES (1)')\n"
                "    except Exception: pass"
            ),
            4,
            "this statement ended the whole transaction",
        ),
    ],
)
def test_a_migration_that_rolls_back_has_failed(
    tmp_path: Path, code: str, line: int, message: str
) -> None:
    before = image_of(TRIPS)

    run, after = run_python(tmp_path, f"def up(db):\n    {code}", before)

    failure = failure_of(run)
    assert (failure.line, failure.message) == (line, message)
    assert advise_on_failure(failure).text
    assert after is before


def test_a_failing_statement_is_named_with_the_line_that_ran_it(tmp_path: Path) -> None:
    run, _ = run_python(
        tmp_path,
        """
        def up(db):
            rename(db)

        def rename(db):
            db["trips"].transform(drop=["place"])
            db.execute("UPDATE trips SET place = normalize(?)", ["x"])
        """,
        image_of(TRIPS),
    )

    failure = failure_of(run)
    assert failure.path == tmp_path / "002_step.py"
    assert failure.line == 7
    assert failure.statement == "UPDATE trips SET place = normalize(?)"
    assert failure.message == "OperationalError: no such function: normalize"
    assert advise_on_failure(failure).missing == "function normalize"


@pytest.mark.parametrize(
    ("source", "line", "message", "advice"),
    [
        ("def up(db:\n    pass", 1, "SyntaxError: '(' was never closed", ""),
        ("\nraise ValueError", 2, "ValueError", ""),
        ("def up():\n    pass", None, "TypeError: up() takes 0 positional", "def up(db)"),
        ("def down(db):\n    pass", None, "AttributeError: module", ""),
        (
            "import sys\ndef up(db):\n    sys.exit(0)",
            3,
            "SystemExit: 0",
            "a migration returns when it is done",
        ),
        (
            "def up(db):\n    try: 1 / 0\n    except Exception: raise SystemExit(1)",
            2,
            "SystemExit: 1, after ZeroDivisionError: division by zero",
            "a migration returns when it is done",
        ),
        (
            "def up(db):\n    import no_such_module",
            2,
            "ModuleNotFoundError: No module named 'no_such_module'",
            "install it",
        ),
        ("async def up(db):\n    await db.execute('x')", 2, "OperationalError: near", ""),
        (
            "def up(db):\n    async def g(): ...\n    return g()",
            None,
            "TypeError: up() is a cor",
            "",
        ),
        ("def up(db):\n    yield", None, "TypeError: up() is a generator function", ""),
        ("def up(db):\n    db.cursor()", 2, "AttributeError: 'RunDatabase' object", "db.conn"),
    ],
)
def test_whatever_the_function_raises_is_a_failure(
    tmp_path: Path, source: str, line: int | None, message: str, advice: str
) -> None:
    run, after = run_python(tmp_path, source, image_of(TRIPS))

    failure = failure_of(run)
    assert failure.line == line
    assert failure.message.startswith(message)
    assert advice in advise_on_failure(failure).text
    assert after == image_of(TRIPS)


def test_ctrl_c_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_python(tmp_path, "def up(db):\n    raise KeyboardInterrupt")


def test_what_it_prints_is_kept_whatever_happens(tmp_path: Path) -> None:
    run, _ = run_python(
        tmp_path,
        """
        import sys

        def up(db):
            print("half way")
            print("oh", file=sys.stderr)
            raise ValueError("no")
        """,
    )

    assert run.printed == "half way\noh\n"


def test_helpers_beside_the_file_are_imported_afresh_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "this_is_new.py").write_text("X = 1")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    source = (
        "import this_is_new\nfrom _shared import WORD\nimport tools.text\n"
        "def up(db):\n    print(WORD, tools.text.X)"
    )
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        (folder / "tools").mkdir(parents=True)
        (folder / "_shared.py").write_text(f"WORD = '{folder.name}'")
        (folder / "tools" / "text.py").write_text(f"X = '{folder.name}'")
    path, modules = list(sys.path), set(sys.modules)

    printed = [run_python(folder, source)[0].printed for folder in folders]

    assert printed == ["one one\n", "two two\n"]
    assert list(tmp_path.rglob("*.pyc")) == []
    assert list(sys.path) == path
    assert set(sys.modules) - modules == {"this_is_new"}
    assert not sys.dont_write_bytecode
    del sys.modules["this_is_new"]


def test_a_module_that_takes_itself_out_of_those_that_are_loaded_runs(tmp_path: Path) -> None:
    source = "import sys\ndel sys.modules[__name__]\ndef up(db):\n    print('ran')"

    assert run_python(tmp_path, source)[0].printed == "ran\n"


def test_a_helper_is_not_taken_for_a_module_of_that_name_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = type(sys)("_shared")
    monkeypatch.setitem(sys.modules, "_shared", other)
    (tmp_path / "_shared.py").write_text("WORD = 'mine'")

    run, _ = run_python(tmp_path, "import _shared\ndef up(db):\n    print(_shared.WORD)")

    assert run.printed == "mine\n"
    assert sys.modules["_shared"] is other


def test_a_module_of_the_folder_that_is_loaded_already_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = tmp_path / "_shared.py"
    helper.write_text("WORD = 'fresh'")
    loaded = type(sys)("_shared")
    vars(loaded).update(__file__=str(helper), WORD="loaded")
    monkeypatch.setitem(sys.modules, "_shared", loaded)

    run, _ = run_python(tmp_path, "import _shared\ndef up(db):\n    print(_shared.WORD)")

    assert run.printed == "loaded\n"


def test_an_edited_file_is_read_anew(tmp_path: Path) -> None:
    printed = [
        run_python(tmp_path, f"def up(db):\n    print({number})")[0].printed for number in (1, 2)
    ]

    assert printed == ["1\n", "2\n"]


def test_if_not_exists_does_in_python_what_it_does_in_sql(tmp_path: Path) -> None:
    run, after = run_python(
        tmp_path,
        """
        def up(db):
            db.execute("ALTER TABLE trips ADD COLUMN IF NOT EXISTS tag TEXT")
            db.conn.cursor().execute("ALTER TABLE trips ADD COLUMN IF NOT EXISTS tag TEXT")
            db["trips"].create({"id": int}, pk="id", if_not_exists=True)
            db.conn.executescript("ALTER TABLE trips ADD COLUMN IF NOT EXISTS cost TEXT;")
        """,
        image_of(TRIPS),
    )

    assert run.failure is None
    assert rows(after, "SELECT tag FROM trips") == [None, None]
    first, second = run.conflicts
    assert (first.line, first.name) == (5, "trips")
    assert second == ShapeConflict(tmp_path / "002_step.py", 6, "trips.cost", "TEXT", "REAL")


def test_what_only_sqlite_reads_is_left_to_it(tmp_path: Path) -> None:
    run, after = run_python(tmp_path, 'def up(db):\n    db.execute("CREATE TABLE t (a) /* open")')

    assert run.failure is None
    assert rows(after, "SELECT name FROM sqlite_schema") == ["t"]


def test_executemany_is_one_statement(tmp_path: Path) -> None:
    run, after = run_python(
        tmp_path,
        """
        def up(db):
            db.conn.executemany("INSERT INTO trips (place) VALUES (?)", [("a",), ("b",)])
        """,
        image_of(TRIPS),
    )

    assert run.executed == ("INSERT INTO trips (place) VALUES (?)",)
    assert run.statements == 1
    assert rows(after, "SELECT count(*) FROM trips") == [4]


def test_renames_are_followed(tmp_path: Path) -> None:
    run, _ = run_python(
        tmp_path,
        """
        def up(db):
            db.execute("ALTER TABLE trips RENAME COLUMN cost TO price")
            db["trips"].transform(drop=["place"])
            db.rename_table("trips", "journeys")
        """,
        image_of(TRIPS),
    )

    assert run.failure is None
    assert run.renamed_tables == ()
    assert run.renamed_columns == ()


def test_text_is_what_python_makes_of_it_and_not_escaped(tmp_path: Path) -> None:
    before = image_of(TRIPS + "UPDATE trips SET place = CAST(x'ff' AS TEXT);")

    run, _ = run_python(tmp_path, "def up(db):\n    list(db['trips'].rows)", before)

    assert "Could not decode to UTF-8" in failure_of(run).message


@pytest.mark.parametrize(("declared", "left"), [(True, 0), (False, 1), (None, 1)])
def test_foreign_keys_are_as_the_contract_says(
    tmp_path: Path,
    declared: bool | None,  # noqa: FBT001 - a case
    left: int,
) -> None:
    before = image_of(
        "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        "CREATE TABLE c (p REFERENCES p (id) ON DELETE CASCADE);"
        "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1);"
    )

    _, after = run_python(
        tmp_path,
        "def up(db):\n    db.execute('DELETE FROM p')",
        before,
        contract=Contract(foreign_keys=declared),
    )

    assert rows(after, "SELECT count(*) FROM c") == [left]


def test_the_hook_of_the_app_is_called_with_the_connection(tmp_path: Path) -> None:
    def prepare(db: sqlite3.Connection) -> None:
        db.create_function("normalize", 1, str.casefold)

    run, after = run_python(
        tmp_path,
        "def up(db):\n    db.execute('UPDATE trips SET place = normalize(place)')",
        image_of(TRIPS),
        environment=RunEnvironment(prepare_connection=prepare),
    )

    assert run.failure is None
    assert rows(after, "SELECT place FROM trips") == ["rome", "oslo"]


def test_without_a_transaction_the_function_may_have_its_own(tmp_path: Path) -> None:
    run, after = run_python(
        tmp_path,
        """
        def up(db):
            db.conn.execute("BEGIN")
            db.execute("DELETE FROM trips")
            db.conn.rollback()
            with db.conn:
                db.execute("BEGIN")
                db.execute("DELETE FROM trips WHERE id = 1")
            db.conn.executescript("BEGIN; UPDATE trips SET place = 'x'; COMMIT")
            db.conn.commit()
            db.execute("VACUUM")
        """,
        image_of(TRIPS),
        in_transaction=False,
    )

    assert run.failure is None
    assert rows(after, "SELECT id, place FROM trips") == [(2, "x")]


def test_a_transaction_of_its_own_that_stays_open_is_a_failure(tmp_path: Path) -> None:
    before = image_of(TRIPS)

    run, after = run_python(tmp_path, "def up(db):\n    db.begin()", before, in_transaction=False)

    assert failure_of(run).message == "the migration ended with its own transaction open"
    assert "on a copy that is thrown away" in advise_on_failure(failure_of(run)).text
    assert after is before


def test_a_deferred_violation_fails_at_the_commit(tmp_path: Path) -> None:
    before = image_of(
        "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        "CREATE TABLE c (p REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED);"
    )

    run, _ = run_python(
        tmp_path,
        "def up(db):\n    db['c'].insert({'p': 1})",
        before,
        contract=Contract(foreign_keys=True),
    )

    assert failure_of(run).statement == "COMMIT"
    assert failure_of(run).message == "FOREIGN KEY constraint failed"


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        ("import pytest; pytest.skip('nothing to do')", "Skipped: nothing to do"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("class Stop(BaseException): pass\n    raise Stop('here')", "Stop: here"),
    ],
)
def test_whatever_is_raised_is_a_failure_and_no_skip(
    tmp_path: Path, raised: str, message: str
) -> None:
    run, _ = run_python(tmp_path, f"def up(db):\n    {raised}\n")

    assert failure_of(run).message == message


def test_ctrl_c_ends_the_session(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_python(tmp_path, "def up(db):\n    raise KeyboardInterrupt\n")

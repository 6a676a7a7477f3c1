from __future__ import annotations

import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

import pytest_bbmigrate
from pytest_bbmigrate.apply import pending
from pytest_bbmigrate.contract import ContractError
from pytest_bbmigrate.plugin import testing
from pytest_bbmigrate.plugin.testing import assert_foreign_keys, assert_preserved, take_snapshot
from tests.plugin.sample import DOES_NOT_APPLY, UNFINISHED, write_migrations

ENTITLED = """\
-- Migration: Titles for accounts
-- bb: changes accounts.name
-- migrate:up
UPDATE accounts SET name = 'Account ' || name;
-- migrate:down
UPDATE accounts SET name = substr(name, 9);
"""


def run(project: pytest.Pytester, test: str, *args: str) -> pytest.RunResult:
    """Run a test module with warnings as errors."""
    project.makepyfile(test)
    return project.runpytest("-W", "error", *args)


def test_head_is_the_last_version_with_data(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = run(
        project,
        """
        def test_head(bb_head):
            assert {"accounts", "transactions", "funds"} <= set(bb_head.table_names())
            assert bb_head["transactions"].count == 12
            assert "trip_tag" in bb_head["transactions"].columns_dict
        """,
    )

    result.assert_outcomes(passed=1)


def test_each_test_has_a_database_of_its_own(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = run(
        project,
        """
        import pytest

        @pytest.mark.parametrize("time", [1, 2])
        def test_head(bb_head, time):
            assert bb_head["transactions"].count == 12
            bb_head["transactions"].delete_where()
            bb_head["funds"].insert({"name": "Roof"})
            assert bb_head["transactions"].count == 0
        """,
    )

    result.assert_outcomes(passed=2)


def test_any_version_can_be_had(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = run(
        project,
        """
        import pytest

        def test_versions(bb_at):
            before, after = bb_at("001_accounts"), bb_at("002_trip_tags")
            assert "trip_tag" not in before["transactions"].columns_dict
            assert "trip_tag" in after["transactions"].columns_dict

        def test_unknown(bb_at):
            with pytest.raises(LookupError, match="002_trip_tags"):
                bb_at("002_trip_tag")
        """,
    )

    result.assert_outcomes(passed=2)


def test_a_name_that_is_none_is_told_without_our_own_lines(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = run(
        project,
        """
        def test_number(bb_at): bb_at(1)
        def test_nowhere(bb_at): bb_at("nowhere")
        """,
    )

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["E *TypeError: the name of a migration is wanted, not 1", "E *LookupError: no migration *"]
    )
    result.stdout.no_fnmatch_line("*model.py*")


def test_an_app_can_be_started_on_a_file(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = run(
        project,
        """
        import contextlib, sqlite3

        def test_file(bb_head_path, tmp_path):
            assert bb_head_path == tmp_path / "money.db"
            with contextlib.closing(sqlite3.connect(bb_head_path)) as db:
                assert db.execute("SELECT count(*) FROM transactions").fetchone() == (12,)
                assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        """,
        "--bb-db=somewhere/money.db",
    )

    result.assert_outcomes(passed=1)


def test_faker_knows_a_household_and_repeats_itself(project: pytest.Pytester) -> None:
    write_migrations(project)
    test = """
        import pathlib

        def test_faker(bb_faker):
            names = [bb_faker.name(), bb_faker.institution()]
            with pathlib.Path("said.txt").open("a") as file:
                print(names, file=file)
        """

    for seed in ("1", "1", "2"):
        run(project, test, f"--bb-seed={seed}").assert_outcomes(passed=1)

    names = (project.path / "said.txt").read_text().splitlines()
    assert names[0] == names[1]
    assert names[0] != names[2]


def test_a_migration_is_run_by_its_test(project: pytest.Pytester) -> None:
    write_migrations(project, _004_titles__sql=ENTITLED)

    result = run(
        project,
        """
        import pytest

        @pytest.mark.bb_migration("004_titles")
        def test_titles(bb_migration, bb_snapshot):
            account = bb_migration.before["accounts"].insert({"name": "Old Mill"}).last_pk
            snapshot = bb_snapshot(bb_migration.before)
            after = bb_migration.up()
            assert after is bb_migration.after
            assert after["accounts"].get(account)["name"] == "Account Old Mill"
            assert bb_migration.before["accounts"].get(account)["name"] == "Old Mill"
            written = after["accounts"].insert({"name": "Account New"}).last_pk
            back = bb_migration.down()
            assert back is bb_migration.after
            assert back["accounts"].get(account)["name"] == "Old Mill"
            assert back["accounts"].get(written)["name"] == "New"
            assert bb_snapshot(bb_migration.before) == snapshot
        """,
    )

    result.assert_outcomes(passed=1)


def test_the_marker_may_be_the_modules(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = run(
        project,
        """
        import pytest

        pytestmark = pytest.mark.bb_migration("003_funds.py")

        def test_funds(bb_migration):
            assert bb_migration.migration.name == "003_funds"
            assert bb_migration.up()["funds"].count == 0

        @pytest.mark.bb_migration("002_trip_tags")
        def test_nearest_marker(bb_migration):
            assert bb_migration.migration.name == "002_trip_tags"
        """,
    )

    result.assert_outcomes(passed=2)


def test_a_way_that_fails_says_where(project: pytest.Pytester) -> None:
    write_migrations(project, _004_nowhere__sql=DOES_NOT_APPLY)

    result = run(
        project,
        """
        import pytest

        @pytest.mark.bb_migration("004_nowhere")
        def test_up(bb_migration):
            bb_migration.up()
        """,
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [">*bb_migration.up()", "E *AssertionError: */migrations/004_nowhere.sql:1: no such table*"]
    )
    result.stdout.no_fnmatch_line("*testing.py*")


def test_an_order_that_makes_no_sense_is_refused(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = run(
        project,
        """
        import pytest

        @pytest.mark.bb_migration("002_trip_tags")
        def test_order(bb_migration):
            with pytest.raises(AssertionError, match="^call up.. first: 002_trip_tags has not"):
                bb_migration.after
            with pytest.raises(AssertionError, match="^002_trip_tags has no down part$"):
                bb_migration.down()

        @pytest.mark.bb_migration("003_funds")
        def test_down_first(bb_migration):
            with pytest.raises(AssertionError, match="^call up.. first"):
                bb_migration.down()
        """,
    )

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("", 'bb_migration needs a migration: mark the test @pytest.mark.bb_migration("NAME")'),
        ("bb_migration", "bb_migration takes one name: mark the test *"),
        ("bb_migration(3)", "bb_migration takes one name: mark the test *"),
        ("bb_migration('001', '002')", "bb_migration takes one name: mark the test *"),
        ("bb_migration(name='001')", "bb_migration takes one name: mark the test *"),
        ("bb_migration('002_trip')", "bb_migration('002_trip'): *002_trip_tags*"),
    ],
)
def test_a_marker_that_names_no_migration_is_an_error(
    project: pytest.Pytester, marker: str, message: str
) -> None:
    write_migrations(project)
    decorator = f"@pytest.mark.{marker}" if marker else ""

    result = run(project, f"import pytest\n{decorator}\ndef test_it(bb_migration): pass\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*fixtures.py*")


@pytest.mark.parametrize("fixture", ["bb_head", "bb_head_path", "bb_at", "bb_migration"])
def test_a_folder_that_does_not_read_is_an_error(project: pytest.Pytester, fixture: str) -> None:
    write_migrations(project, _004_broken__sql=UNFINISHED)

    result = run(
        project,
        f"import pytest\n@pytest.mark.bb_migration('003_funds')\ndef test_it({fixture}): pass\n",
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*004_broken.sql:1: *"])
    result.stdout.no_fnmatch_line("*fixtures.py*")


def test_a_version_that_cannot_be_reached_is_an_error(project: pytest.Pytester) -> None:
    write_migrations(project, _004_nowhere__sql=DOES_NOT_APPLY)

    result = run(project, "def test_it(bb_head): pass")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["004_nowhere does not apply, so nothing after it can be tried"])


def test_only_the_message_of_an_error_is_shown(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = run(project, "def test_it(bb_faker): pass", "-o", "bb_seed=now")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["bb_seed: an integer is wanted (*)"])
    result.stdout.no_fnmatch_line("*direct cause*")


def test_a_wrong_setting_is_an_error(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = run(project, "def test_it(bb_faker): pass", "-o", "bb_seed=now")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["bb_seed: an integer is wanted *"])


def test_the_apps_functions_are_there(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makepyfile(
        app_shout="def prepare(db): db.create_function('shout', 1, lambda s: s.upper())"
    )

    result = run(
        project,
        """
        def test_it(bb_head):
            assert bb_head.execute("SELECT shout('a')").fetchone() == ("A",)
        """,
        "-o",
        "bb_connection=app_shout:prepare",
    )

    result.assert_outcomes(passed=1)


def database(script: str) -> Database:
    """Return a database in memory with what ``script`` makes."""
    db = Database(memory=True)
    db.conn.executescript(script)
    return db


TWO = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2);"
)


def preserve(script: str, *directives: str, schema: bool = True) -> None:
    """Assert that ``script`` preserves a small table."""
    with closing(database(TWO)) as db:
        before = take_snapshot(db)
        db.conn.executescript(script)
        assert_preserved(before, db, *directives, schema=schema)


@pytest.mark.parametrize(
    ("script", "directives"),
    [
        ("", []),
        ("ALTER TABLE t ADD COLUMN c", []),
        ("UPDATE t SET a = 'z' WHERE a = 'x'", ["changes t.a where a = 'x'"]),
        ("DELETE FROM t", ["deletes t"]),
        ("INSERT INTO t VALUES (3, 'z', 3)", ["inserts t"]),
        ("UPDATE t SET a = 1; DELETE FROM t WHERE b = 2", ["changes t.a", "deletes t where b = 2"]),
        ("UPDATE t SET a = b", ["derives t.a = b"]),
        ("CREATE INDEX i ON t (a); CREATE VIEW v AS SELECT a FROM t", []),
    ],
)
def test_what_is_preserved_or_declared_passes(script: str, directives: list[str]) -> None:
    preserve(script, *directives)


@pytest.mark.parametrize(
    ("script", "directives", "message"),
    [
        ("UPDATE t SET b = 1.0 WHERE id = 1", [], "t.b changed in 1 of 2 rows"),
        ("UPDATE t SET a = 'z'", ["changes t.a where a = 'x'"], "t.a changed in 1 of 2 rows"),
        ("DELETE FROM t WHERE id = 2", ["changes t.a"], "t lost 1 of 2 rows"),
        ("INSERT INTO t VALUES (3, 'z', 3)", [], "t has 1 new row"),
        ("DROP TABLE t", [], "table t and its 2 rows are gone"),
        ("UPDATE t SET a = b", ["derives t.a = b + 1"], "t.a holds another value than is declared"),
        ("SELECT 1", ["derives t.a = sum(b)"], "the value of t.a cannot be judged: misuse of agg"),
        (
            (
                "CREATE TABLE n (id INTEGER PRIMARY KEY, a TEXT, b); INSERT INTO n SELECT * FROM t;"
                "DROP TABLE t; ALTER TABLE n RENAME TO t;"
            ),
            [],
            "column type of t.a changed",
        ),
    ],
)
def test_what_is_lost_without_a_word_fails(
    script: str, directives: list[str], message: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        preserve(script, *directives)

    assert str(caught.value).startswith(message)


def test_a_directive_that_is_not_understood_is_refused() -> None:
    with pytest.raises(ContractError, match="line 2: "):
        preserve("", "changes t.a", "chnages t.b")


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("UPDATE t SET a = 'z' WHERE id = 1", "-- bb: changes t.a"),
        ("DELETE FROM t WHERE id = 1", "-- bb: deletes t"),
        ("DROP INDEX by_a", "-- bb: drops index by_a"),
        ("ALTER TABLE t DROP COLUMN b", "-- bb: drops t.b"),
        (
            (
                "CREATE TABLE n (id INTEGER PRIMARY KEY, a TEXT, b); INSERT INTO n SELECT * FROM t;"
                "DROP TABLE t; ALTER TABLE n RENAME TO t; CREATE INDEX by_a ON t (a)"
            ),
            "-- bb: alters t.a",
        ),
        (
            (
                "CREATE TABLE n (id INTEGER PRIMARY KEY, a, b); INSERT INTO n SELECT * FROM t;"
                "DROP TABLE t; CREATE INDEX by_a ON n (a)"
            ),
            "-- bb: renames t -> n",
        ),
        (
            (
                "CREATE TABLE n (id INTEGER PRIMARY KEY); INSERT INTO n SELECT id FROM child;"
                "DROP TABLE child; ALTER TABLE n RENAME TO child;"
            ),
            "-- bb: alters child",
        ),
    ],
)
def test_the_line_that_is_printed_is_what_allows_it(script: str, line: str) -> None:
    more = "CREATE INDEX by_a ON t (a); CREATE TABLE child (id INTEGER PRIMARY KEY REFERENCES t);"
    with closing(database(TWO + more)) as db:
        before = take_snapshot(db)
        db.conn.executescript(script)
        with pytest.raises(AssertionError) as caught:
            assert_preserved(before, db)

        assert f"pass the line:  {line}" in str(caught.value)
        assert_preserved(before, db, line)
        assert_preserved(before, db, line.removeprefix("-- bb: "))
        assert_preserved(before, db, line.replace("--", "#"))


def test_the_schema_may_be_left_out() -> None:
    rebuilt = (
        "CREATE TABLE n (id INTEGER PRIMARY KEY, a TEXT, b); INSERT INTO n SELECT * FROM t;"
        "DROP TABLE t; ALTER TABLE n RENAME TO t;"
    )

    preserve(rebuilt, schema=False)
    with pytest.raises(AssertionError, match=re.escape("t.a changed in 2 of 2 rows")):
        preserve(f"{rebuilt} UPDATE t SET a = 1", schema=False)


def test_what_is_not_committed_is_not_passed_over() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE a (b)")
        db.execute("INSERT INTO a VALUES (1)")

        with pytest.raises(AssertionError, match="a transaction is open on this database"):
            assert_preserved(b"", db)

        db.commit()
        assert take_snapshot(db).startswith(b"SQLite format 3")


def test_a_file_has_a_snapshot_too(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "app.db")) as db:
        db.execute("CREATE TABLE a (b)")
        before = take_snapshot(db)
        db.execute("INSERT INTO a VALUES (1)")
        db.commit()

    with pytest.raises(AssertionError, match="a has 1 new row"):
        assert_preserved(before, tmp_path / "app.db")


@pytest.mark.parametrize(
    ("subject", "message"),
    [(b"nothing", "these bytes are no snapshot"), ("app.db", "is wanted, not 'app.db'")],
)
def test_what_has_no_snapshot_is_refused(subject: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        take_snapshot(subject)


def test_a_plain_connection_has_a_snapshot_too() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(TWO)

        assert_preserved(db, take_snapshot(db))


FAMILY = """
CREATE TABLE parents (id INTEGER PRIMARY KEY);
CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents (id));
INSERT INTO parents VALUES (1);
INSERT INTO children VALUES (1, 1), (2, NULL);
"""


def test_references_that_lead_somewhere_pass() -> None:
    with closing(database(FAMILY)) as db:
        assert_foreign_keys(db)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("INSERT INTO children VALUES (3, 7)", "1 rows of children refer by parent to rows that *"),
        ("DROP TABLE parents; DELETE FROM children", "children.parent refers to parents *"),
    ],
)
def test_references_that_lead_nowhere_fail(script: str, message: str) -> None:
    with closing(database(FAMILY)) as db:
        db.conn.executescript(f"PRAGMA foreign_keys = OFF; {script}")

        with pytest.raises(AssertionError) as caught:
            assert_foreign_keys(db)

    assert str(caught.value).startswith(message.rstrip("*"))


def test_what_is_exported_is_what_is_documented() -> None:
    assert pytest_bbmigrate.__all__ == [
        "MigrationUnderTest",
        "assert_foreign_keys",
        "assert_preserved",
        "pending",
    ]
    for name in pytest_bbmigrate.__all__[:3]:
        assert getattr(pytest_bbmigrate, name) is getattr(testing, name)
    assert pytest_bbmigrate.pending is pending.pending
    assert set(pytest_bbmigrate.__all__) <= set(dir(pytest_bbmigrate))


def test_what_is_not_exported_is_not_there() -> None:
    with pytest.raises(AttributeError, match="'pytest_bbmigrate' has no attribute 'migrate'"):
        _ = pytest_bbmigrate.migrate  # type: ignore[attr-defined]  # the point of the test


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(sys.modules["pytest_bbmigrate"].__path__[0]) / "py.typed").is_file()

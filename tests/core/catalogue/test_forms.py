"""Each form of migration, as the catalogue reads it."""

from __future__ import annotations

import textwrap
import warnings
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import PythonPart, ScriptPart, SqlPart, read_catalogue
from pytest_bbmigrate.contract import Change, Contract, Drop, Insert
from tests.core.cataloguing import migration, migrations, sql, write

if TYPE_CHECKING:
    from pathlib import Path


def test_plain_sql_is_the_way_there(tmp_path: Path) -> None:
    parsed = migration(tmp_path, {"003_trips.sql": "-- Date: today\nSELECT 1;\nSELECT 2"})

    assert (parsed.name, parsed.number, parsed.path) == (
        "003_trips",
        (3,),
        tmp_path / "003_trips.sql",
    )
    assert sql(parsed.up) == [(2, "SELECT 1"), (3, "SELECT 2")]
    assert parsed.down is None
    assert parsed.contract == Contract(headers={"Date": "today"})


def test_a_condition_in_a_contract_is_one_expression(tmp_path: Path) -> None:
    parsed = migration(tmp_path, {"a.sql": "-- bb: changes t.c, t.d where c = 'x;'\nSELECT 1"})

    assert [change.where for change in parsed.contract.changes] == ["c = 'x;'"] * 2


@pytest.mark.parametrize("ending", ["down", "rollback"])
def test_plain_sql_has_its_way_back_in_a_file_beside_it(tmp_path: Path, ending: str) -> None:
    parsed = migration(
        tmp_path,
        {
            "a.sql": "-- bb: changes t.c\nSELECT 1;",
            f"a.{ending}.sql": "-- bb: irreversible\n-- bb: drops u\nSELECT 2;",
        },
    )

    assert parsed.path == tmp_path / "a.sql"
    assert isinstance(parsed.down, SqlPart)
    assert parsed.down.path == tmp_path / f"a.{ending}.sql"
    assert sql(parsed.down) == [(3, "SELECT 2")]
    assert parsed.contract == Contract(
        changes=(Change("t", "c", None, 1),),
        drops=(Drop("table", "u", None, 2),),
        irreversible="",
    )


def test_a_byte_order_mark_and_crlf_are_no_part_of_the_sql(tmp_path: Path) -> None:
    parsed = migration(
        tmp_path, {"a.sql": "\ufeff-- bb: inserts t\r\nSELECT 1;\r\nSELECT 'a\r\nb'"}
    )

    assert sql(parsed.up) == [(2, "SELECT 1"), (3, "SELECT 'a\r\nb'")]
    assert parsed.contract.inserts == (Insert("t", 1),)


def test_a_pair_goes_by_its_up_file(tmp_path: Path) -> None:
    parsed = migration(
        tmp_path,
        {
            "1_a.up.sql": "-- bb: changes t.c\nSELECT 1;",
            "1_a.down.sql": "-- bb: changes t.d\nSELECT 2;",
        },
    )

    assert (parsed.name, parsed.path) == ("1_a", tmp_path / "1_a.up.sql")
    assert sql(parsed.up) == [(2, "SELECT 1")]
    assert sql(parsed.down) == [(2, "SELECT 2")]
    assert parsed.contract.changes == (Change("t", "c", None, 1), Change("t", "d", None, 1))


def test_half_a_pair_is_a_migration_without_a_way_back(tmp_path: Path) -> None:
    assert migration(tmp_path, {"1_a.up.sql": "SELECT 1"}).down is None


@pytest.mark.parametrize(
    "text",
    [
        "-- migrate:up\nSELECT 1;\n-- migrate:down\n",
        "-- +goose Up\nSELECT 1;\n-- +goose Down\n",
        (
            "-- +goose Up\nSELECT 1;\n-- +goose Down\n-- +goose StatementBegin\n"
            "-- +goose StatementEnd\n"
        ),
    ],
)
def test_a_down_mark_without_a_statement_below_is_a_way_back_that_does_nothing(
    tmp_path: Path, text: str
) -> None:
    assert sql(migration(tmp_path, {"001_a.sql": text}).down) == []


@pytest.mark.parametrize("up", ["", "-- nothing to do"])
def test_a_half_of_a_pair_may_be_empty(tmp_path: Path, up: str) -> None:
    parsed = migration(tmp_path, {"1_a.up.sql": up, "1_a.down.sql": ""})

    assert sql(parsed.up) == []
    assert sql(parsed.down) == []


@pytest.mark.parametrize("up", ["up.sql", "migration.sql"])
def test_a_folder_is_a_migration_that_goes_by_its_up_file(tmp_path: Path, up: str) -> None:
    parsed = migration(
        tmp_path,
        {
            f"2026-01-02-030405_trips and so/{up}": "SELECT 1;",
            "2026-01-02-030405_trips and so/down.sql": "",
            "2026-01-02-030405_trips and so/notes.txt": "",
        },
    )

    assert parsed.name == "2026-01-02-030405_trips and so"
    assert parsed.path == tmp_path / parsed.name / up
    assert parsed.number == (2026, 1, 2, 30405)
    assert sql(parsed.up) == [(1, "SELECT 1")]
    assert sql(parsed.down) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [("run_in_transaction = false", False), ("run_in_transaction = true", True), ("", True)],
)
def test_a_folder_keeps_diesels_word_on_transactions(
    tmp_path: Path, settings: str, *, expected: bool
) -> None:
    parsed = migration(
        tmp_path,
        {"a/up.sql": "SELECT 1", "a/down.sql": "SELECT 2", "a/metadata.toml": settings},
    )

    assert isinstance(parsed.up, SqlPart)
    assert isinstance(parsed.down, SqlPart)
    assert (parsed.up.in_transaction, parsed.down.in_transaction) == (expected, expected)


def test_dbmate_markers_part_a_file(tmp_path: Path) -> None:
    text = """\
    -- Migration: Trips
    -- depends: b

    -- migrate:up
    -- bb: changes t.c
    SELECT 1;
    SELECT 2
    -- migrate:down transaction:false
    -- bb: changes t.d
    SELECT 3;
    """

    _, parsed = migrations(tmp_path, {"a.sql": textwrap.dedent(text), "b.sql": "SELECT 0"})

    assert sql(parsed.up) == [(6, "SELECT 1"), (7, "SELECT 2")]
    assert sql(parsed.down) == [(10, "SELECT 3")]
    assert parsed.contract == Contract(
        changes=(Change("t", "c", None, 5), Change("t", "d", None, 9)),
        depends=("b",),
        headers={"Migration": "Trips"},
    )
    assert isinstance(parsed.up, SqlPart)
    assert isinstance(parsed.down, SqlPart)
    assert (parsed.up.in_transaction, parsed.down.in_transaction) == (True, False)


def test_a_dbmate_file_needs_no_way_back(tmp_path: Path) -> None:
    parsed = migration(tmp_path, {"a.sql": "--migrate:up transaction:false\r\nVACUUM"})

    assert isinstance(parsed.up, SqlPart)
    assert (sql(parsed.up), parsed.up.in_transaction) == ([(2, "VACUUM")], False)
    assert parsed.down is None


def test_a_marker_in_a_string_that_does_not_begin_its_line_is_text(tmp_path: Path) -> None:
    parsed = migration(tmp_path, {"a.sql": "-- migrate:up\nSELECT ' -- migrate:down'"})

    assert sql(parsed.up) == [(2, "SELECT ' -- migrate:down'")]
    assert parsed.down is None


def test_a_part_of_nothing_but_comments_is_legal(tmp_path: Path) -> None:
    parsed = migration(tmp_path, {"a.sql": "-- migrate:up\n-- by hand\n-- migrate:down\n/* so */"})

    assert (sql(parsed.up), sql(parsed.down)) == ([], [])


def test_goose_markers_part_a_file_in_any_letter_case(tmp_path: Path) -> None:
    text = """\
    -- +goose Up
    SELECT 1;
    -- +goose StatementBegin
    CREATE TRIGGER t AFTER INSERT ON a BEGIN
        SELECT 2;
    END;
    -- +goose statementend
    -- +GOOSE DOWN
    -- bb: drops t
    SELECT 3;
    """

    parsed = migration(tmp_path, {"00001_a.sql": textwrap.dedent(text)})

    assert sql(parsed.up) == [
        (2, "SELECT 1"),
        (4, "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n    SELECT 2;\nEND"),
    ]
    assert sql(parsed.down) == [(10, "SELECT 3")]
    assert parsed.contract.drops == (Drop("table", "t", None, 9),)


def test_goose_no_transaction_is_for_the_whole_file(tmp_path: Path) -> None:
    parsed = migration(
        tmp_path,
        {"a.sql": "-- +goose no transaction\n-- +goose Up\nVACUUM;\n-- +goose Down\nVACUUM;"},
    )

    assert isinstance(parsed.up, SqlPart)
    assert isinstance(parsed.down, SqlPart)
    assert (parsed.up.in_transaction, parsed.down.in_transaction) == (False, False)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-- bb: no_transaction", False),
        ("-- no-transaction", False),
        ("-- transactional: false", False),
        ("-- transactional: true", True),
        ("-- atlas:txmode none", False),
        ("-- atlas:txmode file", True),
        ("-- in no-transaction style", True),
    ],
)
def test_a_comment_may_say_that_there_is_to_be_no_transaction(
    tmp_path: Path, line: str, *, expected: bool
) -> None:
    parsed = migration(tmp_path, {"a.sql": f"{line}\nVACUUM"})

    assert isinstance(parsed.up, SqlPart)
    assert parsed.up.in_transaction is expected


def test_no_transaction_in_a_contract_is_for_both_parts(tmp_path: Path) -> None:
    parsed = migration(
        tmp_path, {"a.up.sql": "-- bb: no_transaction\nVACUUM", "a.down.sql": "VACUUM"}
    )

    assert isinstance(parsed.down, SqlPart)
    assert not parsed.down.in_transaction


PYTHON = '''\
#!/usr/bin/env python3
# Migration: Trips
# bb: changes t.c
"""Not a directive:
# bb: nonsense
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

__depends__ = {"b", "c.sql"}
# depends: d


def up(db: Database) -> None:
    """Do it.

    # bb: nonsense
    """
    # bb: inserts t
    text = "# bb: nonsense"
    db.execute(text)


def down(db):
    # bb: drops t
    db.execute("DROP TABLE t")
'''


def test_managed_python_is_read_without_being_run(tmp_path: Path) -> None:
    others = dict.fromkeys(("b.sql", "c.sql", "d.sql"), "SELECT 1")

    parsed = migrations(tmp_path, {"a.py": PYTHON, **others, "1.sql": "SELECT 1"})[-2]

    assert parsed.up == PythonPart(tmp_path / "a.py", "up", 19)
    assert parsed.down == PythonPart(tmp_path / "a.py", "down", 29)
    assert parsed.contract == Contract(
        changes=(Change("t", "c", None, 3),),
        inserts=(Insert("t", 24),),
        drops=(Drop("table", "t", None, 30),),
        depends=("d", "b", "c.sql"),
        headers={"Migration": "Trips"},
    )


@pytest.mark.parametrize(
    ("text", "up", "down"),
    [
        ("def upgrade(db): db.x()\ndef downgrade(db): db.y()", "upgrade", "downgrade"),
        ("def up(db, dry=False): db.x()", "up", None),
        ("def up(*arguments): f()", "up", None),
        ("def up(db, /, *, dry=False): db.x()", "up", None),
        ("def up(db):\n    # nothing to do here\n    pass", "up", None),
        ("def up(db):\n    pass  # nothing to do", "up", None),
        ('def up(db):\n    """Nothing to do."""', "up", None),
        ("def up(db): db.x()\ndef migrate(): pass", "up", None),
    ],
)
def test_managed_python_is_known_by_its_functions(
    tmp_path: Path, text: str, up: str, down: str | None
) -> None:
    parsed = migration(tmp_path, {"a.py": text})

    assert isinstance(parsed.up, PythonPart)
    assert parsed.up.function == up
    assert (parsed.down.function if isinstance(parsed.down, PythonPart) else None) == down


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# bb: no_transaction\ndef up(db): db.x()", False),
        ("__transactional__ = False\ndef up(db): db.x()", False),
        ("__transactional__: bool = True\ndef up(db): db.x()", True),
    ],
)
def test_managed_python_may_run_without_a_transaction(
    tmp_path: Path, text: str, *, expected: bool
) -> None:
    parsed = migration(tmp_path, {"a.py": text})

    assert isinstance(parsed.up, PythonPart)
    assert parsed.up.in_transaction is expected


def test_depends_may_be_one_name(tmp_path: Path) -> None:
    files = {"a.py": '__depends__ = "b"\ndef up(db): db.x()', "b.sql": "SELECT 1"}

    assert [parsed.name for parsed in migrations(tmp_path, files)] == ["b", "a"]


@pytest.mark.parametrize(
    "text",
    [
        "def migrate():\n    work()\n\nif __name__ == '__main__':\n    migrate()",
        "def migrate():\n    work()",
        "def migrate(path='x.db'):\n    work()",
        "def migrate(path):\n    work()\n\nif '__main__' == __name__:\n    migrate('x.db')",
        "# bb: script\nimport sqlite3\n\nif __name__ == '__main__':\n    work()",
    ],
)
def test_a_program_that_opens_the_database_by_itself_is_a_script(tmp_path: Path, text: str) -> None:
    parsed = migration(tmp_path, {"a.py": text})

    assert parsed.up == ScriptPart(tmp_path / "a.py")
    assert parsed.down is None


def test_crlf_and_a_lone_cr_in_python_keep_the_lines_right(tmp_path: Path) -> None:
    parsed = migration(tmp_path, {"a.py": "# one\r\n# bb: drops t\rdef up(db):\r\n    db.x()\r\n"})

    assert parsed.up == PythonPart(tmp_path / "a.py", "up", 3)
    assert parsed.contract.drops == (Drop("table", "t", None, 2),)


def test_what_python_warns_of_is_no_business_of_the_catalogue(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parsed = migration(tmp_path, {"a.py": "def up(db): db.x('\\d')"})

    assert parsed.name == "a"


def test_a_directive_above_a_decorator_is_above_the_first_statement(tmp_path: Path) -> None:
    parsed = migration(tmp_path, {"a.py": "# bb: drops t\n@wrap\ndef up(db):\n    db.x()"})

    assert parsed.contract.drops == (Drop("table", "t", None, 1),)


def test_what_is_never_a_migration_is_passed_over(tmp_path: Path) -> None:
    others: dict[str, str | bytes] = {
        "README": "",
        "README.txt": "",
        "readme.md": "",
        "001_notes.md": "",
        "__init__.py": "",
        "__pycache__/001_a.cpython-311.pyc": b"\xff",
        "atlas.sum": "",
        "poetry.lock": "",
        ".diesel_lock": "",
        ".hidden.sql": "",
        "migration_lock.toml": "",
        "notes.txt": "",
        "data/rows.json": "",
        "helpers/__init__.py": "",
    }

    assert migration(tmp_path, {"001_a.sql": "SELECT 1", **others}).name == "001_a"


def test_a_readme_that_is_sql_is_a_migration(tmp_path: Path) -> None:
    assert migration(tmp_path, {"readme_flags.sql": "SELECT 1"}).name == "readme_flags"


def test_a_link_to_a_file_is_read_like_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"elsewhere.txt": "SELECT 1"})
    folder = write(tmp_path / "migrations", {"001_a.sql": "SELECT 0"})
    (folder / "002_b.sql").symlink_to(tmp_path / "elsewhere.txt")

    assert [parsed.name for parsed in read_catalogue(folder).migrations] == ["001_a", "002_b"]


def test_a_catalogue_may_be_read_by_a_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"m/001_a/up.sql": "SELECT 1"})
    monkeypatch.chdir(tmp_path)

    catalogue = read_catalogue(type(tmp_path)("m"))

    assert str(catalogue.migrations[0].path) == "m/001_a/up.sql"
    assert catalogue.position("001_a/up.sql") == 0

"""What the catalogue refuses: every file that does not read, with its line and what to write."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.errors import CatalogueError
from tests.core.cataloguing import complaints, write

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS = "write NAME.sql, NAME.py, or NAME.up.sql and NAME.down.sql"
START_HERE = "--bb-new=NAME writes the first migration; --bb-migrations=DIR names another folder"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"

    with pytest.raises(CatalogueError) as caught:
        read_catalogue(folder)

    assert str(caught.value) == f"{folder}: there is no such folder; {START_HERE}"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = write(tmp_path, {"migrations": ""}) / "migrations"

    with pytest.raises(CatalogueError) as caught:
        read_catalogue(file)

    message = "this is a file, not a folder of migrations"
    assert str(caught.value) == f"{file}: {message}; {START_HERE}"


def test_a_folder_without_a_migration_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, {"README.md": "", "__init__.py": "", "notes.txt": ""})

    with pytest.raises(CatalogueError) as caught:
        read_catalogue(folder)

    assert str(caught.value) == f"{folder}: there is no migration in this folder; {START_HERE}"


def test_a_link_that_goes_in_a_circle_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "migrations").symlink_to(tmp_path / "migrations")

    with pytest.raises(CatalogueError, match="it cannot be read"):
        read_catalogue(tmp_path / "migrations")


def test_links_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"001_a.sql": "SELECT 1"})
    (tmp_path / "002_b.sql").symlink_to(tmp_path / "002_b.sql")
    (tmp_path / "003_c").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)

    assert complaints(tmp_path, {}) == [
        (
            "002_b.sql: it cannot be read (Too many levels of symbolic links); "
            "make it readable to you, or move it out of the folder"
        ),
        (
            "003_c: it cannot be read (No such file or directory); "
            "make it readable to you, or move it out of the folder"
        ),
        (
            "loop: the folder holds neither up.sql nor migration.sql; "
            "write NAME/up.sql, or move the folder out of this one"
        ),
    ]


def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(tmp_path), "read_bytes", refuse)

    assert complaints(tmp_path, {"a.sql": "SELECT 1", "b.py": "", "c.up.sql": ""}) == [
        f"{name}: it cannot be read (Permission denied); "
        "make it readable to you, or move it out of the folder"
        for name in ("a.sql", "b.py", "c.up.sql")
    ]


def test_what_is_neither_a_file_nor_a_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "001_a.sql")

    assert complaints(tmp_path, {}) == [
        "001_a.sql: this is neither a file nor a folder; move it out of the folder"
    ]


def test_text_that_is_not_utf_8_is_refused_with_its_byte_and_line(tmp_path: Path) -> None:
    files = {
        "a.sql": b"\xef\xbb\xbf-- caf\xe9",
        "b.py": b"# one\n# caf\xe9\ndef up(db): db.x()",
        "c.sql": "SELECT 1".encode("utf-16"),
    }

    assert complaints(tmp_path, files) == [
        "a.sql:1: byte 9 of the file (0xe9) is not UTF-8; save the file as UTF-8",
        "b.py:2: byte 11 of the file (0xe9) is not UTF-8; save the file as UTF-8",
        "c.sql:1: byte 0 of the file (0xff) is not UTF-8; save the file as UTF-8",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "a.sql: the migration is still empty; write its statements, or delete the file"),
        (" ;\n", "a.sql: the migration is still empty; write its statements, or delete the file"),
        (
            "SELECT 1;\nSELECT 'abc",
            (
                "a.sql:2: a string that is not finished; "
                "close it with ' (a quote inside it is written '')"
            ),
        ),
        (
            "\n.read other.sql\nSELECT 1;",
            (
                "a.sql:2: '.read' is a command of the sqlite3 shell, not SQL; "
                "leave it out, or write in SQL what it is to do"
            ),
        ),
        (
            "SELECT 1;\n-- bb: changes t.c\n",
            (
                "a.sql:2: a directive after the first statement; "
                "move it above the first statement of the file, or of its up or down part"
            ),
        ),
        (
            "SELECT 1 -- depends: b\n",
            (
                "a.sql:1: a directive after the first statement; "
                "move it above the first statement of the file, or of its up or down part"
            ),
        ),
        (
            "\n-- bb: change t.c\nSELECT 1;",
            (
                "a.sql:2: 'bb: change' is not a directive; "
                "write `bb: changes t.c`, if that is what you mean"
            ),
        ),
        (
            "-- bb: irreversible\n-- bb: irreversible\nSELECT 1;",
            "a.sql:2: 'irreversible' was said before, on line 1; leave one of them out",
        ),
        (
            "-- bb: script\nSELECT 1;",
            "a.sql:1: only a Python file can be a script; leave the line out",
        ),
        (
            "-- bb: changes t.c where c = 'x\nSELECT 1;",
            (
                "a.sql:1: the expression 'c = 'x' does not read: a string that is not finished; "
                "write one SQL expression"
            ),
        ),
        (
            "-- bb: deletes t where 1; DROP TABLE t\nSELECT 1;",
            (
                "a.sql:1: the expression '1; DROP TABLE t' does not read: there is a ; in it; "
                "write one SQL expression"
            ),
        ),
        (
            "-- bb: derives t.c = :rate * c\nSELECT 1;",
            (
                "a.sql:1: the expression ':rate * c' does not read: nothing gives the parameter "
                ":rate a value; write one SQL expression"
            ),
        ),
        (
            "-- bb: requires t: a > 'x\nSELECT 1;",
            (
                "a.sql:1: the expression 'a > 'x' does not read: a string that is not finished; "
                "write one SQL expression"
            ),
        ),
        (
            "-- why\n-- no-transaction\nSELECT 1;",
            (
                "a.sql:2: `-- no-transaction` below the first line, where sqlx does not see it; "
                "put it on the first line, or write -- bb: no_transaction"
            ),
        ),
        (
            "-- atlas:delimiter \\n\\n\nSELECT 1;",
            (
                "a.sql:1: Atlas's delimiters are not supported; "
                "end each statement with ; and leave the line out"
            ),
        ),
    ],
)
def test_sql_that_does_not_read_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaints(tmp_path, {"a.sql": text}) == [complaint]


UP = "-- migrate:up\n"
DOWN = "-- migrate:down\n"
EMPTY = "write its statements below the marker, or a comment that says why there are none"
UNMATCHED = (
    "StatementBegin and StatementEnd do not match; "
    "write one `-- +goose StatementEnd` below each `-- +goose StatementBegin`"
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            f"{UP}\n{DOWN} ;",
            [f"a.sql:1: the up part of this migration is still empty; {EMPTY}"],
        ),
        (
            "-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementEnd",
            [f"a.sql:1: the up part of this migration is still empty; {EMPTY}"],
        ),
        (
            f"SELECT 0;\n{UP}SELECT 1;",
            ["a.sql:1: a statement above the marker of the up part; move it below the marker"],
        ),
        (
            f"\n{DOWN}SELECT 1;",
            [
                (
                    "a.sql:2: no marker says where the up part begins; "
                    "write `-- migrate:up` on a line above it"
                )
            ],
        ),
        (
            "-- +goose NO TRANSACTION\nSELECT 1;",
            [
                (
                    "a.sql: no marker says where the up part begins; "
                    "write `-- +goose Up` on a line above it"
                )
            ],
        ),
        (
            f"{DOWN}SELECT 1;\n{UP}SELECT 2;",
            ["a.sql:1: the down part comes first; put `-- migrate:up` above it"],
        ),
        (
            f"{UP}SELECT 1;\n{UP}SELECT 2;\n{DOWN}SELECT 3;\n{DOWN}",
            [
                "a.sql:3: the same marker a second time; leave one of them out",
                "a.sql:7: the same marker a second time; leave one of them out",
            ],
        ),
        (
            f"{UP}SELECT 1;\n-- migrate:dwon\nSELECT 2;",
            ["a.sql:3: 'migrate:dwon' is not a marker; write `-- migrate:up` or `-- migrate:down`"],
        ),
        (
            "-- migrate:up transaction:off\nSELECT 1;",
            [
                (
                    "a.sql:1: 'transaction:off' is not an option of a marker; "
                    "write `-- migrate:up transaction:false`, or nothing after the marker"
                )
            ],
        ),
        (
            f"{UP}SELECT 1;\n  -- migrate:down\nSELECT 2;",
            ["a.sql:3: a marker that does not begin its line; begin the line with --"],
        ),
        (
            f"{UP}SELECT 1; -- migrate:down\nSELECT 2;",
            ["a.sql:2: a marker that does not begin its line; begin the line with --"],
        ),
        (
            f"{UP}SELECT '\n{DOWN}';",
            ["a.sql:3: a marker inside a string or a comment; indent the line, or reword it"],
        ),
        (
            f"{UP}/*\n{DOWN}*/ SELECT 1;",
            ["a.sql:3: a marker inside a string or a comment; indent the line, or reword it"],
        ),
        (
            f"{UP}SELECT 'abc;\n",
            [
                (
                    "a.sql:2: a string that is not finished; "
                    "close it with ' (a quote inside it is written '')"
                )
            ],
        ),
        (
            f"{UP}SELECT 1;\n-- +goose Down\nSELECT 2;",
            [
                (
                    "a.sql:3: markers of two tools, of dbmate on line 1 and of goose here; "
                    "leave those of one tool"
                )
            ],
        ),
        (
            f"-- +goose Up\nSELECT 1;\n{DOWN}SELECT 2;",
            [
                (
                    "a.sql:3: markers of two tools, of goose on line 1 and of dbmate here; "
                    "leave those of one tool"
                )
            ],
        ),
        (
            "-- +goose Up\n-- +goose ENVSUB ON\nSELECT 1;",
            [
                (
                    "a.sql:2: goose's ENVSUB, which puts environment variables into the SQL, "
                    "is not supported; write the values themselves and leave the line out"
                )
            ],
        ),
        (
            "-- +goose Upp\nSELECT 1;",
            [
                (
                    "a.sql:1: '+goose upp' is not a marker; "
                    "write Up, Down, StatementBegin, StatementEnd or NO TRANSACTION after +goose"
                )
            ],
        ),
        (
            "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose Down\nSELECT 2;",
            [f"a.sql:2: {UNMATCHED}"],
        ),
        (
            "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;",
            [f"a.sql:2: {UNMATCHED}"],
        ),
        (
            "-- +goose Up\nSELECT 1;\n-- +goose StatementEnd\n",
            [f"a.sql:3: {UNMATCHED}"],
        ),
        (
            "-- +goose StatementEnd\n-- +goose Up\nSELECT 1;",
            [f"a.sql:1: {UNMATCHED}"],
        ),
    ],
)
def test_markers_that_another_tool_would_read_otherwise_are_refused(
    tmp_path: Path, text: str, found: list[str]
) -> None:
    assert complaints(tmp_path, {"a.sql": text}) == found


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            {"a.down.sql": "SELECT 1"},
            ["a.down.sql: a down file without its up file; write a.up.sql or a.sql beside it"],
        ),
        (
            {"a.rollback.sql": "SELECT 1", "a.up.sql": "SELECT 1"},
            ["a.rollback.sql: a down file without its up file; write a.sql beside it"],
        ),
        (
            {"1_a.down.sql": "SELECT 1", "1_a.dwon.sql": "SELECT 1", "1_b.upp.sql": "SELECT 1"},
            [
                f"1_a.dwon.sql: '.dwon.sql' is no ending of a migration; {ENDINGS}",
                f"1_b.upp.sql: '.upp.sql' is no ending of a migration; {ENDINGS}",
            ],
        ),
        (
            {"1_a.down.sql": "SELECT 1", "2_a.upp.sql": "SELECT 1"},
            [
                (
                    "1_a.down.sql: a down file without its up file; write 1_a.up.sql or 1_a.sql "
                    "beside it"
                ),
                f"2_a.upp.sql: '.upp.sql' is no ending of a migration; {ENDINGS}",
            ],
        ),
        (
            {"a/down.sql": "SELECT 1"},
            ["a/down.sql: a down file without its up file; write up.sql beside it"],
        ),
        (
            {"a.py": "def up(db): db.x()", "a.down.sql": "SELECT 1"},
            [
                (
                    "a.down.sql: a down file in SQL beside a Python migration; "
                    "write it as a function down(db) in a.py"
                )
            ],
        ),
        (
            {"a.sql": "SELECT 1", "a.down.sql": "SELECT 2", "a.rollback.sql": "SELECT 3"},
            ["a.sql: two down files, a.down.sql and a.rollback.sql; leave one of them"],
        ),
        (
            {"a.sql": "-- migrate:up\nSELECT 1", "a.down.sql": "SELECT 2"},
            [
                (
                    "a.down.sql: a down file beside a.sql, which has markers; "
                    "write it below the down marker of a.sql"
                )
            ],
        ),
        (
            {"a.sql": "-- +goose Up\nSELECT 1", "a.rollback.sql": "SELECT 2"},
            [
                (
                    "a.rollback.sql: a down file beside a.sql, which has markers; "
                    "write it below the down marker of a.sql"
                )
            ],
        ),
        (
            {"a.up.sql": "-- migrate:up\nSELECT 1", "a.down.sql": "SELECT 1\n-- +goose Down"},
            [
                (
                    "a.down.sql:2: a marker of goose in a file that is one part as a whole; "
                    "leave the marker out, or write both parts into NAME.sql"
                ),
                (
                    "a.up.sql:1: a marker of dbmate in a file that is one part as a whole; "
                    "leave the marker out, or write both parts into NAME.sql"
                ),
            ],
        ),
        (
            {"a.up.sql": "SELECT 'a", "a.down.sql": "SELECT [a"},
            [
                "a.down.sql:1: a name in [ that is not finished; close it with ]",
                (
                    "a.up.sql:1: a string that is not finished; "
                    "close it with ' (a quote inside it is written '')"
                ),
            ],
        ),
        (
            {"a.up.sql": "-- bb: foreign_keys on", "a.down.sql": "\n-- bb: foreign_keys off"},
            ["a.down.sql:2: 'foreign_keys off' contradicts line 1; leave one of them out"],
        ),
        (
            {"a/up.sql": "SELECT 1", "a/migration.sql": "SELECT 2"},
            ["a: both up.sql and migration.sql; leave one of them"],
        ),
        (
            {"a/up.sql": "SELECT 1", "a/dwon.sql": "SELECT 2"},
            [
                (
                    "a/dwon.sql: nothing reads this file; "
                    "name it up.sql or down.sql, or move it out of the folder"
                )
            ],
        ),
        (
            {"a/up.sql": "SELECT 1", "a/metadata.toml": "run_in_transaction = 0"},
            [
                (
                    "a/metadata.toml: settings that are not understood; "
                    "write run_in_transaction = true or false, and nothing else"
                )
            ],
        ),
        (
            {"a/up.sql": "SELECT 1", "a/metadata.toml": "run_in = true"},
            [
                (
                    "a/metadata.toml: settings that are not understood; "
                    "write run_in_transaction = true or false, and nothing else"
                )
            ],
        ),
        (
            {"a/up.sql": "SELECT 1", "a/metadata.toml": "="},
            [
                (
                    "a/metadata.toml: this is not TOML (Invalid statement (at line 1, column 1)); "
                    "write run_in_transaction = false"
                )
            ],
        ),
        (
            {"010a/up.sql": "SELECT 1"},
            [
                (
                    "010a: it cannot be told whether 010 is the migration's number; "
                    "write 010_a, or a name that begins with a letter"
                )
            ],
        ),
        (
            {"001_a/sql.up": ""},
            [
                (
                    "001_a: the folder holds neither up.sql nor migration.sql; "
                    "write NAME/up.sql, or move the folder out of this one"
                )
            ],
        ),
        (
            {"archive/001_a.SQL": ""},
            [
                (
                    "archive: the folder holds neither up.sql nor migration.sql; "
                    "write NAME/up.sql, or move the folder out of this one"
                )
            ],
        ),
    ],
)
def test_halves_that_do_not_belong_together_are_refused(
    tmp_path: Path, files: dict[str, str], found: list[str]
) -> None:
    assert complaints(tmp_path, files) == found


OTHER_ENDING = (
    "the name begins with a number, but no migration ends so; "
    "write NAME.sql or NAME.py, move the file elsewhere, or name it in bb_ignore"
)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("001_a.dwon.sql", f"'.dwon.sql' is no ending of a migration; {ENDINGS}"),
        ("001_a.dwon..sql", f"'.dwon..sql' is no ending of a migration; {ENDINGS}"),
        ("001_a.down.up..sql", f"'.down.up..sql' is no ending of a migration; {ENDINGS}"),
        ("001_a..py", f"'..py' is no ending of a migration; {ENDINGS}"),
        ("a.up.py", f"'.up.py' is no ending of a migration; {ENDINGS}"),
        ("_.sql.sql", f"'.sql.sql' is no ending of a migration; {ENDINGS}"),
        ("..up.sql", None),
        (" .sql", "the file has no name before its ending; write 001_NAME.sql"),
        (
            "010add.sql",
            (
                "it cannot be told whether 010 is the migration's number; "
                "write 010_add.sql, or a name that begins with a letter"
            ),
        ),
        (
            "2026-01-02T03_a.py",
            (
                "it cannot be told whether 2026-01-02 is the migration's number; "
                "write 2026-01-02_T03_a.py, or a name that begins with a letter"
            ),
        ),
        (
            "003[x].sql",
            (
                "it cannot be told whether 003 is the migration's number; "
                "write 003_[x].sql, or a name that begins with a letter"
            ),
        ),
        ("001_a.sq1", OTHER_ENDING),
        ("001_a", OTHER_ENDING),
        ("1a.txt", OTHER_ENDING),
    ],
)
def test_a_name_that_fits_no_form_is_refused(
    tmp_path: Path, name: str, complaint: str | None
) -> None:
    expected = [f"{name}: {complaint}"] if complaint else []
    folder = write(tmp_path, {name: "SELECT 1", "zz.sql": ""})  # an empty file is one problem more

    found = [problem for problem in complaints(folder, {}) if not problem.startswith("zz.sql")]

    assert found == expected


@pytest.mark.parametrize("up", ["001_a_up.sql", "001_a.sql", "001_A-UP.sql"])
@pytest.mark.parametrize("down", ["001_a_down", "001_a-rollback", "001_a_undo"])
def test_a_way_back_must_not_pass_for_a_migration(tmp_path: Path, up: str, down: str) -> None:
    found = complaints(tmp_path, {up: "SELECT 1", f"{down}.sql": "SELECT 2"})

    assert found == [
        (
            f"{down}.sql: a down file whose name makes it a migration of its own; "
            "write 001_a.down.sql, and 001_a.up.sql for the up part"
        )
    ]


def test_down_may_be_the_last_word_of_a_name(tmp_path: Path) -> None:
    folder = write(
        tmp_path, {"001_mark_down.sql": "SELECT 1", "002_slow_down.py": "def up(d): d()"}
    )

    names = [migration.name for migration in read_catalogue(folder).migrations]

    assert names == ["001_mark_down", "002_slow_down"]


NO_ENTRY_POINT = (
    "it has none of the functions that a migration has; "
    "write def up(db): and def down(db):, or def migrate(): if it opens the database by itself"
)
ALEMBIC = (
    "this is a migration of Alembic, which keeps an order and a history of its own; "
    "run it with `alembic upgrade head`, or write its steps as def up(db):"
)
DJANGO = (
    "this is a migration of Django, which keeps an order and a history of its own; "
    "run it with `python manage.py migrate`, or write its steps as def up(db):"
)
MISPLACED = (
    "a directive after the first statement; "
    "move it above the first statement of the file, or of its up or down part"
)
OUTSIDE = (
    "a directive outside the functions, each of which is a migration of its own; "
    "move it into the function that it is about, above its first statement"
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [f"a.py: {NO_ENTRY_POINT}"]),
        ("import os\nprint(os)", [f"a.py: {NO_ENTRY_POINT}"]),
        (
            "def up(db):\n    db.x(\n",
            ["a.py:2: Python cannot read it ('(' was never closed); correct the syntax"],
        ),
        ("x = 1\n\0", ["a.py:2: a NUL character; save the file as plain UTF-8 text"]),
        (
            "x = " + "-" * 100_000 + "1",
            ["a.py: it is nested too deeply for Python; write it flatter"],
        ),
        (
            "def up():\n    work()",
            [
                (
                    "a.py:1: up does not take the database, and nothing else, as its parameter; "
                    "write def up(db):"
                )
            ],
        ),
        (
            "def up(db): db.x()\ndef down(db, other): db.x()",
            [
                (
                    "a.py:2: down does not take the database, and nothing else, as its parameter; "
                    "write def down(db):"
                )
            ],
        ),
        (
            "def up(db, *, way): db.x()",
            [
                (
                    "a.py:1: up does not take the database, and nothing else, as its parameter; "
                    "write def up(db):"
                )
            ],
        ),
        (
            "async def up(db):\n    ...",
            [
                (
                    "a.py:1: the function up of this migration is still empty; "
                    "write what it does, or a comment that says why it does nothing"
                ),
            ],
        ),
        (
            "# why\ndef up(db):\n    pass\ndef down(db): ...",
            [
                (
                    "a.py:2: the function up of this migration is still empty; "
                    "write what it does, or a comment that says why it does nothing"
                ),
                (
                    "a.py:4: the function down of this migration is still empty; "
                    "write what it does, or a comment that says why it does nothing"
                ),
            ],
        ),
        (
            "def down(db): db.x()",
            ["a.py:1: a down part, down(db), and no up part; write def up(db): beside it"],
        ),
        (
            "def up(db): db.x()\ndef upgrade(db): db.x()",
            ["a.py:2: both up and upgrade for one part; leave one of them"],
        ),
        (
            "# bb: script\ndef up(db): db.x()",
            [
                (
                    "a.py: the line `bb: script` in a file that has up(db); "
                    "leave the line out, or give up another name"
                )
            ],
        ),
        (
            "if __name__ == '__main__':\n    work()",
            [
                (
                    "a.py: a program, and nothing says that it is a migration; "
                    "write `# bb: script` at its top if it is one, or move it out of the folder"
                )
            ],
        ),
        (
            "# bb: script\nif __name__ != '__main__':\n    work()\nif work():\n    pass",
            [
                (
                    "a.py: the line `bb: script`, and nothing to run; "
                    'write def migrate():, or an `if __name__ == "__main__":` block'
                )
            ],
        ),
        (
            "def migrate(path): work()",
            [
                (
                    "a.py:1: nothing calls migrate(), and it cannot be called without arguments; "
                    "write def up(db): if it takes the database, or def migrate(): if it opens it"
                )
            ],
        ),
        (
            "def migrate(*, path): work()",
            [
                (
                    "a.py:1: nothing calls migrate(), and it cannot be called without arguments; "
                    "write def up(db): if it takes the database, or def migrate(): if it opens it"
                )
            ],
        ),
        ("x = 1\n# bb: drops t\ndef up(db): db.x()", [f"a.py:2: {MISPLACED}"]),
        (
            (
                "def up(db):\n    db.x()  # bb: drops t\n    # depends: b\n"
                "# bb: drops t\ndef down(db):\n    db.x()"
            ),
            [f"a.py:{line}: {MISPLACED}" for line in (2, 3, 4)],
        ),
        ('def up(db):\n    """Do."""\n    # bb: drops t\n', [f"a.py:3: {MISPLACED}"]),
        (
            "def work():\n    # bb: drops t\n    pass\ndef up(db): db.x()",
            [f"a.py:2: {MISPLACED}"],
        ),
        (
            "import os\n# bb: drop t\n# bb: changes t\ndef up(db): db.x()",
            [
                (
                    "a.py:2: 'bb: drop' is not a directive; "
                    "write `bb: drops t`, if that is what you mean"
                ),
                (
                    "a.py:3: 'changes t' names a table, not a column; "
                    "write a dot after `t`, and behind it the column, for each of them"
                ),
            ],
        ),
        (
            "__depends__ = names()\ndef up(db): db.x()",
            [
                (
                    "a.py:1: what __depends__ holds cannot be told without running the file; "
                    'write __depends__ = {"NAME", "NAME"}'
                )
            ],
        ),
        (
            "__depends__ = {'b', 1}\ndef up(db): db.x()",
            [
                (
                    "a.py:1: what __depends__ holds cannot be told without running the file; "
                    'write __depends__ = {"NAME", "NAME"}'
                )
            ],
        ),
        (
            "__transactional__ = 0\ndef up(db): db.x()",
            [
                (
                    "a.py:1: what __transactional__ holds cannot be told without running the file; "
                    "write __transactional__ = False"
                )
            ],
        ),
        ("from alembic import op\ndef upgrade(): op.x()", [f"a.py: {ALEMBIC}"]),
        ("revision = 'a'\ndown_revision: str = 'b'", [f"a.py: {ALEMBIC}"]),
        (
            "from django.db import migrations\nclass Migration(migrations.Migration): pass",
            [f"a.py: {DJANGO}"],
        ),
        ("import django.db", [f"a.py: {DJANGO}"]),
        ("from alembic import op\nimport yoyo", [f"a.py: {ALEMBIC}"]),
        (
            "from yoyo import step",
            ['a.py: it imports yoyo\'s step, and has no step(..); write step("sql", "sql")'],
        ),
        (
            'from yoyo import step\nstep("""SELECT 1;\n-- bb: drops t""")',
            [f"a.py:3: {MISPLACED}"],
        ),
        (
            "from sqlite_utils import Migrations\nm = Migrations('x')",
            [
                (
                    "a.py: it imports Migrations of sqlite-utils, and there is no migration in it; "
                    "write a function below @NAME(), where NAME = Migrations(..)"
                )
            ],
        ),
        (
            "from sqlite_utils import Migrations\nm = Migrations('x')\nfor f in g(): m()(f)",
            [
                (
                    "a.py: which migrations this set has cannot be told without running the file; "
                    "write each as a function at the top of the file, below @NAME()"
                )
            ],
        ),
        (
            (
                "import sqlite_migrate\nfrom sqlite_migrate import Migrations\n"
                "m = Migrations('x')\n# bb: drops t\n@m(name=X)\ndef a(db): db.x()\n"
                "@m()\ndef b(): f()"
            ),
            [
                f"a.py:4: {OUTSIDE}",
                (
                    "a.py:5: what this migration is called cannot be told without running the "
                    'file; write @NAME(name="..", transactional=False) with values as they are'
                ),
                (
                    "a.py:8: b does not take the database, and nothing else, as its parameter; "
                    "write def b(db):"
                ),
            ],
        ),
    ],
)
def test_python_that_does_not_read_is_refused(tmp_path: Path, text: str, found: list[str]) -> None:
    assert complaints(tmp_path, {"a.py": text}) == found


def test_every_problem_of_a_folder_is_told_at_once(tmp_path: Path) -> None:
    files = {
        "001_a.sql": "SELECT 'x",
        "001_b.sql": "-- depends: 004_d nothing\nSELECT 1",
        "002_c.sql": "-- bb: change t\n-- bb: drops\nSELECT 1;\n-- bb: inserts t",
        "003_x.txt": "",
        "004_d.py": "def up(: pass",
    }

    places = [complaint.split(": ", 1)[0] for complaint in complaints(tmp_path, files)]

    assert places == [
        "001_a.sql",  # shares its number with 001_b
        "001_a.sql:1",
        "001_b.sql",  # depends on what is not there
        "002_c.sql:1",
        "002_c.sql:2",
        "002_c.sql:4",
        "003_x.txt",
        "004_d.py:1",
    ]

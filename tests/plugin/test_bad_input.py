from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plugin.sample import ACCOUNTS, UNFINISHED, in_short_summary, write_migrations

if TYPE_CHECKING:
    from pathlib import Path

NO_TRACEBACK = ("*Traceback (most recent call last)*", "*INTERNALERROR*")

FAULTS = [
    ("004_latin.sql", "-- Café\nSELECT 1;\n".encode("latin-1"), "004_latin.sql:1: *UTF-8*"),
    ("004_quote.sql", UNFINISHED.encode(), "004_quote.sql:1: *"),
    ("004_shell.sql", b"SELECT 1;\n.tables\n", "004_shell.sql:2: *"),
    (
        "004_typo.sql",
        b"-- bb: chnages accounts.name\nSELECT 1;\n",
        "004_typo.sql:1: 'bb: chnages' is not *",
    ),
    ("004_late.sql", b"SELECT 1;\n-- bb: inserts accounts\n", "004_late.sql:2: *"),
    ("004_syntax.py", b"def up(db)\n    pass\n", "004_syntax.py:1: *"),
    ("004_entry.py", b"def forward(db):\n    pass\n", "004_entry.py*"),
    ("004_empty.sql", b"", "004_empty.sql*"),
    ("002_twice.sql", b"SELECT 1;\n", "002_*"),
    ("004_needs.sql", b"-- depends: 000_gone\nSELECT 1;\n", "004_needs.sql*000_gone*"),
    ("004_itself.sql", b"-- depends: 004_itself\nSELECT 1;\n", "004_itself.sql*"),
    ("004_what.sqll", b"SELECT 1;\n", "004_what.sqll*"),
]


def spoil(project: pytest.Pytester, name: str, content: bytes) -> Path:
    """Write the sound migrations and one that does not read."""
    folder = write_migrations(project)
    (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(("name", "content", "message"), FAULTS, ids=[name for name, *_ in FAULTS])
def test_a_file_that_does_not_read_fails_the_catalogue(
    project: pytest.Pytester, name: str, content: bytes, message: str
) -> None:
    spoil(project, name, content)

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"migrations/{message}",
            "*remedy *",
            "*rerun *pytest migrations::catalogue_reads",
            in_short_summary("migrations::catalogue_reads", f"migrations/{message}"),
        ]
    )
    for line in NO_TRACEBACK:
        result.stdout.no_fnmatch_line(line)


@pytest.mark.parametrize("named", ["004_quote.sql", "001_accounts.sql"])
@pytest.mark.parametrize("check", ["", "::up_applies"])
def test_one_file_of_a_folder_that_does_not_read_is_a_clear_error(
    project: pytest.Pytester, named: str, check: str
) -> None:
    spoil(project, "004_quote.sql", UNFINISHED.encode())

    result = project.runpytest(f"migrations/{named}{check}")

    assert result.ret in {pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR}
    result.stdout.fnmatch_lines(
        [
            f"*ERROR collecting migrations/{named}*",
            "migrations/004_quote.sql:1: *",
            "*rerun *pytest migrations::catalogue_reads",
        ]
    )
    result.stdout.no_fnmatch_line("*.py:*")


def test_dependencies_in_a_circle_fail_the_catalogue(project: pytest.Pytester) -> None:
    write_migrations(
        project,
        _004_hen__sql="-- depends: 005_egg\nSELECT 1;\n",
        _005_egg__sql="-- depends: 004_hen\nSELECT 1;\n",
    )

    result = project.runpytest("--bb-check-migrations")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*: 004_hen.sql and 005_egg.sql wait for one another"])


def test_every_fault_of_a_folder_is_told_at_once(project: pytest.Pytester) -> None:
    folder = spoil(project, "004_quote.sql", UNFINISHED.encode())
    (folder / "005_typo.sql").write_text("-- bb: chnages accounts.name\nSELECT 1;\n")

    result = project.runpytest("migrations::catalogue_reads")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "migrations/004_quote.sql:1: * (and 1 more)",
            "*where *migrations/004_quote.sql:1",
            "*where *migrations/005_typo.sql:1",
        ]
    )


def test_a_contract_that_names_nothing_fails_the_catalogue(project: pytest.Pytester) -> None:
    write_migrations(project, _004_typo__sql="-- bb: changes account.name\nSELECT 1;\n")

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "there is no * account.name, *",
            "*where *migrations/004_typo.sql:1",
        ]
    )


def test_a_file_that_may_not_be_read_fails_the_catalogue(project: pytest.Pytester) -> None:
    folder = write_migrations(project)
    (folder / "004_gone.sql").symlink_to(folder / "nowhere.sql")

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["migrations/004_gone.sql*"])


def test_an_empty_folder_that_was_named_fails_the_catalogue(project: pytest.Pytester) -> None:
    project.mkdir("migrations")

    result = project.runpytest("migrations")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*migrations*"])


def test_a_file_in_place_of_the_folder_is_a_usage_error(project: pytest.Pytester) -> None:
    (project.path / "migrations").write_text(ACCOUNTS)

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: the migration folder */migrations is a file; name *"])


def test_a_python_migration_that_cannot_be_imported_fails_its_check(
    project: pytest.Pytester,
) -> None:
    write_migrations(
        project,
        _004_imports__py="import nothing_there\n\n\ndef up(db):\n    nothing_there.go(db)\n",
    )

    result = project.runpytest("migrations/004_imports.py::up_applies")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*nothing_there*"])
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize("command", ["--bb-check-migrations", "--bb-status", "--bb-apply"])
def test_an_order_that_nothing_tells_ends_the_session(
    project: pytest.Pytester, command: str
) -> None:
    folder = project.mkdir("migrations")
    for name in ("version_1", "version_2", "version_10"):
        (folder / f"{name}.sql").write_text("SELECT 1;")

    result = project.runpytest(command)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    listed = "*(version_1.sql, version_10.sql, version_2.sql), for*"
    result.stderr.fnmatch_lines([f"ERROR: it is not known in which order{listed}bb_order = FILE"])

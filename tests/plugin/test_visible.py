"""Names and messages with orders to the terminal in them are shown, and never obeyed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.depth import every

if TYPE_CHECKING:
    from pathlib import Path

ACTS = "\x1b]0;owned\x07\x9b\u202e"
SHOWN = r"\x1b]0;owned\x07\x9b\u202e"
TABLE, COLUMN = f"t{ACTS}", f"c{ACTS}"
FIRST = f"""\
-- Migration: First {ACTS}
CREATE TABLE "{TABLE}" (id INTEGER PRIMARY KEY, "{COLUMN}" TEXT NOT NULL);
"""
SPOILS = f"""\
-- Migration: Spoils {ACTS}
-- bb: irreversible because {ACTS}
UPDATE "{TABLE}" SET "{COLUMN}" = "{COLUMN}" || '{ACTS}';
CREATE TABLE "{TABLE}" (x);
"""
CHANGES = f"""\
UPDATE "{TABLE}" SET "{COLUMN}" = "{COLUMN}" || '{ACTS}';
"""
RAISES = f"""\
def up(db):
    print({ACTS!r})
    raise ValueError({ACTS!r})
"""
MENTIONS = f"-- bb: deletes {TABLE}x{ACTS}\nSELECT 1;\n"


def write(project: pytest.Pytester, folder: str = "migrations", **files: str) -> Path:
    path = project.path / folder
    path.mkdir(exist_ok=True)
    for name, text in files.items():
        stem, _, suffix = name.removeprefix("m").rpartition("_")
        (path / f"{stem}_{ACTS}.{suffix}").write_text(text, encoding="utf-8")
    return path


def assert_harmless(text: str) -> None:
    assert SHOWN in text
    assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e"}


def output_of(result: pytest.RunResult) -> str:
    return f"{result.stdout.str()}\n{result.stderr.str()}"


@pytest.mark.parametrize("verbosity", every(2, ["-v", "-q"]))
@pytest.mark.parametrize(
    "broken",
    [{"m002_sql": SPOILS}, {"m002_sql": CHANGES}, {"m002_py": RAISES}, {"m002_sql": MENTIONS}],
    ids=["does not run", "changes values", "raises", "mentions"],
)
def test_checks(project: pytest.Pytester, broken: dict[str, str], verbosity: str) -> None:
    write(project, m001_sql=FIRST, **broken)

    result = project.runpytest("--bb-check-migrations", verbosity, "--junitxml=report.xml")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert_harmless(output_of(result))
    assert_harmless((project.path / "report.xml").read_text(encoding="utf-8"))


def test_collecting(project: pytest.Pytester) -> None:
    write(project, m001_sql=FIRST)

    result = project.runpytest("--bb-check-migrations", "--collect-only")

    assert_harmless(output_of(result))


def test_one_check_is_found_by_the_name_of_its_file(project: pytest.Pytester) -> None:
    folder = write(project, m001_sql=FIRST)
    (file,) = folder.iterdir()

    result = project.runpytest(f"{file}::up_applies", "-v")

    result.assert_outcomes(passed=1)
    assert_harmless(output_of(result))


def test_a_folder_that_does_not_read(project: pytest.Pytester) -> None:
    folder = write(project, m001_sql=FIRST, m002_sql=f"-- bb: devours {ACTS}\nSELECT 1;\n")

    result = project.runpytest("--bb-check-migrations")
    named = project.runpytest(str(sorted(folder.iterdir())[0]))

    assert_harmless(output_of(result))
    assert_harmless("".join(line for line in output_of(named).splitlines()))


def test_two_names_that_look_alike_when_shown_are_one_too_many(project: pytest.Pytester) -> None:
    folder = write(project, m001_sql=FIRST)
    (folder / f"001_{SHOWN}.sql").write_text("SELECT 1;\n")

    result = project.runpytest("--bb-check-migrations")

    result.stdout.fnmatch_lines(["*have the same name*"])


def test_an_apply_and_the_commands(project: pytest.Pytester) -> None:
    write(project, m001_sql=FIRST)
    database = project.path / f"money{ACTS}.db"
    option = f"--bb-db={database}"

    first = project.runpytest("--bb-apply", "--bb-create", "-v", option, "--junitxml=report.xml")
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(f'INSERT INTO "{TABLE}" ("{COLUMN}") VALUES (?)', [ACTS])
    write(project, m002_sql=f"{SPOILS}")
    status = project.runpytest("--bb-status", "-v", option)
    second = project.runpytest("--bb-apply", "--bb-show-values", option)
    backup = project.runpytest("--bb-backup", option)
    restore = project.runpytest("--bb-restore", option)
    missing = project.runpytest("--bb-backup", f"--bb-db={database}x")

    assert first.ret == pytest.ExitCode.OK
    assert status.ret == backup.ret == restore.ret == pytest.ExitCode.OK
    assert second.ret == pytest.ExitCode.TESTS_FAILED
    assert missing.ret == pytest.ExitCode.USAGE_ERROR
    for result in (first, status, second, backup, restore, missing):
        assert_harmless(output_of(result))
    assert_harmless((project.path / "report.xml").read_text(encoding="utf-8"))


def test_a_wrong_setting(project: pytest.Pytester) -> None:
    write(project, m001_sql=FIRST)

    by_flag = project.runpytest("--bb-check-migrations", f"--bb-migrations=no{ACTS}")
    by_name = project.runpytest("--bb-apply", f"--bb-to=no{ACTS}")

    assert by_flag.ret == by_name.ret == pytest.ExitCode.USAGE_ERROR
    assert_harmless(by_flag.stderr.str())
    assert_harmless(by_name.stderr.str())


def test_what_the_fixtures_say(project: pytest.Pytester) -> None:
    write(project, m001_sql=FIRST, m002_py=RAISES)
    project.makepyfile(
        f"""
        import pytest
        from pytest_bbmigrate import assert_preserved

        def test_preserved(bb_at, bb_snapshot):
            db = bb_at("001_" + {ACTS!r})
            before = bb_snapshot(db)
            db.conn.execute('DELETE FROM "t' + {ACTS!r} + '"')
            db.conn.commit()
            assert_preserved(before, db)

        @pytest.mark.bb_migration("002_" + {ACTS!r})
        def test_up(bb_migration):
            bb_migration.up()

        @pytest.mark.bb_migration("003_" + {ACTS!r})
        def test_unknown(bb_migration):
            pass
        """
    )

    result = project.runpytest("--tb=line")

    result.assert_outcomes(failed=2, errors=1)
    assert_harmless(output_of(result))

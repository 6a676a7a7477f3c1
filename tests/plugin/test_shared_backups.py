"""Backups that databases share, and that rot, as a user of the commands meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plugin.real_database import ask, litter, names, run_sql, write_steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACCOUNTS = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
OWNER = "ALTER TABLE accounts ADD COLUMN owner TEXT;\n"
DATABASE = "budget_buddy.db"
# What another program does to the backup in the smoke step.
ROTS = """\
import pathlib
import pytest

@pytest.mark.bb_smoke
def test_app(bb_head_path):
    (backup,) = pathlib.Path({folder!r}).glob("budget_buddy.db.backup.*")
    content = bytearray(backup.read_bytes())
    content[content.index(b"Harbour")] ^= 1
    backup.write_bytes(content)
"""


def make_two(project: pytest.Pytester) -> None:
    """Make two databases of one file name, a migration applied and a row in each."""
    write_steps(project, ACCOUNTS)
    (project.path / "backups").mkdir()
    for name in ("one", "other"):
        (project.path / name).mkdir()
        result = project.runpytest("--bb-apply", "--bb-create", f"--bb-db={name}/{DATABASE}")
        assert result.ret == pytest.ExitCode.OK, result.outlines
        run_sql(
            project.path / name / DATABASE, f"INSERT INTO accounts VALUES (1, '{name} Harbour')"
        )
    write_steps(project, ACCOUNTS, OWNER)


@pytest.fixture
def folder(project: pytest.Pytester, made_once: Callable[..., None]) -> Path:
    """Return the folder for the backups of both."""
    made_once(make_two)
    return project.path / "backups"


def run(project: pytest.Pytester, database: str, *arguments: str) -> pytest.RunResult:
    return project.runpytest(
        f"--bb-db={database}/{DATABASE}", "--bb-backup-dir=backups", *arguments
    )


def test_a_restore_takes_the_database_s_own_backup(project: pytest.Pytester, folder: Path) -> None:
    for name in ("one", "other"):
        assert run(project, name, "--bb-apply").ret == pytest.ExitCode.OK
    theirs = max(folder.glob(f"{DATABASE}.backup.*"))

    restored = run(project, "one", "--bb-restore")
    refused = run(project, "one", f"--bb-restore={theirs.name}")

    one = project.path / "one" / DATABASE
    assert restored.ret == pytest.ExitCode.OK
    assert ask(one, "SELECT * FROM accounts") == [(1, "one Harbour")]
    assert refused.ret == pytest.ExitCode.TESTS_FAILED
    refused.stderr.fnmatch_lines(
        ["ERROR: *: a backup of another database, */other/budget_buddy.db*"]
    )
    assert ask(one, "SELECT * FROM accounts") == [(1, "one Harbour")]


def test_an_apply_whose_backup_rots_publishes_nothing_and_names_no_way_back(
    project: pytest.Pytester, folder: Path
) -> None:
    project.makepyfile(test_app=ROTS.format(folder=str(folder)))

    applied = run(project, "one", "--bb-apply")
    status = run(project, "one", "--bb-status")

    one = project.path / "one" / DATABASE
    (backup,) = folder.glob(f"{DATABASE}.backup.*")
    assert applied.ret == pytest.ExitCode.TESTS_FAILED
    applied.stdout.fnmatch_lines([f"*{backup}: it is not what it was when it was made (*"])
    assert not any("--bb-restore" in line or line.startswith("undo") for line in applied.outlines)
    assert names(one) == ["001_step"]
    assert status.ret == pytest.ExitCode.OK
    status.stdout.fnmatch_lines([f"problem: {backup}: it is not what it was when it was made (*"])
    assert run(project, "one", f"--bb-restore={backup.name}").ret == pytest.ExitCode.TESTS_FAILED
    assert ask(one, "SELECT * FROM accounts") == [(1, "one Harbour")]


def test_the_history_has_the_digest_of_each_backup(project: pytest.Pytester, folder: Path) -> None:
    applied = run(project, "one", "--bb-apply")
    status = run(project, "one", "--bb-status")

    (backup,) = folder.glob(f"{DATABASE}.backup.*")
    assert applied.ret == pytest.ExitCode.OK
    ((known,),) = ask(project.path / "one" / DATABASE, "SELECT digests FROM _bb_database")
    assert backup.name in known
    assert "problem" not in status.stdout.str()
    assert [path.name for path in folder.iterdir() if path != backup] == [f".{backup.name}.json"]
    assert "one" in litter(project)

"""What has become of the migrations that a commit has, as git and their checksums tell it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import NO_RULES, ReadingRules, read_catalogue
from pytest_bbmigrate.catalogue.since import Past, past_since
from pytest_bbmigrate.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "001_a.sql": "CREATE TABLE a (id INTEGER);",
    "002_b.sql": "CREATE TABLE b (id INTEGER);",
    "003_c.sql": "CREATE TABLE c (id INTEGER);",
}


class Repository:
    """A repository with a folder of migrations below its top."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.folder = top / "db" / "migrations"
        self.folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> None:
        """Run git there, as somebody."""
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", *who, *arguments], cwd=self.top, check=True, capture_output=True)

    def write(self, **files: str | None) -> None:
        """Write files, by their names with __ for the dot; None deletes one."""
        for name, text in files.items():
            path = self.folder / name.lstrip("_").replace("__", ".")
            path.unlink() if text is None else path.write_bytes(text.encode())

    def commit(self, subject: str) -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", subject)

    def since(self, ref: str, rules: ReadingRules = NO_RULES) -> Past:
        """Return what is past at ``ref``."""
        return past_since(ref, read_catalogue(self.folder, rules=rules), rules)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "project")
    for name, text in FILES.items():
        (made.folder / name).write_text(text)
    made.commit("First ones")
    made.git("tag", "v1")
    return made


def told(past: Past) -> list[tuple[str, str, str]]:
    """Return each change as (migration, what, subject of the commit)."""
    return [
        (change.migration, change.what, change.commit.partition(" ")[2]) for change in past.changes
    ]


def test_what_the_commit_has_is_past(repository: Repository) -> None:
    repository.write(_004_d__sql="SELECT 4;")

    past = repository.since("v1")

    assert past == Past(frozenset({"001_a", "002_b", "003_c"}), "--bb-since=v1", "v1")


def test_comments_and_line_ends_are_no_change(repository: Repository) -> None:
    repository.write(_001_a__sql="-- bb: irreversible\r\nCREATE TABLE a\r\n(id INTEGER);\r\n")

    past = repository.since("v1")

    assert (len(past.names), past.changes) == (3, ())


def test_what_was_edited_renamed_or_deleted_is_told_with_its_commit(repository: Repository) -> None:
    repository.write(_001_a__sql="CREATE TABLE aa (id INTEGER);")
    repository.commit("Call it aa")
    repository.write(_002_b__sql=None, _004_b__sql=FILES["002_b.sql"])
    repository.commit("Renumber b")
    repository.write(_003_c__sql=None)

    past = repository.since("v1")

    assert told(past) == [
        ("001_a", "edited", "(Call it aa)"),
        ("002_b", "renamed", "(Renumber b)"),
        ("003_c", "deleted", ""),
    ]
    assert past.changes[1].renamed == "004_b"
    assert past.changes[2].path == repository.folder / "003_c.sql"
    assert past.names == frozenset()


def test_what_a_branch_got_after_they_parted_is_not_deleted_here(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "topic")
    repository.write(_004_d__sql="SELECT 4;")
    repository.commit("Mine")
    repository.git("checkout", "-q", "main")
    repository.write(_005_e__sql="SELECT 5;")
    repository.commit("Theirs")
    repository.git("checkout", "-q", "topic")

    past = repository.since("main")

    assert (past.changes, len(past.names)) == ((), 3)


def test_nothing_is_past_where_the_folder_was_not_there_yet(repository: Repository) -> None:
    other = repository.top / "other"
    other.mkdir()
    (other / "001_x.sql").write_text("SELECT 1;")

    assert past_since("v1", read_catalogue(other), NO_RULES) == Past(says="--bb-since=v1", ref="v1")


def test_the_order_is_read_as_it_was(repository: Repository) -> None:
    order = repository.top / "order.txt"
    order.write_text("003_c\n001_a\n002_b\n")
    repository.commit("Order")
    order.write_text("004_d\n003_c\n001_a\n002_b\n")
    repository.write(_004_d__sql="SELECT 4;")
    rules = ReadingRules(order_file=order, order=tuple(order.read_text().splitlines()))

    assert len(repository.since("main", rules).names) == 3


def test_a_folder_that_did_not_read_is_told(repository: Repository) -> None:
    repository.write(_001_a__sql="CREATE TABLE a (x TEXT DEFAULT 'never closed);")
    repository.commit("Broken")
    repository.write(_001_a__sql=FILES["001_a.sql"])

    with pytest.raises(SettingsError, match=r"does not read as it was there \(001_a.sql:1: .*\);"):
        repository.since("main")


@pytest.mark.parametrize("ref", ["nowhere", "--all", "", "v1:db"])
def test_a_commit_that_git_does_not_know_is_told(repository: Repository, ref: str) -> None:
    with pytest.raises(SettingsError, match=f"git knows no commit '{ref}' here"):
        repository.since(ref)


def test_a_folder_in_no_repository_is_told(tmp_path: Path) -> None:
    (tmp_path / "001_a.sql").write_text("SELECT 1;")

    with pytest.raises(SettingsError, match="is in no git repository"):
        past_since("v1", read_catalogue(tmp_path), NO_RULES)


def test_that_there_is_no_git_is_told(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository.folder))

    with pytest.raises(SettingsError, match="git is wanted, and there is none on PATH"):
        repository.since("v1")


def test_a_hook_of_gits_has_it_look_nowhere_else(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", ".git")  # of the top, from where hooks run

    assert len(repository.since("v1").names) == 3

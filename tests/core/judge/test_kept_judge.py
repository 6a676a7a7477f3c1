"""What was found is taken by the next run where nothing has changed that it rests on."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.judge.kept_judge import states_to_keep
from pytest_bbmigrate.settings import Settings
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS
from tests.cases import Case, read_cases
from tests.core.keeping import NAMES, Ran, entries_in, run, write_project
from tests.depth import every

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_bbmigrate.kept.entries import Entries

EVERYTHING = {("", CATALOGUE_CHECK), *((name, check) for name in NAMES for check in CHECKS)}
SOME_CASES = read_cases()[::60]


def write(path: str, text: str) -> Callable[[Settings], Settings]:
    """Return the edit that writes a file."""

    def edit(settings: Settings) -> Settings:
        (settings.root / path).write_text(text)
        return settings

    return edit


def put(path: str, old: str, new: str) -> Callable[[Settings], Settings]:
    """Return the edit that puts ``new`` in the place of ``old`` in a file."""

    def edit(settings: Settings) -> Settings:
        before = (settings.root / path).read_text()
        assert old in before
        (settings.root / path).write_text(before.replace(old, new))
        return settings

    return edit


def renamed(settings: Settings) -> Settings:
    folder = settings.migrations
    (folder / "050_trim.sql").rename(folder / "050_cut.sql")
    return put("contracts.toml", "050_trim", "050_cut")(settings)


def without_down(settings: Settings) -> Settings:
    return write("migrations/020_kind.sql", "ALTER TABLE accounts ADD COLUMN kind TEXT;\n")(
        settings
    )


def with_settings(**changed: object) -> Callable[[Settings], Settings]:
    return lambda settings: replace(settings, **changed)  # type: ignore[arg-type]


# The edit, and how many of the migrations keep their verdicts.
EDITS: dict[str, tuple[Callable[[Settings], Settings], int]] = {
    "last": (put("migrations/060_budgets.sql", "KEY)", "KEY, month TEXT)"), 5),
    "last, which now fails": (
        write("migrations/060_budgets.sql", "UPDATE accounts SET name = 'x' WHERE id % 2;\n"),
        0,  # it sets what no row before may have
    ),
    "last, which does not run": (write("migrations/060_budgets.sql", "DROP TABLE nope;\n"), 5),
    "first": (put("migrations/010_accounts.sql", "body TEXT", "body TEXT NOT NULL"), 0),
    "middle": (put("migrations/040_funds.py", "def up(db)", "def up(db: object)"), 3),
    "helper": (write("migrations/_words.py", "FUNDS = 'sinking_funds'\n"), 3),
    "contract": (put("contracts.toml", ', "irreversible because it is gone"', ""), 4),
    "inserted": (write("migrations/035_new.sql", "CREATE TABLE new (id INTEGER);\n"), 3),
    "added": (write("migrations/070_new.sql", "CREATE TABLE new (id INTEGER);\n"), 6),
    "renamed": (renamed, 4),
    "without its down": (without_down, 1),
    "base": (put("base.sql", "value TEXT", "value BLOB"), 0),
    "rows": (with_settings(rows=31), 0),
    "strict": (with_settings(strict=True), 0),
    "literals in Python": (put("migrations/040_funds.py", "goal INTEGER", "goal REAL"), 0),
    "comment": (put("migrations/060_budgets.sql", "-- migrate:down", "-- migrate:down\n-- x"), 5),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path, Ran]:
    """Return a project, what a run on it has kept, and what that has answered."""
    settings = write_project(tmp_path_factory.mktemp("filled"))
    folder = settings.root / "kept"
    return settings, folder, run(settings, entries_in(folder))


@pytest.fixture
def project(filled: tuple[Settings, Path, Ran], tmp_path: Path) -> tuple[Settings, Entries]:
    """Return the project that ``filled`` has, as it was then, and a copy of what was kept."""
    settings, folder, _ = filled
    shutil.rmtree(settings.migrations)
    shutil.copytree(folder, tmp_path / "kept")
    return write_project(settings.root), entries_in(tmp_path / "kept")


@pytest.mark.parametrize("name", every(2, EDITS))
def test_after_an_edit_the_same_is_said_as_without_anything_kept(
    name: str, project: tuple[Settings, Entries]
) -> None:
    (settings, entries), (edit, kept) = project, EDITS[name]
    settings = edit(settings)

    again = run(settings, entries)

    assert again.answers == run(settings, None).answers
    assert {each for each, _ in again.cached} - {""} == set(NAMES[:kept])


def test_nothing_is_asked_again_where_nothing_has_changed(
    filled: tuple[Settings, Path, Ran], project: tuple[Settings, Entries]
) -> None:
    second = run(*project)

    assert filled[2].cached == set()
    assert second.cached == EVERYTHING
    assert second.answers == filled[2].answers == run(project[0], None).answers


def test_the_chain_goes_on_from_the_last_state_before_the_change(
    project: tuple[Settings, Entries],
) -> None:
    put("migrations/060_budgets.sql", "KEY)", "KEY, month TEXT)")(project[0])

    assert run(*project).resumed == len(NAMES) - 1


def test_a_failure_is_tried_anew_and_what_comes_after_what_did_not_run(tmp_path: Path) -> None:
    entries = entries_in(tmp_path / "kept")
    settings = write_project(tmp_path / "project")
    write("migrations/020_kind.sql", "ALTER TABLE accounts ADD kind TEXT;\nDELETE FROM notes;\n")(
        settings
    )
    write("migrations/045_one.sql", "CREATE UNIQUE INDEX one ON accounts (kind, length(name));")(
        settings
    )
    run(settings, entries)

    again = run(settings, entries)

    names = {name for name, _ in again.cached}
    assert names == {"", "010_accounts", "030_going_out", "040_funds"}
    assert again.answers == run(settings, None).answers


def test_what_some_checks_have_found_is_kept_beside_what_others_do(tmp_path: Path) -> None:
    entries = entries_in(tmp_path / "kept")
    settings = write_project(tmp_path / "project")
    run(settings, entries, names=CHECKS[:2])

    assert len(run(settings, entries, names=CHECKS[2:]).cached) == 1  # that of the folder
    assert run(settings, entries).cached == EVERYTHING


def test_a_base_that_was_written_meanwhile_has_nothing_kept(tmp_path: Path) -> None:
    entries = entries_in(tmp_path / "kept")
    settings = write_project(tmp_path / "project")
    assert settings.base is not None
    far = 2**33
    os.utime(settings.base, (far, far))

    run(settings, entries)

    assert run(settings, entries).cached == set()


@pytest.mark.parametrize("case", SOME_CASES, ids=lambda case: str(case.name))
def test_any_folder_is_judged_the_same_again(case: Case, tmp_path: Path) -> None:
    shutil.copytree(case.folder, tmp_path / "project")
    base = tmp_path / "project" / "base.sql"
    settings = Settings(
        root=tmp_path / "project",
        migrations=tmp_path / "project" / "migrations",
        database=tmp_path / "project" / "budget_buddy.db",
        rows=case.rows,
        strict=case.strict,
        invariants=case.invariants,
        runs_as=case.runs_as,
        base=base if base.exists() else None,
    )
    entries = entries_in(tmp_path / "kept")
    first = run(settings, entries)

    again = run(settings, entries)

    assert again.answers == first.answers


def test_states_are_kept_the_further_apart_the_further_back() -> None:
    assert states_to_keep(0) == []
    assert states_to_keep(1) == [1]
    assert states_to_keep(6) == [6, 5, 4, 2]
    assert states_to_keep(200) == [200, 199, 198, 196, 192, 184, 168, 136, 72]

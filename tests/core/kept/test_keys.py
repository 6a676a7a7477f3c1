"""A key is another as soon as anything is that a verdict rests on."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.kept import surroundings
from pytest_bbmigrate.kept.keys import NO_MATTER, Keys, keys_of, settings_that_matter
from pytest_bbmigrate.project import read_project
from pytest_bbmigrate.settings import Settings
from tests.core.keeping import NAMES, write_project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_project(tmp_path)


def keys(settings: Settings) -> Keys:
    return keys_of(read_project(settings), shows_errors=True)


def all_of(found: Keys) -> set[str | None]:
    return {*found.states, *found.verdicts, found.folder}


def test_each_key_is_its_own_and_the_same_in_the_next_run(settings: Settings) -> None:
    first = keys(settings)

    assert len(all_of(first)) == 2 * len(NAMES) + 2
    assert None not in all_of(first)
    assert keys(settings) == first


def test_every_setting_counts_but_those_that_are_named(settings: Settings) -> None:
    names = {field.name for field in dataclasses.fields(Settings)}

    assert names >= NO_MATTER
    assert settings_that_matter(settings).keys() == names - NO_MATTER


@pytest.mark.parametrize(
    "changed",
    [
        {"rows": 31},
        {"seed": 7},
        {"strict": True},
        {"zone": "UTC"},
        {"seconds": 5},
        {"memory": 1 << 30},
        {"foreign_keys": True},
        {"runs_as": "goose"},
        {"ignore": ("*.txt",)},
        {"placeholders": (("a", "b"),)},
        {"invariants": ()},
        {"base": None},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_setting_changes_every_key(settings: Settings, changed: dict[str, object]) -> None:
    other = replace(settings, **changed)  # type: ignore[arg-type]

    assert not all_of(keys(settings)) & all_of(keys(other))


@pytest.mark.parametrize(
    "part", ["source_of_ours", "sqlite_build", "metadata_of", "variables", "sys.version"]
)
def test_other_surroundings_change_every_key(
    settings: Settings, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keys(settings)

    if part == "sys.version":
        monkeypatch.setattr("sys.version", "3.99")
    else:
        monkeypatch.setattr(surroundings, part, lambda *_: ("other",))

    assert not all_of(first) & all_of(keys(settings))


def test_whether_the_kernel_confines_what_runs_counts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keys(settings)
    monkeypatch.setattr("pytest_bbmigrate.sandbox.landlock.abi_version", lambda: 99)

    assert not all_of(first) & all_of(keys(settings))


def test_a_file_counts_from_its_migration_on(settings: Settings) -> None:
    first = keys(settings)
    (settings.migrations / "_words.py").write_text("FUNDS = 'other'\n")
    second = keys(settings)

    same = [old == new for old, new in zip(first.verdicts, second.verdicts, strict=True)]
    assert same == [True, True, True, False, False, False]
    assert [a == b for a, b in zip(first.states, second.states, strict=True)] == [True, *same]
    assert first.folder != second.folder


def test_what_a_later_file_asks_of_rows_counts_from_the_first_on(settings: Settings) -> None:
    first = keys(settings)
    path = settings.migrations / "060_budgets.sql"
    path.write_text("-- bb: requires unique accounts(name)\n" + path.read_text())

    assert not all_of(first) & all_of(keys(settings))


def test_what_calls_the_clock_has_another_key_on_another_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(tmp_path, tmp_path / "migrations", tmp_path / "budget_buddy.db")
    settings.migrations.mkdir()
    (settings.migrations / "1_a.sql").write_text("CREATE TABLE a (id INTEGER PRIMARY KEY);")
    (settings.migrations / "2_b.sql").write_text("CREATE TABLE b AS SELECT date('now') AS day;")
    (settings.migrations / "3_c.sql").write_text("CREATE TABLE c (id INTEGER PRIMARY KEY);")
    today = keys(settings)
    monkeypatch.setattr("time.strftime", lambda *_: "2030-01-01")
    later = keys(settings)

    assert today.verdicts[0] == later.verdicts[0]
    assert not {*today.verdicts[1:]} & {*later.verdicts[1:]}


def test_after_what_is_not_certain_there_is_no_key(settings: Settings) -> None:
    path = settings.migrations / "030_going_out.sql"
    path.write_text(path.read_text() + "UPDATE notes SET body = hex(randomblob(4));\n")

    found = keys(settings)

    assert [key is not None for key in found.verdicts] == [True, True, *[False] * 4]
    assert found.states[2] is not None
    assert found.states[3] is found.folder is None


@pytest.mark.parametrize("how", ["rows_from", "base", "connection", "python"])
def test_of_rows_of_somebodys_own_and_of_foreign_code_nothing_is_kept(
    settings: Settings, how: str
) -> None:
    project = read_project(settings)
    given = {"rows_from": settings.root, "connection": "app:hook", "python": settings.root}
    if how == "base":
        project = replace(project, base_has_rows=True)
    else:
        project = replace(project, settings=replace(settings, **{how: given[how]}))  # type: ignore[arg-type]

    assert all_of(keys_of(project, shows_errors=True)) == {None}

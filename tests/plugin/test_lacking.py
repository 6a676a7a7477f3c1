"""Checks on a Python whose SQLite makes no bytes of a database, and has no dbstat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.rows import pages
from pytest_bbmigrate.sqlite_files import contents, images
from tests.plugin.sample import FORGETS, write_migrations

if TYPE_CHECKING:
    import pytest


def test_checks_find_the_same_without_serialize_and_dbstat(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_migrations(project, _004_forgets__sql=FORGETS)
    usual = project.runpytest("--bb-check-migrations", "--bb-no-cache", "-v")
    monkeypatch.setattr(images, "can_serialize", lambda: False)
    monkeypatch.setattr(contents, "can_serialize", lambda: False)
    monkeypatch.setattr(pages, "has_dbstat", lambda: False)

    lacking = project.runpytest("--bb-check-migrations", "--bb-no-cache", "-v")

    assert usual.parseoutcomes() == lacking.parseoutcomes()
    lines = [line.split() for line in usual.outlines if "::" in line]
    assert [line.split() for line in lacking.outlines if "::" in line] == lines

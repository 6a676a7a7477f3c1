"""A folder with many failures is told in groups; its reports hold every text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.plugin import grouping
from tests.plugin.sample import write_migrations

if TYPE_CHECKING:
    import pytest

CHECKS = ("--bb-check-migrations", "-p", "no:cacheprovider")


def test_many_failures_are_told_in_groups_and_in_full_where_they_are_asked_for(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "MOST_FILES", 15)
    forgets = {
        f"_{number:03}_forget__sql": f"UPDATE transactions SET note = '{number}' || id;"
        for number in range(4, 17)
    }
    write_migrations(project, **forgets, _050_broken__sql="DROP TABLE nowhere;\n")

    short = project.runpytest(*CHECKS, "--junitxml=all.xml")
    full = project.runpytest(*CHECKS, "-v")

    assert short.parseoutcomes() == full.parseoutcomes()
    short.stdout.fnmatch_lines(
        [
            "*[[]100%[]]",
            "*= findings =*",
            "1 fault in 1 migration",
            "  does not run (1)",
            "    050_broken:1: up does not run: no such table: nowhere",
            "13 lines would allow the rest, in 13 migrations, where that is what is meant",
            "  changes (13)",
            "    004_forget: changes transactions.note",
            "failed: 14 checks of 14 migrations",
            "*= what next =*",
            "pytest --bb-check-migrations -v  * has every finding in full",
            "pytest --bb-check-migrations -v -k 050_broken  *",
            "pytest --bb-check-migrations --bb-draft-contracts  writes the lines into *",
            "*14 failed*",
        ]
    )
    assert "FAILURES" not in short.stdout.str()
    assert "migrations/004_forget.sql " not in short.stdout.str()
    text = (project.path / "all.xml").read_text()
    # Of each failure it has the message and the text.
    assert text.count("add the line:  -- bb: changes transactions.note") == 2 * 13
    full.stdout.fnmatch_lines(["*= FAILURES =*", "*004_forget: data_survives*"])
    full.stdout.no_fnmatch_line("*= what next =*")

"""--bb-draft-contracts writes the lines that a folder needs, for a person to read."""

from __future__ import annotations

import sys

import pytest

from tests.plugin.sample import FORGETS, write_migrations

DRAFTS = ("--bb-check-migrations", "--bb-draft-contracts", "-p", "no:cacheprovider")
INDEX = "CREATE UNIQUE INDEX by_note ON transactions (note);\n"
BROKEN = "CREATE TABLE t (a);\nDROP TABLE nowhere;\n"


def test_what_is_drafted_by_workers_makes_the_folder_green_but_for_faults(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p bbmigrate -p xdist")
    write_migrations(project, _004_forget__sql=FORGETS, _005_broken__sql=BROKEN)

    first = project.run(sys.executable, "-m", "pytest", *DRAFTS, "-n", "2")
    text = (project.path / "bb_contracts.toml").read_text()
    (project.path / "bb_contracts.toml").write_text(
        text.replace('    "changes', '    "inserts funds",\n    "changes') + "# mine\n"
    )
    second = project.runpytest(*DRAFTS, "-o", "bb_contracts=bb_contracts.toml")

    assert first.ret == second.ret == pytest.ExitCode.TESTS_FAILED
    first.stdout.fnmatch_lines(
        [
            "bb_contracts.toml: 1 line added, for 1 migration",
            "have them read: bb_contracts = bb_contracts.toml below *pytest* in *",
        ]
    )
    assert '"004_forget" = [\n    # transactions.note changed in 12 of 12 rows (' in text
    assert text.endswith('    "changes transactions.note",\n]\n')
    second.assert_outcomes(failed=1, passed=19, skipped=11)
    second.stdout.fnmatch_lines(
        [
            "*005_broken: up_applies*",
            "bb_contracts.toml: nothing to add",
            "1 line marked there that nothing needs any more",
        ]
    )
    marked = (project.path / "bb_contracts.toml").read_text()
    assert '# nothing needs this any more: inserts funds\n    "inserts funds",\n' in marked
    assert marked.endswith("# mine\n")


def test_nothing_is_marked_that_was_not_judged(project: pytest.Pytester) -> None:
    write_migrations(project, _004_forget__sql=FORGETS)
    text = '"002_trip_tags" = ["inserts accounts"]\n'
    (project.path / "c.toml").write_text(text)

    result = project.runpytest(
        *DRAFTS, "-k", "003 or up_applies", "--bb-draft-contracts", "-o", "bb_contracts=c.toml"
    )

    assert result.ret == 0
    assert (project.path / "c.toml").read_text() == text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--bb-apply", "--bb-draft-contracts"], "*--bb-draft-contracts and --bb-apply cannot*"),
        (["--bb-draft-contracts"], "*does nothing here: it goes with --bb-check-migrations"),
        ([*DRAFTS, "--bb-draft-contracts=no/c.toml"], "*its folder is not there*"),
    ],
)
def test_it_is_asked_of_a_check_run_alone(
    project: pytest.Pytester, arguments: list[str], told: str
) -> None:
    write_migrations(project)

    result = project.runpytest(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([told])

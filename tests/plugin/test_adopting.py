"""The commands of docs/adopting.md print what the page shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.plugin.adopting_projects import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = (Path(__file__).parents[2] / "docs" / "adopting.md").read_text()
PROJECT = re.compile(r"<!-- project: (\w+) -->\n(.*?)(?=<!-- project: |\Z)", re.DOTALL)
BLOCK = re.compile(r"^```(ini|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ pytest (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
LEFT_OUT = "...\n"
TIMES = (
    # Two backups of one second are told apart by a number.
    (re.compile(r"\b[0-9]{8}_[0-9]{6}(?:_2)?\b"), "YYYYMMDD_HHMMSS"),
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\+"), "YYYY-MM-DDTHH:MM:SS+"),
)


def commands(section: str) -> Iterator[tuple[str, list[str], str]]:
    """Yield of each command the settings, its arguments and what the page shows of its output."""
    settings = ""
    for kind, block in BLOCK.findall(section):
        if kind == "ini":
            settings = block
            continue
        for arguments, shown in COMMAND.findall(block):
            yield settings, arguments.split(), shown


def without_times(output: str) -> str:
    for pattern, instead in TIMES:
        output = pattern.sub(instead, output)
    return output


@pytest.mark.parametrize(("name", "section"), PROJECT.findall(TEXT))
def test_what_a_command_prints_is_what_the_page_shows(
    project: pytest.Pytester, name: str, section: str
) -> None:
    SAMPLES[name].make(project.path)
    (project.path / "tox.ini").unlink(missing_ok=True)

    for settings, arguments, shown in commands(section):
        if settings:
            (project.path / "pytest.ini").write_text(settings)
        result = project.runpytest(*arguments)

        printed = without_times(f"{result.stdout.str()}\n".replace("\r", ""))
        wanted = "(?:.*\n)*?".join(map(re.escape, shown.split(LEFT_OUT)))
        assert re.fullmatch(f"{wanted}\n*", printed), printed
        assert (result.ret, result.errlines) == (pytest.ExitCode.OK, [])


def test_every_project_is_on_the_page() -> None:
    assert [name for name, _ in PROJECT.findall(TEXT)] == [*SAMPLES]

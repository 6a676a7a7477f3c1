"""What the documentation says is complete and true.

``python -m tests.test_docs`` writes the examples of docs/checks.md again, from the cases.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.contract.read import KNOWN
from pytest_bbmigrate.explain.advice import advise
from pytest_bbmigrate.explain.reasons import REASONS
from pytest_bbmigrate.plugin.apply_session import STEPS
from pytest_bbmigrate.plugin.option_table import add_options
from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.report.headlines import HEADLINES
from pytest_bbmigrate.schema.compare.differences import KINDS
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS, Outcome
from tests.cases import CASES, judge_case, rate, read_case, read_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "checks.md"
README = (ROOT / "README.md").read_text()
APPLY = (ROOT / "docs" / "apply.md").read_text()
TEXT = PAGE.read_text()
AUTHORS = (ROOT / "docs" / "test-authors.md").read_text()
CAUSES = (ROOT / "docs" / "causes.md").read_text()
EXAMPLE = re.compile(r"^<!-- (\w+/\w+) -->\n(.*?)(?=\n\*\*)", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")


def example(name: str) -> str:
    """Return a case as the page shows it: its last migration, and what the check says of it."""
    case = read_case(CASES / name)
    last = read_catalogue(case.folder / "migrations").migrations[-1]
    (failed,) = (v for v in judge_case(case) if v.outcome is Outcome.FAILED)
    here = f"{case.folder.relative_to(ROOT).as_posix()}/"
    item = "migrations" if failed.check == CATALOGUE_CHECK else f"migrations/{last.path.name}"
    said = describe_failure(failed, f"pytest {item}::{failed.check}").replace(here, "")
    migration = last.path.read_text().rstrip()
    return f"```sql\n{migration}\n```\n```text\n{said}\n```\n"


def rows_of(table: str, text: str) -> list[list[str]]:
    """Return the cells of the Markdown tables whose head begins with ``table``."""
    rows = []
    for part in re.split(rf"^(?=\| {re.escape(table)} \|)", text, flags=re.MULTILINE)[1:]:
        for line in part.splitlines()[2:]:
            if not line.startswith("|"):
                break
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def kinds_reported() -> Iterator[str]:
    """Yield the kind of every finding that the checks make, where it is written as a text."""
    for path in (ROOT / "pytest_bbmigrate" / "checks").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                for part in ast.walk(node.args[0]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value


def test_every_check_has_its_section_in_the_order_in_which_they_are_asked() -> None:
    assert [name for name, _ in SECTION.findall(TEXT)] == [CATALOGUE_CHECK, *CHECKS]


@pytest.mark.parametrize(("check", "body"), SECTION.findall(TEXT))
def test_a_section_has_claim_findings_reason_example_and_remedy(check: str, body: str) -> None:
    parts = ["**Claim**: ", "*Finds* ", "**Why**: ", f"<!-- {check}/", "**Remedy**: "]

    assert sorted(parts, key=body.index) == parts


def test_every_kind_of_finding_is_named() -> None:
    found = " ".join(re.findall(r"\*Finds\*(.*?)\*\*Why", TEXT, re.DOTALL))

    assert set(kinds_reported()) <= {*HEADLINES, *KINDS}
    assert {*HEADLINES, *KINDS} - set(CODE.findall(found)) == set()


def test_every_cause_is_named_with_its_reason() -> None:
    rows = rows_of("cause", CAUSES)

    assert {name.strip("`"): reason for name, reason in rows} == {
        name: " ".join(reason.split()) for name, reason in REASONS.items()
    }


@pytest.mark.parametrize(("message", "statement", "remedy"), rows_of("SQLite says", CAUSES))
def test_what_sqlite_says_is_answered_as_the_page_has_it(
    message: str, statement: str, remedy: str
) -> None:
    answered = advise(message.strip("`"), statement.strip("`"), version=(3, 40, 1))

    assert answered.text.replace("|", r"\|") == remedy


@pytest.mark.parametrize(("name", "shown"), EXAMPLE.findall(TEXT))
def test_an_example_is_what_the_case_gives(name: str, shown: str) -> None:
    assert shown == example(name)


def test_the_failure_that_test_authors_are_shown_is_the_one_that_they_get() -> None:
    ((code, said),) = re.findall(r"```python\n(.*?)```\n```text\n(.*?)```", AUTHORS, re.DOTALL)

    with pytest.raises(AssertionError) as caught:
        exec(code, {})  # what the page shows is what is run

    assert str(caught.value) == said.rstrip("\n")


def test_the_page_can_be_read_in_one_sitting() -> None:
    assert len(TEXT.splitlines()) <= 360
    assert len(CAUSES.splitlines()) <= 360
    assert len(README.splitlines()) < 200


@pytest.mark.parametrize("message", [row[0] for row in rows_of("message", APPLY)])
def test_a_message_that_is_explained_is_one_that_is_written(message: str) -> None:
    sources = [path.read_text() for path in (ROOT / "pytest_bbmigrate").rglob("*.py")]
    written = " ".join(" ".join(sources).replace('" f"', "").split())
    written = re.sub(r'"\s+f?"', "", written)

    fragments = re.findall(r"`([^`]+)`", message)

    assert fragments
    assert [part for part in fragments if part.strip(" ,") not in written] == []


def test_the_steps_of_an_apply_are_those_that_are_reported() -> None:
    assert [row[0].strip("`") for row in rows_of("step", APPLY)] == list(STEPS)


def test_the_readme_lists_the_checks() -> None:
    assert [check.strip("`") for check, _ in rows_of("check", README)] == [CATALOGUE_CHECK, *CHECKS]


class Recorder:
    """What stands in for pytest's parser: it notes the names of options and settings."""

    def __init__(self) -> None:
        self.options: list[str] = []
        self.settings: list[str] = []
        self.earlier_names: list[str] = []

    def getgroup(self, *_: str) -> Recorder:
        return self

    def addoption(self, name: str, *earlier: str, **_: object) -> None:
        self.options.append(name)
        self.earlier_names += earlier

    def addini(self, name: str, help_: str, **_: object) -> None:
        is_earlier = help_.startswith("The earlier name of ")
        (self.earlier_names if is_earlier else self.settings).append(name)


def test_the_readme_lists_every_option_and_every_setting() -> None:
    recorder = Recorder()
    add_options(cast("pytest.Parser", recorder))
    rows = rows_of("option", README)

    assert {re.split(r"[=\[`]", row[0].strip("`"))[0] for row in rows} - {""} == set(
        recorder.options
    )
    assert {row[1].strip("`") for row in rows} - {""} == set(recorder.settings)
    assert not [name for name in recorder.earlier_names if f"`{name}`" not in README]


@pytest.mark.parametrize("verb", KNOWN)
def test_the_readme_shows_every_verb_of_a_contract(verb: str) -> None:
    assert re.search(rf"(-- bb: |# bb: |-- ){verb}\b", README)


def test_the_readme_gives_the_rate_for_all_cases() -> None:
    cases = read_cases()  # that each comes out right is tests/test_cases.py

    assert rate(cases, {case.name for case in cases}) in " ".join(README.split())


def main() -> None:
    """Write the examples of the page again."""
    PAGE.write_text(EXAMPLE.sub(lambda m: f"<!-- {m[1]} -->\n{example(m[1])}", TEXT))


if __name__ == "__main__":
    main()

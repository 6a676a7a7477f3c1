"""Text from elsewhere is read, and not obeyed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_bbmigrate.errors import CatalogueError, DatabaseError, Problem, SettingsError
from pytest_bbmigrate.report import describe_failure, describe_unreadable
from pytest_bbmigrate.verdict import Example, Finding, Outcome, Verdict
from pytest_bbmigrate.visible import typed, visible, visible_line

ACTS = "\x1b]0;title\x07\x9b31m\x7f\r\u202egnp\u2066\u2028\u2029\x85\ud800\ufeff\x00"
SHOWN = r"\x1b]0;title\x07\x9b31m\x7f\r\u202egnp\u2066\u2028\u2029\x85\ud800\ufeff\x00"


def is_harmless(text: str) -> bool:
    return not any(acts in text for acts in set(ACTS) - set("0;title]31mgnp"))


def test_what_acts_is_shown_as_python_writes_it() -> None:
    assert visible(ACTS) == SHOWN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Zürich, 1\u202f200 €",
        "家計簿\u3000二",
        "क्\u200dष",
        "👨\u200d👩\u200d👧",
        "e\u0301",
    ],
)
def test_letters_of_any_script_stay(text: str) -> None:
    assert visible(text) == text


def test_lines_stay_lines_but_in_a_name() -> None:
    assert visible("a\n\tb") == "a\n\tb"
    assert visible_line("a\n\tb") == r"a\n\tb"


def test_what_was_shown_already_stays() -> None:
    assert visible(visible(ACTS)) == visible(ACTS)


@pytest.mark.parametrize(
    "error",
    [
        SettingsError(f"bb_rows = {ACTS}"),
        DatabaseError(Path(f"a{ACTS}\nb.db"), f"it is {ACTS}"),
        CatalogueError([Problem(Path(f"a{ACTS}\nb.sql"), 1, f"it has {ACTS}", f"remove {ACTS}")]),
    ],
)
def test_an_error_of_ours_is_harmless(error: Exception) -> None:
    assert SHOWN in str(error)
    assert is_harmless(str(error))
    assert "\n" not in str(error)


def test_every_text_of_a_finding_is_harmless_and_names_stay_in_their_line() -> None:
    name = f"x{ACTS}\nfailed: y"
    cells = ((name, ACTS), (f"{name}2", 1))
    finding = Finding(
        "values changed",
        "up",
        Path(f"migrations/{name}.sql"),
        3,
        table=name,
        column=name,
        name=name,
        count=1,
        total=2,
        expected=ACTS,
        observed=ACTS,
        examples=(Example(cells, cells[:1], cells[:1]),),
        cause=ACTS,
        allow=f"-- bb: changes {name}",
        printed=ACTS,
    )
    broken = [finding, Finding("does not run", "up", Path("m.sql"), observed=ACTS, printed=ACTS)]

    text = describe_failure(Verdict("data_survives", name, Outcome.FAILED, (*broken,)), f"x{ACTS}")

    assert is_harmless(text)
    assert not any(line.startswith("failed: y") for line in text.splitlines())
    assert text.count(SHOWN) >= 10


def test_a_folder_that_does_not_read_is_told_harmlessly() -> None:
    problem = Problem(Path(f"a{ACTS}.sql"), 1, f"it has {ACTS}", f"remove {ACTS}")

    text = describe_unreadable(CatalogueError([problem, problem]), f"pytest {ACTS}")

    assert is_harmless(text)


@pytest.mark.parametrize(
    "word",
    [
        b"plain.db",
        b"a b's.db",
        b"n\xffon.db",
        b"e\x1bsc\\.db",
        b"new\nline'.db",
        "übung\x07f".encode(),
    ],
)
def test_a_word_that_is_copied_from_what_is_printed_is_that_word(word: bytes) -> None:
    printed = typed(os.fsdecode(word))

    assert visible_line(printed) == printed
    said = subprocess.run(
        ["bash", "-c", f"printf %s {printed}"], stdout=subprocess.PIPE, check=True
    )
    assert said.stdout == word

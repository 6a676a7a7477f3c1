"""Reading SQL takes work in proportion to its length, whatever stands in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.sql import (
    UnreadableSql,
    first_word,
    plain_rows,
    read_comments,
    split_statements,
    tokenize,
    tokens,
)
from pytest_bbmigrate.sql import (
    statements as split,
)
from tests.core.steps import Counted, steps
from tests.depth import every

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LENGTH = 24
PER_CHARACTER = 24  # how often one is looked at, at most: alternatives, look-aheads, two readings

PATTERNS = {
    split: ("BETWEEN", "CODE", "TOKENS", "NO_COMMENT", "ONE_COMMENT", "DOT_COMMAND", "TRIGGER"),
    tokens: ("TOKEN",),
    plain_rows: ("FIRST_ROW", "MORE_ROWS"),
}

HOSTILE: dict[str, Callable[[int], str]] = {
    "blanks": lambda n: " " * n,
    "blanks before an open string": lambda n: " " * n + "'",
    "blanks after code": lambda n: "a" + " " * n,
    "blanks and comments after code": lambda n: "a" + " \n/* b */ /**/ -- c\n" * n,
    "line comments": lambda n: "--\n" * n,
    "line comments in code": lambda n: "a --\n" * n,
    "carriage returns in a comment": lambda n: "--" + " " * n + "\r" * n + "a",
    "blanks and carriage returns in a comment": lambda n: "a -- " + " \r" * n + "a",
    "dashes": lambda n: "a " + "- " * n,
    "open block comment": lambda n: "a /*" + "b" * n,
    "open block comment of stars": lambda n: "/*" + "*" * n,
    "open block comment of stars apart": lambda n: "/*" + "* " * n,
    "block comments": lambda n: "/**/" * n + "a",
    "block comments and an open one": lambda n: "/**/" * n + "/*",
    "block comments in code": lambda n: "a /*b*/" * n,
    "slashes": lambda n: "a " + "/ " * n,
    "strings": lambda n: "'a'" * n,
    "strings and an open one": lambda n: "'a'" * n + "'",
    "open string": lambda n: "a'" + "b" * n,
    "open blob": lambda n: "x'" + "0" * n,
    "names and an open one": lambda n: '"a"' * n + '"',
    "backquotes": lambda n: "`" * (2 * n + 1),
    "open bracket": lambda n: "[" + "a" * n,
    "words": lambda n: "select " * n,
    "empty statements": lambda n: "; " * n,
    "statements": lambda n: "select 'a'; -- b\n" * n,
    "digits": lambda n: "1" * n + "_",
    "digits and underlines": lambda n: "1_" * n,
    "digits, a dot and an open exponent": lambda n: "1" * n + "." + "1" * n + "e",
    "hexadecimal digits": lambda n: "0x" + "f" * n + "g",
    "dots": lambda n: "a" + "." * n,
    "lines for the shell": lambda n: ".mode a\n" * n,
    "parameters": lambda n: "?1:a@b$c" * n,
    "a gap within what is no trigger": lambda n: "create " + "/**/ " * n + "temp" + "\n-- a\n" * n,
    "gaps within what is no trigger": lambda n: "explain" + " /**/" * n + "query" + "/* */ " * n,
    "rows": lambda n: "insert into t values " + "(1 , 'a'), " * n + "(2)",
    "rows and an open one": lambda n: "insert into t values (1)" + ", (1 , 'a', null)" * n + ", (",
    "a row that does not end": lambda n: "insert into t values (" + "12 , 'a''b' , " * n + "a)",
    "blanks in a row": lambda n: "insert into t values (1" + " " * n + "," + " " * n + "a)",
    "columns of what is no plain row": lambda n: "insert into t (" + "a , " * n + "b) select 1",
    "a trigger after gaps": lambda n: (
        "create " + " " * n + "trigger a begin " + "b; /* c */ " * n + "end;"
    ),
}


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list to which every match adds how many characters it looked at."""
    counted: list[int] = []
    for module, names in PATTERNS.items():
        for name in names:
            monkeypatch.setattr(module, name, Counted(getattr(module, name), counted))
    head = Counted(plain_rows.head_pattern(), counted)
    monkeypatch.setattr(plain_rows, "head_pattern", lambda: head)
    return counted


@pytest.mark.parametrize(
    "read", [split_statements, read_comments, tokenize, first_word, plain_rows.shape_of]
)
@pytest.mark.parametrize("shape", every(2, HOSTILE))
def test_no_character_is_looked_at_more_often_in_a_longer_text(
    counts: list[int], shape: str, read: Callable[[str], Sequence[object]]
) -> None:
    work = []
    for length in (LENGTH, 2 * LENGTH):
        counts.clear()
        text = HOSTILE[shape](length)
        try:
            read(text)
        except UnreadableSql:
            counts.append(0)
        work.append(sum(counts))

        assert sum(counts) <= PER_CHARACTER * (len(text) + 2)

    assert work[1] <= 2.05 * work[0] + PER_CHARACTER


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(r"--[^\r\n]*[\r \t]*(?=\n)", "--" + " " * LENGTH + "\ra"), ("(?:[ab]*b)*c", "ab" * LENGTH)],
    ids=["quadratic", "exponential"],
)
def test_the_count_shows_a_pattern_that_reads_a_text_in_many_ways(pattern: str, text: str) -> None:
    with pytest.raises(AssertionError):
        assert steps(re.compile(pattern), text)[0] <= PER_CHARACTER * len(text)


def test_every_pattern_that_reads_sql_is_counted() -> None:
    named = {
        name
        for module in PATTERNS
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }

    assert named - {"LINE_END", "IN_ROWS"} == {
        name for names in PATTERNS.values() for name in names
    }

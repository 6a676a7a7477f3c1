"""The statements of a step, read: their tokens, their clauses, the copies of rows among them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.copies import Copy, copy_of
from pytest_bbmigrate.sql import folded
from pytest_bbmigrate.sql.reading import read_shape

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.reading import Command

Tokens = tuple[str, ...]


@lru_cache(maxsize=16)
def read_statements(executed: tuple[str, ...]) -> tuple[Tokens, ...]:
    """Return the folded tokens of each statement."""
    return tuple(folded(sql) for sql in executed)


@lru_cache(maxsize=16)
def commands_of(executed: tuple[str, ...]) -> tuple[Command, ...]:
    """Return the clauses of each statement."""
    return tuple(map(read_shape, executed))


@lru_cache(maxsize=16)
def read_copies(executed: tuple[str, ...]) -> tuple[Copy, ...]:
    """Return the copies of rows among the statements."""
    copies = (copy_of(position, command) for position, command in enumerate(commands_of(executed)))
    return tuple(copy for copy in copies if copy is not None)


def begins(tokens: Tokens, words: tuple[str, ...]) -> bool:
    """Return whether ``tokens`` begin with ``words``, '*' standing for any one."""
    return len(tokens) >= len(words) and all(
        word in {token, "*"} for word, token in zip(words, tokens, strict=False)
    )


def holds(tokens: Tokens, *words: str) -> bool:
    """Return whether ``words`` stand one after another in ``tokens``, '*' for any one."""
    if not set(words) <= {"*", *tokens}:  # the quick answer, for it is asked very often
        return False
    return any(begins(tokens[start:], words) for start in range(len(tokens)))

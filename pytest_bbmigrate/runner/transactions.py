"""Which statements of a file are about its transaction, and so for the runner to see to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql import folded
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.sql import Statement

FIRST_WORD = re.compile(r"(?:\s|\ufeff|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*([A-Za-z]*)", re.DOTALL)
TRUE = {"on", "yes", "true", "1"}


@dataclass(frozen=True)
class Transactions:
    """What a file says about its transaction.

    ``outer`` are the positions of a BEGIN and COMMIT around the whole file, () when it has none;
    ``foreign_keys`` what a PRAGMA before all other statements turns them to, None for nothing;
    ``switches`` the positions of all that set that pragma.
    """

    outer: tuple[int, ...]
    foreign_keys: bool | None
    switches: frozenset[int]


def first_word(sql: str) -> str:
    """Return the first word of ``sql`` in capitals, comments passed over."""
    match = FIRST_WORD.match(sql)
    return match.group(1).upper() if match else ""


def read_transactions(statements: Sequence[Statement]) -> Transactions:
    """Return what ``statements`` say about the transaction they mean to run in."""
    words = [first_word(statement.text) for statement in statements]
    switches = {
        position: value
        for position, word in enumerate(words)
        if word == "PRAGMA" and (value := switched_to(statements[position].text)) is not None
    }
    before = next((at for at, word in enumerate(words) if word != "PRAGMA"), len(words))
    leading = [value for position, value in switches.items() if position < before]
    return Transactions(
        outer=outer_pair(words, [statement.text for statement in statements]),
        foreign_keys=leading[-1] if leading else None,
        switches=frozenset(switches),
    )


def outer_pair(words: Sequence[str], texts: Sequence[str]) -> tuple[int, ...]:
    """Return where the only BEGIN and the only COMMIT are, if all but PRAGMAs is between them."""
    control = [at for at, word in enumerate(words) if controls_transaction(word, texts[at])]
    if [words[at] for at in control] not in (["BEGIN", "COMMIT"], ["BEGIN", "END"]):
        return ()
    begin, commit = control
    outside = {*words[:begin], *words[commit + 1 :]}
    return (begin, commit) if outside <= {"PRAGMA"} else ()


def controls_transaction(word: str, sql: str) -> bool:
    """Return whether a statement begins or ends a transaction (a savepoint is none)."""
    if word == "ROLLBACK":
        return "to" not in folded(sql)
    return word in ("BEGIN", "COMMIT", "END")


def switched_to(sql: str) -> bool | None:
    """Return what ``PRAGMA foreign_keys = ..`` turns them to; None when it is another statement."""
    tokens = folded(sql)
    if "foreign_keys" not in tokens[1:4]:
        return None
    value = tokens[tokens.index("foreign_keys") + 1 :]
    return fold_name(value[1].strip("'")) in TRUE if len(value) > 1 else None

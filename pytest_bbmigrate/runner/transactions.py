"""Which statements of a file are about its transaction, and so for the runner to see to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.runner.profiles import Around, ControlRule, PragmaRule
from pytest_bbmigrate.sql import first_word
from pytest_bbmigrate.sql.clauses import Control, Pragma
from pytest_bbmigrate.sql.reading import read_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.catalogue import SqlPart
    from pytest_bbmigrate.runner.profiles import Profile
    from pytest_bbmigrate.sql import Statement
    from pytest_bbmigrate.sql.reading import Command


@dataclass(frozen=True)
class Transactions:
    """What a file says about its transaction.

    ``outer`` are the positions of each BEGIN and COMMIT around what is in the file, () for none;
    ``foreign_keys`` what a PRAGMA before all other statements turns them to, None for nothing;
    ``switches`` the positions of all that set that pragma; ``control`` those of all that begin or
    end a transaction. ``inverted`` are the positions of each COMMIT and BEGIN by which the file
    leaves the transaction that a tool has begun around it, and gives it back, () for none;
    ``between`` is what it turns foreign keys to the first time.
    """

    outer: tuple[int, ...]
    foreign_keys: bool | None
    switches: frozenset[int]
    control: frozenset[int] = frozenset()
    inverted: tuple[int, ...] = ()
    between: bool | None = None


def read_transactions(statements: Sequence[Statement]) -> Transactions:
    """Return what ``statements`` say about the transaction they mean to run in."""
    words = [first_word(statement.text) for statement in statements]
    pragmas = {
        position: switched_to(read_command(statements[position].text))
        for position, word in enumerate(words)
        if word == "pragma"
    }
    switches = {position: value for position, value in pragmas.items() if value is not None}
    before = next((at for at, word in enumerate(words) if word != "pragma"), len(words))
    leading = [value for position, value in switches.items() if position < before]
    texts = [statement.text for statement in statements]
    control = [at for at, word in enumerate(words) if controls_transaction(word, texts[at])]
    inverted = inverted_blocks(words, control)
    first = [value for at, value in switches.items() if inverted and at < inverted[1]]
    return Transactions(
        outer=outer_blocks(words, control),
        foreign_keys=leading[-1] if leading else None,
        switches=frozenset(switches),
        control=frozenset(control),
        inverted=inverted,
        between=first[-1] if first else None,
    )


def as_left(transactions: Transactions) -> Transactions:
    """Return ``transactions`` of a file that leaves its tool's transaction, as what it amounts to.

    In a transaction of ours that is one without the COMMIT and BEGIN, and with foreign keys as the
    file has turned them outside.
    """
    return replace(
        transactions,
        outer=transactions.inverted,
        foreign_keys=transactions.between,
        control=frozenset(),
    )


def as_run_by(profile: Profile, part: SqlPart) -> SqlPart:
    """Return ``part`` in a transaction or in none, as the runner has it whose rules these are."""
    if not profile.leaves_transaction:
        return replace(part, in_transaction=True)
    if profile.around is Around.NOTHING:
        return replace(part, in_transaction=False)
    acts = profile.pragma is PragmaRule.ACTS and read_transactions(part.statements).switches
    return replace(part, in_transaction=False) if acts else part


def turns_on(profile: Profile, part: SqlPart) -> bool:
    """Return whether a PRAGMA in ``part`` turns foreign keys on, where it has an effect."""
    if part.in_transaction:
        declares = profile.pragma is PragmaRule.DECLARES
        return declares and bool(read_transactions(part.statements).foreign_keys)
    texts = (statement.text for statement in part.statements)
    return any(switched_to(read_command(sql)) for sql in texts if first_word(sql) == "pragma")


def left_to_runner(profile: Profile, part: SqlPart, transactions: Transactions) -> frozenset[int]:
    """Return the positions of the statements that are not run, for the runner sees to them.

    In a transaction these are an outer BEGIN and COMMIT, where they are honoured, and each PRAGMA
    foreign_keys, which does nothing there (https://sqlite.org/pragma.html), unless the file itself
    leaves that transaction.
    """
    if not part.in_transaction:
        return frozenset()
    if profile.control is not ControlRule.HONOURED and transactions.control:
        return frozenset()
    return transactions.switches.union(transactions.outer)


def reaching_sqlite(profile: Profile, part: SqlPart, transactions: Transactions) -> frozenset[int]:
    """Return the positions of the statements that begin or end a transaction, and may."""
    if profile.control is ControlRule.PASSED:
        return transactions.control
    return frozenset() if part.in_transaction else frozenset(transactions.outer)


def outer_blocks(words: Sequence[str], control: Sequence[int]) -> tuple[int, ...]:
    """Return where each BEGIN and its COMMIT are, if all but PRAGMAs is between such two.

    In a transaction of ours the blocks are one: a file runs as a whole, or not at all.
    """
    blocks = list(zip(control[::2], control[1::2], strict=False))
    if len(control) % 2 or any(
        words[begin] != "begin" or words[end] not in ("commit", "end") for begin, end in blocks
    ):
        return ()
    within = {at for begin, end in blocks for at in range(begin, end + 1)}
    outside = {word for at, word in enumerate(words) if at not in within}
    return tuple(control) if outside <= {"pragma"} else ()


def inverted_blocks(words: Sequence[str], control: Sequence[int]) -> tuple[int, ...]:
    """Return where each COMMIT and its BEGIN are, if only PRAGMAs are between such two.

    The file begins with a COMMIT and ends with a BEGIN.
    """
    gaps = list(zip(control[::2], control[1::2], strict=False))
    if not gaps or len(control) % 2 or control[0] or control[-1] != len(words) - 1:
        return ()
    for commit, begin in gaps:
        if words[commit] not in ("commit", "end") or words[begin] != "begin":
            return ()
        if set(words[commit + 1 : begin]) - {"pragma"}:
            return ()
    return tuple(control)


def controls_transaction(word: str, sql: str) -> bool:
    """Return whether a statement begins or ends a transaction (a savepoint is none)."""
    if word not in ("begin", "commit", "end", "rollback"):
        return False
    command = read_command(sql)
    return isinstance(command, Control) and not command.savepoint


def switched_to(command: Command) -> bool | None:
    """Return what ``PRAGMA foreign_keys = ..`` turns them to; None when it is another statement."""
    if not isinstance(command, Pragma) or not command.is_called("foreign_keys"):
        return None
    return None if command.value is None else command.is_on

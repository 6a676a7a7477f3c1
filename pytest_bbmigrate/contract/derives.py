"""The directive that says which value a column has: ``derives t.c = EXPR [from s] [by k, ..]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.model import Declaration, Derive
from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.contract.targets import TARGET, Directive, read_target, read_targets
from pytest_bbmigrate.sql import UnreadableSql, tokenize
from pytest_bbmigrate.sql.cursor import keyword, outline
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.sql import Token

GIVEN = {"from": "the table that it is read from", "by": "the columns that say which row is whose"}


def read_derives(directive: Directive) -> Sequence[Declaration]:
    """Read ``derives t.c = EXPR [from s] [by k, ..]``.

    Raises: ContractError.
    """
    named = TARGET.match(directive.rest)
    text = named.group() if named else directive.rest.partition("=")[0].strip()
    target = read_target(directive, text)
    rest = directive.rest[len(text) :].lstrip()
    if target.column is None:
        raise directive.error(
            f"'derives {target.text}' names a table, not a column",
            f"write a dot after `{target.text}`, and behind it the column",
        )
    expression, source, by = split_clauses(directive, rest[1:])
    if not rest.startswith("=") or not expression:
        raise directive.error(
            f"'derives {directive.rest}' gives no value",
            f"write `=` after `{target.text}`, and behind it the value, as in SQL",
        )
    if source is not None and (table := read_target(directive, source)).column is not None:
        raise directive.error(
            f"'from {source}' names a column", f"write the table alone, `from {table.table}`"
        )
    keys = read_targets(directive, by) if by is not None else ()
    for key in keys:
        if key.column is not None:
            raise directive.error(
                f"'by {key.text}' names a table", f"write the column alone, `by {key.column}`"
            )
    return [
        Derive(
            target.table,
            target.column,
            expression,
            None if source is None else read_target(directive, source).table,
            tuple(key.table for key in keys),
            directive.line,
        )
    ]


def split_clauses(directive: Directive, text: str) -> tuple[str, str | None, str | None]:
    """Return the expression, what follows FROM and what follows BY; None for what is not there.

    Both words count outside parentheses only, and FROM not in IS DISTINCT FROM.

    Raises: ContractError for text that is no SQL, and for a word with nothing after it.
    """
    try:
        tokens = tokenize(text)
    except UnreadableSql as error:
        raise directive.error(error.message, error.remedy) from error
    found = {word: place for place, word in clause_places(tokens)}
    from_at, by_at = found.get("from"), found.get("by")
    if from_at is not None and by_at is not None and by_at < from_at:
        raise directive.error("'by' before 'from'", "write `from` and its table first, then `by`")
    ends = [place for place in (from_at, by_at, len(text)) if place is not None]
    source = None if from_at is None else text[from_at + len("from") : ends[1]].strip()
    by = None if by_at is None else text[by_at + len("by") :].strip()
    for word, given in (("from", source), ("by", by)):
        if given == "":
            raise directive.error(f"nothing after '{word}'", f"write behind it {GIVEN[word]}")
    return text[: ends[0]].strip(), source, by


def clause_places(tokens: Sequence[Token]) -> list[tuple[int, str]]:
    """Return where FROM and BY stand outside parentheses, the last of each, as (offset, word)."""
    words = [(token.start, keyword(token)) for _, token in outline(tokens)]
    return [
        (start, word)
        for number, (start, word) in enumerate(words)
        if word == "by" or (word == "from" and words[max(number - 1, 0)][1] != "distinct")
    ]


def derives_line(derive: Derive) -> str:
    """Return a declaration as the contract has it."""
    source = f" from {quoted_keyword(derive.source)}" if derive.source else ""
    by = f" by {', '.join(map(quoted_keyword, derive.by))}" if derive.by else ""
    target = dotted(derive.table, derive.column)
    return f"derives {target} = {derive.expression}{source}{by}"


def quoted_keyword(name: str) -> str:
    """Return ``name``, in double quotes also where it is a word of the directive's own."""
    return f'"{name}"' if fold_name(name) in {"from", "by"} else bare_or_quoted(name)

"""The line that proves what became of a column that goes: which value up makes of it, and where."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract import Derive
from pytest_bbmigrate.contract.derives import derives_line
from pytest_bbmigrate.experiment.copied_tables import is_row_by_row
from pytest_bbmigrate.experiment.derivations import (
    UnderivableError,
    pair_rows,
    referred_column,
)
from pytest_bbmigrate.explain.contract_line import contract_line
from pytest_bbmigrate.sql.clauses import Insert, Update
from pytest_bbmigrate.sql.cursor import fold_tokens, keyword
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_shape
from pytest_bbmigrate.sql.schema_clauses import CreateTable, RenameTable
from pytest_bbmigrate.sql.tokens import Kind, folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.experiment import DatabaseDiff, Evidence, TableDiff
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.sql.clauses import Query
    from pytest_bbmigrate.sql.cursor import Tokens
    from pytest_bbmigrate.verdict import Finding

ARITHMETIC = frozenset({"*", "/"})


@dataclass(frozen=True)
class Move:
    """What a statement puts into a ``column`` of ``table`` (folded names of that moment), as SQL.

    ``plain`` are the columns that the same statement copies as they are, as pairs (from, to).
    """

    position: int
    table: str
    column: str
    words: tuple[str, ...]
    text: str
    plain: frozenset[tuple[str, str]] = frozenset()


def with_derived(finding: Finding, evidence: Evidence) -> Finding:
    """Return a finding on a lost column with the line that proves what up made of its values."""
    if finding.kind != "column lost":
        return finding
    found = derived_of(finding.table, fold_name(finding.column), evidence)
    if found is None or any(
        (fold_name(d.table), fold_name(d.column)) == (fold_name(found.table), found.column)
        for d in evidence.migration.contract.derives
    ):
        return finding
    return replace(finding, prove=contract_line(evidence.migration, derives_line(found)))


def derived_of(table: str, column: str, evidence: Evidence) -> Derive | None:
    """Return the first value that up makes of ``column`` in a column that is new; None for none."""
    source, after, diff = (
        evidence.state.schema.table(table),
        evidence.schema_after,
        evidence.up_diff,
    )
    if source is None or after is None or diff is None:
        return None
    successor = diff.renames.tables.get(fold_name(source.name), "")
    for move in moves_from(source, evidence.up.executed):
        target = after.table(name_at_the_end(move, evidence.up.executed))
        made = target.column(move.column) if target is not None else None
        if column not in move.words or target is None or made is None:
            continue
        name = fold_name(target.name)
        is_same = name == successor
        taken = {
            new
            for (old, _), new in diff.renames.columns.items()
            if is_same and old == fold_name(table)
        }
        if (not is_same and name in diff.renames.tables.values()) or move.column in taken:
            continue
        by = () if is_same else keys_copied(source, target, move)
        if not is_same and not by:
            continue
        found = Derive(target.name, made.name, move.text, None if is_same else source.name, by, 0)
        if can_be_judged(found, move, evidence, after, diff):
            return found
    return None


def can_be_judged(
    declared: Derive, move: Move, evidence: Evidence, after: Schema, diff: DatabaseDiff
) -> bool:
    """Return whether the rows that a value is ``declared`` of are paired with those before.

    A copy pairs those of the table itself only by keys that it copies as they are.
    """
    try:
        pairs = pair_rows(declared, evidence.state.schema, after, diff.renames)
    except UnderivableError:
        return False
    is_copy = not isinstance(read_shape(evidence.up.executed[move.position]), Update)
    return (
        not (pairs.is_same and is_copy)
        or not pairs.source.primary_key
        or (move.plain >= set(pairs.keys))
    )


def keys_copied(source: Table, target: Table, move: Move) -> tuple[str, ...]:
    """Return the columns of ``target`` that say which row of ``source`` a row is of, () for none.

    They have the names of its key, or refer to it.
    """
    keys = []
    for key in map(fold_name, source.primary_key):
        named = [new for old, new in sorted(move.plain) if old == key]
        found = [new for new in named if new == key or referred_column(target, new, source) == key]
        if not found:
            return ()
        keys.append(key if key in found else found[0])
    return tuple(keys)


def moves_from(source: Table, executed: Sequence[str]) -> Iterator[Move]:
    """Yield what each statement makes of every row of ``source`` in some column."""
    names = {fold_name(source.name)}
    for position, sql in enumerate(executed):
        command = read_shape(sql)
        if isinstance(command, RenameTable) and command.table.folded in names:
            names.add(fold_name(command.new))
        elif isinstance(command, Update) and command.table.folded in names:
            if command.where or command.sources:
                continue  # not every row gets it
            scope = {*names, fold_name(command.alias)}
            for assignment in command.assignments:
                if len(assignment.columns) == 1:
                    yield from move_of(
                        position, sql, names, assignment.columns[0], assignment.expression, scope
                    )
        elif isinstance(command, Insert | CreateTable):
            yield from copied_moves(position, sql, command, names)


def copied_moves(
    position: int, sql: str, command: Insert | CreateTable, names: set[str]
) -> Iterator[Move]:
    """Yield what INSERT .. SELECT or CREATE TABLE .. AS makes of the rows of one table."""
    query = command.query
    if query is None or not is_row_by_row(query, names):
        return
    (select,) = query.selects
    target = command.table if isinstance(command, Insert) else command.name
    columns = target_columns(command, query)
    if len(columns) != len(select.columns):
        return
    pairs = tuple(zip(columns, select.columns, strict=True))
    words = ((column, fold_tokens(item.expression)) for column, item in pairs)
    plain = frozenset((item[-1], column) for column, item in words if is_plain(item))
    scope = {*names, fold_name(select.sources[0].alias)}
    for column, item in pairs:
        for move in move_of(position, sql, {target.folded}, column, item.expression, scope):
            yield replace(move, plain=plain)


def target_columns(command: Insert | CreateTable, query: Query) -> tuple[str, ...]:
    """Return the columns that are named for what ``query`` gives, folded."""
    if isinstance(command, Insert):
        return tuple(map(fold_name, command.columns))
    items = query.selects[0].columns
    return tuple(fold_name(c.alias) or fold_tokens(c.expression)[-1] for c in items)


def is_plain(words: tuple[str, ...]) -> bool:
    """Return whether an expression is a column as it is."""
    return len(words) == 1 or (len(words) == 3 and words[1] == ".")


def move_of(
    position: int, sql: str, target: set[str], column: str, expression: Tokens, scope: set[str]
) -> Iterator[Move]:
    """Yield one move, unless what it is made of is not told by the statement alone."""
    words = fold_tokens(expression)
    given = any(token.kind is Kind.PARAMETER for token in expression)
    if words and not given and "select" not in words:
        text = rounded(text_of(sql, expression, scope), expression)
        yield Move(position, next(iter(target)), fold_name(column), words, text)


def text_of(sql: str, expression: Tokens, scope: set[str]) -> str:
    """Return ``expression`` as ``sql`` has it, without the names of ``scope`` before a dot."""
    pieces: list[str] = []
    end = 0
    left_out = {
        place + offset
        for place, token in enumerate(expression[:-2])
        if fold_name(token.name) in scope and expression[place + 1].text == "."
        for offset in (0, 1)
    }
    for place, token in enumerate(expression):
        if place not in left_out:
            between = sql[end : token.start] if pieces else ""
            pieces.append(
                (" " if between.strip() != between or "\n" in between else "") + token.text
            )
        end = token.start + len(token.text)
    return "".join(pieces)


def rounded(text: str, expression: Tokens) -> str:
    """Return ``text``, with round() in a CAST that would cut: 0.29 * 100 is 28.999.."""
    words = [keyword(token) or token.text for token in expression]
    is_cast = (
        words[:2] == ["cast", "("]
        and words[-1] == ")"
        and words[-3:-1]
        in (
            ["as", "integer"],
            ["as", "int"],
        )
    )
    if not is_cast or "round" in words or not ARITHMETIC & set(words):
        return text
    inner = text[text.index("(") + 1 : text.lower().rindex(" as ")]
    return f"CAST(round({inner.strip()}) AS INTEGER)"


def name_at_the_end(move: Move, executed: Sequence[str]) -> str:
    """Return what the table of ``move`` is called in the end, folded."""
    name = move.table
    for sql in executed[move.position + 1 :]:
        command = read_shape(sql)
        if isinstance(command, RenameTable) and command.table.folded == name:
            name = fold_name(command.new)
    return name


def writes_anew(table: TableDiff, evidence: Evidence) -> bool:
    """Return whether up puts values that its SQL tells into a column that it adds to ``table``."""
    source, after = evidence.state.schema.table(table.table), evidence.schema_after
    made = after.table(table.after or "") if after else None
    if source is None or made is None:
        return False
    new = set(made.stored_columns) - set(table.columns.values())
    name = fold_name(made.name)
    return any(
        move.column in new and name_at_the_end(move, evidence.up.executed) == name
        for move in moves_from(source, evidence.up.executed)
    )


def is_read_by(executed: Sequence[str], column: str) -> bool:
    """Return whether a statement that writes rows names ``column``, or takes columns unnamed.

    A statement with parameters, or with ``*``, may write anything.
    """
    for sql in executed:
        command = read_shape(sql)
        if isinstance(command, Insert | Update) or getattr(command, "query", None) is not None:
            words = folded(sql)
            if column in words or "*" in words or any(is_parameter(word) for word in words):
                return True
    return False


def is_parameter(word: str) -> bool:
    """Return whether a token is a parameter, whose value the statement does not tell."""
    return word[:1] in {"?", ":", "@", "$"}

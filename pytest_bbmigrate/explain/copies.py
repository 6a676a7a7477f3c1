"""INSERT .. SELECT and CREATE TABLE .. AS SELECT: which rows and columns they take where."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql import Kind, fold, folded, tokenize
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.sql import Token

Item = tuple[str, ...]  # folded tokens of one result column
CLAUSES = {
    *("from", "where", "group", "having", "window", "union", "except", "intersect"),
    *("order", "limit"),
}
COMPOUND = {"union", "except", "intersect"}
TABLE_CONSTRAINTS = {"constraint", "primary", "unique", "check", "foreign"}
OUTER = {"left", "right", "full", "outer"}


@dataclass(frozen=True)
class Copy:
    """One statement that copies rows; all names and tokens are folded.

    ``position`` counts the statements before it; ``columns`` are those named for the target, ()
    for none; ``items`` the result columns of the (first) SELECT without their aliases; ``source``
    the first table in FROM, '' when that is no table. ``features`` are what can keep a row from
    being copied or copy it twice: 'or ignore', 'or replace', 'on conflict', 'distinct', 'union',
    'union all', 'except', 'intersect', 'join', 'left join', 'where', 'group', 'limit'.
    """

    position: int
    target: str
    columns: tuple[str, ...]
    items: tuple[Item, ...]
    source: str
    features: frozenset[str]
    where: Item = ()
    grouped: Item = ()
    creates: bool = False

    def expressions(
        self, target_columns: Sequence[str], source_columns: Sequence[str]
    ) -> dict[str, Item]:
        """Return what each column of the target gets, {} where the two sides do not fit.

        The columns are those that hold values of their own, folded, in their order in the tables.
        """
        items: list[Item] = []
        for item in self.items:
            if item == ("*",):
                items += [(name,) for name in source_columns]
            else:
                items.append(item)
        columns = self.columns or tuple(target_columns)
        if "*" in {name for item in self.items for name in item[:1]} and self.joins:
            return {}
        return dict(zip(columns, items, strict=True)) if len(columns) == len(items) else {}

    @property
    def joins(self) -> bool:
        """Whether it reads more than one table."""
        return bool({"join", "left join"} & self.features)


def read_copy(position: int, sql: str) -> Copy | None:
    """Return the copy that ``sql`` makes; None for another statement."""
    tokens = tokenize(sql)
    at = next((at for at, _ in words_at_top(tokens, {"select"})), None)
    head = [fold(token) for token in tokens[:at]]
    if at is None or head[:1] not in (["insert"], ["replace"], ["create"]):
        return None
    creates = head[0] == "create"
    target = "" if creates and head[-1] != "as" else target_of(head)
    if not target:
        return None
    columns = () if creates or "(" not in head else listed(head[head.index("(") + 1 :])
    selected, clauses = read_select(tokens[at + 1 :])
    if creates:
        columns = tuple(name_of(item) for item in selected)
        columns = () if "" in columns or "*" in columns else columns
    bodies = dict(reversed(clauses))  # of each, the first
    conflict = {conflict_of(head)} - {""}
    return Copy(
        position,
        target,
        columns,
        tuple(expression_of(item) for item in selected),
        source_of(bodies.get("from", ())),
        frozenset(conflict.union(*(features_of(word, body) for word, body in clauses))),
        bodies.get("where", ()),
        bodies.get("group", ()),
        creates,
    )


def read_select(tokens: Sequence[Token]) -> tuple[list[Item], list[tuple[str, Item]]]:
    """Return the result columns and the clauses of a SELECT, from what follows that word.

    SELECT DISTINCT and ON CONFLICT count as clauses, of the words 'distinct' and 'conflict'.
    """
    words = [fold(token) for token in tokens]
    upsert = (
        at for at, _ in words_at_top(tokens, {"on"}) if words[at + 1 : at + 2] == ["conflict"]
    )
    end = next(upsert, len(words))
    marks = [
        (at, word)
        for at, word in words_at_top(tokens[:end], CLAUSES)
        if (word, *words[max(0, at - 1) : at]) != ("from", "distinct")  # IS DISTINCT FROM
    ]
    clauses = [
        (word, tuple(words[start + 1 : stop]))
        for (start, word), (stop, _) in pairwise([*marks, (end, "")])
    ]
    selected = words[: marks[0][0] if marks else end]
    if selected[:1] == ["distinct"]:
        clauses.append(("distinct", ()))
    if end < len(words):
        clauses.append(("conflict", tuple(words[end + 2 :])))
    return split(selected[selected[:1] in (["distinct"], ["all"]) :]), clauses


def features_of(word: str, body: Item) -> set[str]:
    """Return what one clause does to the rows that are copied."""
    if word == "from":
        return join_features(body)
    if word in COMPOUND:
        return {"union all" if body[:1] == ("all",) else word}
    if word == "conflict":
        return {"on conflict"}
    return {word} & {"where", "group", "limit", "distinct"}


def words_at_top(tokens: Sequence[Token], words: set[str]) -> Iterator[tuple[int, str]]:
    """Yield each of the bare ``words`` that stands in no parentheses, with its position."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        word = fold_name(token.text)
        if not depth and token.kind is Kind.WORD and word in words:
            yield at, word


def target_of(head: Sequence[str]) -> str:
    """Return the table of INSERT INTO, REPLACE INTO or CREATE TABLE; '' for another statement."""
    word = "table" if head[:1] == ["create"] else "into"
    if word not in head[:4]:
        return ""
    rest = head[head.index(word) + 1 :]
    return after_schema(rest[3:] if rest[:3] == ["if", "not", "exists"] else rest)


def after_schema(words: Sequence[str]) -> str:
    """Return the name that ``words`` begin with, without ``main.`` before it."""
    name, *rest = [*words, "", "", ""][:3]
    return rest[1] if rest[0] == "." else name


def conflict_of(head: Sequence[str]) -> str:
    """Return what an INSERT does with rows in its way: '', 'or ignore', 'or replace', .."""
    if head[0] == "replace":
        return "or replace"
    return f"or {head[2]}" if head[1:2] == ["or"] else ""


def listed(words: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a list that ends with the closing parenthesis."""
    return tuple(word for word in words[: words.index(")")] if word != ",")


def join_features(body: Item) -> set[str]:
    """Return 'join' where a row without a match is left out, 'left join' where it is kept."""
    found = set()
    depth = 0
    for at, word in enumerate(body):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth or word not in {"join", ","}:
            continue
        found.add("left join" if OUTER & set(body[max(0, at - 2) : at]) else "join")
    return found


def source_of(body: Item) -> str:
    """Return the first table of a FROM, '' for a subquery or a function."""
    name = after_schema(body)
    return "" if name == "(" or body[1:2] == ("(",) else name


def split(words: Sequence[str]) -> list[Item]:
    """Return what stands between the commas of ``words`` that are in no parentheses."""
    items: list[list[str]] = [[]]
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "," and not depth:
            items.append([])
        else:
            items[-1].append(word)
    return [tuple(item) for item in items]


def expression_of(item: Item) -> Item:
    """Return a result column without its alias and, for a plain column, without its table."""
    if item[-2:-1] == ("as",):
        item = item[:-2]
    return item[2:] if item[1:2] == (".",) and not item[3:] else item


def name_of(item: Item) -> str:
    """Return the name that CREATE TABLE .. AS gives a result column, '' when it makes one up."""
    if item[-2:-1] == ("as",):
        return item[-1]
    expression = expression_of(item)
    return expression[0] if not expression[1:] else ""


def created_columns(sql: str) -> tuple[str, ...]:
    """Return the columns (folded) of a CREATE TABLE that hold values of their own."""
    tokens = folded(sql)
    inner = tokens[tokens.index("(") + 1 :] if "(" in tokens else ()
    depth = 1
    for end, token in enumerate(inner):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if not depth:
            inner = inner[:end]
            break
    return tuple(
        item[0]
        for item in split(inner)
        if item and item[0] not in TABLE_CONSTRAINTS and "as" not in outside_parentheses(item)
    )


def outside_parentheses(words: Sequence[str]) -> list[str]:
    """Return those of ``words`` that stand in no parentheses."""
    found = []
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if not depth:
            found.append(word)
    return found

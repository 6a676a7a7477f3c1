"""Statements for SQLite and for our reader, made of names and expressions that are easy to misread.

``SCHEMA`` is the database that they are for. Most are accepted there, not all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from pytest_bbmigrate.sql import quote_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from hypothesis.strategies import SearchStrategy

Pieces = list[str]  # of a statement, to be put together with gaps between them

TABLES = ("items", "from", "(", "replace", "a b", "Été")
COLUMNS = ("id", "select", ")", "conflict", "x,y", "window", "values", "as")
BARE = frozenset({"items", "replace", "Été", "id", "conflict", "window"})  # need no quotes
SCHEMA = tuple(
    f"CREATE TABLE {quote_name(table)} (id INTEGER PRIMARY KEY, "
    + ", ".join(f"{quote_name(column)} UNIQUE" for column in COLUMNS[1:])
    + ")"
    for table in TABLES
)
GAPS = (" ", "\n", "\t ", " /* ( ; ' */ ", ' -- ) ; "\n', "/**/")
LITERALS = ("1", "2.5", "NULL", "'it''s from ('", "x'00'", "';'", "-1", "+3", "true", "1e-3")
SHAPES = (
    *("? = ?", "? <> ?", "? || ?", "? + ?", "? AND ?", "? or ?", "? LIKE ?", "? is ?", "NOT ?"),
    *("? IS NOT DISTINCT FROM ?", "? is distinct from ?", "? IN ( ? , ? )", "( ? )", "? ISNULL"),
    *("? NOT BETWEEN ? AND ?", "? IS NULL", "? NOT NULL", "CASE WHEN ? THEN ? ELSE ? END"),
    *("case ? when ? then ? end", "replace ( ? , ? , ? )", "coalesce ( ? , ( ? ) )"),
    *("CAST ( ? AS TEXT )", "? COLLATE nocase", "? -> '$.from'", "? LIKE ? ESCAPE 'e'", "? GLOB ?"),
    *("( ? , ? ) = ( ? , ? )", "? IS NOT ?", "- ?", "~ ?", "iif ( ? , ? , ? )", "? << ?", "? == ?"),
)
QUERY_SHAPES = (
    "( SELECT ? FROM TABLE WHERE ? LIMIT 1 )",
    "EXISTS ( SELECT * FROM TABLE WHERE ? )",
    "( VALUES ( ? ) )",
    "? NOT IN TABLE",
    "? IN ( WITH c ( x ) AS ( VALUES ( ? ) ) SELECT x FROM c )",
)
JOINS = ("JOIN", "LEFT JOIN", "left OUTER JOIN", "INNER JOIN", "CROSS JOIN", "NATURAL JOIN", ",")
RESULTS = (  # of a whole result column
    "sum ( ? ) OVER ( PARTITION BY ? ORDER BY ? )",
    "count ( * ) FILTER ( WHERE ? ) OVER named",
    "max ( ? ) OVER named",
    "row_number ( ) over ( ORDER BY ? ROWS BETWEEN 1 PRECEDING AND CURRENT ROW )",
)
ALIASES = ((), (), ("AS", '"from"'), ("as", "key"), ("total",), ("'a,b'",), ("end",))


def texts(*makers: Callable[[Random], Pieces]) -> SearchStrategy[str]:
    """Return statements that one of ``makers`` makes, with white space and comments in them.

    Not drawn piece by piece, which takes a hundred times as long.
    """
    return st.randoms(use_true_random=True).map(lambda rng: text(rng, rng.choice(makers)(rng)))


def text(rng: Random, pieces: Pieces) -> str:
    """Put ``pieces`` together."""
    gaps = rng.sample(GAPS, rng.randint(1, 3))
    return pieces[0] + "".join(rng.choice(gaps) + piece for piece in pieces[1:])


def between(separator: str, parts: Sequence[Sequence[str]]) -> Pieces:
    """Return ``parts`` with ``separator`` between them."""
    return [piece for part in parts for piece in (separator, *part)][1:]


def maybe(rng: Random, word: str, rest: Pieces, *, chance: float = 0.5) -> Pieces:
    """Return a clause, or nothing."""
    return [*word.split(), *rest] if rng.random() < chance else []


def spelled(rng: Random, name: str, *, is_column: bool = False) -> str:
    """Return ``name`` in a form that it may be written in; only in an expression, as no string."""
    forms = [quote_name(name), f"[{name}]", f"`{name}`"]
    if name in BARE:
        forms += [name, name.title() if name.isascii() else name]
    if not is_column:
        forms.append(f"'{name}'")
    return rng.choice(forms)


def table(rng: Random) -> Pieces:
    """Return a table with or without its schema."""
    schema = rng.choice([[], [], ["main", "."], ['"main"', "."]])
    return [*schema, spelled(rng, rng.choice(TABLES))]


def column(rng: Random, qualifier: str = "") -> Pieces:
    """Return a column in an expression."""
    name = spelled(rng, rng.choice(COLUMNS), is_column=True)
    return [qualifier, ".", name] if qualifier else [name]


def listed(rng: Random, names: Sequence[str]) -> Pieces:
    """Return names in parentheses."""
    return ["(", *between(",", [[spelled(rng, name)] for name in names]), ")"]


def expression(rng: Random, qualifier: str | None = "", depth: int = 2) -> Pieces:
    """Return an expression of the columns with that ``qualifier``; of none without subqueries."""
    if not depth or rng.random() < 0.4:
        is_literal = qualifier is None or rng.random() < 0.3
        return [rng.choice(LITERALS)] if is_literal else column(rng, qualifier or "")
    shape = rng.choice(SHAPES if qualifier is None else SHAPES + QUERY_SHAPES)
    return filled(rng, shape, qualifier, depth)


def filled(rng: Random, shape: str, qualifier: str | None, depth: int) -> Pieces:
    """Return ``shape`` with expressions and tables in it."""
    pieces: Pieces = []
    for piece in shape.split():
        if piece == "?":
            pieces += expression(rng, qualifier, depth - 1)
        elif piece == "TABLE":
            pieces += table(rng)
        else:
            pieces.append(piece)
    return pieces


def select(rng: Random, width: int) -> Pieces:
    """Return a SELECT of ``width`` columns, without ORDER BY."""
    joined = rng.choice([None, 0, 0, 1, 2])  # tables after the first; no table at all
    qualifier = "a0" if joined else ""
    has_window = joined is not None and rng.random() < 0.15
    results = [
        filled(rng, rng.choice(RESULTS), qualifier, 2)
        if has_window
        else expression(rng, None if joined is None else qualifier)
        for _ in range(width)
    ]
    terms = [[*result, *rng.choice(ALIASES)] for result in results]
    pieces = ["SELECT", *rng.choice([[], ["DISTINCT"], ["all"]]), *between(",", terms)]
    if joined is None:
        return pieces
    pieces += ["FROM", *table(rng), *(rng.choice([["AS", "a0"], ["a0"]]) if joined else [])]
    for number in range(1, joined + 1):
        join = rng.choice(JOINS).split()
        pieces += [*join, *table(rng), f"a{number}"]
        if "JOIN" in join and "NATURAL" not in join:
            pieces += maybe(rng, "ON", expression(rng, f"a{number}"))
    pieces += maybe(rng, "WHERE", expression(rng, qualifier))
    if grouped := maybe(rng, "GROUP BY", column(rng, qualifier), chance=0.3):
        pieces += [*grouped, *maybe(rng, "HAVING", expression(rng, qualifier))]
    named = ["named", "AS", "(", "PARTITION", "BY", *column(rng, qualifier), ")"]
    return pieces + (maybe(rng, "WINDOW", named, chance=0.9) if has_window else [])


def rows(rng: Random, width: int) -> Pieces:
    """Return VALUES of rows that are ``width`` wide."""
    made = [
        ["(", *between(",", [expression(rng, None) for _ in range(width)]), ")"]
        for _ in range(rng.randint(1, 3))
    ]
    return ["VALUES", *between(",", made)]


def query(rng: Random, width: int = 2) -> Pieces:
    """Return a whole query of ``width`` columns."""
    pieces = [*with_tables(rng), *select(rng, width)]
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        part = rng.choice([select(rng, width), rows(rng, width)])
        pieces += [*rng.choice(["UNION", "UNION ALL", "EXCEPT", "intersect"]).split(), *part]
    pieces += maybe(rng, "ORDER BY", rng.choice([["1"], ["1", "DESC"]]), chance=0.2)
    return pieces + maybe(rng, "LIMIT", rng.choice([["3"], ["3", "OFFSET", "1"]]), chance=0.2)


def with_tables(rng: Random) -> Pieces:
    """Return a WITH, or nothing."""
    names = rng.sample(["c0", '"("', "do", "'with'", "materialized"], rng.randint(1, 2))
    made = [
        [name, *rng.choice([[], ["(", "one", ")"]]), "AS", "(", *select(rng, 1), ")"]
        for name in names
    ]
    return maybe(rng, rng.choice(["WITH", "with recursive"]), between(",", made), chance=0.2)


def insertion(rng: Random) -> Pieces:
    """Return an INSERT or REPLACE."""
    verb = rng.choice(["INSERT INTO", "INSERT INTO", "insert or ignore into", "REPLACE INTO"])
    pieces = [*with_tables(rng), *verb.split(), *table(rng)]
    pieces += maybe(rng, "AS", [spelled(rng, "target")], chance=0.2)
    named = rng.sample(COLUMNS, rng.randint(0, 3))
    pieces += listed(rng, named) if named else []
    if rng.random() < 0.1:
        pieces += ["DEFAULT", "VALUES"]
    else:
        width = len(named) or len(COLUMNS)
        pieces += rng.choice([query(rng, width), rows(rng, width)])
        pieces += upsert(rng) if verb == "INSERT INTO" else []
    return pieces + returning(rng)


def upsert(rng: Random) -> Pieces:
    """Return an ON CONFLICT, or nothing."""
    target = rng.choice([[], ["(", *column(rng), ")"], ["(", *column(rng), ")", "WHERE", "1"]])
    done = ["UPDATE", *assignments(rng), *maybe(rng, "WHERE", expression(rng))]
    does = done if target and rng.random() < 0.7 else ["NOTHING"]
    return maybe(rng, "ON CONFLICT", [*target, "DO", *does])


def assignments(rng: Random) -> Pieces:
    """Return SET and what it sets."""
    names = rng.sample(COLUMNS, rng.randint(1, 3))
    parts = [[spelled(rng, name), "=", *expression(rng)] for name in names]
    if len(names) == 3:  # two of them together
        pair = ["(", *expression(rng), ",", *expression(rng), ")"]
        parts[:2] = [[*listed(rng, names[:2]), "=", *pair]]
    return ["SET", *between(",", parts)]


def returning(rng: Random) -> Pieces:
    """Return a RETURNING, or nothing."""
    return maybe(rng, "RETURNING", rng.choice([["*"], ["id", "AS", '"("']]), chance=0.2)


def update(rng: Random) -> Pieces:
    """Return an UPDATE."""
    verb = rng.choice(["UPDATE", "update or IGNORE", "UPDATE OR REPLACE"])
    pieces = [*with_tables(rng), *verb.split(), *table(rng)]
    pieces += [*maybe(rng, "AS", ["target"], chance=0.2), *assignments(rng)]
    pieces += maybe(rng, "FROM", [*table(rng), "other"], chance=0.2)
    return [*pieces, *maybe(rng, "WHERE", expression(rng, "")), *returning(rng)]


def deletion(rng: Random) -> Pieces:
    """Return a DELETE."""
    pieces = [*with_tables(rng), "DELETE", "FROM", *table(rng)]
    pieces += maybe(rng, "AS", ["target"], chance=0.2)
    return [*pieces, *maybe(rng, "WHERE", expression(rng)), *returning(rng)]

"""Statements that change a schema, made of what is easy to misread; as in ``sql_texts``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql import quote_name
from tests.core.sql.sql_texts import (
    COLUMNS,
    between,
    column,
    deletion,
    expression,
    insertion,
    maybe,
    query,
    select,
    spelled,
    table,
    update,
)

if TYPE_CHECKING:
    from random import Random

    from tests.core.sql.sql_texts import Pieces

NEW = ("made", "(new", "key", "temp")  # names of what is made
TYPES = ("", "INTEGER", "VARCHAR ( 10 , 2 )", "MIN_ROWS VARCHAR", '"as"', "text")
CONSTRAINTS = (
    *("NOT NULL", "UNIQUE", "CHECK ( 1 > ( 2 ) )", "DEFAULT ( 1 , ')' IS NULL )", "COLLATE nocase"),
    *("DEFAULT 'as'", "DEFAULT - 3", 'CONSTRAINT "as" NOT NULL', "REFERENCES items ( id )"),
    *("NOT NULL ON CONFLICT IGNORE", "DEFAULT CURRENT_TIMESTAMP", "DEFAULT ( 2 )"),
)
GENERATED = ("GENERATED ALWAYS AS ( 1 + 1 )", "as ( 2 ) STORED", "AS ( ( 3 ) ) virtual")
TABLE_CONSTRAINTS = (
    *("UNIQUE ( {} )", "CHECK ( 1 )", "CONSTRAINT \"c,\" CHECK ( '(' <> 1 )"),
    "FOREIGN KEY ( {} ) REFERENCES items ( id ) ON DELETE CASCADE",
)


def creation(rng: Random, kind: str, name: str) -> Pieces:
    """Return how a CREATE begins, as far as its name."""
    return ["CREATE", *kind.split(), *maybe(rng, "IF NOT EXISTS", []), *named(rng, name)]


def named(rng: Random, name: str) -> Pieces:
    """Return ``name``, which may need quotes, with or without its schema."""
    forms = [quote_name(name), f"`{name}`", f"'{name}'", *([name] if name == "made" else [])]
    return [*rng.choice([[], [], ["main", "."], ["[main]", "."]]), rng.choice(forms)]


def table_creation(rng: Random) -> Pieces:
    """Return a CREATE TABLE."""
    pieces = creation(rng, "TABLE", rng.choice(NEW))
    if rng.random() < 0.3:
        return [*pieces, "AS", *query(rng, rng.randint(1, 3))]
    names = rng.sample(COLUMNS, rng.randint(1, 4))
    parts = [column_definition(rng, name) for name in names]
    constraints = [
        constraint.format(spelled(rng, names[0])).split(" ")
        for constraint in rng.sample(TABLE_CONSTRAINTS, rng.randint(0, 3))
    ]
    if constraints and rng.random() < 0.5:  # no comma is needed between them
        constraints = [[piece for constraint in constraints for piece in constraint]]
    listed_parts = between(",", [*parts, *constraints])
    return [*pieces, "(", *listed_parts, ")", *rng.choice([[], ["STRICT"]])]


def column_definition(rng: Random, name: str) -> Pieces:
    """Return a column with its type and constraints."""
    chosen = rng.sample(CONSTRAINTS, rng.randint(0, 2)) + rng.sample(
        GENERATED, rng.choice([0, 0, 1])
    )
    words = [rng.choice(TYPES), *chosen]
    return [spelled(rng, name), *(piece for part in words for piece in part.split())]


def index_creation(rng: Random) -> Pieces:
    """Return a CREATE INDEX."""
    pieces = creation(rng, rng.choice(["INDEX", "UNIQUE INDEX"]), "made")
    terms = [
        [*rng.choice([column(rng), ["abs", "(", *column(rng), ")"]]), *ordered.split()]
        for ordered in rng.choices(["", "DESC", "COLLATE nocase ASC"], k=rng.randint(1, 3))
    ]
    pieces += ["ON", table(rng)[-1], "(", *between(",", terms), ")"]
    return pieces + maybe(rng, "WHERE", [*column(rng), "IS", "NOT", "NULL"])


def view_creation(rng: Random) -> Pieces:
    """Return a CREATE VIEW."""
    columns = maybe(rng, "(", [*between(",", [['"as"'], ["'b,'"]]), ")"])
    return [*creation(rng, "VIEW", rng.choice(NEW)), *columns, "AS", *query(rng, 2)]


def trigger_creation(rng: Random) -> Pieces:
    """Return a CREATE TRIGGER."""
    events = ["INSERT", "update", "DELETE", "UPDATE OF"]
    event = rng.choice(events).split()
    if "OF" in event:
        event += between(",", [[spelled(rng, name)] for name in rng.sample(COLUMNS, 2)])
    timing = rng.choice([[], ["BEFORE"], ["after"]])
    pieces = [*creation(rng, "TRIGGER", "made"), *timing, *event, "ON", table(rng)[-1]]
    pieces += maybe(rng, "FOR EACH ROW", [])
    condition = expression(rng, "OLD" if "DELETE" in event else "NEW")
    pieces += [*maybe(rng, "WHEN", condition), "BEGIN"]
    for _ in range(rng.randint(1, 3)):
        pieces += [*body_statement(rng), ";"]
    return [*pieces, "END"]


def body_statement(rng: Random) -> Pieces:
    """Return a statement of a form that is allowed within a trigger."""
    while True:
        body = rng.choice([insertion(rng), update(rng), deletion(rng), select(rng, 2)])
        if not {"WITH", "with", "RETURNING", "DEFAULT", "main", '"main"'} & set(body):
            return body


def alteration(rng: Random) -> Pieces:
    """Return an ALTER TABLE."""
    name, new = spelled(rng, rng.choice(COLUMNS)), rng.choice(['"new,"', "[to]", "made"])
    change = rng.choice(
        [
            ["RENAME", "TO", new],
            ["RENAME", *maybe(rng, "COLUMN", []), name, "TO", new],
            ["ADD", *maybe(rng, "column", []), *column_definition(rng, "if")],
            ["DROP", *maybe(rng, "COLUMN", []), name],
        ]
    )
    return ["ALTER", "TABLE", *table(rng), *change]


def drop(rng: Random) -> Pieces:
    """Return a DROP of a table."""
    return ["DROP", "TABLE", *maybe(rng, "IF EXISTS", []), *table(rng)]

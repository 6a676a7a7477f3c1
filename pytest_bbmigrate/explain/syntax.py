"""Syntax that is not SQLite's, or not this SQLite's, and how to say it in SQLite.

Patterns are matched against a statement in the form that ``plain_text`` gives it.
"""

from __future__ import annotations

import re

from pytest_bbmigrate.sql import Kind, UnreadableSql, tokenize

Version = tuple[int, int]

REBUILD = (
    "build a new table, copy the rows, drop the old one and rename the new one, or in a Python "
    "migration call db[table].transform(..)"
)

# How a statement begins that is no part of another, but of a trigger.
BEGINS = (
    r"(CREATE (UNIQUE )?(TABLE|INDEX|VIEW|TRIGGER)|ALTER TABLE|DROP (TABLE|INDEX|VIEW|TRIGGER)"
    r"|INSERT (OR \w+ )?INTO|DELETE FROM)\b"
)
ALTER = r"^ALTER TABLE (?:\S+ \. )?\S+"

# What each release of SQLite brought (https://sqlite.org/changes.html), newest first.
NEWER: tuple[tuple[str, Version], ...] = (
    (rf"{ALTER} ALTER (COLUMN )?\S+ (SET|DROP) NOT NULL", (3, 53)),
    (rf"{ALTER} ADD (CONSTRAINT \S+ )?CHECK", (3, 53)),
    (rf"{ALTER} DROP CONSTRAINT", (3, 53)),
    (r"\d_\d", (3, 46)),
    (r"\( [^()]+ ORDER BY [^()]+ \)(?<!OVER)", (3, 44)),
    (r"\b(RIGHT|FULL) (OUTER )?JOIN\b", (3, 39)),
    (r"\bIS (NOT )?DISTINCT FROM\b", (3, 39)),
    (r"->", (3, 38)),
    (r"\) (WITHOUT ROWID , )?STRICT\b", (3, 37)),
    (r"\bRETURNING\b", (3, 35)),
    (r"\bAS (NOT )?MATERIALIZED\b", (3, 35)),
    (rf"{ALTER} DROP (?!CONSTRAINT|PRIMARY|FOREIGN|INDEX|KEY)", (3, 35)),
    (r"^UPDATE .* SET .* FROM\b", (3, 33)),
    (r"\bGENERATED ALWAYS\b|\) (STORED|VIRTUAL)\b", (3, 31)),
    (r"\bNULLS (FIRST|LAST)\b", (3, 30)),
    (r"\) FILTER \(", (3, 30)),
    (r"^VACUUM .*INTO\b", (3, 27)),
    (rf"{ALTER} RENAME (?!TO)", (3, 25)),
    (r"\) OVER\b", (3, 25)),
    (r"\bON CONFLICT .*\bDO\b", (3, 24)),
)

FOREIGN: tuple[tuple[str, str], ...] = (
    (
        rf"{ALTER} ADD (COLUMN )?IF NOT EXISTS",
        (
            "SQLite has no such syntax: bbmigrate alone does what it means, in .sql and up(db); "
            "for another tool leave IF NOT EXISTS out, a program looks into PRAGMA table_info first"
        ),
    ),
    (
        rf"{ALTER} (DROP|RENAME) (COLUMN )?IF EXISTS|^ALTER TABLE IF EXISTS",
        "SQLite has no IF EXISTS here: leave it out, a migration runs once and knows what is there",
    ),
    (
        rf"{ALTER} ADD (COLUMN )?\(|^ALTER TABLE .* , (ADD|DROP|ALTER|RENAME|MODIFY) ",
        "SQLite changes one column at a time: write one ALTER TABLE for each",
    ),
    (
        rf"{ALTER} ADD (CONSTRAINT \S+ )?UNIQUE",
        "SQLite adds no UNIQUE to a table that is there: write CREATE UNIQUE INDEX name ON t (..)",
    ),
    (
        rf"{ALTER} ADD (INDEX|KEY|FULLTEXT|UNIQUE)\b",
        "write CREATE INDEX name ON t (..)",
    ),
    (
        rf"{ALTER} (ADD|DROP) (CONSTRAINT|PRIMARY|FOREIGN|CHECK)\b",
        f"SQLite cannot change this constraint of a table that is there: {REBUILD}",
    ),
    (
        rf"{ALTER} ALTER (COLUMN )?\S+ TO\b",
        f"ALTER COLUMN .. TO is libSQL's alone, SQLite cannot change a column: {REBUILD}",
    ),
    (
        rf"{ALTER} (ALTER|MODIFY|CHANGE)\b",
        f"SQLite cannot change a column: {REBUILD}",
    ),
    (r"^ALTER (INDEX|VIEW|TRIGGER)", "drop it and create it again"),
    (
        r"\bAUTO_INCREMENT\b|\bIDENTITY\b",
        (
            "write id INTEGER PRIMARY KEY, which counts up by itself (with AUTOINCREMENT after "
            "it, an id is never given twice)"
        ),
    ),
    (r"\b(BIG|SMALL)?SERIAL\b", "write id INTEGER PRIMARY KEY, which counts up by itself"),
    (r"\b(ENUM|SET) \(", "write c TEXT CHECK (c IN ('a', 'b'))"),
    (
        r"\bDEFAULT (NOW|CURRENT_\w+|GETDATE|SYSDATE) \(",
        "write DEFAULT CURRENT_TIMESTAMP (or CURRENT_DATE), without brackets",
    ),
    (r"\bDEFAULT \w+ \(", "a default that is an expression stands in brackets: DEFAULT (f(..))"),
    (r"\bCURRENT_(TIMESTAMP|DATE|TIME) \(", "write it without the brackets behind it"),
    (r": :|::", "write CAST(x AS type) for x::type"),
    (r"\bILIKE\b", "write LIKE, which in SQLite takes no notice of the case of A to Z"),
    (r"\bSIMILAR TO\b|\bRLIKE\b", "write LIKE or GLOB"),
    (r"^TRUNCATE\b", "write DELETE FROM t, which empties the table"),
    (r"\bON DUPLICATE KEY\b", "write ON CONFLICT (key) DO UPDATE SET c = excluded.c"),
    (r"^INSERT IGNORE\b", "write INSERT OR IGNORE"),
    (r"^CREATE OR REPLACE\b", "write DROP .. IF EXISTS first, and then CREATE"),
    (
        r"\bENGINE =|\bCHARSET\b|\bCHARACTER SET\b|\bROW_FORMAT\b",
        "leave the table options out: SQLite has neither engines nor character sets",
    ),
    (r"\bON UPDATE CURRENT_TIMESTAMP\b", "write a trigger AFTER UPDATE that sets the column"),
    (r"^(DROP|CREATE) INDEX CONCURRENTLY\b|\bUSING (BTREE|HASH|GIN|GIST)\b", "leave it out"),
    (r"^DROP \w+ .*\b(CASCADE|RESTRICT)$", "leave CASCADE out: drop what depends on it by name"),
    (
        rf"{ALTER} DROP (INDEX|KEY) \S",
        "SQLite has DROP INDEX name, without the table: this form is another database's",
    ),
    (r"^DROP INDEX \S+ ON\b", "write DROP INDEX name: in SQLite index names are unique"),
    (r"^DELETE .*\b(USING|JOIN)\b", "write DELETE FROM t WHERE id IN (SELECT ..)"),
    (r"^UPDATE \S+ .*\bJOIN\b.* SET\b", "write UPDATE t SET .. FROM other WHERE .."),
    (r"^COMMENT ON\b|\bCOMMENT Q", "write it as a comment: -- like this"),
    (
        r"^CREATE (TYPE|SEQUENCE|FUNCTION|PROCEDURE|SCHEMA|DATABASE|EXTENSION|USER|ROLE|DOMAIN)\b",
        "SQLite has no such objects: a CHECK, a trigger or a Python migration may do the same",
    ),
    (
        r"^(SHOW|DESCRIBE|USE|GRANT|REVOKE|LOCK|UNLOCK|DO|CALL|COPY|SET|START|DELIMITER|GO)\b",
        "SQLite has no such statement: leave it out, or write it as a Python migration",
    ),
    (r"\bDEFAULT [,)]", "leave the column out of the INSERT, or write the default itself"),
    (r"\bINTERVAL Q", "write date(x, '+1 day') or datetime(x, '-1 month')"),
    (r", \)", "take the comma before the closing bracket out"),
    (rf"^(?!WITH|CREATE (TEMP |TEMPORARY )?TRIGGER).+ {BEGINS}", "is a ; missing before it?"),
)


def plain_text(sql: str) -> str:
    """Return a statement on one line, in capitals, with ``Q`` for every string and quoted name."""
    try:
        tokens = tokenize(sql)
    except UnreadableSql:
        return ""
    quoted = (Kind.QUOTED, Kind.STRING, Kind.BLOB)
    return " ".join("Q" if token.kind in quoted else token.text.upper() for token in tokens)


def newer_feature(text: str) -> Version | None:
    """Return the release of SQLite that brought the syntax in ``text``; None for none known."""
    return next((version for pattern, version in NEWER if re.search(pattern, text)), None)


def foreign_remedy(text: str) -> str:
    """Return how to say in SQLite what ``text`` says in another dialect; '' when not known."""
    return next((remedy for pattern, remedy in FOREIGN if re.search(pattern, text)), "")

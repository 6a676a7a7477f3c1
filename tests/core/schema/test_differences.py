"""Comparing schemas: what is a difference of structure, and what only looks like one."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_bbmigrate.schema import (
    Renames,
    Schema,
    SchemaDifference,
    apart,
    compare_schemas,
    read_schema,
)
from pytest_bbmigrate.schema.compare.differences import KINDS
from pytest_bbmigrate.sqlite_files import open_image


def schema_of(script: str) -> Schema:
    with closing(open_image(b"")) as db:
        db.executescript(script)
        return read_schema(db)


def differences(
    before: str, after: str, renames: Renames | None = None
) -> tuple[SchemaDifference, ...]:
    return compare_schemas(schema_of(before), schema_of(after), renames)


def shown(before: str, after: str, renames: Renames | None = None) -> list[tuple[str, ...]]:
    """Return differences without their names: kind, column, before, after."""
    return [(d.kind, d.column, d.before, d.after) for d in differences(before, after, renames)]


SAME = {
    "letter case, white space and comments": (
        "CREATE TABLE Trips (Id INTEGER PRIMARY KEY, tag text NOT NULL DEFAULT '' CHECK (tag<>''))",
        (
            "create table trips(id integer primary key,  -- the key\n"
            "TAG TEXT not null default '' check( TAG <> '' /* not empty */ ))"
        ),
    ),
    "quoting": (
        (
            "CREATE TABLE t (a, b CHECK (b > a)); CREATE INDEX i ON t (a) WHERE b = 1; "
            "CREATE VIEW v AS SELECT a FROM t"
        ),
        (
            'CREATE TABLE "t" ([a], `b` CHECK ("b" > [a])); CREATE INDEX "i" ON "t" ("a") '
            'WHERE "b" = 1; CREATE VIEW [v] AS SELECT "a" FROM `t`'
        ),
    ),
    "if not exists": (
        "CREATE TABLE t (a); CREATE INDEX i ON t (a); CREATE VIEW v AS SELECT a FROM t",
        (
            "CREATE TABLE IF NOT EXISTS t (a); CREATE INDEX IF NOT EXISTS i ON t (a); "
            "CREATE VIEW IF NOT EXISTS v AS SELECT a FROM t"
        ),
    ),
    "references without and with the key": (
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p)",
        (
            "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p, FOREIGN KEY (P) "
            "REFERENCES P (ID) ON DELETE NO ACTION NOT DEFERRABLE)"
        ),
    ),
    "references to a key that is not there": (
        "CREATE TABLE c (p REFERENCES p)",
        "CREATE TABLE c (p REFERENCES p (id))",
    ),
    "an inline unique for a unique index": (
        "CREATE TABLE t (a COLLATE nocase UNIQUE, b, UNIQUE (a, b))",
        (
            "CREATE TABLE t (a COLLATE nocase, b); CREATE UNIQUE INDEX i ON t (a); "
            "CREATE UNIQUE INDEX j ON t (a, b)"
        ),
    ),
    "a unique that is the rowid": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY UNIQUE)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
    ),
    "a unique that the key stands for": (
        "CREATE TABLE t (id TEXT PRIMARY KEY); CREATE UNIQUE INDEX i ON t (id)",
        "CREATE TABLE t (id TEXT PRIMARY KEY)",
    ),
    "the name of an index": (
        "CREATE TABLE t (a, b); CREATE INDEX i ON t (a DESC) WHERE b > 0",
        "CREATE TABLE t (a, b); CREATE INDEX ix_t_a ON t (a DESC) WHERE (b > 0)",
    ),
    "types of one affinity": (
        "CREATE TABLE t (a VARCHAR(20), b DECIMAL(10,2), c INT, d BOOLEAN, e, f DOUBLE)",
        "CREATE TABLE t (a TEXT, b DECIMAL(12,2), c BIGINT, d NUMERIC, e BLOB, f REAL)",
    ),
    "a key of two columns": (
        "CREATE TABLE t (a INT, b TEXT, PRIMARY KEY (a, b))",
        "CREATE TABLE t (a BIGINT, b TEXT, PRIMARY KEY (a, b))",
    ),
    "references of two columns": (
        (
            "CREATE TABLE P (X INT, Y INT, PRIMARY KEY (X, Y)); "
            "CREATE TABLE C (A INT, B INT, FOREIGN KEY (A, B) REFERENCES P (X, Y))"
        ),
        (
            "CREATE TABLE P (X INT, Y INT, PRIMARY KEY (X, Y)); "
            "CREATE TABLE C (A BIGINT, B INT, FOREIGN KEY (a, b) REFERENCES p (x, y))"
        ),
    ),
    "default null": (
        "CREATE TABLE t (a DEFAULT NULL, b DEFAULT (NULL))",
        "CREATE TABLE t (a, b)",
    ),
    "spellings of one default": (
        (
            "CREATE TABLE t (a DEFAULT 0, b DEFAULT ((1)), c DEFAULT false, d DEFAULT True, "
            'e DEFAULT "x", f DEFAULT x, g DEFAULT current_timestamp, h DEFAULT (1 + 2))'
        ),
        (
            "CREATE TABLE t (a DEFAULT (0), b DEFAULT 1, c DEFAULT 0, d DEFAULT 1, e DEFAULT 'x', "
            "f DEFAULT 'x', g DEFAULT (CURRENT_TIMESTAMP), h DEFAULT (1+2))"
        ),
    ),
    "a default that the column makes one value of": (
        (
            "CREATE TABLE t (a TEXT DEFAULT 0, b INT DEFAULT '-1', c REAL DEFAULT 3, "
            "d DECIMAL DEFAULT 1e2, e TEXT DEFAULT -.5, f ANY DEFAULT 0)"
        ),
        (
            "CREATE TABLE t (a TEXT DEFAULT '0', b INT DEFAULT -1, c REAL DEFAULT ' 3.0 ', "
            "d DECIMAL DEFAULT '100', e TEXT DEFAULT '-0.5', f ANY DEFAULT '0')"
        ),
    ),
    "not null of a key without rowid": (
        "CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID",
        "CREATE TABLE t (a TEXT NOT NULL, PRIMARY KEY (a ASC)) WITHOUT ROWID",
    ),
    "not null of the rowid": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY ASC)",
    ),
    "on conflict abort": (
        "CREATE TABLE t (a NOT NULL, b UNIQUE)",
        "CREATE TABLE t (a NOT NULL ON CONFLICT ABORT, b UNIQUE ON CONFLICT ABORT)",
    ),
    "a check of a column and of the table": (
        "CREATE TABLE t (a CHECK (a > 0), b CHECK (b > 0))",
        "CREATE TABLE t (a, b, CONSTRAINT b_positive CHECK ((b > 0)), CHECK (a > 0))",
    ),
    "collate binary": (
        "CREATE TABLE t (a); CREATE INDEX i ON t (a)",
        "CREATE TABLE t (a COLLATE binary); CREATE INDEX i ON t (a COLLATE BINARY ASC)",
    ),
    "a string in double quotes": (
        (
            "CREATE TABLE t (a CHECK (a IN (\"Open\", 'x'))); "
            'CREATE VIEW v AS SELECT a FROM t WHERE a = "Dining Out"'
        ),
        (
            "CREATE TABLE t (a CHECK (a IN ('Open', 'x'))); "
            "CREATE VIEW v AS SELECT a FROM t WHERE a = 'Dining Out'"
        ),
    ),
    "generated always": (
        "CREATE TABLE t (a, b GENERATED ALWAYS AS (a + 1))",
        "CREATE TABLE t (a, b AS ((A+1)) VIRTUAL)",
    ),
    "a trigger spelled out": (
        "CREATE TABLE t (a); CREATE TRIGGER x INSERT ON t BEGIN SELECT 1; END",
        "CREATE TABLE t (a); CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SELECT 1; END",
    ),
    "operators of two spellings": (
        "CREATE TABLE t (a CHECK (a != 1 AND a == 2 OR a = 3))",
        "CREATE TABLE t (a CHECK (a <> 1 AND a = 2 OR a == 3))",
    ),
    "the order in which things were made": (
        "CREATE TABLE t (a); CREATE TABLE u (a); CREATE INDEX i ON t (a); CREATE INDEX j ON t (a)",
        "CREATE TABLE u (a); CREATE TABLE t (a); CREATE INDEX j ON t (a); CREATE INDEX i ON t (a)",
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_what_only_looks_like_a_difference_is_none(case: str) -> None:
    before, after = SAME[case]

    assert differences(before, after) == ()
    assert differences(after, before) == ()


P = "CREATE TABLE p (id INTEGER PRIMARY KEY, x UNIQUE); "
# Each: before, after, what is shown (kind, column, before, after).
DIFFERENT: dict[str, tuple[str, str, list[tuple[str, ...]]]] = {
    "table": (
        (
            "CREATE TABLE a (x, y CHECK (y > 0)); CREATE INDEX i ON a (x); "
            "CREATE TRIGGER z AFTER INSERT ON a BEGIN SELECT 1; END"
        ),
        "CREATE TABLE b (x UNIQUE); CREATE TRIGGER y AFTER DELETE ON b BEGIN SELECT 1; END",
        [("table lost", "", "TABLE a (x, y)", ""), ("table added", "", "", "TABLE b (x)")],
    ),
    "column": (
        "CREATE TABLE t (a, note VARCHAR(20) COLLATE nocase NOT NULL DEFAULT '' "
        "CHECK (note <> 'x') UNIQUE REFERENCES p); " + P,
        "CREATE TABLE t (a, b AS (a * 2) STORED CHECK (b > 1) UNIQUE REFERENCES p); " + P,
        [
            ("column lost", "note", "note VARCHAR(20) COLLATE nocase NOT NULL DEFAULT ''", ""),
            ("column added", "b", "", "b GENERATED ALWAYS AS (a * 2) STORED"),
        ],
    ),
    "what concerns more than the column that is lost": (
        (
            "CREATE TABLE t (a, b, CHECK (a < b), UNIQUE (a, b), FOREIGN KEY (a, b) REFERENCES t); "
            "CREATE INDEX i ON t (a) WHERE b > 0; CREATE INDEX j ON t (b)"
        ),
        "CREATE TABLE t (a)",
        [
            ("column lost", "b", "b", ""),
            ("check lost", "", "CHECK (a < b)", ""),
            ("unique lost", "", "UNIQUE (a, b)", ""),
            ("index lost", "", "INDEX i ON t (a) WHERE b > 0", ""),
            ("foreign key lost", "a, b", "FOREIGN KEY (a, b) REFERENCES t", ""),
        ],
    ),
    "order": (
        "CREATE TABLE t (a, b, c, d)",
        "CREATE TABLE t (x, c, b, d)",
        [
            ("column lost", "a", "a", ""),
            ("column added", "x", "", "x"),
            ("column order", "", "b, c, d", "c, b, d"),
        ],
    ),
    "affinity": (
        "CREATE TABLE t (a INTEGER)",
        "CREATE TABLE t (a REAL)",
        [("column type", "a", "INTEGER", "REAL")],
    ),
    "type in a strict table": (
        "CREATE TABLE t (a ANY) STRICT",
        "CREATE TABLE t (a INT) STRICT",
        [("column type", "a", "ANY", "INT")],
    ),
    "not null": (
        "CREATE TABLE t (a NOT NULL)",
        "CREATE TABLE t (a)",
        [("column not null", "a", "NOT NULL", "")],
    ),
    "default of another type": (
        "CREATE TABLE t (a DEFAULT 0)",
        "CREATE TABLE t (a DEFAULT '0')",
        [("column default", "a", "DEFAULT 0", "DEFAULT '0'")],
    ),
    "default of another type in a strict table": (
        "CREATE TABLE t (a ANY DEFAULT 0, b INT DEFAULT 0) STRICT",
        "CREATE TABLE t (a ANY DEFAULT '0', b INT DEFAULT '0') STRICT",
        [("column default", "a", "DEFAULT 0", "DEFAULT '0'")],
    ),
    "default of another number": (
        "CREATE TABLE t (a TEXT DEFAULT 1.0, b INT DEFAULT 1, c TEXT DEFAULT 0)",
        "CREATE TABLE t (a TEXT DEFAULT 1, b INT DEFAULT 1.5, c TEXT DEFAULT ('0' || ''))",
        [
            ("column default", "a", "DEFAULT 1.0", "DEFAULT 1"),
            ("column default", "b", "DEFAULT 1", "DEFAULT 1.5"),
            ("column default", "c", "DEFAULT 0", "DEFAULT '0' || ''"),
        ],
    ),
    "default in another letter case": (
        "CREATE TABLE t (a DEFAULT 'Open', b DEFAULT \"Open\")",
        "CREATE TABLE t (a DEFAULT 'open', b DEFAULT \"open\")",
        [
            ("column default", "a", "DEFAULT 'Open'", "DEFAULT 'open'"),
            ("column default", "b", 'DEFAULT "Open"', 'DEFAULT "open"'),
        ],
    ),
    "default lost": (
        "CREATE TABLE t (a DEFAULT CURRENT_TIMESTAMP)",
        "CREATE TABLE t (a)",
        [("column default", "a", "DEFAULT CURRENT_TIMESTAMP", "")],
    ),
    "collation, and with it that of the column's own index": (
        "CREATE TABLE t (a TEXT COLLATE nocase UNIQUE)",
        "CREATE TABLE t (a TEXT UNIQUE)",
        [("column collation", "a", "COLLATE nocase", "COLLATE BINARY")],
    ),
    "generated": (
        "CREATE TABLE t (a, b AS (lower(a) || 'x') STORED, c AS (a))",
        "CREATE TABLE t (a, b AS (upper(a) || 'x') STORED, c)",
        [
            (
                "column generated",
                "b",
                "GENERATED ALWAYS AS (lower(a) || 'x') STORED",
                "GENERATED ALWAYS AS (upper(a) || 'x') STORED",
            ),
            ("column generated", "c", "GENERATED ALWAYS AS (a) VIRTUAL", ""),
        ],
    ),
    "generated and kept": (
        "CREATE TABLE t (a, b AS (a) VIRTUAL)",
        "CREATE TABLE t (a, b AS (a) STORED)",
        [
            (
                "column generated",
                "b",
                "GENERATED ALWAYS AS (a) VIRTUAL",
                "GENERATED ALWAYS AS (a) STORED",
            )
        ],
    ),
    "the key is no longer the rowid": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t (id INT PRIMARY KEY)",
        [("primary key", "id", "INTEGER PRIMARY KEY (id)", "PRIMARY KEY (id)")],
    ),
    "the key becomes the rowid, which is never NULL": (
        "CREATE TABLE t (id INT NOT NULL PRIMARY KEY)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        [("primary key", "id", "PRIMARY KEY (id)", "INTEGER PRIMARY KEY (id)")],
    ),
    "the key is lost": (
        "CREATE TABLE t (a, b, PRIMARY KEY (a, b))",
        "CREATE TABLE t (a, b)",
        [("primary key", "", "PRIMARY KEY (a, b)", "")],
    ),
    "the key is another": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t (uuid TEXT PRIMARY KEY)",
        [
            ("column lost", "id", "id INTEGER", ""),
            ("column added", "uuid", "", "uuid TEXT"),
            ("primary key", "id", "INTEGER PRIMARY KEY (id)", "PRIMARY KEY (uuid)"),
        ],
    ),
    "the key is gone with its column": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a)",
        "CREATE TABLE t (a)",
        [("column lost", "id", "id INTEGER", "")],
    ),
    "the key has come with its column": (
        "CREATE TABLE t (a)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a)",
        [("column added", "id", "", "id INTEGER")],
    ),
    "the key compares otherwise": (
        "CREATE TABLE t (a, b, PRIMARY KEY (a COLLATE nocase, b DESC))",
        "CREATE TABLE t (a, b, PRIMARY KEY (a, b))",
        [("primary key", "", "PRIMARY KEY (a COLLATE nocase, b DESC)", "PRIMARY KEY (a, b)")],
    ),
    "check": (
        "CREATE TABLE t (a CHECK (a >= 0), b, CHECK (a < b))",
        "CREATE TABLE t (a CHECK (a > 0), b, CHECK (a < b), CHECK (a < b))",
        [
            ("check changed", "a", "CHECK (a >= 0)", "CHECK (a > 0)"),
            ("check added", "", "", "CHECK (a < b)"),
        ],
    ),
    "check of another column": (
        "CREATE TABLE t (a CHECK (a >= 0), b)",
        "CREATE TABLE t (a, b CHECK (b >= 0))",
        [
            ("check lost", "a", "CHECK (a >= 0)", ""),
            ("check added", "b", "", "CHECK (b >= 0)"),
        ],
    ),
    "check under the same name": (
        "CREATE TABLE t (a CHECK (a > 0), b, CONSTRAINT Top CHECK (a < 9))",
        "CREATE TABLE t (a, b, CONSTRAINT top CHECK (b < 7), CHECK (a > 0))",
        [("check changed", "a", "CHECK (a < 9)", "CHECK (b < 7)")],
    ),
    "check with the same column": (
        "CREATE TABLE t (a, b CHECK (b > 1), CHECK (a = b))",
        "CREATE TABLE t (a, b CHECK (length(a) = b OR a IS NULL), CHECK (b > a))",
        [
            ("check changed", "b", "CHECK (b > 1)", "CHECK (length(a) = b OR a IS NULL)"),
            ("check changed", "", "CHECK (a = b)", "CHECK (b > a)"),
        ],
    ),
    "checks of the same columns, by what they have in common": (
        "CREATE TABLE t (a, b, CHECK (a > 0), CHECK (a <= 10), CHECK (a <> 5))",
        "CREATE TABLE t (a, b, CHECK (a <= 20), CHECK (a >= 0 OR a = -1))",
        [
            ("check changed", "a", "CHECK (a > 0)", "CHECK (a >= 0 OR a = -1)"),
            ("check changed", "a", "CHECK (a <= 10)", "CHECK (a <= 20)"),
            ("check lost", "a", "CHECK (a <> 5)", ""),
        ],
    ),
    "check that looks at one more column, or at one that is lost": (
        "CREATE TABLE t (a, b, c, CHECK (a < b), CHECK (c IN ('x', 'y', 'z')))",
        "CREATE TABLE t (a, c, CHECK (a < 5), CHECK (c IN ('x', 'y', 'z') OR a > 1))",
        [
            ("column lost", "b", "b", ""),
            ("check changed", "", "CHECK (a < b)", "CHECK (a < 5)"),
            (
                "check changed",
                "c",
                "CHECK (c IN ('x', 'y', 'z'))",
                "CHECK (c IN ('x', 'y', 'z') OR a > 1)",
            ),
        ],
    ),
    "check that goes with its column, and one of its name that comes": (
        "CREATE TABLE t (a, b CONSTRAINT top CHECK (b < 9))",
        "CREATE TABLE t (a, c CONSTRAINT top CHECK (c < 9))",
        [("column lost", "b", "b", ""), ("column added", "c", "", "c")],
    ),
    "one of two checks that are equal": (
        "CREATE TABLE t (a, CHECK (a > 0), CHECK (a > 0))",
        "CREATE TABLE t (a, CHECK (a > 0), CHECK (a > 1))",
        [("check changed", "a", "CHECK (a > 0)", "CHECK (a > 1)")],
    ),
    "a string in a check in another letter case": (
        'CREATE TABLE t (a CHECK (a = "Open"))',
        'CREATE TABLE t (a CHECK (a = "open"))',
        [
            ("check changed", "a", 'CHECK (a = "Open")', 'CHECK (a = "open")'),
        ],
    ),
    "unique": (
        "CREATE TABLE t (a UNIQUE, b, c)",
        "CREATE TABLE t (a, b, c, UNIQUE (b, c))",
        [
            ("unique lost", "a", "UNIQUE (a)", ""),
            ("unique added", "", "", "UNIQUE (b, c)"),
        ],
    ),
    "a partial index is no unique": (
        "CREATE TABLE t (a UNIQUE)",
        "CREATE TABLE t (a); CREATE UNIQUE INDEX i ON t (a) WHERE a > 0",
        [
            ("unique lost", "a", "UNIQUE (a)", ""),
            ("index added", "a", "", "UNIQUE INDEX i ON t (a) WHERE a > 0"),
        ],
    ),
    "foreign key": (
        P + "CREATE TABLE c (a REFERENCES p, b REFERENCES p (x))",
        P + "CREATE TABLE c (a REFERENCES q, b REFERENCES p)",
        [
            ("foreign key lost", "a", "FOREIGN KEY (a) REFERENCES p (id)", ""),
            ("foreign key lost", "b", "FOREIGN KEY (b) REFERENCES p (x)", ""),
            ("foreign key added", "a", "", "FOREIGN KEY (a) REFERENCES q"),
            ("foreign key added", "b", "", "FOREIGN KEY (b) REFERENCES p (id)"),
        ],
    ),
    "foreign key actions": (
        P + "CREATE TABLE c (a REFERENCES p ON DELETE CASCADE, b REFERENCES p "
        "ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED, c REFERENCES p)",
        P + "CREATE TABLE c (a REFERENCES p, b REFERENCES p ON UPDATE SET NULL, c REFERENCES p)",
        [
            (
                "foreign key changed",
                "a",
                "FOREIGN KEY (a) REFERENCES p (id) ON DELETE CASCADE",
                "FOREIGN KEY (a) REFERENCES p (id)",
            ),
            (
                "foreign key changed",
                "b",
                (
                    "FOREIGN KEY (b) REFERENCES p (id) ON UPDATE SET NULL DEFERRABLE INITIALLY "
                    "DEFERRED"
                ),
                "FOREIGN KEY (b) REFERENCES p (id) ON UPDATE SET NULL",
            ),
        ],
    ),
    "one of two foreign keys from the same column": (
        P + "CREATE TABLE c (a REFERENCES p ON DELETE CASCADE REFERENCES p)",
        P + "CREATE TABLE c (a REFERENCES p)",
        [("foreign key lost", "a", "FOREIGN KEY (a) REFERENCES p (id) ON DELETE CASCADE", "")],
    ),
    "index": (
        "CREATE TABLE t (a, b); CREATE INDEX i ON t (a, b)",
        "CREATE TABLE t (a, b); CREATE UNIQUE INDEX j ON t (a, b)",
        [
            ("index lost", "", "INDEX i ON t (a, b)", ""),
            ("index added", "", "", "UNIQUE INDEX j ON t (a, b)"),
        ],
    ),
    "one of two indexes that do the same": (
        "CREATE TABLE t (a); CREATE INDEX i ON t (a); CREATE INDEX j ON t (a)",
        "CREATE TABLE t (a); CREATE INDEX j ON t (a)",
        [("index lost", "a", "INDEX i ON t (a)", "")],
    ),
    "two indexes that do the same become one under a third name": (
        "CREATE TABLE t (a); CREATE INDEX i ON t (a); CREATE INDEX j ON t (a)",
        "CREATE TABLE t (a); CREATE INDEX k ON t (a)",
        [("index lost", "a", "INDEX j ON t (a)", "")],
    ),
    "an index that does what a constraint does": (
        "CREATE TABLE t (a UNIQUE); CREATE UNIQUE INDEX i ON t (a)",
        "CREATE TABLE t (a UNIQUE)",
        [("index lost", "a", "UNIQUE INDEX i ON t (a)", "")],
    ),
    "index of the same name": (
        (
            "CREATE TABLE t (a, b); CREATE INDEX i ON t (a); CREATE INDEX j ON t (b) WHERE a > 0; "
            "CREATE INDEX k ON t (lower(a)); CREATE INDEX l ON t (a); CREATE INDEX m ON t (a, b); "
            "CREATE INDEX n ON t (a)"
        ),
        (
            "CREATE TABLE t (a, b); CREATE INDEX i ON t (a DESC); CREATE INDEX j ON t (b) "
            "WHERE a > 1; CREATE INDEX k ON t (upper(a)); CREATE INDEX l ON t (a COLLATE nocase); "
            "CREATE INDEX m ON t (a); CREATE INDEX n ON t ((a))"
        ),
        [
            ("index changed", "a", "INDEX i ON t (a)", "INDEX i ON t (a DESC)"),
            (
                "index changed",
                "",
                "INDEX j ON t (b) WHERE a > 0",
                "INDEX j ON t (b) WHERE a > 1",
            ),
            ("index changed", "a", "INDEX k ON t (lower(a))", "INDEX k ON t (upper(a))"),
            ("index changed", "a", "INDEX l ON t (a)", "INDEX l ON t (a COLLATE nocase)"),
            ("index changed", "", "INDEX m ON t (a, b)", "INDEX m ON t (a)"),
        ],
    ),
    "options": (
        "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT) STRICT",
        "CREATE TABLE t (a INTEGER PRIMARY KEY) WITHOUT ROWID",
        [
            ("strict", "", "STRICT", ""),
            ("without rowid", "", "", "WITHOUT ROWID"),
            ("autoincrement", "", "AUTOINCREMENT", ""),
        ],
    ),
    "on conflict": (
        (
            "CREATE TABLE t (a TEXT PRIMARY KEY ON CONFLICT REPLACE, b NOT NULL "
            "ON CONFLICT IGNORE, c UNIQUE ON CONFLICT FAIL, d UNIQUE, e UNIQUE ON CONFLICT FAIL)"
        ),
        (
            "CREATE TABLE t (a TEXT PRIMARY KEY, b NOT NULL ON CONFLICT FAIL, c UNIQUE, "
            "d UNIQUE ON CONFLICT IGNORE, e UNIQUE ON CONFLICT FAIL)"
        ),
        [
            ("on conflict", "c", "ON CONFLICT FAIL", ""),
            ("on conflict", "d", "ON CONFLICT ABORT", "ON CONFLICT IGNORE"),
            (
                "on conflict",
                "",
                "NOT NULL (b) ON CONFLICT IGNORE",
                "NOT NULL (b) ON CONFLICT FAIL",
            ),
            ("on conflict", "", "PRIMARY KEY (a) ON CONFLICT REPLACE", ""),
        ],
    ),
    "on conflict of a key of which a column is lost": (
        "CREATE TABLE t (a, b, PRIMARY KEY (a, b) ON CONFLICT IGNORE)",
        "CREATE TABLE t (a PRIMARY KEY)",
        [
            ("column lost", "b", "b", ""),
            ("primary key", "", "PRIMARY KEY (a, b)", "PRIMARY KEY (a)"),
        ],
    ),
    "on conflict of a unique that is the key": (
        "CREATE TABLE t (a TEXT PRIMARY KEY, UNIQUE (a) ON CONFLICT FAIL)",
        "CREATE TABLE t (a TEXT PRIMARY KEY, UNIQUE (a) ON CONFLICT REPLACE)",
        [
            (
                "on conflict",
                "",
                "UNIQUE (a) ON CONFLICT FAIL",
                "UNIQUE (a) ON CONFLICT REPLACE",
            )
        ],
    ),
    "on conflict where there was none": (
        "CREATE TABLE t (a NOT NULL, b)",
        "CREATE TABLE t (a NOT NULL ON CONFLICT IGNORE, b NOT NULL ON CONFLICT IGNORE)",
        [
            ("column not null", "b", "", "NOT NULL"),
            (
                "on conflict",
                "",
                "NOT NULL (a) ON CONFLICT ABORT",
                "NOT NULL (a) ON CONFLICT IGNORE",
            ),
            ("on conflict", "", "", "NOT NULL (b) ON CONFLICT IGNORE"),
        ],
    ),
    "on conflict of a column that is lost": (
        "CREATE TABLE t (a, b NOT NULL ON CONFLICT IGNORE)",
        "CREATE TABLE t (a)",
        [("column lost", "b", "b NOT NULL", "")],
    ),
    "virtual table": (
        "CREATE VIRTUAL TABLE a USING fts5(x); CREATE VIRTUAL TABLE b USING fts5(x)",
        "CREATE VIRTUAL TABLE a USING fts5(x, y); CREATE TABLE b (x)",
        [
            ("virtual table", "", "USING fts5(x)", "USING fts5(x, y)"),
            ("virtual table", "", "USING fts5(x)", "an ordinary table"),
        ],
    ),
    "trigger": (
        (
            "CREATE TABLE t (a); CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END; "
            "CREATE TRIGGER y AFTER INSERT ON t BEGIN SELECT 1; END"
        ),
        (
            "CREATE TABLE t (a); CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 2; END; "
            "CREATE TRIGGER z AFTER INSERT ON t BEGIN SELECT 1; END"
        ),
        [
            (
                "trigger changed",
                "",
                "create trigger x after insert on t begin select 1; end",
                "create trigger x after insert on t begin select 2; end",
            ),
            ("trigger lost", "", "create trigger y after insert on t begin select 1; end", ""),
            ("trigger added", "", "", "create trigger z after insert on t begin select 1; end"),
        ],
    ),
    "view": (
        (
            "CREATE TABLE t (a, b); CREATE VIEW x AS SELECT a, b, 1, 2, 3, 4 FROM t "
            'WHERE b = "Out" '
            "AND a > 1 AND a > 2 AND a > 3 AND a > 4; CREATE VIEW y AS SELECT a FROM t"
        ),
        (
            "CREATE TABLE t (a, b); CREATE VIEW x AS SELECT a, b, 1, 2, 3, 4 FROM t "
            'WHERE b = "out" '
            "AND a > 1 AND a > 2 AND a > 3 AND a > 4; CREATE VIEW z AS SELECT a FROM t"
        ),
        [
            (
                "view changed",
                "",
                "… 1, 2, 3, 4 from t where b = 'Out' and a > 1 and a > 2 and a > …",
                "… 1, 2, 3, 4 from t where b = 'out' and a > 1 and a > 2 and a > …",
            ),
            ("view lost", "", "create view y as select a from t", ""),
            ("view added", "", "", "create view z as select a from t"),
        ],
    ),
    "a view that is a table now": (
        (
            "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; "
            "CREATE TRIGGER x INSTEAD OF DELETE ON v BEGIN SELECT 1; END"
        ),
        "CREATE TABLE t (a); CREATE TABLE v (a)",
        [
            ("table added", "", "", "TABLE v (a)"),
            ("view lost", "", "create view v as select a from t", ""),
        ],
    ),
    "broken": (
        (
            "CREATE TABLE t (a, b); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW old AS SELECT "
            "a FROM gone; CREATE TRIGGER x AFTER DELETE ON t BEGIN SELECT old.b; END"
        ),
        (
            "CREATE TABLE t (b); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW old AS SELECT "
            "a FROM gone; CREATE TRIGGER x AFTER DELETE ON t BEGIN SELECT old.b; END; "
            "CREATE TRIGGER y AFTER INSERT ON t BEGIN SELECT new.a; END"
        ),
        [
            ("column lost", "a", "a", ""),
            ("trigger added", "", "", "create trigger y after insert on t begin select new.a; end"),
            ("trigger broken", "", "", "does not compile: no such column: new.a"),
            ("view broken", "", "", "does not compile: no such column: a"),
        ],
    ),
    "a full-text index whose column is gone": (
        (
            "CREATE TABLE t (a); CREATE VIRTUAL TABLE f USING fts5 (a, content = t); "
            "CREATE VIRTUAL TABLE old USING fts5 (b, content = t)"
        ),
        (
            "CREATE TABLE t (c); CREATE VIRTUAL TABLE f USING fts5 (a, content = t); "
            "CREATE VIRTUAL TABLE old USING fts5 (b, content = t); "
            "CREATE VIRTUAL TABLE words USING fts3tokenize (porter)"
        ),
        [
            ("table added", "", "", "TABLE words (input, token, start, end, position)"),
            ("column lost", "a", "a", ""),
            ("column added", "c", "", "c"),
            ("table broken", "", "", "cannot be read: no such column: T.a"),
        ],
    ),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_a_difference_of_structure_is_shown(case: str) -> None:
    before, after, expected = DIFFERENT[case]

    assert shown(before, after) == expected


def test_every_kind_is_shown_by_some_case() -> None:
    kinds = {row[0] for _, _, expected in DIFFERENT.values() for row in expected}

    assert kinds == set(KINDS)


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_is_lost_one_way_is_added_the_other(case: str) -> None:
    before, after, _ = DIFFERENT[case]
    there = [d for d in differences(before, after) if d.kind.endswith((" lost", " added"))]
    back = [d for d in differences(after, before) if d.kind.endswith((" lost", " added"))]
    swapped = [
        SchemaDifference(
            d.kind.replace(" lost", " +").replace(" added", " lost").replace(" +", " added"),
            d.name,
            d.table,
            d.column,
            d.after,
            d.before,
        )
        for d in there
    ]

    assert sorted(map(repr, swapped)) == sorted(map(repr, back))


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_changed_one_way_has_changed_the_other(case: str) -> None:
    before, after, _ = DIFFERENT[case]
    there = differences(before, after)
    back = differences(after, before)

    assert {(d.kind, d.after, d.before) for d in there if d.kind.endswith(" changed")} == {
        (d.kind, d.before, d.after) for d in back if d.kind.endswith(" changed")
    }


def test_a_check_that_changed_is_apart_one_that_is_lost_and_one_that_is_added() -> None:
    found = differences("CREATE TABLE t (a, b CHECK (a > 0))", "CREATE TABLE t (a CHECK (a > 1))")

    assert [(d.kind, d.column, d.before, d.after) for d in apart(found)] == [
        ("column lost", "b", "b", ""),
        ("check lost", "a", "CHECK (a > 0)", ""),
        ("check added", "a", "", "CHECK (a > 1)"),
    ]


SCRIPTS = SAME | {case: (before, after) for case, (before, after, _) in DIFFERENT.items()}


@pytest.mark.parametrize("case", SCRIPTS)
def test_a_schema_differs_in_nothing_from_itself(case: str) -> None:
    for script in SCRIPTS[case]:
        schema = schema_of(script)
        names = {t.name.casefold(): t.name.casefold() for t in schema.tables}
        columns = {
            (t.name.casefold(), c.name.casefold()): c.name.casefold()
            for t in schema.tables
            for c in t.columns
        }

        assert compare_schemas(schema, schema) == ()
        assert compare_schemas(schema, schema, Renames(names, columns)) == ()


def test_the_names_of_a_difference_are_those_before_and_of_an_addition_those_after() -> None:
    before = "CREATE TABLE Old (A INTEGER, B UNIQUE); CREATE INDEX I ON Old (B DESC)"
    after = "CREATE TABLE New (A2 REAL, B2, C, UNIQUE (C, B2))"
    renames = Renames({"old": "new"}, {("old", "a"): "a2", ("old", "b"): "b2"})

    found = differences(before, after, renames)
    assert [(d.kind, d.name, d.table, d.column) for d in found] == [
        ("column type", "A", "Old", "A"),
        ("column added", "C", "New", "C"),
        ("unique lost", "Old", "Old", "B"),
        ("index lost", "I", "Old", "B"),
        ("unique added", "New", "New", ""),
    ]


RENAMED = """
    CREATE TABLE parents (id INTEGER PRIMARY KEY, "end" TEXT NOT NULL ON CONFLICT IGNORE,
        code TEXT UNIQUE, doubled AS (code || "end"),
        CHECK (CASE WHEN "end" > '' THEN 1 END), CHECK (parents.code <> 'code'));
    CREATE TABLE children (parent INTEGER REFERENCES parents ON DELETE CASCADE,
        code TEXT REFERENCES parents (code), state TEXT CHECK (state IN ("Open", "code")));
    CREATE INDEX by_code ON parents (code DESC) WHERE "end" <> 'code';
    CREATE INDEX by_lower ON parents (lower(code));
    CREATE VIEW both AS SELECT p.code, c.code AS other FROM parents p JOIN children c
        ON c.parent = p.id WHERE c.state = "Open" ORDER BY CASE WHEN p."end" > '' THEN 1 END;
    CREATE TRIGGER on_parent AFTER UPDATE OF code ON parents BEGIN
        UPDATE children SET code = new.code WHERE code = old.code; END;
"""


@pytest.mark.parametrize(
    ("statements", "renames"),
    [
        ("ALTER TABLE parents RENAME TO elders", Renames({"parents": "elders"})),
        (
            "ALTER TABLE parents RENAME code TO sign",
            Renames(columns={("parents", "code"): "sign"}),
        ),
        (
            'ALTER TABLE parents RENAME "end" TO finish',
            Renames(columns={("parents", "end"): "finish"}),
        ),
        (
            (
                "ALTER TABLE parents RENAME code TO sign; ALTER TABLE parents RENAME TO elders; "
                "ALTER TABLE children RENAME TO parents; "
                "ALTER TABLE parents RENAME code TO its_sign"
            ),
            Renames(
                {"parents": "elders", "children": "parents"},
                {("parents", "code"): "sign", ("children", "code"): "its_sign"},
            ),
        ),
    ],
)
def test_what_a_rename_takes_along_is_no_difference(statements: str, renames: Renames) -> None:
    assert differences(RENAMED, RENAMED + statements, renames) == ()


def test_a_virtual_table_can_be_renamed() -> None:
    before = "CREATE VIRTUAL TABLE f USING fts5(a);"

    assert differences(before, before + "ALTER TABLE f RENAME TO g", Renames({"f": "g"})) == ()


def test_a_column_of_a_virtual_table_can_be_renamed() -> None:
    renames = Renames({"t": "t"}, {("t", "a"): "b"})
    before, after = (f"CREATE VIRTUAL TABLE t USING fts5({name})" for name in "ab")

    assert differences(before, after, renames) == ()


def test_a_reference_follows_a_renamed_column_whatever_its_letters() -> None:
    before = "CREATE TABLE p (id INT UNIQUE); CREATE TABLE c (p REFERENCES P (ID));"
    renames = Renames({"p": "p", "c": "c"}, {("p", "id"): "nr", ("c", "p"): "p"})

    assert differences(before, before + "ALTER TABLE p RENAME id TO nr", renames) == ()


def test_without_the_rename_the_same_is_lost_and_added() -> None:
    before = "CREATE TABLE t (a, b CHECK (b > 0)); CREATE VIEW v AS SELECT b FROM t;"

    assert [d.kind for d in differences(before, before + "ALTER TABLE t RENAME b TO c")] == [
        "column lost",
        "column added",
        "view changed",
    ]


def test_a_rename_that_did_not_happen_is_passed_over() -> None:
    script = "CREATE TABLE t (a CHECK (a > 0))"
    renames = Renames({"t": "t_old"}, {("t", "a"): "b"})

    assert differences(script, script, renames) == ()


def test_a_column_that_another_was_renamed_to_is_lost() -> None:
    before = "CREATE TABLE t (a INTEGER, b TEXT REFERENCES t (a))"
    after = "CREATE TABLE t (b INTEGER REFERENCES t (b))"

    assert shown(before, after, Renames(columns={("t", "a"): "b"})) == [
        ("column lost", "b", "b TEXT", ""),
        ("foreign key added", "b", "", "FOREIGN KEY (b) REFERENCES t (b)"),
    ]


def test_an_explicit_index_is_known_by_its_name_where_a_statement_may_go_by_it() -> None:
    before = schema_of("CREATE TABLE t (a, b UNIQUE); CREATE INDEX i ON t (a)")
    after = schema_of("CREATE TABLE t (a, b UNIQUE); CREATE INDEX j ON t (a)")
    found = compare_schemas(before, after, strictly=True)

    assert [(d.kind, d.name) for d in found] == [("index lost", "i"), ("index added", "j")]
    assert compare_schemas(before, before, strictly=True) == ()


def test_an_explicit_index_may_stand_for_a_unique_also_where_names_count() -> None:
    constraint = schema_of("CREATE TABLE t (a, b UNIQUE)")
    index = schema_of("CREATE TABLE t (a, b); CREATE UNIQUE INDEX i ON t (b)")
    both = schema_of("CREATE TABLE t (a, b UNIQUE); CREATE UNIQUE INDEX i ON t (b)")
    partial = schema_of("CREATE TABLE t (a, b); CREATE UNIQUE INDEX i ON t (b) WHERE a")

    def kinds(before: Schema, after: Schema) -> list[str]:
        return [found.kind for found in compare_schemas(before, after, strictly=True)]

    assert kinds(constraint, index) == []
    assert kinds(constraint, both) == ["index added"]
    assert kinds(constraint, partial) == ["unique lost", "index added"]
    assert kinds(index, constraint) == ["index lost"]


def test_a_check_that_stayed_with_the_name_is_another_check() -> None:
    before = "CREATE TABLE t (a CHECK (a > 0), b)"
    after = "CREATE TABLE t (b, a CHECK (a > 0))"
    swapped = Renames(columns={("t", "a"): "b", ("t", "b"): "a"})

    assert shown(before, after, swapped) == [
        ("check lost", "a", "CHECK (a > 0)", ""),
        ("check added", "a", "", "CHECK (a > 0)"),
    ]


def test_a_foreign_key_left_behind_by_a_rename_is_lost() -> None:
    before = P + "CREATE TABLE c (p REFERENCES p)"
    after = (
        P + "CREATE TABLE c (p REFERENCES p); PRAGMA legacy_alter_table = ON; "
        "ALTER TABLE p RENAME TO q"
    )

    assert shown(before, after, Renames({"p": "q"})) == [
        ("foreign key lost", "p", "FOREIGN KEY (p) REFERENCES p (id)", ""),
        ("foreign key added", "p", "", "FOREIGN KEY (p) REFERENCES p"),
    ]


def test_a_view_whose_column_became_a_string_is_changed() -> None:
    view = 'CREATE VIEW v AS SELECT "note", a FROM t'

    assert [
        d.kind
        for d in differences(
            f"CREATE TABLE t (note, a); {view}", f"CREATE TABLE t (memo, a); {view}"
        )
    ] == ["column lost", "column added", "view changed"]


PIECES = (
    "a INTEGER PRIMARY KEY",
    "a TEXT PRIMARY KEY COLLATE nocase",
    "b TEXT NOT NULL DEFAULT 'x' UNIQUE",
    "b INTEGER DEFAULT 0 CHECK (b > 0)",
    "c REFERENCES p ON DELETE CASCADE",
    "c REFERENCES p (x) DEFERRABLE INITIALLY DEFERRED",
    "d AS (a || 'x')",
)


@given(
    st.lists(st.sampled_from(PIECES), min_size=1, unique_by=lambda piece: piece[0]),
    st.lists(st.sampled_from(PIECES), min_size=1, unique_by=lambda piece: piece[0]),
)
def test_schemas_differ_unless_they_are_made_of_the_same(one: list[str], two: list[str]) -> None:
    if not any(piece.startswith("a ") for piece in one):
        one = ["a", *one]
    if not any(piece.startswith("a ") for piece in two):
        two = ["a", *two]
    there = differences(f"CREATE TABLE t ({', '.join(one)})", f"CREATE TABLE t ({', '.join(two)})")
    back = differences(f"CREATE TABLE t ({', '.join(two)})", f"CREATE TABLE t ({', '.join(one)})")

    assert (there == ()) == (one == two) == (back == ())


def test_a_view_that_does_not_compile_any_more_is_not_told_as_changed_too() -> None:
    before = "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t;"

    assert [
        d.kind for d in differences(before, "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM u;")
    ] == ["view broken"]

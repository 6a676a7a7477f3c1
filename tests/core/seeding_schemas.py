"""Schemas of every kind that filling has to cope with, by name."""

from __future__ import annotations

SCHEMAS = {
    "no key at all": "CREATE TABLE note (text TEXT, written_at TEXT)",
    "a column without a type": "CREATE TABLE t (id INTEGER PRIMARY KEY, anything)",
    "integer key": "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    "autoincrement": "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT)",
    "text key": "CREATE TABLE category (name TEXT PRIMARY KEY, color TEXT)",
    "nocase key": "CREATE TABLE t (name TEXT PRIMARY KEY COLLATE NOCASE) WITHOUT ROWID",
    "composite key": "CREATE TABLE t (month TEXT, category TEXT, amount REAL,"
    " PRIMARY KEY (month, category))",
    "without rowid": "CREATE TABLE t (code TEXT, number INT, note TEXT,"
    " PRIMARY KEY (code, number)) WITHOUT ROWID",
    "a blob as key": "CREATE TABLE t (digest BLOB PRIMARY KEY, size INTEGER)",
    "a real as key": "CREATE TABLE t (weight REAL PRIMARY KEY)",
    "all names of the rowid taken": "CREATE TABLE p (id INTEGER PRIMARY KEY);"
    "CREATE TABLE t (rowid TEXT, oid TEXT, _rowid_ TEXT, p_id INTEGER REFERENCES p (id))",
    "strict": "CREATE TABLE t (i INT, j INTEGER NOT NULL, r REAL, s TEXT, b BLOB, a ANY) STRICT",
    "declared types": "CREATE TABLE t (a VARCHAR(20), b DECIMAL(10, 2), c BOOLEAN, d DATE,"
    " e DATETIME, f TIMESTAMP, g JSON, h UUID, i DOUBLE PRECISION, j CHAR(3), k BIGINT,"
    " l FLOAT, m CLOB, n TIME, o STRING, p UNSIGNED BIG INT, q NUMERIC, r MONEY)",
    "odd names": 'CREATE TABLE "a ""b"" table" ("select" TEXT, "two words" INTEGER UNIQUE,'
    ' [x-y] REAL, "Ünïcode" TEXT)',
    "odd types": 'CREATE TABLE t (a "primary key", b [odd type](3), c `x"y`, d "int, x")',
    "defaults": "CREATE TABLE t (a TEXT NOT NULL DEFAULT 'none', b INTEGER DEFAULT (1 + 1),"
    " c TEXT DEFAULT CURRENT_TIMESTAMP, d REAL DEFAULT -1.5, e BLOB DEFAULT x'00')",
    "check in": "CREATE TABLE t (id INTEGER PRIMARY KEY,"
    " state TEXT NOT NULL CHECK (state IN ('draft', 'it''s done', 'Zoë')))",
    "check bounds": "CREATE TABLE t (mood INTEGER NOT NULL CHECK (mood BETWEEN 1 AND 5),"
    " share REAL NOT NULL CHECK (share > 0 AND share <= 1), size INTEGER CHECK (size >= 1000))",
    "check glob": "CREATE TABLE t ("
    "month TEXT NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]'),"
    " plate TEXT NOT NULL CHECK (plate GLOB '[A-Z][A-Z]-[0-9][0-9][^a-z]?*'))",
    "check like and length": "CREATE TABLE t (contact TEXT NOT NULL CHECK (contact LIKE '_%@_%'),"
    " iso TEXT NOT NULL CHECK (length(iso) = 3 AND iso = upper(iso)),"
    " pin TEXT NOT NULL CHECK (length(pin) = 6 AND pin NOT GLOB '*[^0-9]*'))",
    "check by function": "CREATE TABLE t (payload TEXT NOT NULL CHECK (json_valid(payload)),"
    " d TEXT NOT NULL CHECK (d IS date(d)), kind CHECK (typeof(kind) IN ('text', 'null')),"
    " small TEXT CHECK (small = lower(small)))",
    "check of two columns": "CREATE TABLE t (id INTEGER PRIMARY KEY, start_date TEXT NOT NULL,"
    " end_date TEXT NOT NULL, CHECK (end_date >= start_date))",
    "named check of three columns": "CREATE TABLE t (kind TEXT NOT NULL, paid REAL, owed REAL,"
    " CONSTRAINT one_of_them CHECK ((paid IS NULL) <> (owed IS NULL)))",
    "check that only plain values meet": "CREATE TABLE t (a REAL NOT NULL, b REAL NOT NULL,"
    " c REAL NOT NULL, CHECK (a = b AND b = c))",
    "check that takes anything": "CREATE TABLE t (a TEXT CHECK (1), b INTEGER CHECK (b OR 1))",
    "check of a generated column": "CREATE TABLE t (amount REAL NOT NULL,"
    " cents INTEGER AS (CAST(round(amount * 100) AS INTEGER)) STORED, CHECK (cents >= 0))",
    "generated and unique": "CREATE TABLE t (name TEXT, low TEXT AS (lower(name)), UNIQUE (low))",
    "unique columns": "CREATE TABLE t (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE,"
    " uuid TEXT UNIQUE, month TEXT UNIQUE, week_start DATE UNIQUE, at TIMESTAMP UNIQUE,"
    " sort_order INTEGER UNIQUE, price REAL UNIQUE, name VARCHAR(8) UNIQUE COLLATE NOCASE,"
    " padded TEXT COLLATE RTRIM UNIQUE, whatever UNIQUE, week_end TEXT UNIQUE, time TEXT UNIQUE,"
    " extra JSON UNIQUE, first_day DATE UNIQUE, month_on DATE UNIQUE, token BLOB UNIQUE)",
    "unique together": "CREATE TABLE t (category TEXT, month TEXT, UNIQUE (category, month))",
    "unique with a check": "CREATE TABLE t (plate TEXT NOT NULL UNIQUE"
    " CHECK (plate GLOB '[A-Z][A-Z][0-9][0-9]'))",
    "partial unique": "CREATE TABLE t (account TEXT, is_main INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX one_main ON t (account) WHERE is_main = 1",
    "unique expression": "CREATE TABLE t (name TEXT NOT NULL, note TEXT);"
    "CREATE UNIQUE INDEX u ON t (lower(name))",
    "on conflict clauses": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL ON CONFLICT"
    " IGNORE, month TEXT, c INTEGER CHECK (c > 2), d INTEGER UNIQUE ON CONFLICT ROLLBACK,"
    " UNIQUE (a, month) ON CONFLICT REPLACE)",
    "foreign key": "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER NOT NULL REFERENCES p)",
    "child before parent": "CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER REFERENCES p);"
    "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT)",
    "foreign key to a unique column": "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT UNIQUE);"
    "CREATE TABLE c (code TEXT REFERENCES p (code), note TEXT)",
    "foreign key of another type": "CREATE TABLE p (code TEXT PRIMARY KEY);"
    "CREATE TABLE c (code INTEGER NOT NULL REFERENCES p (code))",
    "composite foreign key": "CREATE TABLE p (a TEXT, b INTEGER, PRIMARY KEY (a, b));"
    "CREATE TABLE c (x TEXT, y INTEGER, FOREIGN KEY (x, y) REFERENCES p (a, b))",
    "one child for each parent": "CREATE TABLE p (id INTEGER PRIMARY KEY);"
    "CREATE TABLE c (p_id INTEGER PRIMARY KEY REFERENCES p (id), note TEXT);"
    "CREATE TABLE d (p_id INTEGER UNIQUE REFERENCES p (id))",
    "join table": "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id TEXT PRIMARY KEY);"
    "CREATE TABLE ab (a_id INTEGER REFERENCES a, b_id TEXT REFERENCES b, PRIMARY KEY (a_id, b_id))"
    " WITHOUT ROWID",
    "columns shared by two foreign keys": "CREATE TABLE tenant (id INTEGER PRIMARY KEY);"
    "CREATE TABLE account (tenant_id INTEGER NOT NULL REFERENCES tenant, id INTEGER NOT NULL,"
    " PRIMARY KEY (tenant_id, id));"
    "CREATE TABLE entry (id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenant,"
    " from_id INTEGER NOT NULL, to_id INTEGER,"
    " FOREIGN KEY (tenant_id, from_id) REFERENCES account (tenant_id, id),"
    " FOREIGN KEY (tenant_id, to_id) REFERENCES account (tenant_id, id))",
    "tree": "CREATE TABLE t (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES t (id))",
    "tree by a code that may be missing": "CREATE TABLE t (code TEXT UNIQUE,"
    " up TEXT REFERENCES t (code))",
    "tree without an open end": "CREATE TABLE t (id INTEGER PRIMARY KEY,"
    " parent_id INTEGER NOT NULL REFERENCES t (id))",
    "ring": "CREATE TABLE t (id TEXT PRIMARY KEY, next_id TEXT NOT NULL REFERENCES t (id),"
    " CHECK (next_id <> id))",
    "chain": "CREATE TABLE t (id INTEGER PRIMARY KEY, before_id INTEGER UNIQUE REFERENCES t (id))",
    "trees of tenants": "CREATE TABLE tenant (id INTEGER PRIMARY KEY);"
    "CREATE TABLE t (tenant_id INTEGER NOT NULL REFERENCES tenant, id INTEGER NOT NULL UNIQUE,"
    " parent_id INTEGER, PRIMARY KEY (tenant_id, id),"
    " FOREIGN KEY (tenant_id, parent_id) REFERENCES t (tenant_id, id))",
    "circle": "CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER REFERENCES b (id));"
    "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER NOT NULL REFERENCES a (id))",
    "circle without an open end": "CREATE TABLE a (id TEXT PRIMARY KEY,"
    " b_id INTEGER NOT NULL REFERENCES b (id));"
    "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id TEXT NOT NULL REFERENCES a (id))",
    "circle of three": "CREATE TABLE a (id INTEGER PRIMARY KEY,"
    " b_id INTEGER NOT NULL REFERENCES b);"
    "CREATE TABLE b (id INTEGER PRIMARY KEY, c_id INTEGER NOT NULL REFERENCES c);"
    "CREATE TABLE c (id INTEGER PRIMARY KEY, a_id INTEGER NOT NULL UNIQUE REFERENCES a)",
    "circle with one for each": "CREATE TABLE a (id INTEGER PRIMARY KEY,"
    " b_id INTEGER NOT NULL UNIQUE REFERENCES b);"
    "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER NOT NULL UNIQUE REFERENCES a)",
    "parent named by its child's check": "CREATE TABLE status (name TEXT PRIMARY KEY);"
    "CREATE TABLE t (status TEXT NOT NULL DEFAULT 'new' REFERENCES status (name)"
    " CHECK (status IN ('new', 'old')))",
    "key that is unique only later": "CREATE TABLE p (id INTEGER, name TEXT);"
    "CREATE TABLE c (p_id INTEGER REFERENCES p (id))",
    "audit trigger": "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, t_id INTEGER NOT NULL"
    " REFERENCES t (id), name TEXT);"
    "CREATE TRIGGER tr AFTER INSERT ON t BEGIN"
    " INSERT OR IGNORE INTO audit (t_id, name) VALUES (NEW.id, NEW.name); END",
    "refusing trigger": "CREATE TABLE t (amount REAL NOT NULL, note TEXT);"
    "CREATE TRIGGER tr BEFORE INSERT ON t WHEN NEW.amount <= 0 OR NEW.note = ''"
    " BEGIN SELECT RAISE(ABORT, 'amounts are positive'); END",
    "trigger that rolls back": "CREATE TABLE t (amount REAL NOT NULL, note TEXT);"
    "CREATE TRIGGER tr BEFORE INSERT ON t WHEN NEW.amount <= 0"
    " BEGIN SELECT RAISE(ROLLBACK, 'amounts are positive'); END",
    "trigger that passes over": "CREATE TABLE t (amount REAL NOT NULL, note TEXT);"
    "CREATE TRIGGER tr BEFORE INSERT ON t WHEN NEW.amount <= 0 BEGIN SELECT RAISE(IGNORE); END",
    "full text": "CREATE VIRTUAL TABLE search USING fts5 (title, body)",
    "full text of a table": "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT);"
    "CREATE VIRTUAL TABLE search USING fts5 (body, content='t', content_rowid='id');"
    "CREATE TRIGGER tr AFTER INSERT ON t BEGIN"
    " INSERT INTO search (rowid, body) VALUES (NEW.id, NEW.body); END",
    "views": "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE VIEW v AS SELECT name FROM t",
}

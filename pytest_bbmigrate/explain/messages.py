"""What to do about the messages of SQLite, Python and the runner itself."""

from __future__ import annotations

from pytest_bbmigrate.explain.syntax import REBUILD

WRITES_FILES = (
    "a migration may write to the database alone, for it runs several times, on copies: have "
    "another program write files, before or after the apply; temporary ones may go where tempfile "
    "puts them"
)

# (what a message looks like, what to do); {name} is what the group of that name matched.
MESSAGES: tuple[tuple[str, str], ...] = (
    (
        r"^took longer than bb_seconds",
        (
            "on a few hundred rows: does it count as far as a value goes, join everything with "
            "everything, or wait for something? Where real rows hold no such value, a requires "
            "line of the table says so; if it needs the time, give it more: bb_seconds"
        ),
    ),
    (
        r"^held more than bb_memory|^MemoryError|^(OperationalError: )?out of memory",
        (
            "does it read whole tables into lists? Go through the rows one by one, or let SQL do "
            "the work; if it needs the memory, give it more: bb_memory"
        ),
    ),
    (
        r"^printed more than",
        (
            "does it print in a loop that does not end? Have it print what somebody is to read: "
            "everything it prints is kept, to be shown beside a failure"
        ),
    ),
    (
        r"^(ATTACH|DETACH) of",
        (
            "leave it out: a migration works on its own database alone; bring rows from elsewhere "
            "in as INSERT statements"
        ),
    ),
    (
        r"null character",
        "SQLite reads SQL up to a NUL: write char(0) for it, as in 'a' || char(0) || 'b'",
    ),
    (
        r"^too many (columns|terms)|^at most \d+ tables|^Expression tree|^parser stack overflow",
        (
            "SQLite has no more (https://sqlite.org/limits.html): 2,000 columns in a table or a "
            "result, 64 tables in a join, 500 parts of a UNION, expressions 1,000 deep: divide it"
        ),
    ),
    (
        r"^too many levels of trigger recursion",
        (
            "a trigger writes to the table that it watches, and so fires itself again and again: "
            "leave PRAGMA recursive_triggers out, or give the trigger a WHEN that comes to an end"
        ),
    ),
    (
        r"ended the whole transaction",
        (
            "ON CONFLICT ROLLBACK, INSERT OR ROLLBACK and RAISE(ROLLBACK) undo everything before "
            "them: use ABORT"
        ),
    ),
    (
        r"rolled back|rolled its changes back",
        "a migration that cannot do its work must raise: let the exception through",
    ),
    (r"without commit\(\)", "call commit() before close()"),
    (
        r"with its own transaction open",
        "commit what it began, or leave no_transaction out and let the runner do both",
    ),
    (
        r"opening the database .* is refused",
        "if that is the database to migrate, name it: bb_database in the settings, or --bb-db",
    ),
    (
        r"NOT NULL column with default value NULL",
        "give it a default (NOT NULL DEFAULT ..), or add it without NOT NULL, fill it, and rebuild",
    ),
    (
        r"non-constant default",
        (
            "add it without the default, and without NOT NULL, and UPDATE the rows that are there; "
            "a rebuild can set both"
        ),
    ),
    (
        r"Cannot add a (UNIQUE|PRIMARY KEY) column",
        (
            "add a plain column without a default, give each row NULL or a value of its own, and "
            f"CREATE UNIQUE INDEX on it; for a primary key {REBUILD}"
        ),
    ),
    (r"cannot add a STORED column", f"make it VIRTUAL, or {REBUILD}"),
    (
        r"REFERENCES column with non-NULL default",
        "leave the default out while foreign keys are on, and UPDATE the rows afterwards",
    ),
    (
        r"^error in (view|trigger) (?P<name>.+?)(?: after [a-z ]+)?: ",
        (
            "it names what this statement drops or renames: DROP {name} first and create it again "
            "afterwards, in this migration"
        ),
    ),
    (
        r"^error in index (?P<name>.+?) after drop column",
        "DROP INDEX {name} first",
    ),
    (
        r"^cannot drop column .* no other columns exist",
        "a table has one column at least: DROP TABLE, or add another column first",
    ),
    (
        r"^error in table .* after drop column|^cannot drop (PRIMARY KEY|UNIQUE) column",
        f"a key, a constraint or a generated column needs it: {REBUILD}",
    ),
    (
        r"^(table|index|view|trigger) .+ already exists",
        (
            "it is there already: was a part of this run before, or does an earlier migration "
            "make it? Make it in one place only; IF NOT EXISTS would hide that it has another "
            "shape"
        ),
    ),
    (
        r"^object name reserved for internal use",
        "SQLite keeps the names that begin with sqlite_ for itself: give it another",
    ),
    (
        r"^there is already (a|an|another) ",
        "a name is of one table, view or index of a database: give this one another",
    ),
    (
        r"^duplicate column name",
        "an earlier migration adds it already: add it in one place only",
    ),
    (
        r"^no such (table|index|view|trigger): ",
        "is it made by a migration that runs later, or by the app (then see bb_base)?",
    ),
    (
        r"^no such column: (?!\"|INTERVAL)",
        "no table of this statement has it: is it spelt as in the table, and each text in quotes?",
    ),
    (
        r"^datatype mismatch",
        (
            "INTEGER PRIMARY KEY takes whole numbers only: CAST the values where each is another "
            "number, else leave the key out, so that SQLite numbers the rows"
        ),
    ),
    (
        r"^cannot (INSERT into|UPDATE) generated column",
        "leave the column out: SQLite computes it",
    ),
    (
        r"'NoneType' object",
        "a query gave None, for a NULL or for no row at all: ask for it before using the value",
    ),
    (r"^UNIQUE constraint failed: index", "the rows there hold duplicates: merge them first"),
    (
        r"^database disk image is malformed|^fts5: corruption|^vtable constructor failed",
        (
            "where a full-text index is written, by a trigger perhaps, it does not agree with the "
            "rows that it indexes: INSERT INTO x (x) VALUES ('rebuild') first, or leave out rows "
            "that it never had"
        ),
    ),
    (
        r"^NotImplementedError",
        "there is no way back: declare it, and leave the down part out",
    ),
    (
        r"^malformed JSON",
        (
            "there are rows whose text is no JSON: leave them out (json_valid(..)); where || has "
            "put the text together, json_array(..) and json_object(..) mind quotes as it does not; "
            "if real rows hold nothing else, a requires line with json_valid(..) says so"
        ),
    ),
    (r"^no such column: INTERVAL", "write date(x, '+1 day') or datetime(x, '-1 month')"),
    (
        r"^no such column: \"",
        "strings stand in single quotes: 'text'",
    ),
    (
        r"^CHECK constraint failed",
        (
            "there are rows that do not meet it: mend them first; if real rows all do, a requires "
            "line says so"
        ),
    ),
    (
        r"^foreign key mismatch",
        "the parent's columns need a PRIMARY KEY or UNIQUE index: did a rebuild lose it?",
    ),
    (
        r"^cannot start a transaction within",
        "the tool that runs it has a transaction around the file: leave BEGIN and COMMIT out",
    ),
    (
        r"^database table is locked|statements in progress",
        "a SELECT is still being read: fetch all of its rows (list(..)) before changing the table",
    ),
    (r"has \d+ columns but \d+ values", "name the columns: INSERT INTO t (a, b) .."),
    (
        r"^incomplete input",
        "the statement stops too early: is a bracket or an END missing?",
    ),
    (
        r"number of bindings|binding \d+|did not supply a value",
        (
            "nothing gives a parameter (?, :name, @name, $name) a value: in an SQL file write the "
            "value itself, in Python give it with execute(sql, values)"
        ),
    ),
    (r"one statement at a time", "call execute() for each, or executescript()"),
    (
        r"^unknown datatype|^missing datatype",
        "a column of a STRICT table is INTEGER, REAL, TEXT, BLOB or ANY: write one of these",
    ),
    (
        r"^cannot store",
        (
            "a STRICT table takes no value of another type: CAST it on the way (a text that is no "
            "number becomes 0), or declare the column ANY"
        ),
    ),
    (r"^AUTOINCREMENT is only allowed", "write id INTEGER PRIMARY KEY AUTOINCREMENT"),
    (
        r"object has no attribute 'cursor'|object has no attribute 'fetchall'",
        "up(db) gets a sqlite_utils.Database: db.conn is the sqlite3 connection",
    ),
    (
        r"(up|upgrade|down|downgrade)\(\) takes",
        "define it with one parameter: def up(db)",
    ),
    (
        r"relative import",
        "its neighbours are imported by their bare names: from _money import cents, without a dot",
    ),
    (
        r"^EOFError: EOF when reading a line",
        "a migration runs without a terminal, and there is nobody to ask: leave input() out",
    ),
    (
        r"^what it leaves is no database that SQLite can read",
        (
            "PRAGMA writable_schema changes the text of the schema, and nothing looks whether it "
            "can be read: leave it out, and rebuild the table"
        ),
    ),
    (
        r"^SystemExit",
        "a migration returns when it is done and raises when it cannot do its work",
    ),
    (
        r"working folder",
        "a script runs in a folder of its own, beside a copy of the database, and may write there",
    ),
    (r"^(PermissionError|OSError): \[Errno (13|18|30)\]", WRITES_FILES),  # EACCES, EXDEV, EROFS
    (
        r"^FileNotFoundError",
        "a script runs in a folder of its own: find files from Path(__file__).parent",
    ),
)

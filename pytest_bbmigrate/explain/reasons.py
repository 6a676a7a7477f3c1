"""Why it happened, in sentences: what SQLite does, and the remedy, for each known cause."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "transform": (
        "transform() of sqlite-utils rebuilds the table and leaves behind its triggers, COLLATE\n"
        "clauses and generated columns, WITHOUT ROWID, ON CONFLICT and DEFERRABLE, quotes numbers\n"
        "in DEFAULT, and turns NUMERIC into REAL; write the rebuild as SQL, or create again\n"
        "what it leaves behind"
    ),
    "create table as": (
        "CREATE TABLE .. AS SELECT hands down names and values only: no key, no constraint, no\n"
        "default; write the columns out and fill the table with INSERT .. SELECT"
    ),
    "dropped with its view": (
        "DROP VIEW takes the view's INSTEAD OF triggers with it; after CREATE VIEW, repeat their\n"
        "CREATE TRIGGER"
    ),
    "left out of rebuild": (
        "DROP TABLE takes the table's indexes and triggers with it; after the rebuild, repeat\n"
        "their CREATE statements"
    ),
    "on a dropped column": (
        "the rebuild also leaves out a column that the index is on, and it cannot come back as it\n"
        "was; make one on the columns that are left where a query needs it"
    ),
    "another create table": (
        "the rebuilt table has what its own CREATE TABLE says, nothing is inherited from the old\n"
        "one; write there what the old table had"
    ),
    "recreated differently": (
        "it was made again under its name, and has what its new CREATE statement says; repeat the\n"
        "old one word for word: of an index also UNIQUE, DESC, COLLATE, WHERE and expressions, of\n"
        "a trigger when it fires, its WHEN and all that it does"
    ),
    "sequence dropped": (
        "DROP TABLE also deletes the table's row in sqlite_sequence, and the new table counts on\n"
        "from the largest id that is left, so that ids of deleted rows are given out again; carry\n"
        "the number over in sqlite_sequence"
    ),
    "column added last": (
        "ALTER TABLE .. ADD COLUMN puts a column at the end, which SELECT * and INSERT without a\n"
        "column list notice; to have it in its place, rebuild the table"
    ),
    "depends on column order": (
        "SELECT * and INSERT without a column list go by the order of columns, NATURAL JOIN and\n"
        "names in a subquery by what is there; name the columns, with their table, in the view or\n"
        "trigger, or keep the order"
    ),
    "empty database": (
        "it runs where there are rows, and not where there are none, as on a new database: there\n"
        "max() and other aggregates give NULL, and a query gives no first row"
    ),
    "trigger refuses": (
        "a trigger of the table refuses the change with RAISE; change only what it lets pass, or\n"
        "drop it before and create it again afterwards"
    ),
    "if not exists": (
        "IF NOT EXISTS asks for the name only: what has that name stays as it is, and nothing is\n"
        "made; change a table that is there by ALTER TABLE or a rebuild, and give anything else\n"
        "another name: a name is of one table, view or index of a database, and of one trigger"
    ),
    "edited schema": (
        "PRAGMA writable_schema changes the text of the schema, not the rows, and nothing looks\n"
        "whether they fit; rebuild the table"
    ),
    "checks ignored": (
        "PRAGMA ignore_check_constraints lets rows in that break a CHECK; leave it out and mend\n"
        "the rows"
    ),
    "not dropped by down": (
        "down does not drop what up made, and a later up, or another migration, meets it there;\n"
        "drop it in down"
    ),
    "not recreated by down": (
        "down has no statement that makes again what up took away; write one"
    ),
    "cascade under d1": (
        "D1 has foreign keys on, and runs a file in a transaction, where PRAGMA foreign_keys does\n"
        "nothing; PRAGMA defer_foreign_keys puts checks off, not what ON DELETE does: DROP TABLE,\n"
        "DELETE or REPLACE of the parent did that at once; use ALTER TABLE, or copy the children\n"
        "to another table and delete them before, and copy them back afterwards"
    ),
    "cascade under drizzle": (
        "drizzle has foreign keys on, and one transaction around the whole run, where PRAGMA\n"
        "foreign_keys does nothing: DROP TABLE, DELETE or REPLACE of the parent did what ON\n"
        "DELETE says; use ALTER TABLE, or copy the children to another table and delete them\n"
        "before, and copy them back afterwards; over @libsql/client, where they are off, say\n"
        "bb_foreign_keys = off"
    ),
    "cascade under sqlx": (
        "sqlx has foreign keys on, and with SQLite each file is in a transaction, whatever its\n"
        "first line says, where PRAGMA foreign_keys does nothing: DROP TABLE, DELETE or REPLACE\n"
        "of the parent did what ON DELETE says; turn them off where the app connects, and say so\n"
        "here by bb_foreign_keys = off, or copy the children to another table and delete them\n"
        "before, and copy them back afterwards"
    ),
    "pragma ignored by the runner": (
        "the runner's connection has foreign keys on, and PRAGMA foreign_keys does nothing within\n"
        "its transaction: DROP TABLE, DELETE or REPLACE of the parent did what ON DELETE says;\n"
        "have the tool run the file in no transaction, and say so here by -- bb: no_transaction,\n"
        "or copy the children to another table and delete them before, and copy them back\n"
        "afterwards"
    ),
    "cascade under the runner": (
        "foreign keys are on where this runs, as bb_runs_as, bb_foreign_keys, bb_connection or\n"
        "the folder's form says: DROP TABLE, DELETE and REPLACE of a parent first do what ON\n"
        "DELETE says to its children; where PRAGMA foreign_keys takes effect in the file, turn\n"
        "them off by it, else copy the children to another table and delete them before, and copy\n"
        "them back afterwards"
    ),
    "pragma in transaction": (
        "PRAGMA foreign_keys does nothing inside a transaction, and a migration runs in one: the\n"
        "keys stayed enforced, and DROP TABLE, DELETE or REPLACE of the parent did what ON DELETE\n"
        "says; take out what turns them on: the line foreign_keys on, or a PRAGMA"
    ),
    "deferred foreign keys": (
        "PRAGMA defer_foreign_keys puts checks off until COMMIT, not what ON DELETE does: DROP\n"
        "TABLE, DELETE or REPLACE of the parent did that at once; take out what turns foreign\n"
        "keys on: the line foreign_keys on, or a PRAGMA"
    ),
    "cascade": (
        "with foreign keys enforced, DROP TABLE, DELETE and REPLACE of a parent first do what ON\n"
        "DELETE says to its children; take out what turns them on: the line foreign_keys on, a\n"
        "PRAGMA, or what a program does by itself"
    ),
    "update cascade": (
        "with foreign keys enforced, an UPDATE of a parent's key does to its children what ON\n"
        "UPDATE says; where that is meant, declare it"
    ),
    "old table renamed first": (
        "ALTER TABLE .. RENAME rewrites what refers to the table: keys, views and triggers follow\n"
        "the old table to its new name; create the new table under another name, copy, drop the\n"
        "old one, and rename the new one last"
    ),
    "legacy rename": (
        "with PRAGMA legacy_alter_table, RENAME leaves references to the table as they are\n"
        "written; leave the pragma out, or write in the new table the name it will have"
    ),
    "missing parent key": (
        "the columns that a foreign key refers to must be the parent's primary key or have a\n"
        "UNIQUE constraint or index, over all rows and in the column's own collation; without it\n"
        "every write to the child fails with a mismatch"
    ),
    "parent column renamed": (
        "ALTER TABLE .. RENAME COLUMN takes references along, a rebuild under another column name\n"
        "does not; rename the column, or rebuild the children too"
    ),
    "parent dropped": (
        "DROP TABLE looks at rows that refer to the table only where foreign keys are on, and\n"
        "never at the foreign keys that do; drop the children or their foreign key as well, or\n"
        "keep the parent"
    ),
    "unknown parent": (
        "CREATE TABLE and ADD COLUMN do not look whether what REFERENCES names is there; the\n"
        "first write with foreign keys on fails: correct the name"
    ),
    "new foreign key": (
        "the foreign key is new: rows that were there before did not have to meet it, and SQLite\n"
        "does not look at them when it is made; mend or leave out those that do not"
    ),
    "default without parent": (
        "ADD COLUMN gives every row the default, and with foreign keys off SQLite does not look\n"
        "whether the parent has such a row; leave the default out, or insert that row"
    ),
    "parent deleted": (
        "foreign keys were not enforced where it ran: nothing kept rows that others refer to, and\n"
        "no ON DELETE was acted on; delete or move the children too, or have foreign keys on\n"
        "there, and declare what goes"
    ),
    "parent updated": (
        "foreign keys were not enforced where it ran, so that ON UPDATE did nothing for the\n"
        "children; update them too"
    ),
    "written unchecked": (
        "foreign keys were not enforced where it ran: a value without its parent is written like\n"
        "any other; insert the parent, or write NULL"
    ),
    "made too early": (
        "CREATE VIEW and CREATE TRIGGER do not look whether what they name is there; whatever\n"
        "reads the view or fires the trigger fails: make it after what it names, or mend the name"
    ),
    "stale view": (
        "SQLite does not look at views and triggers when what they name goes; drop them before\n"
        "and create them again, as they must be now, afterwards"
    ),
    "deleted by up": (
        "up deletes these rows and keeps no copy, so that no down can bring them back; keep them\n"
        "in a table of their own that down puts back, or declare that they are gone"
    ),
    "replaced by an old copy": (
        "down replaces what is there by a copy from before up, and what was written since is\n"
        "gone; undo the change on the rows that are there"
    ),
    "recreated empty": (
        "ALTER TABLE .. RENAME takes the data to the new name, and what reads the old name finds\n"
        "the empty one that was made under it; copy the data over, or declare the rename"
    ),
    "not copied": (
        "DROP TABLE takes the rows with it, and nothing copied them into the new table; copy them\n"
        "with INSERT .. SELECT before the DROP"
    ),
    "copied by position": (
        "INSERT .. SELECT fills columns by position, whatever their names; name the columns on\n"
        "both sides, in the same order"
    ),
    "renumbered": (
        "the copy leaves the INTEGER PRIMARY KEY out, and SQLite gives new ids, of which nothing\n"
        "that refers to the rows knows; copy the id too"
    ),
    "other keys": (
        "the copy gives the rows keys that have nothing of the old ones, and nothing that refers\n"
        "to them follows; copy the key as it is, or keep both for each row, and write the new one\n"
        "to what refers to it"
    ),
    "added again": (
        "DROP COLUMN takes the values with it, and the column of that name that is added again is\n"
        "empty; copy them to the new column, under another name, before the old one goes, and\n"
        "rename it then"
    ),
    "replace": (
        "REPLACE deletes every row that is in the way of the new one, in any unique index, and\n"
        "columns it does not name get their default; write INSERT .. ON CONFLICT DO UPDATE, or\n"
        "leave the rows in the way as they are"
    ),
    "or ignore": (
        "OR IGNORE leaves out, without a word, every row that breaks a constraint; mend those\n"
        "rows first and write a plain INSERT"
    ),
    "inner join": (
        "a row for which an inner join finds nothing is not copied; a LEFT JOIN keeps it, with\n"
        "NULL for what it does not find"
    ),
    "not in null": (
        "x NOT IN (..) is never true when the list holds a NULL: take NULL out of it, or write\n"
        "NOT EXISTS"
    ),
    "where": (
        "only rows for which the WHERE is true are copied, and a comparison with NULL never is;\n"
        "leave the WHERE out, or, if it is rows with NULL alone that are lost, add OR .. IS NULL"
    ),
    "where beside not null": (
        "only rows for which the WHERE is true are copied, and a column of the new table takes no\n"
        "NULL where the old one did; copy the others as well, with a value for it (coalesce(..))"
    ),
    "distinct": (
        "DISTINCT, UNION, EXCEPT and INTERSECT take equal rows for one; leave DISTINCT out, write\n"
        "UNION ALL"
    ),
    "group by": (
        "GROUP BY makes one row of each group, the others are not copied; copy without it, or\n"
        "merge what refers to them first and declare what goes"
    ),
    "join doubles": (
        "a join gives a row once for each match on the other side; make the match unique, or\n"
        "choose one with a subquery"
    ),
    "trigger": (
        "a trigger fires for what a migration writes as well; drop it before and create it again\n"
        "afterwards"
    ),
    "affinity": (
        "a column's declared type decides how values are stored: numbers become text in a TEXT\n"
        "column, digits become a number in INTEGER, REAL and NUMERIC, 3 becomes 3.0 in REAL"
    ),
    "quoted text": (
        "double quotes name a column, but where there is none of that name SQLite takes the word\n"
        "for a text; write texts in single quotes"
    ),
    "nul": (
        "printf(), replace(), substr() and other functions take a NUL character for the end of\n"
        "the text; leave rows with instr(column, char(0)) alone"
    ),
    "trim": (
        "trim() takes blanks off every row, those that matter too; copy the column as it is, or\n"
        "declare the change"
    ),
    "letter case": (
        "upper() and lower() change A to Z only and keep nothing of how a text was written; where\n"
        "case should not matter, compare with COLLATE NOCASE instead"
    ),
    "large integer": (
        "REAL holds whole numbers exactly up to 2^53 only; keep large ones in INTEGER, and out of\n"
        "REAL expressions"
    ),
    "time zone": (
        "its result depends on the time zone: SQLite's 'localtime' and 'utc', and the clock of\n"
        "Python, go by the zone of the machine that runs it; write the offset that is meant"
    ),
    "whole seconds": (
        "datetime() gives whole seconds in UTC: it leaves fractions out and works time zones in;\n"
        "keep the text as it is, or declare the change"
    ),
    "integer division": (
        "an integer divided by an integer is cut to an integer: 199 / 100 is 1; write 199 / 100.0"
    ),
    "cast": (
        "CAST cuts, it does not round, and 0.29 * 100 is 28.999..; write CAST(round(x * 100) AS\n"
        "INTEGER)"
    ),
    "like": ("LIKE takes no notice of the case of A to Z; write =, or GLOB for a pattern"),
    "version not reset": (
        "up goes by PRAGMA user_version or application_id, which down does not reset, so that\n"
        "up does nothing the second time; reset it in down, or do not ask for it"
    ),
    "blank after down": (
        "down brought back what up dropped without its values, and up read them the first time;\n"
        "copy the values in down from where up moved them to"
    ),
    "empty down part": (
        "the down part has no statement, so that nothing is undone; write the way back, or say\n"
        "that there is none"
    ),
    "limit in a list": (
        "the SELECT of an IN or NOT IN has a LIMIT: of what it would list, only so many are\n"
        "asked for; leave the LIMIT out, or write EXISTS or NOT EXISTS"
    ),
    "cast to a number": (
        "a type name that has no INT, CHAR, CLOB, TEXT, BLOB, REAL, FLOA or DOUB in it, as JSON,\n"
        "DATE and BOOLEAN, has NUMERIC affinity: CAST makes of a text the number that it begins\n"
        "with, or 0; leave the CAST out, or write AS TEXT"
    ),
}

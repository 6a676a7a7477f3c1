"""The messages of SQLite, Python and the runner, with ``{}`` for what must be known to be shown.

That is a name, names with commas, a word of the statement, or another message of these shapes.
``{n}`` stands for a number that SQLite has counted or that is ours.
"""

from __future__ import annotations

import re
from functools import cache

SQLITE = """
no such table: {}
no such view: {}
no such index: {}
no such trigger: {}
no such column: {}
no such column: {} - should this be a string literal in single-quotes?
no such function: {}
unknown function: {}()
no such collation sequence: {}
no such module: {}
no such tokenizer: {}
no such savepoint: {}
no such database: {}
unknown database {}
unknown database: {}
ambiguous column name: {}
wrong number of arguments to function {}()
misuse of aggregate: {}()
misuse of aggregate function {}()
misuse of aliased aggregate {}
misuse of window function {}()
row value misused
sub-select returns {n} columns - expected {n}
subqueries prohibited in CHECK constraints
subqueries prohibited in index expressions
subqueries prohibited in partial index WHERE clauses
subqueries prohibited in generated columns
non-deterministic functions prohibited in index expressions
non-deterministic functions prohibited in CHECK constraints
non-deterministic functions prohibited in partial index WHERE clauses
non-deterministic functions prohibited in generated columns
non-deterministic use of {}() in an index
non-deterministic use of {}() in a CHECK constraint
non-deterministic use of {}() in a generated column
unsafe use of {}()
unsafe use of virtual table "{}"
a GROUP BY clause is required before HAVING
aggregate functions are not allowed in the GROUP BY clause
SELECTs to the left and right of UNION do not have the same number of result columns
SELECTs to the left and right of UNION ALL do not have the same number of result columns
SELECTs to the left and right of EXCEPT do not have the same number of result columns
SELECTs to the left and right of INTERSECT do not have the same number of result columns
all VALUES must have the same number of terms
circular reference: {}
multiple recursive references: {}
recursive reference in a subquery: {}
view {} is circularly defined
table {} has {n} values for {n} columns
table {} has {n} columns but {n} values were supplied
expected {n} columns for {} but got {n}
{n} values for {n} columns
table {} has no column named {}
no tables specified
cannot join using column {} - column not present in both tables
a JOIN clause is required before ON
a JOIN clause is required before USING
near "{}": syntax error
unrecognized token: "{}"
incomplete input
too many SQL variables
too many terms in compound SELECT
too many columns on {}
too many references to "{}": max {n}
too many levels of trigger recursion
Expression tree is too large (maximum depth {n})
parser stack overflow
You can only execute one statement at a time.
the query does not contain any SQL statements
cannot modify {} because it is a view
table {} may not be modified
table {} may not be altered
table {} may not be dropped
table {} may not be indexed
view {} may not be altered
views may not be indexed
virtual tables may not be altered
virtual tables may not be indexed
cannot create trigger on system table
cannot create triggers on virtual tables
cannot create {} trigger on view: {}
cannot create INSTEAD OF trigger on table: {}
trigger {} already exists
table {} already exists
view {} already exists
index {} already exists
there is already an index named {}
there is already a table named {}
there is already another table or index with this name: {}
duplicate column name: {}
duplicate WITH table name: {}
object name reserved for internal use: {}
use DROP TABLE to delete table {}
use DROP VIEW to delete view {}
table "{}" has more than one primary key
must have at least one non-generated column
AUTOINCREMENT is only allowed on an INTEGER PRIMARY KEY
AUTOINCREMENT not allowed on WITHOUT ROWID tables
PRIMARY KEY missing on table {}
default value of column [{}] is not constant
generated columns cannot be part of the PRIMARY KEY
generated column loop on "{}"
error in generated column "{}"
unknown datatype for {}: "{}"
missing datatype for {}
unknown table option: {}
unknown column "{}" in foreign key definition
foreign key on {} should reference only one column of table {}
number of columns in foreign key does not match the number of columns in the referenced table
foreign key mismatch - "{}" referencing "{}"
expressions prohibited in PRIMARY KEY and UNIQUE constraints
index associated with UNIQUE or PRIMARY KEY constraint cannot be dropped
unable to identify the object to be reindexed
cannot create a TEMP index on non-TEMP table "{}"
conflicting ON CONFLICT clauses specified
ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint
Cannot add a PRIMARY KEY column
Cannot add a UNIQUE column
Cannot add a REFERENCES column with non-NULL default value
Cannot add a NOT NULL column with default value NULL
Cannot add a column with non-constant default
Cannot add a column to a view
cannot add a STORED column
cannot rename columns of view "{}"
cannot rename columns of virtual table "{}"
cannot drop column from view "{}"
cannot drop column from virtual table "{}"
cannot drop PRIMARY KEY column: "{}"
cannot drop UNIQUE column: "{}"
cannot drop column "{}": no other columns exist
cannot INSERT into generated column "{}"
cannot UPDATE generated column "{}"
error in view {}: {}
error in view {} after rename: {}
error in view {} after drop column: {}
error in trigger {}: {}
error in trigger {} after rename: {}
error in trigger {} after drop column: {}
error in index {} after drop column: {}
error in table {} after drop column: {}
error in table {} after rename: {}
cannot use RETURNING in a trigger
qualified table names are not allowed on INSERT, UPDATE, and DELETE statements within triggers
UNIQUE constraint failed: {}
UNIQUE constraint failed: index '{}'
NOT NULL constraint failed: {}
CHECK constraint failed: {}
FOREIGN KEY constraint failed
PRIMARY KEY constraint failed
constraint failed
cannot store INT value in {} column {}
cannot store INTEGER value in {} column {}
cannot store REAL value in {} column {}
cannot store TEXT value in {} column {}
cannot store BLOB value in {} column {}
datatype mismatch
integer overflow
string or blob too big
malformed JSON
JSON cannot hold BLOB values
LIKE or GLOB pattern too complex
ESCAPE expression must be a single character
unterminated string
malformed MATCH expression: [{}]
fts5: syntax error near "{}"
unable to use function {} in the requested context
vtable constructor failed: {}
user-defined function raised exception
user-defined aggregate's '__init__' method raised error
user-defined aggregate's 'step' method raised error
user-defined aggregate's 'finalize' method raised error
Incorrect number of bindings supplied. The current statement uses {n}, and there are {n} supplied.
out of memory
interrupted
it takes too long, and was given up: it may be without end
query aborted
not authorized
authorizer malfunction
authorization denied
access to {} is prohibited
SQL logic error
unknown error
another row available
database is locked
database table is locked
database table is locked: {}
database schema is locked: {}
database schema has changed
attempt to write a readonly database
disk I/O error
database or disk is full
database disk image is malformed
malformed database schema ({})
malformed database schema ({}) - {}
file is not a database
unable to open database file
unable to open database: {}
locking protocol
bad parameter or other API misuse
large file support is disabled
cannot start a transaction within a transaction
cannot commit - no transaction is active
cannot rollback - no transaction is active
cannot commit transaction - SQL statements in progress
cannot rollback transaction - SQL statements in progress
cannot release savepoint - SQL statements in progress
cannot open savepoint - SQL statements in progress
cannot VACUUM from within a transaction
cannot VACUUM - SQL statements in progress
cannot ATTACH database within transaction
cannot DETACH database within transaction
cannot change into wal mode from within a transaction
cannot change out of wal mode from within a transaction
Safety level may not be changed inside a transaction
Cannot operate on a closed database.
Cannot operate on a closed cursor.
"""

OWN = """
this statement ended the whole transaction
the migration rolled back
the migration ended with its own transaction open
the migration has ended the transaction that its tool is to commit
drizzle hands this statement to its driver together with the one before it
drizzle hands text to its driver in which there is no statement
BEGIN is refused in a migration
COMMIT is refused in a migration
ROLLBACK is refused in a migration
ATTACH of a database is refused in a migration
ATTACH of a name that is not written out is refused in a migration
ATTACH of {} is refused in a migration
DETACH of a database is refused in a migration
DETACH of {} is refused in a migration
the script rolled its changes back
the script closed the database without commit()
the script ended without commit()
the script ended and left {} running
the program ended with exit code {n}
what the script left is no database any more ({})
what it leaves is no database that SQLite can read ({})
what it leaves is no database that SQLite can read (malformed database schema ({}) - {})
os._exit({n}) was called
the program ended with exit code {n} before its end was reached
a migration cannot set an authorizer of its own
a migration cannot make a backup while it runs
took longer than bb_seconds = {n}
held more than bb_memory = {n}
held more than bb_memory = {n}KB
held more than bb_memory = {n}MB
held more than bb_memory = {n}GB
printed more than {n}MB
its process was ended by SIGABRT
its process was ended by SIGBUS
its process was ended by SIGFPE
its process was ended by SIGILL
its process was ended by SIGKILL
its process was ended by SIGSEGV
its process was ended by SIGTERM
its process ended with exit code {n} before the migration had come back
the migration ended and left {} running
a thread that the migration has started was still at work when it had come back
it closed the descriptors of its own process
what it made of the database could not be written: is there room on that disk?
other rows have the same {}
there is no table {} before
there is no table {} afterwards
there is no column {} afterwards
there is no column {} before to pair rows by
there is no column {} to pair rows by
{} is new: say behind `from` which table it is read from
nothing pairs the rows of {} with those of {}: say behind `by` which columns do
"""


@cache
def compile_shapes(text: str) -> tuple[re.Pattern[str], ...]:
    """Return the lines of ``text`` as patterns, a group for each ``{}``."""
    lines = [re.escape(line) for line in text.splitlines() if line]
    return tuple(
        re.compile(line.replace(r"\{n\}", r"(-?\d+)").replace(r"\{\}", "(.+?)"), re.DOTALL)
        for line in lines
    )


PYTHON = """
'{}' object is not subscriptable
'{}' object is not iterable
'{}' object is not callable
'{}' object has no attribute '{}'
'{}' object does not support item assignment
module '{}' has no attribute '{}'
name '{}' is not defined
No module named '{}'
No module named '{}'; '{}' is not a package
cannot import name '{}' from '{}'
unsupported operand type(s) for {}: '{}' and '{}'
bad operand type for unary {}: '{}'
'{}' not supported between instances of '{}' and '{}'
{}() missing {n} required positional argument: '{}'
{}() takes {n} positional arguments but {n} were given
{}() takes {n} positional argument but {n} were given
division by zero
float division by zero
maximum recursion depth exceeded
list index out of range
tuple index out of range
string index out of range
"""

# https://sqlite.org/pragma.html#pragma_integrity_check, and our message on full-text indexes.
INTEGRITY = """
row {n} missing from index {}
row {n} values differ from index {}
rowid not at end-of-record for row {n} of index {}
non-unique entry in index {}
wrong # of entries in index {}
NULL value in {}
NUMERIC value in {}
TEXT value in {}
INT value in {}
REAL value in {}
BLOB value in {}
non-INT value in {}
non-INTEGER value in {}
non-REAL value in {}
non-TEXT value in {}
non-BLOB value in {}
CHECK constraint failed in {}
the full-text index {} does not agree with its rows
malformed inverted index for FTS3 table {}
malformed inverted index for FTS4 table {}
malformed inverted index for FTS5 table {}
"""

ALL = f"{SQLITE}{OWN}{PYTHON}"
COUNTED = re.compile(r"-?\d{1,2}")
# What our own queries meet, of what tables and views call: rows have no say in it.
LACKING = re.compile(r"(?:no such (?:function|collation sequence|module)|unknown function): \S+")
EXIT = re.compile(r"SystemExit: \d{1,2}")
# Of a term of ORDER BY or GROUP BY SQLite says which it is.
ORDINAL = re.compile(
    r"\d+(?:st|nd|rd|th) (?:ORDER|GROUP) BY term (?:does not match any column in the result set"
    r"|out of range - should be between 1 and \d+)"
)

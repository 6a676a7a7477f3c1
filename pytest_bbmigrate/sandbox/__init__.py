"""Run a part of a migration, and confine it to a copy of the database.

A script opens the database by itself. Its process is started with a working copy, and before its
first line runs, this package makes sure that

- opening the real database, by whatever name, opens the copy, and any other database is refused;
- nothing outside the working folder is written; the kernel enforces that where it has Landlock.
"""

"""Run a part of a migration, and confine it to a copy of the database.

Each Python part and each script has a process of its own, made for that one call, and a keeper
between that process and ours. It may write to its own folder alone; the kernel enforces that where
it has Landlock, and an audit hook says first, in words, what is refused.

A script opens the database by itself. Its process is started with a working copy, and before its
first line runs, this package makes sure that

- opening the real database, by whatever name, opens the copy, and any other database is refused;
- nothing outside the working folder is written; the kernel enforces that where it has Landlock.
"""

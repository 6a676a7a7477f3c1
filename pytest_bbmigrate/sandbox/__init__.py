"""What holds a migration script in, inside the process that runs it.

A script opens the database by itself. Its process is started with a working copy, and before its
first line runs, this package sees to it that

- opening the real database, by whatever name, opens the copy, and any other database is refused;
- nothing outside the working folder is written, by the kernel's word where it has Landlock.
"""

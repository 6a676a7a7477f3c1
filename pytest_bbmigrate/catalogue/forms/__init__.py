"""The forms that a migration can have in a folder, a small reader for each."""

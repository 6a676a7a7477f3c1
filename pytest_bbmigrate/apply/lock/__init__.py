"""The process that holds SQLite's lock on the real database: its client, what they say, its server.

``client`` runs in pytest's process and ``server`` in the other one, which runs no code but ours:
whoever opens the file in the same process drops the lock (https://sqlite.org/howtocorrupt.html).
"""

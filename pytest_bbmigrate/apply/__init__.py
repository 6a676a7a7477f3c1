"""The run on the real database: lock, back up, rehearse, publish, verify; and what undoes it."""

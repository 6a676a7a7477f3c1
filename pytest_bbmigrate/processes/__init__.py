"""Processes of ours: how one is started, spoken with and ended, and what signals do to it."""

"""Migrations as a history has them."""

from __future__ import annotations

from pytest_bbmigrate.history.table import Applied

FIRST = Applied("001_a", "abc", "2026-01-02T03:04:05Z", 0.25, 1, 3)
SECOND = Applied("000_b", "def", "2026-01-02T03:04:06Z", 1.5, 1, 0)
THIRD = Applied("002_c", "ghi", "2026-02-02T03:04:06Z", 1.0, 2, 1)

"""Verdicts, runs and sessions in words: failure texts and summaries are written here. Pure."""

from __future__ import annotations

from pytest_bbmigrate.explain.reasons import REASONS
from pytest_bbmigrate.report.headlines import HEADLINES, headline
from pytest_bbmigrate.report.shown import shown_finding
from pytest_bbmigrate.report.words import (
    GENERATED,
    beside_own,
    describe_example,
    describe_failure,
    describe_unreadable,
    details,
    shorten,
    show_cell,
)

__all__ = [
    "GENERATED",
    "HEADLINES",
    "REASONS",
    "beside_own",
    "describe_example",
    "describe_failure",
    "describe_unreadable",
    "details",
    "headline",
    "shorten",
    "show_cell",
    "shown_finding",
]

"""Verdicts, runs and sessions in words: failure texts and summaries are written here. Pure."""

from __future__ import annotations

from pytest_bbmigrate.report.headlines import headline
from pytest_bbmigrate.report.preserved import describe_unpreserved
from pytest_bbmigrate.report.shown import shown_finding
from pytest_bbmigrate.report.words import (
    GENERATED,
    beside_own,
    describe_failure,
    describe_unreadable,
)

__all__ = [
    "GENERATED",
    "beside_own",
    "describe_failure",
    "describe_unpreserved",
    "describe_unreadable",
    "headline",
    "shown_finding",
]

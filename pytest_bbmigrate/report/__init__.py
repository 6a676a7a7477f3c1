"""Verdicts, runs and sessions in words: failure texts and summaries are written here. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_bbmigrate.report.headlines import headline
    from pytest_bbmigrate.report.preserved import describe_unpreserved
    from pytest_bbmigrate.report.shown import shown_finding
    from pytest_bbmigrate.report.words import (
        GENERATED,
        beside_own,
        describe_failure,
        describe_unreadable,
    )
else:
    # Where nothing fails, nothing of this is said: a session has its summary alone.
    def __getattr__(name: str) -> object:
        if name in __all__:
            from pytest_bbmigrate.report import headlines, preserved, shown, words

            modules = (headlines, preserved, shown, words)
            return next(getattr(each, name) for each in modules if hasattr(each, name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "GENERATED",
    "beside_own",
    "describe_failure",
    "describe_unpreserved",
    "describe_unreadable",
    "headline",
    "shown_finding",
]

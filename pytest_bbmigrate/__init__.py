"""Proves SQLite migrations on realistic data, forward and back, before they reach a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["MigrationUnderTest", "assert_foreign_keys", "assert_preserved"]

if TYPE_CHECKING:
    from pytest_bbmigrate.testing import MigrationUnderTest, assert_foreign_keys, assert_preserved
else:
    # pytest imports this package in every session; what is exported needs the whole core.
    def __getattr__(name: str) -> object:
        if name in __all__:
            from pytest_bbmigrate import testing

            return getattr(testing, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

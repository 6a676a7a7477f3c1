"""Proves SQLite migrations on realistic data, forward and back, before they reach a database."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, whose import each process of ours would wait for

__all__ = ["MigrationUnderTest", "assert_foreign_keys", "assert_preserved", "pending"]

if TYPE_CHECKING:
    from pytest_bbmigrate.apply.pending import pending
    from pytest_bbmigrate.plugin.testing import (
        MigrationUnderTest,
        assert_foreign_keys,
        assert_preserved,
    )
else:
    # pytest imports this package in every session; what is exported needs much of the core, and
    # what is for tests needs pytest.
    def __getattr__(name: str) -> object:
        if name == "pending":
            from pytest_bbmigrate.apply.pending import pending

            return pending
        if name in __all__:
            from pytest_bbmigrate.plugin import testing

            return getattr(testing, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

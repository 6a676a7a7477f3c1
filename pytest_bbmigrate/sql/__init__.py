"""SQL text into tokens and statements with their lines. Pure: no database is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import quote_name

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.statements import (
        Comment,
        Statement,
        read_comments,
        split_statements,
    )
    from pytest_bbmigrate.sql.tokens import (
        Kind,
        Token,
        UnreadableSql,
        first_word,
        fold,
        folded,
        tokenize,
    )
else:
    # The lock process compares names and reads no SQL: the patterns for that take a while to make.
    def __getattr__(name: str) -> object:
        if name in __all__:
            from pytest_bbmigrate.sql import statements, tokens

            return getattr(statements if hasattr(statements, name) else tokens, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Comment",
    "Kind",
    "Statement",
    "Token",
    "UnreadableSql",
    "first_word",
    "fold",
    "folded",
    "quote_name",
    "read_comments",
    "split_statements",
    "tokenize",
]

"""SQL text into tokens and statements with their lines. Pure: no database is asked."""

from __future__ import annotations

from pytest_bbmigrate.sql.names import quote_name
from pytest_bbmigrate.sql.statements import Comment, Statement, read_comments, split_statements
from pytest_bbmigrate.sql.tokens import (
    Kind,
    Token,
    UnreadableSql,
    first_word,
    fold,
    folded,
    tokenize,
)

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

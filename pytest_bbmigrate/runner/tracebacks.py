"""Exceptions in words: what was raised, and from which line of a file."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def describe(error: BaseException) -> str:
    """Return the type and the text of ``error``; of a ``sys.exit()``, also what led to it."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    cause = origin(error)
    return text if cause is error else f"{text}, after {describe(cause)}"


def origin(error: BaseException) -> BaseException:
    """Return ``error``, or the exception that was being handled when it was a ``sys.exit()``."""
    if isinstance(error, SystemExit) and error.__context__ is not None:
        return error.__context__
    return error


def line_in(path: str, error: BaseException) -> int | None:
    """Return the line of the file ``path`` that ``error`` comes from; None when from none."""
    cause = origin(error)
    frames = traceback.extract_tb(cause.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == path]
    if lines:
        return lines[-1]
    if isinstance(cause, SyntaxError) and cause.filename == path:
        return cause.lineno
    return None


def calling_line(path: str, frame: FrameType | None) -> int | None:
    """Return the line of the file ``path`` that the code in ``frame`` was called from."""
    while frame is not None:
        if frame.f_code.co_filename == path:
            return frame.f_lineno
        frame = frame.f_back
    return None


def note_statement(error: BaseException, sql: str) -> None:
    """Have ``error`` remember the SQL that it was raised for."""
    vars(error)["bb_statement"] = sql


def statement_of(error: BaseException) -> str:
    """Return the SQL that ``error``, or what led to it, was raised for; '' when none is known."""
    following: BaseException | None = error
    while following is not None:
        if statement := vars(following).get("bb_statement"):
            return str(statement)
        following = following.__cause__ or following.__context__
    return ""

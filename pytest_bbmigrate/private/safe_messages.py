"""Messages of SQLite, Python or the runner, without what may be a value of a row."""

from __future__ import annotations

import builtins
import errno
import os
import re
import sqlite3

from pytest_bbmigrate.private.known import HIDDEN, NOTHING_KNOWN, Known, unquoted
from pytest_bbmigrate.private.message_shapes import (
    ALL,
    COUNTED,
    EXIT,
    LACKING,
    ORDINAL,
    OWN,
    compile_shapes,
)
from pytest_bbmigrate.private.showing import is_showing_values

CLASSES = frozenset(
    {name for name, each in vars(builtins).items() if isinstance(each, type)}
    | {name for name in vars(sqlite3) if name.endswith(("Error", "Warning"))}
    | {"NoneType", "function", "method", "generator", "coroutine", "module", "sqlite3.Row"}
    | {"JSONDecodeError", "InvalidOperation", "ConversionSyntax", "StatementError", "DBAPIError"}
    | {"CalledProcessError", "TimeoutExpired", "Failed", "Skipped", "UnknownTimeZone"}
)
AN_EXCEPTION = "an exception"
AN_ERROR = "an error of SQLite"
ERROR_NAME = re.compile(r"SQLITE_[A-Z_]+")
NAME = re.compile(r"[\w.]+")
# What SQLAlchemy puts before the message of sqlite3; the statement and its parameters follow it.
SQLALCHEMY_PREFIX = re.compile(r"\(sqlite3\.\w+\) ")


def safe_message(error: BaseException, known: Known = NOTHING_KNOWN) -> str:
    """Return the message of ``error`` if all of it is known, else its kind.

    While values may be shown, it is the message whatever it says.
    """
    if is_showing_values():
        return full_message(error)
    if isinstance(error, sqlite3.Error):
        name = error_name(error)
        is_lacking = name == "SQLITE_ERROR" and LACKING.fullmatch(str(error))
        return str(error) if is_lacking else safe_sqlite_message(str(error), known, name)
    kind = class_name(type(error).__name__, known)
    if isinstance(error, OSError) and error.errno in errno.errorcode:
        return f"{kind}: {os.strerror(error.errno or 0)}"
    return safe_python_message(full_message(error), known)


def safe_exception(error: BaseException, known: Known = NOTHING_KNOWN) -> str:
    """Return the class of ``error``, which other code raised, and its ``safe_message``."""
    name = type(error).__name__
    if is_showing_values():
        return f"{name}: {error}"
    if isinstance(error, sqlite3.Error):
        return f"{class_name(name, known)}: {safe_message(error, known)}"
    return safe_message(error, known)


def full_message(error: BaseException) -> str:
    """Return the message of ``error``, with its class before it unless it is SQLite's."""
    if isinstance(error, sqlite3.Error):
        return str(error)
    name = type(error).__name__
    return f"{name}: {error}" if str(error) else name


def error_name(error: BaseException | None) -> str:
    """Return SQLite's name for the kind of ``error``, such as SQLITE_BUSY; '' for other errors."""
    name = getattr(error, "sqlite_errorname", "") if isinstance(error, sqlite3.Error) else ""
    return name if isinstance(name, str) and ERROR_NAME.fullmatch(name) else ""


def safe_sqlite_message(message: str, known: Known, kind: str = "") -> str:
    """Return ``message`` if it has a known shape and only known names, else its ``kind``."""
    # Before SQLite 3.47 RAISE() takes nothing but a literal, which then stands in its trigger.
    is_literal = kind == "SQLITE_CONSTRAINT_TRIGGER" and known.contains_literal(message)
    is_safe = is_literal or is_known(message, known)
    if is_safe:
        return message
    return own_message_without_values(message) or f"{kind or AN_ERROR} ({HIDDEN})"


def safe_python_message(message: str, known: Known) -> str:
    """Return what a Python migration raised, ``Class: text``, without what is not known."""
    if is_known(message, known) or EXIT.fullmatch(message):
        return message
    if without_values := own_message_without_values(message):
        return without_values
    own, after, cause = message.partition(", after ")
    if after and (is_known(own, known) or EXIT.fullmatch(own)):
        return f"{own}, after {safe_python_message(cause, known)}"
    kind, colon, text = message.partition(": ")
    name = class_name(kind, known)
    first = SQLALCHEMY_PREFIX.sub("", text.partition("\n[SQL: ")[0], count=1)
    if name != kind:
        return f"{name} ({HIDDEN})"
    if not colon or is_known(first, known) or known.contains_literal(unquoted(first)):
        return f"{name}: {first}" if first else name
    return f"{name} ({HIDDEN})"


def own_message_without_values(message: str) -> str:
    """Return a ``message`` of the runner with '..' for all that it fills in; '' for any other."""
    for shape in compile_shapes(OWN):
        if match := shape.fullmatch(message):
            for part in match.groups():
                message = message.replace(part, "..", 1)
            return message
    return ""


def is_known(message: str, known: Known, shapes: str = ALL) -> bool:
    """Return whether ``message`` has one of ``shapes``, filled with nothing but what is known."""
    if ORDINAL.fullmatch(message):
        return True
    for shape in compile_shapes(shapes):
        match = shape.fullmatch(message)
        if match and all(is_known_part(part, message, known) for part in match.groups()):
            return True
    two_messages = message.split("; ", 1)
    return len(two_messages) > 1 and all(is_known(each, known) for each in two_messages)


def is_known_part(part: str, message: str, known: Known) -> bool:
    """Return whether a ``part`` that fills a shape of ``message`` is known.

    It may be a name, a small count, a class of Python or another known message. A CHECK without a
    name is named by its expression.
    """
    is_check = message.startswith("CHECK constraint failed: ")
    return (
        known.contains_names(part)
        or COUNTED.fullmatch(part) is not None
        or part in CLASSES
        or (is_check and known.contains_sql(part))
        or is_known(part, known)
    )


def class_name(name: str, known: Known = NOTHING_KNOWN) -> str:
    """Return the name of an exception's class if it is Python's or known, else AN_EXCEPTION."""
    is_name = NAME.fullmatch(name) is not None
    return name if is_name and (name in CLASSES or known.contains(name)) else AN_EXCEPTION

"""What SQLite, Python or the runner has said, as far as it is known to hold no value."""

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
    compiled,
)
from pytest_bbmigrate.private.showing import is_telling

CLASSES = frozenset(
    {name for name, each in vars(builtins).items() if isinstance(each, type)}
    | {name for name in vars(sqlite3) if name.endswith(("Error", "Warning"))}
    | {"NoneType", "function", "method", "generator", "coroutine", "module", "sqlite3.Row"}
    | {"JSONDecodeError", "InvalidOperation", "ConversionSyntax", "StatementError", "DBAPIError"}
    | {"CalledProcessError", "TimeoutExpired", "Failed", "Skipped", "UnknownTimeZone"}
)
AN_EXCEPTION = "an exception"
AN_ERROR = "an error of SQLite"
CODE = re.compile(r"SQLITE_[A-Z_]+")
NAME = re.compile(r"[\w.]+")
# What SQLAlchemy puts around the words of sqlite3; the statement and its parameters follow.
AROUND = re.compile(r"\(sqlite3\.\w+\) ")


def said(error: BaseException, known: Known = NOTHING_KNOWN) -> str:
    """Return what ``error`` says: its words where all of them are known, or else its kind.

    Everything it says where everything may be told.
    """
    if is_telling():
        return as_said(error)
    if isinstance(error, sqlite3.Error):
        kind = kind_of(error)
        is_lacking = kind == "SQLITE_ERROR" and LACKING.fullmatch(str(error))
        return str(error) if is_lacking else said_by_sqlite(str(error), known, kind)
    kind = class_name(type(error).__name__, known)
    if isinstance(error, OSError) and error.errno in errno.errorcode:
        return f"{kind}: {os.strerror(error.errno or 0)}"
    return said_by_python(as_said(error), known)


def raised(error: BaseException, known: Known = NOTHING_KNOWN) -> str:
    """Return the class of ``error``, raised by code of others, and what it says as ``said``."""
    name = type(error).__name__
    if is_telling():
        return f"{name}: {error}"
    if isinstance(error, sqlite3.Error):
        return f"{class_name(name, known)}: {said(error, known)}"
    return said(error, known)


def as_said(error: BaseException) -> str:
    """Return the words of ``error``; of one that is not SQLite's, its class before them."""
    if isinstance(error, sqlite3.Error):
        return str(error)
    name = type(error).__name__
    return f"{name}: {error}" if str(error) else name


def kind_of(error: BaseException | None) -> str:
    """Return SQLite's own name for the kind of ``error``, '' for what is not SQLite's."""
    name = getattr(error, "sqlite_errorname", "") if isinstance(error, sqlite3.Error) else ""
    return name if isinstance(name, str) and CODE.fullmatch(name) else ""


def said_by_sqlite(message: str, known: Known, kind: str = "") -> str:
    """Return ``message`` where it has a known shape with known names in it, or else its kind."""
    # Before SQLite 3.47 RAISE() takes nothing but a text that stands in its trigger.
    raised = kind == "SQLITE_CONSTRAINT_TRIGGER" and known.holds_literal(message)
    is_told = raised or is_known(message, known)
    return message if is_told else of_ours(message) or f"{kind or AN_ERROR} ({HIDDEN})"


def said_by_python(message: str, known: Known) -> str:
    """Return what a Python migration raised, ``Class: text``, as far as all of it is known."""
    if is_known(message, known) or EXIT.fullmatch(message):
        return message
    if ours := of_ours(message):
        return ours
    own, after, cause = message.partition(", after ")
    if after and (is_known(own, known) or EXIT.fullmatch(own)):
        return f"{own}, after {said_by_python(cause, known)}"
    kind, colon, text = message.partition(": ")
    name = class_name(kind, known)
    first = AROUND.sub("", text.partition("\n[SQL: ")[0], count=1)
    if name != kind:
        return f"{name} ({HIDDEN})"
    if not colon or is_known(first, known) or known.holds_literal(unquoted(first)):
        return f"{name}: {first}" if first else name
    return f"{name} ({HIDDEN})"


def of_ours(message: str) -> str:
    """Return ``message`` without what stands in its places where it is one of the runner's."""
    for shape in compiled(OWN):
        if found := shape.fullmatch(message):
            for place in found.groups():
                message = message.replace(place, "..", 1)
            return message
    return ""


def is_known(message: str, known: Known, shapes: str = ALL) -> bool:
    """Return whether ``message`` has one of ``shapes``, and holds nothing but names."""
    if ORDINAL.fullmatch(message):
        return True
    for shape in compiled(shapes):
        found = shape.fullmatch(message)
        if found and all(is_filled(place, message, known) for place in found.groups()):
            return True
    both = message.split("; ", 1)
    return len(both) > 1 and all(is_known(each, known) for each in both)


def is_filled(place: str, message: str, known: Known) -> bool:
    """Return whether what stands in a ``place`` of ``message`` is known.

    That is a name, a small count, a class of Python's or again a message; a CHECK goes by its
    expression, where it has no name.
    """
    is_check = message.startswith("CHECK constraint failed: ")
    return (
        known.holds_names(place)
        or COUNTED.fullmatch(place) is not None
        or place in CLASSES
        or (is_check and known.holds_sql(place))
        or is_known(place, known)
    )


def class_name(name: str, known: Known = NOTHING_KNOWN) -> str:
    """Return the name of an exception's class, if it is one of Python's or stands in a file."""
    plain = NAME.fullmatch(name) is not None
    return name if plain and (name in CLASSES or known.holds(name)) else AN_EXCEPTION

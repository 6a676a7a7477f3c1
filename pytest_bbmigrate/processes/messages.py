"""Exchange typed values as JSON between processes; nothing that comes in is trusted.

    a dataclass   an object of all its fields           bytes   {"bytes": "base64"}
    a tuple       a list                                float   {"float": "0x1.8p+0"}
    a mapping     an object                             a path, an enum: its text

A message is an object with a version. It is refused if it has another version or shape, a field too
many or too few, a number that JSON does not have, or more bytes or levels than ours have.
"""

from __future__ import annotations

import json
import math
import os
import types
import typing
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from weakref import WeakKeyDictionary

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.processes.untrusted_files import MOST_BYTES, read_untrusted

VERSION = 1
_HINTS: WeakKeyDictionary[type, dict[str, Any]] = WeakKeyDictionary()
T = TypeVar("T")


class Unreadable(BBMigrateError):
    """Raised when a message is none of ours; says what is wrong with it."""


def encode_message(kind: str, value: object) -> bytes:
    """Return the message of that ``kind`` with ``value``."""
    return json.dumps({"version": VERSION, "kind": kind, "value": to_plain(value)}).encode()


def to_plain(value: object) -> object:
    """Return ``value`` as values that JSON has."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, bytes):
        return {"bytes": b64encode(value).decode()}
    if isinstance(value, tuple):
        return [to_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if is_dataclass(value):
        return {each.name: to_plain(getattr(value, each.name)) for each in fields(value)}
    if value is None or isinstance(value, bool | int | str):
        return value
    return os.fspath(value)  # type: ignore[call-overload] # it raises TypeError for what is no path


def read_file(path: Path) -> bytes:
    """Return the content of a file that another process has left.

    Raises: Unreadable when there is none, it is too large, or it is something else than a file.
    """
    try:
        content = read_untrusted(path, MOST_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"it cannot be read ({error.strerror})") from error
    if len(content) > MOST_BYTES:
        raise Unreadable(f"it is longer than {MOST_BYTES:,} bytes")
    return content


def read_message(content: bytes, kinds: Mapping[str, type[T]], names: Mapping[str, Any]) -> T:
    """Return the value in a message; ``kinds`` maps the kinds that are expected to their types.

    ``names`` are what annotations of these types use, but their modules import for type checkers
    only.

    Raises: Unreadable.
    """
    try:
        parsed = json.loads(content, parse_constant=_refuse, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is no JSON ({type(error).__name__})") from error
    if not isinstance(parsed, dict) or set(parsed) != {"version", "kind", "value"}:
        raise Unreadable("it is no message")
    version, kind = parsed["version"], parsed["kind"]
    if type(version) is not int or version != VERSION:
        raise Unreadable("it is of another version")
    if not isinstance(kind, str) or kind not in kinds:
        raise Unreadable("it is of another kind")
    value: T = Reader(names).read(kinds[kind], parsed["value"], kind)
    return value


class Reader:
    """Makes values of given types from what JSON has; ``where`` names the place in the message."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = dict(names)

    def read(self, wanted: Any, plain: object, where: str) -> Any:
        """Return ``plain`` as a value of the type ``wanted``.

        Raises: Unreadable when it is something else.
        """
        origin, arms = typing.get_origin(wanted), typing.get_args(wanted)
        if origin in (types.UnionType, typing.Union):
            return self.read_union(arms, plain, where)
        if origin is tuple:
            return self.read_tuple(arms, plain, where)
        if origin is Mapping:
            content = _of(dict, plain, where)
            return {key: self.read(arms[1], each, where) for key, each in content.items()}
        if is_dataclass(wanted) and isinstance(wanted, type):
            return self.read_object(wanted, plain, where)
        return _read_single(wanted, plain, where)

    def read_union(self, arms: tuple[Any, ...], plain: object, where: str) -> Any:
        """Return ``plain`` as the first of several types that it can be."""
        for arm in arms:
            try:
                return self.read(arm, plain, where)
            except Unreadable:
                continue
        raise _other(where)

    def read_tuple(self, arms: tuple[Any, ...], plain: object, where: str) -> tuple[Any, ...]:
        """Return ``plain``, a list, as a tuple of the types ``arms``."""
        content = _of(list, plain, where)
        wanted = [arms[0]] * len(content) if arms[1:] == (...,) else list(arms)
        if len(wanted) != len(content):
            raise _other(where)
        return tuple(self.read(arm, each, where) for arm, each in zip(wanted, content, strict=True))

    def hints(self, of: type) -> dict[str, Any]:
        """Return the types of the fields of a dataclass, which are looked up once."""
        if of not in _HINTS:
            _HINTS[of] = typing.get_type_hints(of, localns=self.names)
        return _HINTS[of]

    def read_object(self, wanted: type, plain: object, where: str) -> Any:
        """Return ``plain`` as an instance of a dataclass; it must have exactly its fields."""
        content, hints = _of(dict, plain, where), self.hints(wanted)
        names = [each.name for each in fields(wanted)]
        if set(content) != set(names):
            raise _other(where)
        return wanted(
            **{name: self.read(hints[name], content[name], f"{where}.{name}") for name in names}
        )


def _read_single(wanted: Any, plain: object, where: str) -> Any:
    """Return ``plain`` as a value that contains no other values."""
    if wanted in (bool, int, str, type(None)):
        return _of(wanted, plain, where)
    if wanted is float and type(plain) is int:  # Python's types take an int for a float, too
        return float(plain)
    if wanted is Path:
        return Path(_of(str, plain, where))
    if wanted in (bytes, float):
        return _read_tagged(wanted, plain, where)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        try:
            return wanted(_of(str, plain, where))
        except ValueError:
            raise _other(where) from None
    raise TypeError(f"{wanted} has no form in JSON")


def _read_tagged(wanted: type, plain: object, where: str) -> bytes | float:
    """Return ``plain``, an object with the type as its one name, as bytes or a float."""
    content = _of(dict, plain, where)
    tag = wanted.__name__
    if set(content) != {tag}:
        raise _other(where)
    text: str = _of(str, content[tag], where)
    try:
        if wanted is bytes:
            return b64decode(text, validate=True)
        number = float.fromhex(text)
    except (ValueError, OverflowError):
        raise _other(where) from None
    if math.isnan(number):
        raise _other(where)
    return number


def _of(wanted: type[T], plain: object, where: str) -> T:
    if type(plain) is not wanted:  # isinstance would take True for an int
        raise _other(where)
    return plain


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name twice")
    return values


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _other(where: str) -> Unreadable:
    return Unreadable(f"{where} is not what it must be")

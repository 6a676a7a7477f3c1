"""Values as JSON between processes, and back by their types; nothing that comes in is believed.

    a dataclass   an object of all its fields           bytes   {"bytes": "base64"}
    a tuple       a list                                float   {"float": "0x1.8p+0"}
    a mapping     an object                             a path, an enum: its text

A message is an object with a version. What has another version, another shape, a field too many or
too few, a number that JSON has not, or more bytes or levels than ours have, does not read.
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
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.processes.untrusted_files import MOST_BYTES, read_left

VERSION = 1
T = TypeVar("T")


class Unreadable(BBMigrateError):
    """Raised when a message is not one of ours; says what is wrong with it."""


def message(kind: str, value: object) -> bytes:
    """Return a message that says ``value``."""
    return json.dumps({"version": VERSION, "kind": kind, "value": plain(value)}).encode()


def plain(value: object) -> object:
    """Return ``value`` as JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, bytes):
        return {"bytes": b64encode(value).decode()}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if value is None or isinstance(value, bool | int | str):
        return value
    return os.fspath(value)  # type: ignore[call-overload] # it raises TypeError for what is no path


def read_file(path: Path) -> bytes:
    """Return what is in a file that another process has left.

    Raises: Unreadable when it is none, is too large, or is something else than a file.
    """
    try:
        content = read_left(path, MOST_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"it cannot be read ({error.strerror})") from error
    if len(content) > MOST_BYTES:
        raise Unreadable(f"it is longer than {MOST_BYTES:,} bytes")
    return content


def read_message(content: bytes, kinds: Mapping[str, type[T]], names: Mapping[str, Any]) -> T:
    """Return what a message says, of one of ``kinds``.

    ``names`` are those that the types' annotations use and their modules import for a type checker
    alone.

    Raises: Unreadable.
    """
    try:
        said = json.loads(content, parse_constant=_refuse, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is no JSON ({type(error).__name__})") from error
    if not isinstance(said, dict) or set(said) != {"version", "kind", "value"}:
        raise Unreadable("it is no message")
    version, kind = said["version"], said["kind"]
    if type(version) is not int or version != VERSION:
        raise Unreadable("it is of another version")
    if not isinstance(kind, str) or kind not in kinds:
        raise Unreadable("it is of another kind")
    found: T = Reader(names).read(kinds[kind], said["value"], kind)
    return found


class Reader:
    """Reads plain values by types."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = dict(names)
        self.hints = cache(lambda of: typing.get_type_hints(of, localns=self.names))

    def read(self, wanted: Any, said: object, where: str) -> Any:
        """Return ``said`` as a value of the type ``wanted``.

        Raises: Unreadable that says ``where`` it is something else.
        """
        origin, arms = typing.get_origin(wanted), typing.get_args(wanted)
        if origin in (types.UnionType, typing.Union):
            return self.read_union(arms, said, where)
        if origin is tuple:
            return self.read_tuple(arms, said, where)
        if origin is Mapping:
            content = _of(dict, said, where)
            return {key: self.read(arms[1], each, where) for key, each in content.items()}
        if is_dataclass(wanted) and isinstance(wanted, type):
            return self.read_object(wanted, said, where)
        return _read_single(wanted, said, where)

    def read_union(self, arms: tuple[Any, ...], said: object, where: str) -> Any:
        """Return ``said`` as the first of several types that it can be."""
        for arm in arms:
            try:
                return self.read(arm, said, where)
            except Unreadable:
                continue
        raise _other(where)

    def read_tuple(self, arms: tuple[Any, ...], said: object, where: str) -> tuple[Any, ...]:
        """Return ``said`` as a tuple."""
        content = _of(list, said, where)
        wanted = [arms[0]] * len(content) if arms[1:] == (...,) else list(arms)
        if len(wanted) != len(content):
            raise _other(where)
        return tuple(self.read(arm, each, where) for arm, each in zip(wanted, content, strict=True))

    def read_object(self, wanted: type, said: object, where: str) -> Any:
        """Return ``said`` as an instance of a dataclass, of which every field is to be there."""
        content, hints = _of(dict, said, where), self.hints(wanted)
        names = [each.name for each in fields(wanted)]
        if set(content) != set(names):
            raise _other(where)
        return wanted(
            **{name: self.read(hints[name], content[name], f"{where}.{name}") for name in names}
        )


def _read_single(wanted: Any, said: object, where: str) -> Any:
    """Return ``said`` as a value that is made of nothing else."""
    if wanted in (bool, int, str, type(None)):
        return _of(wanted, said, where)
    if wanted is Path:
        return Path(_of(str, said, where))
    if wanted in (bytes, float):
        return _read_tagged(wanted, said, where)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        try:
            return wanted(_of(str, said, where))
        except ValueError:
            raise _other(where) from None
    raise TypeError(f"{wanted} has no form in JSON")


def _read_tagged(wanted: type, said: object, where: str) -> bytes | float:
    """Return bytes, or a number with a point, which JSON does not hold as they are."""
    content = _of(dict, said, where)
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


def _of(wanted: type[T], said: object, where: str) -> T:
    if type(said) is not wanted:  # True is no 1 here
        raise _other(where)
    return said


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _other(where: str) -> Unreadable:
    return Unreadable(f"{where} is not what it must be")

"""A digest of any value of ours: equal for equal values alone, and the same in every process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def digest_of_value(*values: object) -> str:
    """Return the digest of ``values``: of all that their types, and all fields of theirs, say.

    Raises: TypeError for a value that is not known to be told from all others, such as a function.
    """
    parts: list[str] = []
    for value in values:
        spell(value, parts)
    return sha256("".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def spell(value: object, parts: list[str]) -> None:
    """Add to ``parts`` text that no other value is spelled with.

    Raises: as ``digest_of_value`` does.
    """
    single = spelled_alone(value)
    if single is not None:
        parts.append(single)
    elif isinstance(value, tuple | list):
        parts.append(f"({len(value)}:")
        for each in value:
            spell(each, parts)
    elif isinstance(value, frozenset | set):
        _spell_unordered("set", value, parts)
    elif isinstance(value, Mapping):
        _spell_unordered("map", value.items(), parts)
    elif is_dataclass(value) and not isinstance(value, type):
        beginning, named = spelled_fields(type(value))
        parts.append(beginning)
        for name, spelled in named:
            parts.append(spelled)
            spell(getattr(value, name), parts)
    else:
        raise TypeError(f"a {type(value).__name__} has no digest")


@cache
def spelled_fields(kind: type) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return what values of a dataclass begin with, and each field with what is before its value.

    They are spelled as tuples of the class's name, and for each field one of its name and value.
    """
    own = tuple(each.name for each in fields(kind))
    beginning = f"({len(own) + 1}:s{len(kind.__name__)}:{kind.__name__}"
    return beginning, tuple((name, f"(2:s{len(name)}:{name}") for name in own)


def spelled_alone(value: object) -> str | None:
    """Return the spelling of a value that contains no others, None for one that may."""
    if type(value) is str:
        return f"s{len(value)}:{value}"
    if value is None or type(value) in (bool, int, float):
        return f"{type(value).__name__}:{value!r};"
    if type(value) is bytes:
        return f"b{len(value)}:{sha256(value).hexdigest()}"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name};"
    if isinstance(value, Path):
        text = str(value)
        return f"p{len(text)}:{text}"
    return None


def _spell_unordered(kind: str, values: Iterable[object], parts: list[str]) -> None:
    """Add the ``values`` in the one order that their spellings have."""
    spelled = []
    for each in values:
        own: list[str] = []
        spell(each, own)
        spelled.append("".join(own))
    parts.append(f"{kind}{len(spelled)}:")
    parts += sorted(spelled)

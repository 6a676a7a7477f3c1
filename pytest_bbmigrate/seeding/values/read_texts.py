"""Values for columns that migrations read in a certain way: JSON by its paths, texts by patterns.

Pure.
"""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pytest_bbmigrate.catalogue import ColumnRead
    from pytest_bbmigrate.sql.values import Cell

# Of each kind that JSON has, the usual ones first.
PLAIN: tuple[object, ...] = ("Rent", 12, "Corner Grocer", 0.29)
ODD: tuple[object, ...] = (
    None,
    True,
    False,
    {"name": "Zoë", "id": 1},
    ["Rent", "rent", None, 2],
    "",
    "null",
    2**53 + 1,
    [],
    {},
)
LISTS = (["Rent", "Pets"], ["Rent"], ["Pets", "rent", "Rent", "Rent"], [1, 2, 3])
ODD_LISTS: tuple[object, ...] = (
    [],
    [None],
    [True, False, 0, "0"],
    [{"name": "Zoë", "id": 1}, []],
    {"a": 1, "b": [2]},
)
_STEP = re.compile(r'\."((?:[^"\\]|\\.)*)"|\.([^.\[]+)|\[(#(?:-\d+)?|\d+)\]')
WILD = re.compile(r"[%*]+")


def json_documents(reads: Collection[ColumnRead]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return usual documents in which all paths of ``reads`` are, and odd ones.

    In the odd ones each path leads to every kind of value, to what it is compared with, or to
    nothing.
    """
    paths = sorted(
        {read.text for read in reads if read.kind == "json" and _STEP.match(read.text[1:])}
    )
    values = sorted(read.text for read in reads if read.kind == "json value")
    if not paths:
        return (
            tuple(json.dumps(whole) for whole in LISTS),
            tuple(json.dumps(whole) for whole in ODD_LISTS),
        )
    compared = [tuple(json.loads(text)) for text in values]
    usual = [_document(paths, PLAIN, number) for number in range(len(PLAIN))]
    odd = [_document(paths, ODD, number) for number in range(len(ODD))]
    for path, value in compared:
        others = [other for other in paths if other != path]
        usual.append(_document([path, *others], [value, *PLAIN], 0))
    if len(paths) > 1:
        odd += [_document([*paths[:number], *paths[number + 1 :]], PLAIN, 0) for number in range(4)]
    dumped = (tuple(dict.fromkeys(map(json.dumps, documents))) for documents in (usual, odd))
    return next(dumped), next(dumped)


def _document(paths: Sequence[str], values: Sequence[object], first: int) -> object:
    """Return a document with one of ``values`` at each of ``paths``, from the ``first`` on."""
    document: object = None
    for number, path in enumerate(paths):
        document = _put(document, _steps(path), values[(first + number) % len(values)])
    return {} if document is None else document


def _steps(path: str) -> list[str | int]:
    """Return the keys and numbers in a path such as ``$.a[0]``; numbers from the end are 0."""
    steps: list[str | int] = []
    for quoted, key, number in _STEP.findall(path[1:]):
        steps.append((int(number) if number.isdigit() else 0) if number else quoted or key)
    return steps


def _put(document: object, steps: Sequence[str | int], value: object) -> object:
    if not steps:
        return value
    step, *rest = steps
    if isinstance(step, int):
        items = list(document) if isinstance(document, list) else []
        items += [None] * (min(step, 9) + 1 - len(items))
        items[min(step, 9)] = _put(items[min(step, 9)], rest, value)
        return items
    members = dict(document) if isinstance(document, dict) else {}
    return members | {step: _put(members.get(step), rest, value)}


def texts_near(
    reads: Collection[ColumnRead], usual: Sequence[Cell], *, unique: bool
) -> tuple[str, ...]:
    """Return texts on both sides of the patterns and beginnings in ``reads``.

    For a pattern these are one that is meant, the same in the other letter case, and one with
    another character where it has ``_``; for a text that is cut out or put before, one of the
    ``usual`` texts with and without it. In a ``unique`` column none of these becomes another one by
    what is put before it: that an UPDATE of all rows passes over its own rows is no fault of data.
    """
    filling = next((value for value in usual if isinstance(value, str)), "some")
    found = chain.from_iterable(_near(read, filling, unique=unique) for read in sorted(reads))
    return tuple(dict.fromkeys(text for text in found if text))


def _near(read: ColumnRead, filling: str, *, unique: bool) -> Iterator[str]:
    if read.kind == "like" and read.text:
        meant = WILD.sub(filling, read.text.replace("\\", ""))
        yield from (meant, meant.swapcase())
        if "_" in read.text:
            yield meant.replace("_", "x")
    elif read.kind == "glob" and read.text:
        meant = WILD.sub(filling, re.sub(r"\[\^?(.)[^\]]*\]", r"\1", read.text)).replace("?", "a")
        yield from (meant, meant.swapcase())
    elif read.kind == "prefix" and unique:
        yield f"{read.text}{filling} as it was"
    elif read.kind in ("prefix", "cut"):
        yield from (read.text + filling, filling, (read.text + filling).swapcase(), read.text)

"""Equal values have one digest, and no others have it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_bbmigrate.kept.digests import digest_of_value


class Kind(Enum):
    ONE = "one"


@dataclass(frozen=True)
class Shown:
    name: str
    hidden: int = field(default=0, repr=False, compare=False)


@dataclass(frozen=True)
class Other:
    name: str
    hidden: int = 0


VALUES = [
    None, True, 1, 1.0, "1", b"1", "", b"", (), ("",), ("", ""), (("",), ""), ("ab",), ("a", "b"),
    frozenset(), frozenset({"a"}), {"a": 1}, {"a": "1"}, {1: "a"}, (("a", 1),), Path("a"), "a",
    "s1:a", ("s1:a",), Kind.ONE, "Kind.ONE;", Shown("a"), Shown("a", 1), Other("a"), -0.0, 0.0, 0,
    "\ud800",
]  # fmt: skip


def test_no_two_values_have_one_digest() -> None:
    assert len({digest_of_value(value) for value in VALUES}) == len(VALUES)


def test_sets_and_mappings_have_no_order() -> None:
    assert digest_of_value({"a": 1, "b": 2}) == digest_of_value({"b": 2, "a": 1})
    assert digest_of_value(frozenset("abc")) == digest_of_value(frozenset("cba"))


@given(st.lists(st.text()), st.lists(st.text()))
def test_texts_side_by_side_are_told_apart(one: list[str], other: list[str]) -> None:
    assert (digest_of_value(*one) == digest_of_value(*other)) == (one == other)


@pytest.mark.parametrize("value", [print, object(), range(3), Shown, memoryview(b"")])
def test_what_is_not_known_has_none(value: object) -> None:
    with pytest.raises(TypeError, match="has no digest"):
        digest_of_value(("a", value))


def test_a_dataclass_is_told_by_its_name_its_fields_and_their_values() -> None:
    @dataclass(frozen=True)
    class Named:
        one: int
        two: tuple[str, ...]

    told = ("Named", ("one", 1), ("two", ("a", "b")))

    assert digest_of_value(Named(1, ("a", "b"))) == digest_of_value(told)

"""JSON and texts for what migrations read in columns."""

from __future__ import annotations

import json

import pytest

from pytest_bbmigrate.catalogue import ColumnRead
from pytest_bbmigrate.seeding.values.read_texts import json_documents, texts_near


def test_a_path_leads_to_every_kind_of_value() -> None:
    usual, odd = json_documents([ColumnRead("json", "a", "$.x"), ColumnRead("json", "a", "$.y[1]")])
    documents = [json.loads(text) for text in (*usual, *odd)]
    kinds = {type(document["x"]).__name__ for document in documents if "x" in document}

    assert {"str", "int", "float", "NoneType", "bool", "dict", "list"} == kinds
    assert all("x" in json.loads(text) and len(json.loads(text)["y"]) == 2 for text in usual)
    assert any("x" not in document for document in documents)
    assert {True, False} <= {one["x"] for one in documents if isinstance(one.get("x"), bool)}


def test_a_path_leads_to_what_it_is_compared_with() -> None:
    reads = [
        ColumnRead("json", "a", '$."two words".deep'),
        ColumnRead("json value", "a", json.dumps(['$."two words".deep', "x"])),
    ]
    usual, _ = json_documents(reads)

    assert {"two words": {"deep": "x"}} in map(json.loads, usual)


def test_a_column_that_is_read_as_a_whole_holds_lists() -> None:
    usual, odd = json_documents([ColumnRead("json", "a")])

    assert all(isinstance(json.loads(text), list) for text in usual)
    assert "[null]" in odd


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (("like", "x_%"), {"x_Rent", "X_rENT", "xxRent"}),
        (("like", r"x\_y"), {"x_y", "X_Y", "xxy"}),
        (("glob", "[ab]?*"), {"aaRent", "AArENT"}),
        (("cut", "www."), {"www.Rent", "Rent", "WWW.rENT", "www."}),
        (("prefix", "x/"), {"x/Rent", "Rent", "X/rENT", "x/"}),
    ],
)
def test_texts_are_on_both_sides_of_a_pattern(read: tuple[str, str], expected: set[str]) -> None:
    kind, text = read

    assert set(texts_near([ColumnRead(kind, "a", text)], ["Rent"], unique=False)) == expected


def test_what_is_put_before_a_unique_text_makes_it_no_other_one() -> None:
    found = texts_near([ColumnRead("prefix", "a", "x/")], ["Rent"], unique=True)

    assert found == ("x/Rent as it was",)

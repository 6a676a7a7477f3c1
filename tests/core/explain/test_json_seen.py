"""What is advised where a statement meets a text that is no JSON: what its rows bear out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.explain.advice_by_statement import ELEMENT_IS_TEXT
from pytest_bbmigrate.explain.json_seen import PUT_TOGETHER
from tests.core.checking import chain_of, judge_last
from tests.core.running import image_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.verdict import Finding

QUOTES = "CREATE TABLE quotes (id INTEGER PRIMARY KEY, fees TEXT, name TEXT NOT NULL);"
OF_ELEMENTS = (
    "UPDATE quotes SET fees = (SELECT json_group_array(json_extract(e.value, '$.fee'))"
    " FROM json_each(quotes.fees) AS e) WHERE {};"
)
OF_ROW = "UPDATE quotes SET name = json_extract(fees, '$.name');"
OF_TEXT = "UPDATE quotes SET fees = json('[\"' || name || '\"]') WHERE json_array_length(fees) > 0;"


def found_with(folder: Path, fees: str, step: str) -> Finding:
    """Return what up_applies finds of ``step`` where one row has these fees."""
    base = image_of(QUOTES, f"INSERT INTO quotes VALUES (1, '{fees}', 'a \" b')")
    return judge_last("up_applies", chain_of(folder, step, base=base, rows=0)).findings[0]


@pytest.mark.parametrize(
    ("fees", "step", "advice"),
    [
        ('["Rent"]', OF_ELEMENTS.format("1"), ELEMENT_IS_TEXT),
        ('["Rent"]', OF_TEXT, PUT_TOGETHER),
    ],
)
def test_no_row_is_to_be_left_out_where_all_hold_json(
    tmp_path: Path, fees: str, step: str, advice: str
) -> None:
    assert found_with(tmp_path, fees, step).cause == advice


@pytest.mark.parametrize(
    "step", [OF_ROW, OF_ELEMENTS.format("json_array_length(fees) > 0"), OF_TEXT]
)
def test_rows_that_hold_none_are_to_be_left_out(tmp_path: Path, step: str) -> None:
    assert "json_valid(..)" in found_with(tmp_path, "Rent", step).cause


def test_the_line_says_that_rows_hold_json(tmp_path: Path) -> None:
    base = image_of(QUOTES, "INSERT INTO quotes VALUES (1, '{}', 'x'), (2, 'Rent', 'y')")
    index = "CREATE INDEX i ON quotes ((json_extract(fees, '$.name')));"
    (found,) = judge_last("up_applies", chain_of(tmp_path, index, base=base, rows=0)).findings

    assert found.allow == "-- bb: requires quotes: fees IS NULL OR json_valid(fees)"

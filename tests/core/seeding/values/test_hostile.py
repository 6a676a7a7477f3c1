"""The values that break migrations are there wherever type, constraints and meaning allow."""

from __future__ import annotations

import unicodedata

import pytest

from pytest_bbmigrate.contract.model import Requirement
from pytest_bbmigrate.seeding.filling.fill import add_rows
from pytest_bbmigrate.seeding.model import Recipe, exact_key
from pytest_bbmigrate.seeding.values.hostile import hostile_keys, hostile_values
from pytest_bbmigrate.seeding.values.meaning import Family
from tests.core.filling import Filled, filled

BIG = 2**53 + 1
SQL = """
CREATE TABLE t (
    id INTEGER PRIMARY KEY,
    note TEXT,
    category TEXT COLLATE NOCASE,
    status TEXT NOT NULL DEFAULT 'new',
    amount REAL,
    balance DECIMAL(10, 2) NOT NULL,
    fee NUMERIC,
    cents INTEGER,
    quantity INTEGER,
    anything,
    cost,
    date DATE,
    month TEXT,
    week_start TEXT,
    created_at TIMESTAMP,
    photo BLOB,
    payload JSON,
    email TEXT,
    mask TEXT,
    price TEXT,
    is_open BOOLEAN,
    month_number INTEGER,
    name VARCHAR(12)
)
"""


def present(result: Filled, column: str, first: int = 42) -> set[tuple[str, str]]:
    """Return the values of a column in the first rows, told apart exactly."""
    return {exact_key(value) for value in result.values(f"SELECT {column} FROM t LIMIT {first}")}


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("note", [None, "", "split with Sam", "SPLIT WITH SAM", "split with sam"]),
        ("note", ["  split with Sam ", "line one\nline two", "carriage\r\nreturn\ttab"]),
        ("note", ["nul\x00inside", "🍕 pizza night 👩\u200d👧", "0042", "1", "7e5"]),
        ("note", [unicodedata.normalize(form, "Café Zoë") for form in ("NFC", "NFD")]),
        ("note", ['O\'Brien & "Sons"; --']),
        ("category", [None, "", "Groceries", "GROCERIES", "groceries", "  Groceries "]),
        ("status", ["", "active", "ACTIVE", "new"]),
        ("amount", [None, 0.0, 12.0, -1.0, 0.29, 1.15, 4.35, 8.2, 1.005, 19.99, -0.01]),
        ("balance", [0, -1, 0.29, 1.15, 4.35, 8.2, 1.005, 19.99, 12]),
        ("fee", [None, 0, -1, 0.29, 1.005]),
        ("cents", [None, 0, 12, -1, -1999, BIG, -BIG]),
        ("quantity", [None, 0, 1, BIG]),
        ("anything", [None, "", 12, 12.0, "12", 0, -0.0, -1, BIG, b"\x00\xff bytes", "0042"]),
        ("cost", [None, "", 12, 12.0, "12", 0, -0.0, 1.15, BIG, b"\x00\xff bytes"]),
        ("date", [None, "2024-02-29", "2024-12-31", "2025-01-01"]),
        ("month", [None, "2024-02", "2024-12"]),
        ("week_start", [None, "2024-12-30"]),
        ("created_at", [None, "2025-03-30T02:30:00Z", "2025-06-30T23:59:59.999999+02:00"]),
        ("created_at", ["2024-02-29 00:00:00", "2025-10-26 01:30:00.5"]),
        ("photo", [None, b"", b"\x00", b"\xff\xfe\x00\x01", b"text"]),
        ("payload", [None, "{}", "[]", "null", '{ "spaced" : 1.0 }']),
        ("email", [None, ""]),
        ("mask", [None, "", "0042", "7e5"]),
        ("price", [None, "", "12", "12.0", "0042", "-5.00"]),
        ("is_open", [None, 0, 1]),
        ("month_number", [None, 1, 2, 12]),
        ("name", [None, "", "nul\x00inside", "Groceries Gr"]),
    ],
)
def test_hostile_values_are_in_the_first_rows(column: str, values: list[object]) -> None:
    with filled(SQL) as result:
        wanted = {(type(value).__name__, repr(value)) for value in values}

        assert set() == wanted - present(result, column)


def test_long_text_is_longer_than_a_page() -> None:
    with filled(SQL) as result:
        assert result.values("SELECT max(length(note)) FROM t")[0] > 4096


def test_a_declared_length_is_kept() -> None:
    with filled(SQL) as result:
        assert result.values("SELECT max(length(replace(name, char(0), ' '))) FROM t") == [12]


def test_sixty_rows_are_enough_for_every_hostile_value() -> None:
    with filled(SQL, Recipe(rows=60)) as result:
        everything = hostile_values(Family.TEXT, "note", "split with Sam")

        assert {exact_key(value) for value in everything} <= present(result, "note", 60)


@pytest.mark.parametrize("rows", [5, 12, 59])
def test_few_rows_mix_realistic_and_hostile(rows: int) -> None:
    with filled(SQL, Recipe(rows=rows)) as result:
        notes = result.values("SELECT note FROM t")

        assert notes[0] == "split with Sam"
        assert {None, ""} < set(notes)


@pytest.mark.parametrize(
    ("column", "pattern"),
    [
        ("date", "[12][09][029][4-69]-[01][0-9]-[0-3][0-9]"),
        ("month", "[12][09][029][4-69]-[01][0-9]"),
        ("created_at", "[12][09][029][4-69]-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-5][0-9]:*"),
    ],
)
def test_there_is_no_junk_among_dates(column: str, pattern: str) -> None:
    with filled(SQL) as result:
        junk = f"SELECT {column} FROM t WHERE {column} NOT GLOB '{pattern}'"

        assert result.values(junk) == []


@pytest.mark.parametrize("column", ["is_open", "month_number"])
def test_flags_and_months_stay_in_their_bounds(column: str) -> None:
    with filled(SQL) as result:
        assert {None, *range(13)} >= set(result.values(f"SELECT {column} FROM t"))


def test_all_text_is_utf_8() -> None:
    with filled(SQL) as result:
        result.db.text_factory = str

        assert len(result.db.execute("SELECT * FROM t").fetchall()) == 200


def test_text_keys_are_hostile_within_reason() -> None:
    with filled("CREATE TABLE t (name TEXT PRIMARY KEY, note TEXT)") as result:
        keys = set(result.values("SELECT name FROM t"))

        assert {"Groceries", "gROCERIES", " Groceries ", "", "0042", "1", "7e5"} < keys
        assert " Groceries one  " in keys
        assert not {"Groceries one", "nul\x00inside"} & keys


@pytest.mark.parametrize(
    ("sql", "nulls"),
    [
        ("CREATE TABLE t (k TEXT PRIMARY KEY)", 1),
        ("CREATE TABLE t (k INTEGER, PRIMARY KEY (k DESC))", 0),  # that is the rowid
        ("CREATE TABLE t (k INT PRIMARY KEY)", 1),
        ("CREATE TABLE t (k TEXT PRIMARY KEY CHECK (k IS NOT NULL))", 0),
        ("CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY)", 0),
        ("CREATE TABLE t (k TEXT PRIMARY KEY) WITHOUT ROWID", 0),
        ("CREATE TABLE t (k TEXT PRIMARY KEY) STRICT", 0),
        ("CREATE TABLE t (k TEXT, other TEXT, PRIMARY KEY (k, other))", 0),
        ("CREATE TABLE t (k TEXT PRIMARY KEY REFERENCES p (k))", 0),
    ],
)
def test_one_row_has_no_key_where_that_may_be(sql: str, nulls: int) -> None:
    parent = "CREATE TABLE p (k TEXT NOT NULL PRIMARY KEY);"
    with filled(parent + sql) as result:
        assert result.values("SELECT count(*) FROM t WHERE k IS NULL") == [nulls]
        assert len(result.values("SELECT k FROM t")) > 100


def test_no_second_row_without_a_key_is_added() -> None:
    with filled("CREATE TABLE t (k TEXT PRIMARY KEY)") as result:
        add_rows(result.db, result.schema, "t", 80, Recipe(seed=2))

        assert result.values("SELECT count(*) FROM t WHERE k IS NULL") == [1]


def test_every_row_has_a_key_where_a_requirement_looks_for_it() -> None:
    sql = "CREATE TABLE t (k TEXT PRIMARY KEY); CREATE TABLE u (k TEXT)"
    asked = Requirement("u", (), "k IN (SELECT k FROM t)", 1)
    with filled(sql, Recipe(requires=(asked,))) as result:
        assert result.values("SELECT count(*) FROM t WHERE k IS NULL") == [0]


def test_a_unique_column_has_each_hostile_value_once() -> None:
    with filled("CREATE TABLE t (note TEXT UNIQUE)") as result:
        notes = result.values("SELECT note FROM t")

        assert {None, "", "nul\x00inside", "SPLIT WITH SAM"} < set(notes[:42])
        assert len(set(notes)) == 200


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize(
    "meaning", ["note", "money", "date", "flag", "rank", "uuid", "json", "time"]
)
def test_hostile_values_fit_into_the_first_rows(family: Family, meaning: str) -> None:
    assert len(hostile_values(family, meaning, "example")) < 40


def test_a_uuid_is_a_key_in_both_letter_cases() -> None:
    assert hostile_keys(Family.TEXT, "uuid", "ab-1") == ("ab-1", "AB-1")


@pytest.mark.parametrize("meaning", ["date", "month", "currency"])
def test_a_key_with_a_format_has_no_hostile_values(meaning: str) -> None:
    assert hostile_keys(Family.TEXT, meaning, "2025-01-01") == ()


@pytest.mark.parametrize("meaning", ["rank", "timestamp"])
def test_a_number_of_a_small_range_has_no_hostile_values(meaning: str) -> None:
    assert hostile_values(Family.REAL, meaning, 1.0) == (None,)


def test_a_share_stays_between_nothing_and_all() -> None:
    with filled("CREATE TABLE t (confidence REAL NOT NULL)") as result:
        assert {0.0, 1.0, 0.07} < set(result.values("SELECT confidence FROM t"))
        assert result.values("SELECT 1 FROM t WHERE NOT confidence BETWEEN 0 AND 1") == []

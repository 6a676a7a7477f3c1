"""Which ``requires`` line a constraint that rows break is answered with, and when with none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.explain.suggest_requires import check_in
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = (
    "CREATE TABLE people (id INTEGER PRIMARY KEY, Age INTEGER, name TEXT, code TEXT);\n"
    "CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT);\n"
    "CREATE TABLE tags (name TEXT NOT NULL UNIQUE);\n"
    "INSERT INTO people VALUES (1, -1, 'x', 'a'), (2, -1, 'x', 'a'), (3, NULL, NULL, NULL);\n"
    "INSERT INTO pets VALUES (1, 'x'), (2, 'x');\n"
)
COPY = "INSERT INTO new SELECT * FROM people;"


def new_table(age: str = "Age INTEGER", name: str = "name TEXT", code: str = "code TEXT") -> str:
    """Return the statement that makes the table ``new``, with these columns."""
    return f"CREATE TABLE new (id INTEGER PRIMARY KEY, {age}, {name}, {code});\n"


REBUILT = f"{new_table()}{COPY}\nDROP TABLE people;\nALTER TABLE new RENAME TO people;\n"


def line_for(folder: Path, up: str) -> str:
    """Return the line that is offered where ``up`` does not run on PEOPLE."""
    findings = judge_last("up_applies", chain_of(folder, PEOPLE, up, rows=2)).findings
    (finding,) = (f for f in findings if f.step == "up")
    assert finding.kind == "does not run"
    return finding.allow


@pytest.mark.parametrize(
    ("up", "line"),
    [
        # what the constraint is
        (new_table(age="Age INTEGER CHECK (Age >= 0)") + COPY, "people: Age >= 0"),
        (
            new_table(age="Age INTEGER CHECK (Age>=0 AND  length( name ) > 0)") + COPY,
            "people: Age>=0 AND length( name ) > 0",
        ),
        (new_table(name="name TEXT NOT NULL") + COPY, "people: name IS NOT NULL"),
        (new_table(name="name TEXT UNIQUE") + COPY, "unique people(name)"),
        (new_table(code="code TEXT, UNIQUE (name, age)") + COPY, "unique people(name, Age)"),
        ("CREATE UNIQUE INDEX i ON people (name);", "unique people(name)"),
        ("CREATE UNIQUE INDEX i ON people (age, name);", "unique people(Age, name)"),
        # a CHECK by its name, among others
        (
            new_table(age="Age INTEGER CHECK (Age > -9) CONSTRAINT grown CHECK (Age >= 0)") + COPY,
            "people: Age >= 0",
        ),
        (
            new_table(age="Age INTEGER CONSTRAINT Grown CHECK (Age >= 0) CHECK (Age > -9)") + COPY,
            "people: Age >= 0",
        ),
        (new_table(age='Age INTEGER CHECK (0 <= "Age")') + COPY, "people: 0 <= Age"),
        (new_table(name="name TEXT CHECK (name <> 'x')") + COPY, "people: name <> 'x'"),
        (new_table(name="name TEXT CHECK (name < 'name')") + COPY, "people: name < 'name'"),
        # columns by the names that they had
        (
            new_table(age="years INTEGER CHECK (years >= 0)") + COPY,
            "people: Age >= 0",
        ),
        (
            new_table(name="title TEXT NOT NULL")
            + "INSERT INTO new (id, title) SELECT id, name FROM people;",
            "people: name IS NOT NULL",
        ),
        # a table by the name that it had
        (
            "ALTER TABLE people RENAME TO old;\n"
            + new_table(name="name TEXT NOT NULL")
            + "INSERT INTO new SELECT * FROM old;",
            "people: name IS NOT NULL",
        ),
        (
            (
                "ALTER TABLE pets RENAME TO old_pets; ALTER TABLE people RENAME TO pets;\n"
                "CREATE UNIQUE INDEX i ON pets (age);"
            ),
            "unique people(Age)",
        ),
        (
            "ALTER TABLE people RENAME COLUMN code TO pets;\nCREATE UNIQUE INDEX i ON pets (name);",
            "unique pets(name)",
        ),
        # a table that is made anew, with its index behind that
        (f"{REBUILT}CREATE UNIQUE INDEX i ON people (name);", "unique people(name)"),
        (
            REBUILT.replace("name TEXT", "title TEXT") + "CREATE UNIQUE INDEX i ON people (title);",
            "unique people(name)",
        ),
        (
            f"{REBUILT}CREATE UNIQUE INDEX i ON people (name COLLATE NOCASE);",
            (
                "people: NOT EXISTS (SELECT 1 FROM people AS o WHERE o.id < people.id"
                " AND o.name COLLATE NOCASE = people.name COLLATE NOCASE)"
            ),
        ),
        (
            (
                f"{REBUILT.replace('DROP', 'INSERT INTO new (name) VALUES (5); DROP')}"
                "CREATE UNIQUE INDEX i ON people (name);"
            ),
            "",
        ),
        # of the right table, among others that are made and filled
        (
            new_table(name="name TEXT NOT NULL")
            + "CREATE TABLE later (id INTEGER PRIMARY KEY);\n"
            + "INSERT INTO new (id, name) SELECT id + 5000, 'x' FROM pets;\n"
            + COPY,
            "people: name IS NOT NULL",
        ),
        # no line: the table that is filled was there, and gets one row
        ("INSERT INTO people (id) VALUES (1);", ""),
        (COPY.replace("new", "people"), ""),
        # no line: the rows come from a table that was not there
        (
            "CREATE TABLE made AS SELECT * FROM people;\nCREATE UNIQUE INDEX i ON made (name);",
            "",
        ),
        (
            "CREATE TABLE made AS SELECT * FROM people;\n"
            + new_table(name="name TEXT UNIQUE")
            + "INSERT INTO new SELECT * FROM made;",
            "",
        ),
        # what up computes from a row
        (
            new_table(name="name TEXT NOT NULL")
            + "INSERT INTO new SELECT id, age, nullif(name, 'x'), code FROM people;",
            "people: nullif(people.name, 'x') IS NOT NULL",
        ),
        (
            new_table(name="name TEXT NOT NULL")
            + "INSERT INTO new SELECT id, age, trim(code), code FROM people WHERE id > 2;",
            "people: NOT coalesce(people.id > 2, 0) OR trim(people.code) IS NOT NULL",
        ),
        (
            new_table(name="name TEXT UNIQUE")
            + "INSERT INTO new SELECT id, age, lower(name), code FROM people;",
            (
                "people: NOT EXISTS (SELECT 1 FROM people AS o WHERE o.id < people.id"
                " AND lower(o.name) = lower(people.name))"
            ),
        ),
        (
            new_table(code="code TEXT, UNIQUE (age, name)")
            + "INSERT INTO new SELECT id, 1, name, code FROM people;",
            "unique people(name)",
        ),
        # the same key in all rows
        (
            new_table(name="name TEXT UNIQUE")
            + "INSERT INTO new SELECT id, age, 'x', code FROM people;",
            "people: id = (SELECT min(id) FROM people)",
        ),
        (
            (
                "CREATE TABLE said (key TEXT PRIMARY KEY, value);\n"
                "INSERT INTO said SELECT 'age', age FROM people"
                " UNION ALL SELECT 'n', name FROM people;"
            ),
            "people: id = (SELECT min(id) FROM people)",
        ),
        # a column that other tables' rows decide on
        (
            (
                "ALTER TABLE pets ADD COLUMN kind TEXT NOT NULL DEFAULT '';\n"
                "UPDATE pets SET kind = (SELECT code FROM people WHERE people.id = pets.id + 1);"
            ),
            "pets: (SELECT code FROM people WHERE people.id = pets.id + 1) IS NOT NULL",
        ),
        # an index that holds some rows
        (
            "CREATE UNIQUE INDEX i ON people (lower(name)) WHERE code = 'a';",
            (
                "people: NOT coalesce(people.code = 'a', 0) OR NOT EXISTS (SELECT 1"
                " FROM people AS o WHERE o.id < people.id AND lower(o.name) = lower(people.name)"
                " AND o.code = 'a')"
            ),
        ),
        (
            "CREATE UNIQUE INDEX i ON people (name, code) WHERE code = 'a';",
            (
                "people: NOT coalesce(people.code = 'a', 0) OR NOT EXISTS (SELECT 1"
                " FROM people AS o WHERE o.id < people.id AND o.name = people.name"
                " AND o.code = people.code AND o.code = 'a')"
            ),
        ),
        (
            "CREATE UNIQUE INDEX i ON people (name, code) WHERE name IS NOT NULL AND code NOTNULL;",
            "unique people(name, code)",
        ),
        (
            (
                new_table() + "INSERT INTO new SELECT * FROM people; DROP TABLE people;\n"
                "ALTER TABLE new RENAME TO people;\n"
                "CREATE UNIQUE INDEX i ON people (name) WHERE name IS NOT NULL;"
            ),
            "unique people(name)",
        ),
        # no line: no row could meet it
        (
            new_table(name="name TEXT NOT NULL")
            + "INSERT INTO new SELECT id, age, NULL, code FROM people;",
            "",
        ),
        (
            new_table(age="Age INTEGER CHECK (Age >= 0)")
            + "INSERT INTO new SELECT id, age - 1, name, code FROM people;",
            "",
        ),
        # no line: of several tables
        (
            new_table(name="name TEXT UNIQUE")
            + "INSERT INTO new SELECT p.id, age, p.name, code FROM people p JOIN pets ON true;",
            "",
        ),
        *(
            (
                new_table(name="name TEXT UNIQUE")
                + f"INSERT INTO new SELECT * FROM people {word} SELECT 9, 0, name, 0 FROM pets;",
                "",
            )
            for word in ("UNION", "UNION ALL", "EXCEPT")
        ),
        (
            new_table(name="name TEXT UNIQUE")
            + "INSERT INTO new SELECT * FROM people INTERSECT SELECT * FROM people;",
            "",
        ),
        # no line: equality is another one
        (new_table(name="name TEXT COLLATE NOCASE UNIQUE") + COPY, ""),
        # an expression, or a column that up makes: of two rows, which are called o and people
        (
            "CREATE UNIQUE INDEX i ON people (name COLLATE NOCASE);",
            (
                "people: NOT EXISTS (SELECT 1 FROM people AS o WHERE o.id < people.id"
                " AND o.name COLLATE NOCASE = people.name COLLATE NOCASE)"
            ),
        ),
        (
            "CREATE UNIQUE INDEX i ON people (lower(name), age DESC);",
            (
                "people: NOT EXISTS (SELECT 1 FROM people AS o WHERE o.id < people.id"
                " AND lower(o.name) = lower(people.name) AND o.age = people.age)"
            ),
        ),
        (
            (
                "ALTER TABLE people ADD COLUMN handle TEXT;\n"
                "UPDATE people SET handle = upper(name);\n"
                "CREATE UNIQUE INDEX i ON people (handle);"
            ),
            (
                "people: NOT EXISTS (SELECT 1 FROM people AS o WHERE o.id < people.id"
                " AND upper(o.name) = upper(people.name))"
            ),
        ),
        # a table of one row
        (
            (
                "ALTER TABLE people ADD COLUMN handle TEXT NOT NULL DEFAULT '';\n"
                "CREATE UNIQUE INDEX i ON people (handle);"
            ),
            "people: id = (SELECT min(id) FROM people)",
        ),
        # a table without rows
        ("ALTER TABLE people ADD COLUMN handle TEXT NOT NULL;", "people: 0"),
        (
            (
                "CREATE TABLE new (id INTEGER PRIMARY KEY, handle TEXT NOT NULL);\n"
                "INSERT INTO new (id) SELECT id FROM people;"
            ),
            "people: 0",
        ),
        # no line: it is no constraint
        (
            new_table()
            + "CREATE TRIGGER t BEFORE INSERT ON new BEGIN\n"
            + "SELECT RAISE(ABORT, 'CHECK constraint failed: mine'); END;\n"
            + COPY,
            "",
        ),
        (new_table() + "INSERT INTO new SELECT nothing FROM people;", ""),
        ("CREATE UNIQUE INDEX i ON people (nothing);", ""),
    ],
)
def test_a_constraint_that_rows_break_is_answered_with_what_they_must_satisfy(
    tmp_path: Path, up: str, line: str
) -> None:
    assert line_for(tmp_path, up) == (f"-- bb: requires {line}" if line else "")


def test_text_in_the_way_of_a_strict_integer_column_is_answered_with_a_cast(tmp_path: Path) -> None:
    up = (
        "CREATE TABLE new (id INTEGER PRIMARY KEY, code INTEGER) STRICT;\n"
        "INSERT INTO new SELECT id, code FROM people;"
    )

    assert line_for(tmp_path, up) == (
        "-- bb: requires people: code = CAST(CAST(code AS INTEGER) AS TEXT)"
    )


@pytest.mark.parametrize(
    ("created", "check", "body"),
    [
        ("CREATE TABLE t (a CHECK (a > 0))", "a > 0", "a>0"),
        ("CREATE TABLE t (a CHECK (a>0))", "a > 0", "a>0"),
        ("CREATE TABLE t (a CONSTRAINT c CHECK (a > 0))", "C", "a>0"),
        ("CREATE TABLE t (a CONSTRAINT d CHECK (a < 9) CONSTRAINT c CHECK (a > 0))", "c", "a>0"),
        ("CREATE TABLE t (a CONSTRAINT c NOT NULL CHECK (a > 0))", "c", "a>0"),
        ("CREATE TABLE t (a CONSTRAINT c NOT NULL, b CHECK (a > 0))", "c", ""),
        ("CREATE TABLE t (a, CONSTRAINT c UNIQUE (a) CHECK (a > 0))", "c", "a>0"),
        ("CREATE TABLE t (a, c CHECK (a > 0))", "c", ""),
        ('CREATE TABLE t ("check", b, CHECK (b > 0))', "b > 0", "b>0"),
        ("CREATE TABLE t (b REFERENCES c (d) CHECK (b > 0))", "d", ""),
    ],
)
def test_a_check_is_found_by_its_name_or_by_what_it_says(
    created: str, check: str, body: str
) -> None:
    assert "".join(token.text for token in check_in(created, check)) == body


def test_a_line_that_stands_there_already_is_not_the_one_that_helps(tmp_path: Path) -> None:
    base = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, code TEXT);"
    up = (
        "-- bb: requires unique people(name)\n-- bb: requires unique people(code)\n"
        "CREATE TABLE words (word TEXT PRIMARY KEY);\n"
        "INSERT INTO words SELECT name FROM people WHERE name IS NOT NULL;\n"
        "INSERT INTO words SELECT code FROM people WHERE code IS NOT NULL;"
    )
    verdict = judge_last("up_applies", chain_of(tmp_path, base, up, rows=60))

    assert verdict.findings[0].allow == (
        "-- bb: requires people: NOT EXISTS (SELECT 1 FROM people AS o WHERE o.name = people.code)"
    )
    assert "declare" not in verdict.findings[0].cause


def lines_for(folder: Path, up: str) -> list[str]:
    """Return all lines that are offered where ``up`` does not run on PEOPLE and generated rows."""
    findings = judge_last("up_applies", chain_of(folder, PEOPLE, up, rows=60)).findings
    lines = [found.allow for found in findings if found.step == "up"]
    return [line.removeprefix("-- bb: requires ") for line in lines]


def test_a_key_that_takes_the_rows_of_another_table_has_a_line_for_either(tmp_path: Path) -> None:
    up = "INSERT INTO tags (name) SELECT name FROM people WHERE name IS NOT NULL;"

    assert lines_for(tmp_path, up) == [
        "unique people(name)",
        "people: NOT EXISTS (SELECT 1 FROM tags AS o WHERE o.name = people.name)",
    ]


def test_a_key_that_three_columns_go_into_has_a_line_for_each_that_meets_another(
    tmp_path: Path,
) -> None:
    up = (
        "-- bb: requires unique people(name)\n-- bb: requires unique people(code)\n"
        "-- bb: requires unique pets(name)\n"
        "CREATE TABLE words (word TEXT PRIMARY KEY);\n"
        + "".join(
            f"INSERT INTO words SELECT {column} FROM {table} WHERE {column} IS NOT NULL;\n"
            for table, column in (("people", "name"), ("people", "code"), ("pets", "name"))
        )
    )

    assert lines_for(tmp_path, up) == [
        "people: NOT EXISTS (SELECT 1 FROM people AS o WHERE o.name = people.code)",
        (
            "pets: NOT EXISTS (SELECT 1 FROM people AS o WHERE o.name = pets.name)"
            " AND NOT EXISTS (SELECT 1 FROM people AS o WHERE o.code = pets.name)"
        ),
    ]


@pytest.mark.parametrize(
    ("up", "line"),
    [
        (
            (
                "-- bb: requires unique people(name)\n-- bb: requires unique people(code)\n"
                "CREATE TABLE words (word TEXT PRIMARY KEY);\n"
                "INSERT INTO words SELECT name FROM people WHERE name IS NOT NULL;\n"
                "INSERT INTO words SELECT code FROM people WHERE code NOTNULL AND code != name;"
            ),
            (
                "people: NOT coalesce(code != name, 0)"
                " OR NOT EXISTS (SELECT 1 FROM people AS o WHERE o.name = people.code)"
            ),
        ),
        (
            (
                "-- bb: requires unique people(name)\n"
                "INSERT INTO tags (name) SELECT name FROM people"
                " WHERE NOT EXISTS (SELECT 1 FROM pets WHERE pets.id = people.id) AND name NOTNULL;"
            ),
            (
                "people: NOT coalesce(NOT EXISTS (SELECT 1 FROM pets WHERE pets.id = people.id), 0)"
                " OR NOT EXISTS (SELECT 1 FROM tags AS o WHERE o.name = people.name)"
            ),
        ),
        (
            (
                "CREATE TABLE words (word TEXT PRIMARY KEY);\n"
                "INSERT INTO words SELECT name FROM people WHERE name NOTNULL AND Age > 0;"
            ),
            (
                "people: NOT coalesce(Age > 0, 0) OR NOT EXISTS (SELECT 1 FROM people AS o"
                " WHERE o.id < people.id AND o.name = people.name)"
            ),
        ),
        # What it looks at is not what it was before.
        (
            (
                "-- bb: requires unique people(name)\nDELETE FROM pets;\n"
                "INSERT INTO tags (name) SELECT name FROM people"
                " WHERE NOT EXISTS (SELECT 1 FROM pets WHERE pets.id = people.id) AND name NOTNULL;"
            ),
            "people: NOT EXISTS (SELECT 1 FROM tags AS o WHERE o.name = people.name)",
        ),
    ],
)
def test_rows_that_a_copy_passes_over_are_not_refused(tmp_path: Path, up: str, line: str) -> None:
    assert lines_for(tmp_path, up) == [line]


def test_of_lines_that_help_together_one_that_is_not_needed_is_not_offered(tmp_path: Path) -> None:
    up = (
        "CREATE TABLE words (word TEXT, name TEXT, UNIQUE (word, name));\n"
        "INSERT INTO words SELECT name, id FROM people WHERE name IS NOT NULL;\n"
        "INSERT INTO words SELECT name, id FROM pets WHERE name IS NOT NULL;\n"
    )

    assert lines_for(tmp_path, up) == [
        "pets: NOT EXISTS (SELECT 1 FROM people AS o WHERE o.name = pets.name AND o.id = pets.id)"
    ]


def test_a_name_that_a_key_of_two_columns_has_already_is_asked_for_beside_the_other(
    tmp_path: Path,
) -> None:
    up = (
        "CREATE UNIQUE INDEX i ON people (age, name);\n"
        "UPDATE people SET name = 'new' WHERE name = 'old';"
    )
    base = PEOPLE.replace(", 'x', 'a'), (2, -1, 'x'", ", 'old', 'a'), (2, -1, 'new'")
    verdict = judge_last("up_applies", chain_of(tmp_path, base, up, rows=2))

    assert [found.allow for found in verdict.findings if found.step == "up"] == [
        (
            "-- bb: requires people: name <> 'new' OR NOT EXISTS"
            " (SELECT 1 FROM people AS o WHERE o.Age = people.Age AND o.name = 'old')"
        )
    ]


GROUPS = (
    'CREATE TABLE "group" (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, at TEXT);\n'
    "INSERT INTO \"group\" VALUES (0, 'all', 'x'), (4, 'Default', 'x');\n"
)


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("id = 0", "requires group: name <> 'Default' OR id = 0"),
        ("at = 'x' AND id = 0", ""),
        ("id < 4", ""),
    ],
)
def test_a_name_that_is_given_to_one_row_by_its_key_is_asked_for_in_the_others(
    tmp_path: Path, where: str, line: str
) -> None:
    up = f"UPDATE \"group\" SET name = 'Default' WHERE {where};"
    verdict = judge_last("up_applies", chain_of(tmp_path, GROUPS, up, rows=2))

    found = [each.allow.removeprefix("-- bb: ") for each in verdict.findings if each.step == "up"]
    assert found == [line]


RATES = (
    "CREATE TABLE assets (id INTEGER PRIMARY KEY, symbol TEXT, source TEXT,"
    " UNIQUE (source, symbol));\n"
    "CREATE TABLE rates (id TEXT PRIMARY KEY, source TEXT NOT NULL);\n"
    "INSERT INTO assets VALUES (1, 'EUR', 'a'), (2, 'EUR', 'b');\n"
    "INSERT INTO rates VALUES ('EUR', 'c');\n"
)
NO_TWO = (
    "NOT EXISTS (SELECT 1 FROM assets AS o WHERE o.id < assets.id AND o.symbol = assets.symbol)"
)


@pytest.mark.parametrize(
    ("update", "line"),
    [
        (
            "UPDATE assets SET source = e.source FROM rates e WHERE assets.symbol = e.id;",
            (
                "assets: NOT coalesce(EXISTS (SELECT 1 FROM rates AS e"
                f" WHERE assets.symbol = e.id), 0) OR {NO_TWO}"
            ),
        ),
        ("UPDATE assets SET source = 'c';", "unique assets(symbol)"),
        ("UPDATE assets SET source = 'c', symbol = 'd';", ""),
    ],
)
def test_what_an_update_leaves_of_a_key_is_asked_to_be_unique(
    tmp_path: Path, update: str, line: str
) -> None:
    verdict = judge_last("up_applies", chain_of(tmp_path, RATES, update, rows=2))

    (finding,) = (found for found in verdict.findings if found.step == "up")
    assert finding.allow == (f"-- bb: requires {line}" if line else "")


@pytest.mark.parametrize(
    "up",
    [
        "CREATE UNIQUE INDEX i ON people (lower(name));",
        (
            "ALTER TABLE people ADD COLUMN handle TEXT;\nUPDATE people SET handle = upper(name);\n"
            "CREATE UNIQUE INDEX i ON people (handle);"
        ),
        (
            "ALTER TABLE people ADD COLUMN handle TEXT NOT NULL DEFAULT '';\n"
            "CREATE UNIQUE INDEX i ON people (handle);"
        ),
        "ALTER TABLE people ADD COLUMN handle TEXT NOT NULL;",
    ],
)
def test_with_the_line_that_is_offered_up_applies(tmp_path: Path, up: str) -> None:
    base = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, code TEXT);"
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    line = judge_last("up_applies", chain_of(tmp_path / "one", base, up)).findings[0].allow
    verdict = judge_last("up_applies", chain_of(tmp_path / "two", base, f"{line}\n{up}"))

    assert verdict.findings == ()


TWO_IN_ONE = new_table(code="code TEXT UNIQUE")
AS_CODE = "INSERT INTO new (id, code) SELECT id, {} FROM people;"
ALIKE = "people: NOT EXISTS (SELECT 1 FROM people AS o WHERE o.id < people.id AND {})"


@pytest.mark.parametrize(
    ("up", "line"),
    [
        (TWO_IN_ONE + AS_CODE.format("name || ':' || code"), "unique people(name, code)"),
        (TWO_IN_ONE + AS_CODE.format("printf('%s:%d', code, age)"), "unique people(code, Age)"),
        (
            TWO_IN_ONE
            + "WITH n (i) AS (SELECT 1 UNION ALL SELECT 2) "
            + AS_CODE.format("(SELECT group_concat(substr(name, i, 1)) FROM n) || ':' || code"),
            "unique people(name, code)",
        ),
        (
            new_table(code="code TEXT, UNIQUE (age, code)")
            + "INSERT INTO new (id, age, code) SELECT id, age, name || code FROM people;",
            "unique people(Age, name, code)",
        ),
        (
            new_table() + AS_CODE.format("name || code") + "\nCREATE UNIQUE INDEX i ON new (code);",
            "unique people(name, code)",
        ),
        # made of one column, or of none
        (
            TWO_IN_ONE + AS_CODE.format("upper(code)"),
            ALIKE.format("upper(o.code) = upper(people.code)"),
        ),
        (TWO_IN_ONE + AS_CODE.format("'x' || 'y'"), "people: id = (SELECT min(id) FROM people)"),
        # no line: of no row by itself
        (TWO_IN_ONE + AS_CODE.format("(SELECT max(p.code) FROM people p WHERE p.id < 3)"), ""),
        (
            new_table()
            + AS_CODE.format("name || code")
            + AS_CODE.format("id + 5000, name || code").replace("SELECT id, ", "SELECT ")
            + "\nCREATE UNIQUE INDEX i ON new (code);",
            "",
        ),
    ],
)
def test_a_key_that_a_copy_puts_together_asks_for_its_columns(
    tmp_path: Path, up: str, line: str
) -> None:
    assert line_for(tmp_path, up) == (f"-- bb: requires {line}" if line else "")


@pytest.mark.parametrize(
    ("made", "same"),
    [
        ("name || code", "o.name || o.code = people.name || people.code"),
        ("name < code", "(o.name < o.code) = (people.name < people.code)"),
    ],
)
def test_where_its_columns_do_not_help_what_they_make_is_asked_for(
    tmp_path: Path, made: str, same: str
) -> None:
    two = "(id, name, code) VALUES (1, 'x', 'ab'), (2, 'xa', 'b');"
    table = "CREATE TABLE people (id INTEGER PRIMARY KEY, age INTEGER, name TEXT, code TEXT);\n"
    up = TWO_IN_ONE + AS_CODE.format(made)
    chain = chain_of(tmp_path, f"{table}INSERT INTO people {two}", up, rows=2)
    (finding,) = judge_last("up_applies", chain).findings

    assert finding.allow == f"-- bb: requires {ALIKE.format(same)}"

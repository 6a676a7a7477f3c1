from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.sql import (
    reading,
    tokenize,
)
from pytest_bbmigrate.sql.clauses import (
    Control,
    Delete,
    Insert,
    OtherCommand,
    Pragma,
    Query,
    Update,
)
from pytest_bbmigrate.sql.cursor import ObjectName, fold_tokens
from pytest_bbmigrate.sql.reading import read_command, read_commands
from pytest_bbmigrate.sql.schema_clauses import (
    AddColumn,
    CreateTable,
    CreateTrigger,
    CreateVirtualTable,
    Drop,
    DropColumn,
    RenameColumn,
    RenameTable,
)

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.cursor import Tokens


def words(tokens: Tokens) -> str:
    return " ".join(fold_tokens(tokens))


def test_an_insert_says_what_it_puts_where() -> None:
    command = read_command(
        'INSERT OR IGNORE INTO main.Items AS i (id, "From") VALUES (1, (2)), (3, 4)'
    )

    assert isinstance(command, Insert)
    assert command.table == ObjectName("Items", "main")
    assert (command.conflict, command.alias) == ("ignore", "i")
    assert command.columns == ("id", "From")
    assert [[words(cell) for cell in row] for row in command.rows] == [["1", "( 2 )"], ["3", "4"]]


def test_replace_is_an_insert_that_replaces() -> None:
    command = read_command("REPLACE INTO items SELECT id, upper(a) AS b FROM old WHERE id > 1")

    assert isinstance(command, Insert)
    assert (command.conflict, command.rows, command.columns) == ("replace", (), ())
    assert command.query is not None
    (select,) = command.query.selects
    assert [(words(c.expression), c.alias) for c in select.columns] == [
        ("id", ""),
        ("upper ( a )", "b"),
    ]
    assert [source.table for source in select.sources] == [ObjectName("old")]
    assert words(select.where) == "id > 1"


def test_an_insert_of_default_values_has_no_query() -> None:
    command = read_command("INSERT INTO items DEFAULT VALUES")

    assert isinstance(command, Insert)
    assert command.query is None
    assert command.rows == ()


def test_every_upsert_is_read() -> None:
    command = read_command(
        "INSERT INTO t SELECT * FROM a JOIN b ON a.id = b.id"
        " ON CONFLICT (id, lower(n)) WHERE id > 0 DO UPDATE SET n = excluded.n, (o, p) = (1, 2)"
        " WHERE o IS DISTINCT FROM n"
        " ON CONFLICT DO NOTHING RETURNING *"
    )

    assert isinstance(command, Insert)
    first, second = command.upserts
    assert [words(term) for term in first.target] == ["id", "lower ( n )"]
    assert [(a.columns, words(a.expression)) for a in first.assignments] == [
        (("n",), "excluded . n"),
        (("o", "p"), "( 1 , 2 )"),
    ]
    assert words(first.where) == "o is distinct from n"
    assert (second.target, second.assignments) == ((), ())
    assert words(command.returning) == "*"


def test_on_conflict_after_a_joined_table_is_a_condition_on_a_column() -> None:
    command = read_command("INSERT INTO t SELECT 1 FROM a JOIN b ON conflict = 1 WHERE 2")

    assert isinstance(command, Insert)
    assert command.upserts == ()
    assert command.query is not None
    assert words(command.query.selects[0].sources[1].on) == "conflict = 1"


@pytest.mark.parametrize(
    ("text", "joins"),
    [
        ("a, b", ["", ","]),
        ("a LEFT JOIN b", ["", "left join"]),
        ("a x NATURAL LEFT OUTER JOIN b", ["", "natural left outer join"]),
        ("a JOIN b USING (id) CROSS JOIN c AS d", ["", "join", "cross join"]),
        ("a INDEXED BY i JOIN b NOT INDEXED ON a.id = b.id", ["", "join"]),
    ],
)
def test_sources_are_read_with_what_joins_them(text: str, joins: list[str]) -> None:
    command = read_command(f"SELECT * FROM {text} WHERE 1")

    assert isinstance(command, Query)
    assert [source.join for source in command.selects[0].sources] == joins
    assert words(command.selects[0].where) == "1"


@pytest.mark.parametrize("text", ["(SELECT 1) AS a", "json_each('[1]') AS a", "(b JOIN c) AS a"])
def test_a_source_that_is_no_table_has_none(text: str) -> None:
    command = read_command(f"SELECT * FROM {text}")

    assert isinstance(command, Query)
    (source,) = command.selects[0].sources
    assert (source.table, source.alias) == (None, "a")


@pytest.mark.parametrize(
    ("text", "alias"),
    [
        *(
            ("a", ""),
            ("a.b", ""),
            ("a AS b", "b"),
            ("a b", "b"),
            ("a.b 'c'", "c"),
            ("1 one", "one"),
        ),
        *(("count(*) n", "n"), ("a COLLATE nocase", ""), ("a COLLATE nocase b", "b")),
        *(("CASE a WHEN 1 THEN 2 END", ""), ("CASE a WHEN 1 THEN 2 END b", "b"), ("a end", "end")),
        *(("a IS NULL", ""), ("a ISNULL", ""), ("a NOT NULL", ""), ("NOT a", ""), ("a LIKE b", "")),
        *(("sum(a) OVER w", ""), ("sum(a) OVER w b", "b"), ("a IS NOT DISTINCT FROM b", "")),
        *(
            ("match b", "b"),
            ("a MATCH b", ""),
            ("t.match b", "b"),
            ("a || b", ""),
            ("a < b c", "c"),
        ),
        *(("a -- b\n", ""), ("window ISNULL AS b", "b"), ("window AS b", "b")),
    ],
)
def test_an_alias_needs_no_as(text: str, alias: str) -> None:
    command = read_command(f"SELECT {text} FROM t")

    assert isinstance(command, Query)
    assert [column.alias for column in command.selects[0].columns] == [alias]


def test_a_compound_has_all_its_parts() -> None:
    command = read_command(
        "SELECT 1 UNION ALL VALUES (2), (3) EXCEPT SELECT 4 ORDER BY 1 LIMIT 5, 6"
    )

    assert isinstance(command, Query)
    assert [s.operator for s in command.selects] == ["", "union all", "except"]
    assert len(command.selects[1].rows) == 2
    assert (words(command.order_by), words(command.limit)) == ("1", "5 , 6")


def test_an_update_says_what_it_sets_and_of_which_rows() -> None:
    command = read_command(
        'WITH x AS (SELECT 1) UPDATE OR REPLACE "set" INDEXED BY i SET "where" = 1,'
        " (b, [c]) = (SELECT 2, 3 FROM x WHERE 4) FROM x WHERE b IS NOT DISTINCT FROM 5"
    )

    assert isinstance(command, Update)
    assert (command.table.name, command.conflict) == ("set", "replace")
    assert command.columns == ("where", "b", "c")
    assert command.sets("C")
    assert not command.sets("d")
    assert words(command.where) == "b is not distinct from 5"
    assert [each.name for each in command.with_tables] == ["x"]


@pytest.mark.parametrize(
    ("rest", "columns"),
    [
        ("set a = 1", ["a"]),
        ("set a = b, c = d where e = f", ["a", "c"]),
        ("set (a, b) = (c, d), e = 1", ["a", "b", "e"]),
        ("set a = 1 from b, c where d = 1", ["a"]),
        ("set a = 1 returning b, c", ["a"]),
        ("set a = 1 order by b, c", ["a"]),
        ("set a = 1 limit b, c", ["a"]),
    ],
)
def test_an_update_assigns_what_stands_before_an_equals_sign(rest: str, columns: list[str]) -> None:
    command = read_command(f"UPDATE t {rest}")

    assert isinstance(command, Update)
    assert list(command.columns) == columns


def test_a_delete_says_of_which_rows() -> None:
    command = read_command(
        "DELETE FROM main.items AS i WHERE (SELECT 1 LIMIT 1) ORDER BY id LIMIT 3"
    )

    assert isinstance(command, Delete)
    assert command.table == ObjectName("items", "main")
    assert words(command.where) == "( select 1 limit 1 )"
    assert words(command.limit) == "3"


@pytest.mark.parametrize(
    ("sql", "command"),
    [
        ("DROP TABLE IF EXISTS main.a", Drop("table", ObjectName("a", "main"), if_exists=True)),
        ('DROP INDEX "a b"', Drop("index", ObjectName("a b"))),
        ("drop view 'v'", Drop("view", ObjectName("v"))),
        ("DROP TRIGGER temp.t", Drop("trigger", ObjectName("t", "temp"))),
        ("ALTER TABLE a RENAME TO [b]", RenameTable(ObjectName("a"), "b")),
        ("ALTER TABLE a RENAME b TO c", RenameColumn(ObjectName("a"), "b", "c")),
        ("ALTER TABLE a RENAME COLUMN B TO C", RenameColumn(ObjectName("a"), "B", "C")),
        ("ALTER TABLE a DROP b", DropColumn(ObjectName("a"), "b")),
        ("ALTER TABLE a DROP COLUMN b", DropColumn(ObjectName("a"), "b")),
        ("ALTER TABLE a DROP CONSTRAINT b", OtherCommand("alter")),
        ("PRAGMA journal_mode", Pragma(ObjectName("journal_mode"))),
        ("PRAGMA main.journal_mode = 'Wal'", Pragma(ObjectName("journal_mode", "main"), "Wal")),
        ("PRAGMA user_version(-3)", Pragma(ObjectName("user_version"), "-3")),
        ("END TRANSACTION", Control("commit")),
        ("VACUUM INTO 'x'", OtherCommand("vacuum")),
        ("EXPLAIN DELETE FROM a", OtherCommand("explain")),
        ("", OtherCommand("")),
        ("/* nothing */", OtherCommand("")),
        ("CREATE SOMETHING", OtherCommand("create")),
        ("WITH a AS (SELECT 1)", OtherCommand("")),
    ],
)
def test_a_short_statement_is_read(sql: str, command: object) -> None:
    assert read_command(sql) == command


@pytest.mark.parametrize("sql", ["DELETE FROM a WHERE 1;", "DELETE FROM a WHERE 1 ; -- all\n;"])
def test_a_semicolon_at_the_end_is_in_no_clause(sql: str) -> None:
    command = read_command(sql)

    assert isinstance(command, Delete)
    assert words(command.where) == "1"


def test_the_if_not_exists_that_sqlite_has_not_is_kept_apart() -> None:
    command = read_command("ALTER TABLE a ADD COLUMN IF NOT EXISTS b INTEGER DEFAULT (1)")

    assert isinstance(command, AddColumn)
    assert command.column == "b"
    assert words(command.condition) == "if not exists"
    assert words(command.definition) == "b integer default ( 1 )"


def test_a_table_has_columns_constraints_and_options() -> None:
    command = read_command(
        "CREATE TEMP TABLE IF NOT EXISTS a (id INTEGER, b AS (id + 1), CHECK (b > 0) UNIQUE (b),"
        " FOREIGN KEY (b) REFERENCES c (d)) STRICT, WITHOUT ROWID"
    )

    assert isinstance(command, CreateTable)
    assert (command.is_temporary, command.if_not_exists) == (True, True)
    assert [column.name for column in command.columns] == ["id", "b"]
    assert command.stored_columns == ("id",)
    assert [words(each)[:5] for each in command.constraints] == ["check", "forei"]
    assert words(command.options) == "strict , without rowid"


def test_a_virtual_table_has_the_arguments_of_its_module() -> None:
    command = read_command("CREATE VIRTUAL TABLE a USING fts5(b, tokenize = 'porter', c='')")

    assert isinstance(command, CreateVirtualTable)
    assert command.module == "fts5"
    assert [words(each) for each in command.arguments] == ["b", "tokenize = 'porter'", "c = ''"]


def test_the_statements_in_a_trigger_are_read() -> None:
    command = read_command(
        "CREATE TRIGGER t INSTEAD OF UPDATE OF a, b ON v WHEN new.begin BEGIN"
        " INSERT INTO l VALUES (CASE 1 WHEN 2 THEN 3 END); DELETE FROM v; END"
    )

    assert isinstance(command, CreateTrigger)
    assert (command.timing, command.event, command.columns) == ("instead of", "update", ("a", "b"))
    assert words(command.when) == "new . begin"
    assert [type(each) for each in command.commands] == [Insert, Delete]


@pytest.mark.parametrize("sql", ["DELETE FROM a WHERE b = 'c", "DELETE FROM a /*", "PRAGMA \0"])
def test_a_text_that_has_no_tokens_is_some_other_command(sql: str) -> None:
    assert read_command(sql) == OtherCommand("")


def test_each_statement_of_a_text_is_read() -> None:
    commands = read_commands("BEGIN; DROP TABLE a; /* ; */ COMMIT")

    assert commands == (Control("begin"), Drop("table", ObjectName("a")), Control("commit"))


def test_of_a_text_that_does_not_read_there_are_no_statements() -> None:
    assert read_commands("DROP TABLE a; SELECT 'b") == ()


def test_a_statement_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noting(sql: str) -> Tokens:
        read.append(sql)
        return tokenize(sql)

    monkeypatch.setattr(reading, "tokenize", noting)
    short, long = "DELETE FROM read_once", f"DELETE FROM {'a' * reading.LONG_STATEMENT}"
    for sql in (short, long, short, long):
        read_command(sql)

    assert read == [short, long]


def test_the_statements_of_a_large_file_are_there_when_it_is_read_again() -> None:
    texts = [f"DROP TABLE read_of_many_{number}" for number in range(4000)]

    first = [read_command(text) for text in texts]

    assert all(read_command(text) is known for text, known in zip(texts, first, strict=True))

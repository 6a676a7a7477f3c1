"""Comment lines into a contract."""

from __future__ import annotations

import re

import pytest

from pytest_bbmigrate.contract import (
    Change,
    Contract,
    ContractError,
    Delete,
    Derive,
    Drop,
    Insert,
    Rename,
    Requirement,
    is_directive,
    read_contract,
)
from pytest_bbmigrate.contract.model import Alter, AlterObject


def contract_of(*lines: str) -> Contract:
    return read_contract(tuple(enumerate(lines, 1)))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bb: changes t.c", Contract(changes=(Change("t", "c", None, 1),))),
        (
            "bb: changes t.c, u.d",
            Contract(changes=(Change("t", "c", None, 1), Change("u", "d", None, 1))),
        ),
        (
            "bb: changes t.c, T.d where c = 'a, where b'",
            Contract(
                changes=(
                    Change("t", "c", "c = 'a, where b'", 1),
                    Change("T", "d", "c = 'a, where b'", 1),
                )
            ),
        ),
        ("BB:Changes t . c WHERE 1", Contract(changes=(Change("t", "c", "1", 1),))),
        (
            'bb: changes "a.b, where"."c ""d""" where e',
            Contract(changes=(Change("a.b, where", 'c "d"', "e", 1),)),
        ),
        ("bb: changes größe.maß_1", Contract(changes=(Change("größe", "maß_1", None, 1),))),
        ("bb: inserts t, u", Contract(inserts=(Insert("t", 1), Insert("u", 1)))),
        ("bb: deletes t", Contract(deletes=(Delete("t", None, 1),))),
        ("bb: deletes t where a = 0", Contract(deletes=(Delete("t", "a = 0", 1),))),
        (
            "bb: derives t.c = a * 100",
            Contract(derives=(Derive("t", "c", "a * 100", None, (), 1),)),
        ),
        (
            'bb: derives t."a = b" = (SELECT max(x) FROM u ORDER BY 1) FROM s BY "by", k',
            Contract(
                derives=(
                    Derive("t", "a = b", "(SELECT max(x) FROM u ORDER BY 1)", "s", ("by", "k"), 1),
                )
            ),
        ),
        (
            "bb: derives t.c=a IS NOT DISTINCT FROM b",
            Contract(derives=(Derive("t", "c", "a IS NOT DISTINCT FROM b", None, (), 1),)),
        ),
        ("bb: drops t", Contract(drops=(Drop("table", "t", None, 1),))),
        ("bb: drops t.c", Contract(drops=(Drop("column", "c", "t", 1),))),
        (
            'bb: drops t, index i, trigger "my trigger", VIEW v',
            Contract(
                drops=(
                    Drop("table", "t", None, 1),
                    Drop("index", "i", None, 1),
                    Drop("trigger", "my trigger", None, 1),
                    Drop("view", "v", None, 1),
                )
            ),
        ),
        ('bb: drops "index"', Contract(drops=(Drop("table", "index", None, 1),))),
        ("bb: renames a -> b", Contract(renames=(Rename("a", None, "b", None, 1),))),
        (
            'bb: renames a.x -> a.y, "c -> d"->e',
            Contract(renames=(Rename("a", "x", "a", "y", 1), Rename("c -> d", None, "e", None, 1))),
        ),
        ("bb: alters t.c, u", Contract(alters=(Alter("t", "c", 1), Alter("u", None, 1)))),
        (
            'bb: alters t.c, INDEX i, trigger "my trigger", view v, sequence t',
            Contract(
                alters=(Alter("t", "c", 1),),
                altered_objects=(
                    AlterObject("index", "i", 1),
                    AlterObject("trigger", "my trigger", 1),
                    AlterObject("view", "v", 1),
                    AlterObject("sequence", "t", 1),
                ),
            ),
        ),
        (
            'bb: alters "index", "sequence", trigger.c',
            Contract(
                alters=(
                    Alter("index", None, 1),
                    Alter("sequence", None, 1),
                    Alter("trigger", "c", 1),
                )
            ),
        ),
        ("bb: irreversible", Contract(irreversible="")),
        (
            "bb: irreversible because two become one",
            Contract(irreversible="two become one"),
        ),
        (
            "bb: requires unique t(a, b), u(c)",
            Contract(
                requires=(
                    Requirement("t", ("a", "b"), None, 1),
                    Requirement("u", ("c",), None, 1),
                )
            ),
        ),
        (
            "bb: requires transactions: amount <> 0, or so",
            Contract(requires=(Requirement("transactions", (), "amount <> 0, or so", 1),)),
        ),
        ("bb: requires unique: a > 0", Contract(requires=(Requirement("unique", (), "a > 0", 1),))),
        ("bb: foreign_keys on", Contract(foreign_keys=True)),
        ("bb: foreign_keys OFF", Contract(foreign_keys=False)),
        ("bb: no_transaction", Contract(no_transaction=True)),
        ("bb: script", Contract(script=True)),
        ("depends: 004_trips", Contract(depends=("004_trips",))),
        ("depends: ", Contract()),
        ('Depends : a.sql, b  "c d"', Contract(depends=("a.sql", "b", "c d"))),
        ("Migration: Trips", Contract(headers={"Migration": "Trips"})),
        ("PURPOSE:  see: this ", Contract(headers={"Purpose": "see: this"})),
        ("Author:", Contract()),
        ("a comment on bb: changes t.c", Contract()),
        ("depending: on nothing", Contract()),
        ("", Contract()),
    ],
)
def test_a_line_declares(line: str, expected: Contract) -> None:
    assert contract_of(line) == expected


def test_lines_add_up_and_keep_their_numbers() -> None:
    lines = (
        (3, "Migration: Trips"),
        (4, "Date: 2026-01-02"),
        (5, "Migration: not this one"),
        (7, "bb: changes t.c"),
        (9, "bb: changes t.d"),
        (10, "depends: a"),
        (11, "depends: b"),
        (12, "bb: foreign_keys on"),
        (13, "bb: foreign_keys on"),
    )

    assert read_contract(lines) == Contract(
        changes=(Change("t", "c", None, 7), Change("t", "d", None, 9)),
        foreign_keys=True,
        depends=("a", "b"),
        headers={"Migration": "Trips", "Date": "2026-01-02"},
    )


@pytest.mark.parametrize(
    ("line", "message", "remedy"),
    [
        ("bb:", "'bb:' says nothing", "write one of changes, inserts"),
        ("bb: change t.c", "'bb: change' is not a directive", "write `bb: changes t.c`"),
        (
            "bb: frobnicate t",
            "'bb: frobnicate' is not a directive",
            "write one of changes, inserts",
        ),
        ("bb: depends 004", "'bb: depends' is not a directive", "write `depends: 004`, without"),
        ("bb: depend: 004", "'bb: depend' is not a directive", "write `depends: 004`, without"),
        ("bb changes t.c", "'bb' without its colon", "write `bb: changes t.c`"),
        ("bb: changes: t.c", "a colon after 'changes'", "write `bb: changes t.c`"),
        ("bb: changes", "'changes' names nothing", "write `bb: changes TABLE.COLUMN`"),
        ("bb: changes where a", "'changes' names nothing", "write `bb: changes TABLE.COLUMN`"),
        (
            "bb: changes t",
            "'changes t' names a table, not a column",
            "write a dot after `t`, and behind it the column",
        ),
        (
            "bb: changes t.c where ",
            "the 'where' has no condition",
            "write behind it which rows are meant",
        ),
        (
            "bb: changes t.c, u.d where 1",
            "a 'where' after names of several tables",
            "write one `bb: changes .. where ..` line for each table",
        ),
        ("bb: changes a.b.c", "'a.b.c' is not the name of a table or a column", "write table or"),
        ("bb: changes my table.c", "'my table.c' is not the name", "double quotes around"),
        ('bb: changes "t.c', "'\"t.c' is not the name", "double quotes around"),
        ("bb: changes t.c,, t.d", "a name is missing beside a comma", "write a name on either"),
        ("bb: changes t.c,", "a name is missing beside a comma", "write a name on either"),
        ("bb: inserts t where 1", "'inserts' takes no 'where'", "write `bb: inserts t`"),
        (
            "bb: inserts t.c",
            "'inserts t.c' names a column, where whole rows are meant",
            "write `bb: inserts t`",
        ),
        ("bb: deletes t.c", "'deletes t.c' names a column", "write `bb: deletes t`"),
        (
            "bb: deletes t, u where 1",
            "a 'where' after names of several tables",
            "write one `bb: deletes .. where ..` line",
        ),
        ("bb: drops", "'drops' names nothing", "write `bb: drops TABLE.COLUMN`"),
        ("bb: drops view", "'drops view' names no view", "write `bb: drops view NAME`"),
        (
            "bb: drops index i, t",
            "'t' does not say what it is, after 'drops index'",
            "write `index t`, or give it a `bb: drops` line of its own",
        ),
        (
            "bb: drops index t.i",
            "'t.i' is a column's name, not that of the index",
            "write `bb: drops index i`, without a table",
        ),
        ("bb: renames a", "'a' does not say what the new name is", "write `bb: renames a ->`, and"),
        (
            "bb: renames a.b -> c",
            "'a.b -> c' renames a table into a column or a column into a table",
            "write table -> new_table, or table.column -> table.new_column",
        ),
        ("bb: renames a -> b -> c", "'b -> c' is not the name", "write table or table.column"),
        ("bb: alters", "'alters' names nothing", "write `bb: alters TABLE.COLUMN`"),
        (
            "bb: alters trigger",
            "'alters trigger' names no trigger",
            "`bb: alters trigger NAME`, or",
        ),
        (
            "bb: alters VIEW",
            "'alters view' names no view",
            '"view" in quotes if a table is called so',
        ),
        ("bb: alters sequence", "'alters sequence' names no table", "`bb: alters sequence TABLE`"),
        (
            "bb: alters trigger a, b",
            "'b' does not say what it is, after 'alters trigger'",
            "write `trigger b`, or give it a `bb: alters` line of its own",
        ),
        (
            "bb: alters trigger t.a",
            "'t.a' is a column's name, not that of the trigger",
            "write `bb: alters trigger a`, without a table",
        ),
        ("bb: derives t = 3", "'derives t' names a table, not a column", "a dot after `t`"),
        ("bb: derives t.c", "'derives t.c' gives no value", "`=` after `t.c`"),
        ("bb: derives t.c = ", "'derives t.c =' gives no value", "behind it the value"),
        ("bb: derives t.c 3", "'derives t.c 3' gives no value", "`=` after `t.c`"),
        ("bb: derives t.c = 1 from", "nothing after 'from'", "behind it the table"),
        ("bb: derives t.c = 1 from s by ", "nothing after 'by'", "behind it the columns"),
        ("bb: derives t.c = 1 by k from s", "'by' before 'from'", "and its table first"),
        ("bb: derives t.c = 1 from s.k", "'from s.k' names a column", "`from s`"),
        ("bb: derives t.c = 1 by s.k", "'by s.k' names a table", "`by k`"),
        ("bb: derives t.c = 'x", "a string that is not finished", "close it with '"),
        ("bb: requires", "'requires ' is not understood", "write `bb: requires unique TABLE("),
        ("bb: requires t:", "'requires t:' is not understood", "behind `t:` what every row is"),
        ("bb: requires unique", "'requires' names nothing", "write `bb: requires unique TABLE("),
        ("bb: requires unique t", "'unique t' does not say which columns", "`unique t(..)`"),
        ("bb: requires unique t()", "'requires' names nothing", "`bb: requires unique TABLE("),
        (
            "bb: requires unique t(t.a)",
            "'t.a' names a table inside the parentheses",
            "write the column alone, `a`",
        ),
        ("bb: foreign_keys", "'foreign_keys ' is not understood", "write `bb: foreign_keys on` or"),
        ("bb: foreign_keys yes", "'foreign_keys yes' is not", "write `bb: foreign_keys on` or"),
        ("bb: no_transaction now", "'no_transaction' takes nothing", "write `bb: no_transaction`"),
        ("bb: script x", "'script' takes nothing after it", "write `bb: script`"),
        ("bb: irreversible because", "'irreversible because' is not", "leave 'because' out"),
        (
            "bb: irreversible it is",
            "'irreversible it is' is not",
            "`bb: irreversible because it is`",
        ),
        ("depends: ,", "'depends: ,' does not name migrations", "write `depends: NAME NAME`"),
        ('depends: a "b', "'depends: a \"b' does not name migrations", '"NAME" in quotes'),
    ],
)
def test_a_line_that_is_not_understood_says_what_to_write(
    line: str, message: str, remedy: str
) -> None:
    with pytest.raises(ContractError) as caught:
        read_contract(((7, line),))

    assert caught.value.line == 7
    assert caught.value.message.startswith(message)
    assert remedy in caught.value.remedy
    assert str(caught.value) == f"line 7: {caught.value.message}; {caught.value.remedy}"
    assert is_directive(line)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("bb: foreign_keys on", "Date: today", "bb: foreign_keys off"),
            "line 3: 'foreign_keys off' contradicts line 1; leave one of them out",
        ),
        (
            ("bb: foreign_keys off", "bb: foreign_keys on"),
            "line 2: 'foreign_keys on' contradicts line 1; leave one of them out",
        ),
        (
            ("bb: irreversible", "bb: irreversible because of this"),
            "line 2: 'irreversible' was said before, on line 1; leave one of them out",
        ),
    ],
)
def test_lines_that_contradict_one_another_are_refused(
    lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ContractError, match=re.escape(message)):
        contract_of(*lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bb: changes t.c", True),
        ("  BB : anything", True),
        ("depends: a", True),
        ("bb drops t", True),
        ("bb is short for Budget Buddy", False),
        ("see bb: changes t.c", False),
        ("Migration: trips", False),
        ("it depends: on what", False),
    ],
)
def test_a_directive_is_known_by_how_it_begins(text: str, *, expected: bool) -> None:
    assert is_directive(text) is expected

"""Contract lines that stand in the TOML file of bb_contracts, beside files not to be touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import PythonPart, ReadingRules, SqlPart, read_catalogue
from tests.core.cataloguing import complaints, migration, migrations, write

if TYPE_CHECKING:
    from pathlib import Path

TWO = {"001_a.sql": "SELECT 1;", "002_b.sql": "-- bb: changes t.c\nUPDATE t SET c = 1;"}
SET = """\
from sqlite_utils import Migrations
trips = Migrations("trips")


@trips()
def create(db):
    db["trips"].insert({"id": 7})
"""


def with_contracts(folder: Path, text: str) -> ReadingRules:
    """Return the rules of a project whose bb_contracts says ``text``."""
    return ReadingRules(contracts_file=folder / "contracts.toml", contracts=text)


def test_lines_of_the_file_and_of_the_toml_are_joined_and_each_knows_where_it_stands(
    tmp_path: Path,
) -> None:
    text = '# why\n002_b = [\n  "drops t.d", # gone\n  "CHANGES T.C",\n\n  "-- bb: inserts u",\n]\n'

    found = migrations(tmp_path, TWO, with_contracts(tmp_path, text))[1].contract

    assert [(each.table, each.line, each.path) for each in found.changes] == [("t", 1, None)]
    toml = tmp_path / "contracts.toml"
    assert [(each.name, each.line, each.path) for each in found.drops] == [("d", 3, toml)]
    assert [(each.table, each.line, each.path) for each in found.inserts] == [("u", 6, toml)]


def test_conditions_that_differ_by_case_alone_are_two(tmp_path: Path) -> None:
    text = """001_a = ["deletes t where c = 'A'", "deletes t where c = 'a'"]"""

    found = migrations(tmp_path, TWO, with_contracts(tmp_path, text))[0].contract

    assert [each.where for each in found.deletes] == ["c = 'A'", "c = 'a'"]


def test_the_same_said_twice_is_said_once(tmp_path: Path) -> None:
    files = {"001_a.sql": "-- bb: irreversible because x\n-- bb: foreign_keys on\nSELECT 1;"}
    text = '001_a = ["irreversible because x", "foreign_keys on", "irreversible because x"]'

    found = migration(tmp_path, files, with_contracts(tmp_path, text)).contract

    assert (found.irreversible, found.foreign_keys) == ("x", True)


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"migrations.py": SET}, "migrations.py::create"),
        ({"migrations.py": SET}, "create"),
        ({"001_a/up.sql": "SELECT 1;"}, "001_a/up.sql"),
        ({"001_a.up.sql": "SELECT 1;"}, "001_a"),
        ({"0.1/01__a.sql": "SELECT 1;"}, "0.1/01__a"),
        ({"001_a.py": "def up(db):\n    db['t'].insert({'id': 1})\n"}, "001_a.py"),
        ({"001_a.py": "def migrate():\n    print()\n"}, "001_a"),
    ],
)
def test_migrations_of_every_form_are_named_by_name_or_as_in_node_ids(
    tmp_path: Path, files: dict[str, str], name: str
) -> None:
    rules = with_contracts(tmp_path, f'"{name}" = ["irreversible because x"]')

    assert migration(tmp_path, files, rules).contract.irreversible == "x"


def test_depends_out_there_orders_and_no_transaction_ends_the_transaction(tmp_path: Path) -> None:
    text = '001_a = ["depends 002_b", "no_transaction"]'
    files = {**TWO, "003_c.py": "def up(db):\n    db.vacuum()\n"}

    text += '\n003_c = ["no_transaction"]'
    first, second, third = migrations(tmp_path, files, with_contracts(tmp_path, text))

    assert [first.name, second.name, third.name] == ["002_b", "001_a", "003_c"]
    assert isinstance(second.up, SqlPart)
    assert not second.up.in_transaction
    assert isinstance(third.up, PythonPart)
    assert not third.up.in_transaction


def test_what_changes_the_run_enters_the_checksum_and_nothing_else_does(tmp_path: Path) -> None:
    def checksum(*lines: str) -> str:
        found = migrations(tmp_path, TWO, with_contracts(tmp_path, f"001_a = {[*lines]}"))
        return next(each.checksum for each in found if each.name == "001_a")

    of_runs = [checksum(line) for line in ("foreign_keys on", "no_transaction", "depends 002_b")]

    assert checksum("changes t.c", "irreversible because x") == checksum()
    assert {each.partition("+")[0] for each in of_runs} == {checksum()}
    assert len({*of_runs, checksum("foreign_keys off"), checksum()}) == 5


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            '001_a = [\n "changes t.c",\n "chnges t.d",\n]',
            (
                "contracts.toml:3: 'bb: chnges' is not a directive; write `bb: changes t.d`, if "
                "that is what you mean"
            ),
        ),
        (
            '\n"001_aa" = []',
            (
                "contracts.toml:2: no migration is called '001_aa'; the nearest there is is "
                "'001_a'; name one that is there, or leave it out"
            ),
        ),
        (
            "001_a = 'changes t.c'",
            (
                "contracts.toml:1: what '001_a' is to declare is no list of lines; write "
                '"NAME" = ["changes t.c", ..], a list of lines for each migration'
            ),
        ),
        ("001_a = [\n'x'", "contracts.toml: this is no TOML: Unclosed array; correct it"),
        ("\n001_a = x", "contracts.toml:2: this is no TOML: Invalid value; correct it"),
        (
            "001_a = ['script']",
            (
                "contracts.toml:1: that a file is a script can be said in that file alone; write "
                "`# bb: script` at its top, or `def up(db):`"
            ),
        ),
        (
            '001_a = ["foreign_keys on\\ninserts t"]',
            (
                "contracts.toml:1: that is more than one line; give each line of the contract "
                "a string of its own"
            ),
        ),
        (
            "001_a = ['foreign_keys on', 'foreign_keys off']",
            "contracts.toml:1: 'foreign_keys off' contradicts line 1; leave one of them out",
        ),
        (
            "002_b = [\n'deletes t where 1; 2']",
            (
                "contracts.toml:2: the expression '1; 2' does not read: there is a ; in it; write "
                "one SQL expression"
            ),
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaints(tmp_path, TWO, with_contracts(tmp_path, text)) == [complaint]


@pytest.mark.parametrize(
    ("own", "outside"),
    [("foreign_keys on", "foreign_keys off"), ("irreversible because x", "irreversible because y")],
)
def test_what_contradicts_the_file_is_an_error_of_the_toml(
    tmp_path: Path, own: str, outside: str
) -> None:
    files = {"001_a.sql": f"-- bb: {own}\nSELECT 1;"}
    rules = with_contracts(tmp_path, f"001_a = [\n\n'{outside}']")

    (complaint,) = complaints(tmp_path, files, rules)

    assert complaint.startswith("contracts.toml:3: ")
    assert "the migration itself" in complaint


def test_the_text_that_was_read_is_of_the_catalogue_to_the_byte(tmp_path: Path) -> None:
    text = "\ufeff001_a = ['changes t.c']\r\n"

    found = read_catalogue(write(tmp_path, TWO), rules=with_contracts(tmp_path, text))

    assert found.texts[str(tmp_path / "contracts.toml")] == text.encode()

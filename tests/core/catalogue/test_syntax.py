"""A file whose syntax only the app's Python knows is read by that one, and means the same."""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_bbmigrate.catalogue.python import syntax
from pytest_bbmigrate.catalogue.python.facts import code_checksum
from pytest_bbmigrate.catalogue.python.imported import imported_names
from pytest_bbmigrate.catalogue.python.source import read_python
from pytest_bbmigrate.catalogue.python.syntax import (
    answer,
    grammar_of,
    node_of,
    parse,
    parsed_by,
    plain_of,
)
from pytest_bbmigrate.errors import CatalogueError
from pytest_bbmigrate.processes.app_python import AppPython, own_packages

TEXT = """\
# bb: changes t.a
import helper

def up(db, *, times=2):
    values = [1e999, -2.5, 3j, b"x\\0", ..., True, None, 10**20, "inf", 'it''s']
    db.execute(f"UPDATE t SET a = {values[0]!r:>{times}}")  # why
    return lambda: (yield)
"""
THIS = AppPython(sys.executable, "3.99.0", "3.99.0", (), own_packages())


def test_a_tree_is_the_same_after_its_way() -> None:
    tree = ast.parse(TEXT)

    again = node_of(json.loads(json.dumps(plain_of(tree))))

    assert ast.dump(again, include_attributes=True) == ast.dump(tree, include_attributes=True)
    assert code_checksum(again) == code_checksum(tree)


def test_a_node_that_this_python_does_not_know_is_kept() -> None:
    target = ["Name", "expr", [["id", "X"]], [1, 5, 1, 6]]
    plain = [
        "Module",
        "AST",
        [["body", {"list": [["Alias9", "stmt", [["name", target]], [1] * 4]]}]],
    ]

    (node,) = node_of([*plain, [None] * 4]).body

    assert isinstance(node, ast.stmt)
    assert (type(node).__name__, node.lineno, next(ast.iter_fields(node))[0]) == (
        "Alias9",
        1,
        "name",
    )


def test_the_answer_has_the_comments_or_the_fault() -> None:
    assert json.loads(answer(TEXT.encode()))["comments"] == [[1, "bb: changes t.a"], [6, "why"]]
    assert json.loads(answer(b"x = 1\ndef (")) == {"fault": "invalid syntax", "line": 2}
    assert "fault" in json.loads(answer(b"\xff"))


def test_another_python_reads_what_this_one_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    tree, comments = parsed_by(THIS, TEXT)
    monkeypatch.setattr(syntax, "parsed_by", lambda *_: (tree, comments))

    assert code_checksum(tree) == code_checksum(ast.parse(TEXT))
    assert comments == ((1, "bb: changes t.a"), (6, "why"))
    assert parse("import is new", THIS) is tree
    assert imported_names(b"import is new", "", THIS) == ["helper"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this Python knows nothing newer than 3.11")
def test_what_an_older_python_does_not_know_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    older, its = replace(THIS, version="3.11.2"), ast.parse("")
    monkeypatch.setattr(syntax, "parsed_by", lambda *_: (its, ()))

    assert parse("type X = int", older) is its
    assert parse("type X = int", THIS) is not its


def test_only_an_older_python_has_another_grammar() -> None:
    assert grammar_of(replace(THIS, version="3.9.2")) == (3, 9)
    assert grammar_of(THIS) is None
    assert grammar_of(None) is None


def test_a_file_that_the_apps_python_cannot_read_is_told_with_its_version() -> None:
    with pytest.raises(
        CatalogueError, match=r"m\.py:2: Python 3\.99\.0 \(bb_python\) cannot read it"
    ):
        read_python(Path("m.py"), "x = 1\ndef (", THIS)


def test_what_no_python_reads_has_its_line() -> None:
    with pytest.raises(SyntaxError) as caught:
        parse("x = 1\ndef (", THIS)

    assert (caught.value.msg, caught.value.lineno) == ("invalid syntax", 2)


def test_a_python_that_ends_instead_is_no_answer() -> None:
    with pytest.raises(MemoryError, match=r"Python 3\.99\.0 has ended with 1"):
        parsed_by(AppPython("/bin/false", "3.99.0", "3.99.0", (), own_packages()), "def (")

"""Lines that are added to a TOML file of contracts: what a person wrote in it stays."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pytest_bbmigrate.catalogue.contract_draft import HEAD, DraftedLine, add_lines
from pytest_bbmigrate.errors import CatalogueError

PATH = Path("contracts.toml")


def added(text: str, **lines: str) -> str:
    """Return ``text`` with one line for each migration."""
    drafted = {name: [DraftedLine(line, (f"{name} did so",))] for name, line in lines.items()}
    return add_lines(PATH, text, drafted).text


def test_a_new_file_says_what_it_is_and_what_was_seen() -> None:
    drafted = {
        "001_a": [DraftedLine("changes t.c where c = 'A'", ("t.c changed", "t.c again"))],
        "m.py::up": [DraftedLine('drops "a\\b\x7f"', ())],
    }

    draft = add_lines(PATH, "", drafted)

    assert (draft.added, draft.migrations, draft.marked) == (2, 2, 0)
    assert draft.text == (
        f"{HEAD}\n"
        '"001_a" = [\n'
        "    # t.c changed\n"
        "    # t.c again\n"
        "    \"changes t.c where c = 'A'\",\n"
        "]\n\n"
        '"m.py::up" = [\n'
        '    "drops \\"a\\\\b\\u007f\\"",\n'
        "]\n"
    )


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (
            'a = ["drops u"] # mine\n',
            'a = ["drops u",\n    # a did so\n    "drops t",\n] # mine\n',
        ),
        (
            "# mine\na = [ # x\n 'drops u', # ]\n # y\n]\nb=[]\n",
            "# mine\na = [ # x\n 'drops u', # ]\n # y\n    # a did so\n    \"drops t\",\n]\nb=[]\n",
        ),
        (
            "a = [\n 'drops u' # ,]\n]",
            "a = [\n 'drops u', # ,]\n    # a did so\n    \"drops t\",\n]",
        ),
        ("a = []", 'a = [\n    # a did so\n    "drops t",\n]'),
        ("a = [\r\n]\r\n", 'a = [\r\n    # a did so\r\n    "drops t",\r\n]\r\n'),
        ("b = []", 'b = []\n\n"a" = [\n    # a did so\n    "drops t",\n]\n'),
        ("a = ['''drops t''']", "a = ['''drops t''']"),
    ],
)
def test_a_line_is_added_to_what_is_there(there: str, wanted: str) -> None:
    assert added(there, a="drops t") == wanted
    tomllib.loads(wanted)


def test_adding_twice_adds_nothing() -> None:
    once = added("", a="drops t", b="drops u")

    again = add_lines(PATH, once, {"a": [DraftedLine("drops t", ())]})

    assert (again.text, again.added, again.migrations) == (once, 0, 0)


def test_what_nothing_needs_is_marked_once_and_no_more_where_it_is_needed_again() -> None:
    text = 'a = ["drops t", "drops u"]\nb = [\n  "drops t",\n]\nc = ["drops t"]\n'

    def needed(name: str, line: str) -> bool | None:
        return None if name == "c" else (name, line) not in {("a", "drops t"), ("b", "drops t")}

    marked = add_lines(PATH, text, {}, needed)
    again = add_lines(PATH, marked.text, {}, needed)
    back = add_lines(PATH, marked.text, {}, lambda name, _: name != "a")

    assert marked.text == (
        '# nothing needs this any more: drops t\na = ["drops t", "drops u"]\nb = [\n'
        '  # nothing needs this any more: drops t\n  "drops t",\n]\nc = ["drops t"]\n'
    )
    assert (marked.marked, again.marked, again.text) == (2, 0, marked.text)
    assert back.text == (
        "# nothing needs this any more: drops t\n# nothing needs this any more: drops u\n"
        'a = ["drops t", "drops u"]\nb = [\n  "drops t",\n]\nc = ["drops t"]\n'
    )


def test_what_cannot_be_added_to_is_left_as_it_is() -> None:
    with pytest.raises(CatalogueError, match="cannot be put between"):
        add_lines(PATH, 'a = ["""drops\nt""", "drops u"]\n', {}, lambda *_: False)

"""Steps in other languages, by the SQL that bb_steps says they amount to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import ReadingRules, SqlPart
from tests.core.cataloguing import complaints, migration, migrations

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Part

FILES = {"001_a.sql": "CREATE TABLE t (a);", "002_b.go": "package m", "003_c.sql": "SELECT 3;"}


def with_steps(folder: Path, text: str) -> ReadingRules:
    """Return the rules of a project whose bb_steps says ``text``."""
    return ReadingRules(steps_file=folder / "steps.toml", steps=text)


def statements(part: Part | None) -> list[tuple[str, int, str]]:
    """Return the file, the line and the text of each statement."""
    assert isinstance(part, SqlPart)
    return [(part.path.name, each.line, each.text) for each in part.statements]


def test_a_step_is_the_sql_that_it_amounts_to_in_its_place_among_the_others(
    tmp_path: Path,
) -> None:
    text = """# what the Go steps do
"002_b.go" = '''
-- bb: changes t.a

UPDATE t SET a = 1;
UPDATE t SET a = 2;'''
"""

    found = migrations(tmp_path, FILES, with_steps(tmp_path, text))

    assert [each.name for each in found] == ["001_a", "002_b", "003_c"]
    step = found[1]
    assert step.path == tmp_path / "002_b.go"
    assert statements(step.up) == [
        ("steps.toml", 5, "UPDATE t SET a = 1"),
        ("steps.toml", 6, "UPDATE t SET a = 2"),
    ]
    assert ([each.line for each in step.contract.changes], step.down) == ([3], None)


def test_sql_may_stand_in_files_of_its_own_with_the_way_back(tmp_path: Path) -> None:
    files = {"m/V0002__b.kt": "class", "sql/up.sql": "-- so\nDROP TABLE t;"}
    text = """"V0002__b.kt" = { up = "sql/up.sql", down = "CREATE TABLE t (a)" }"""
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)

    found = migration(tmp_path / "m", {}, with_steps(tmp_path, text))

    assert (found.name, statements(found.up)) == ("V0002__b", [("up.sql", 2, "DROP TABLE t")])
    assert statements(found.down) == [("steps.toml", 1, "CREATE TABLE t (a)")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            """\n"003_d.go" = "SELECT 1"\n"002_b.go" = "SELECT 2\"""",
            (
                "steps.toml:2: no step in another language is called '003_d.go'; name one that is "
                "there, such as 002_b.go, or leave it out"
            ),
        ),
        (
            "'002_b.go' = ['SELECT 1']",
            (
                "steps.toml:1: what '002_b.go' amounts to is no SQL; write "
                '"003_x.go" = "SQL, or the path of an .sql file", or { up = "..", down = ".." } '
                "with the way back"
            ),
        ),
        (
            "'002_b.go' = 'no.sql'",
            (
                "steps.toml:1: no.sql: it cannot be read (No such file or directory); name a file "
                "that is there, from the folder of this one"
            ),
        ),
        (
            """'002_b.go' = { up = "" }""",
            (
                "steps.toml:1: '002_b.go' amounts to nothing; write its SQL, or a comment that "
                "says why there is none"
            ),
        ),
        (
            """'002_b.go' = '''\nSELECT 1;\nSELECT "2;'''""",
            'steps.toml:3: a name in " that is not finished; close it with "',
        ),
    ],
)
def test_what_is_no_step_is_told_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaints(tmp_path, FILES, with_steps(tmp_path, text)) == [complaint]


def test_what_is_not_named_is_refused_with_both_ways(tmp_path: Path) -> None:
    files = {**FILES, "004_d.js": "//", "005_e.js": "//"}

    (complaint,) = complaints(tmp_path, files, with_steps(tmp_path, "'002_b.go' = 'SELECT 1'"))

    assert complaint == (
        "004_d.js: a step in a language that is not run here (so are 005_e.js); give the SQL that "
        "they amount to with bb_steps = FILE.toml, or pass them over with bb_ignore = *.js"
    )

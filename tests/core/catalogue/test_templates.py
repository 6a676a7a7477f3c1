"""Templates are refused as what they are; what stands in a string or a comment is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import ReadingRules
from tests.core.cataloguing import complaints, migration, migrations

if TYPE_CHECKING:
    from pathlib import Path

OUT = (
    ", which its tool fills in: SQLite never sees it so; have the tool write out what it runs on "
    "SQLite, and name the folder of that with bb_migrations, or pass it over with bb_ignore"
)
GO = "a template of Go ({{ .. }})"
ANY = "a template ({{ .. }}, as Jinja, Handlebars and Go have it)"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CREATE TABLE t (a {{if .sqlite}}TEXT{{end}});", GO),
        ("CREATE TABLE {{.prefix}}t (a);", GO),
        ("{{- /* it's said here */ -}}\nSELECT 1;", GO),
        ('{{ addColumn "t" "a" }}\n{{end}}', GO),
        ("CREATE TABLE {{ prefix }}t (a);", ANY),
        ("SELECT 1; {% if sqlite %}SELECT 2;{% endif %}", "a template of Jinja ({% .. %})"),
        ("SELECT <%= 1 %>;", "a template of ERB or EJS (<% .. %>)"),
        ("DROP TABLE #{name};", "a text of Ruby with #{..} in it"),
        ("DROP TABLE {name};", "a template with {names} in braces"),
    ],
)
def test_a_template_is_named_by_its_marks(tmp_path: Path, sql: str, kind: str) -> None:
    assert complaints(tmp_path, {"1_a.sql": f"\n{sql}"}) == [f"1_a.sql:2: this is {kind}{OUT}"]


def test_templates_of_one_kind_are_told_once(tmp_path: Path) -> None:
    files = {f"{n}_a.{half}.sql": "{{if .x}}{{end}}" for n in (1, 2) for half in ("up", "down")}
    files |= {"3_b.up.sql": '{{ rename "a" }}', "4_c.up.sql": "SELECT 'x"}

    found = complaints(tmp_path, files)

    assert found[0] == f"1_a.down.sql:1: this is {GO}{OUT}".replace(
        "never sees it so;", "never sees it so (and so 4 more files);"
    )
    assert len(found) == 2
    assert "a string that is not finished" in found[1]


def test_a_placeholder_is_asked_for_where_no_value_is_given(tmp_path: Path) -> None:
    files = {"1_a.sql": "SELECT 1;\nSELECT ${x};"}

    assert complaints(tmp_path, files) == [
        (
            "1_a.sql:2: ${..} is a placeholder, and no part of SQL; give each a value in "
            "bb_placeholders, with a line `NAME = VALUE`"
        )
    ]
    assert migrations(tmp_path, files, ReadingRules(placeholders=(("x", "2"),)))


@pytest.mark.parametrize(
    "sql",
    [
        """INSERT INTO t VALUES ('{{x}}', '${y}', '{"a": {"b": "<%= %>"}}');""",
        'SELECT "{{x}}", [{a}], `<%`; -- {{if .x}}',
        "/* {% x %} */ SELECT 1",
        "SELECT 5 % 3, 1 < 2, json('{}')",
    ],
)
def test_marks_within_strings_names_and_comments_are_text(tmp_path: Path, sql: str) -> None:
    assert migration(tmp_path, {"1_a.sql": sql})


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT 'x; {{ y }}", "a string that is not finished"),
        ("/* {{ y }}", "a comment that is not finished"),
        ("-- a\rSELECT {{ y }}", "a carriage return without a line feed in a comment"),
    ],
)
def test_marks_behind_what_is_not_finished_are_not_told(
    tmp_path: Path, sql: str, told: str
) -> None:
    (found,) = complaints(tmp_path, {"1_a.sql": sql})

    assert told in found


@pytest.mark.parametrize("marked", ["-- +goose Up\n{}\n", "-- migrate:up\n{}\n-- migrate:down\n"])
def test_templates_below_marks_have_the_line_of_the_file(tmp_path: Path, marked: str) -> None:
    (found,) = complaints(tmp_path, {"1_a.sql": marked.format("SELECT 1;\nDROP TABLE {{.a}};")})

    assert found.startswith(f"1_a.sql:3: this is {GO}")

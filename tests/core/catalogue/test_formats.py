"""What docs/formats.md says of the forms, held to the code."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_bbmigrate.catalogue.folder import FORMS
from pytest_bbmigrate.runner.profiles import PROFILES

TEXT = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
SECTIONS = re.findall(r"^## (\w+)$", TEXT, re.MULTILINE)


def test_every_form_has_its_section() -> None:
    names = [getattr(form, "__name__", "").rpartition(".")[2] for form in FORMS]

    assert sorted(SECTIONS) == sorted([*names, "Order", "drizzle"])


def test_every_profile_that_a_form_runs_by_is_one() -> None:
    rows = [row.split("|")[4] for row in TEXT.splitlines() if row.startswith("| [")]
    named = {name for row in rows for name in re.findall("`([a-z0-9-]+)`", row)}

    assert named <= PROFILES.keys()
    assert {"flyway", "dbmate", "goose"} <= named


def test_every_row_of_the_table_leads_to_its_section() -> None:
    linked = re.findall(r"^\| \[(\w+)\]\(#(\w+)\)", TEXT, re.MULTILINE)

    assert linked
    assert all(name == place and name in SECTIONS for name, place in linked)

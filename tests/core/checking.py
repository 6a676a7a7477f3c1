"""What the tests of the checks share: chains of migrations written in place, and their verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.seeding.model import Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_bbmigrate.sql.values import Cell
    from pytest_bbmigrate.verdict import Verdict

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, mood TEXT);"
NEVER_FILLED = "CREATE TABLE odd (id INTEGER PRIMARY KEY CHECK (id < 0 AND id > 0), text TEXT);"
CODES = "CREATE TABLE codes (code TEXT PRIMARY KEY CHECK (code GLOB 'a[0-9]*'), note TEXT, n INT);"


def chain_of(
    folder: Path,
    *files: str,
    rows: int = 20,
    base: bytes = b"",
    invariants: tuple[tuple[str, str], ...] = (),
    own_rows: Mapping[str, Sequence[Mapping[str, Cell]]] | None = None,
) -> Chain:
    """Return a chain of migrations, one for each text."""
    for number, text in enumerate(files, 1):
        (folder / f"00{number}_step.sql").write_text(text)
    catalogue = read_catalogue(folder)
    literals = tuple(pair for m in catalogue.migrations for pair in m.literals)
    recipe = Recipe(rows=rows, literals=literals, own_rows=own_rows or {})
    return Chain(catalogue, recipe, RunEnvironment(), base=base, invariants=invariants)


def judge_last(check: str, chain: Chain, *, strict: bool = False) -> Verdict:
    """Return what ``check`` says of the last migration of ``chain``."""
    last = len(chain.catalogue.migrations) - 1
    return judge(check, chain.evidence(last), strict=strict)

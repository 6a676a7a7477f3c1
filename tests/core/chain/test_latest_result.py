"""The result of up is used for the evidence and for the next state as it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.experiment.step_cache import CachedUpResult
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.seeding.model import Recipe
from tests.core.cataloguing import write

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pytest_bbmigrate.experiment.model import SeededState
    from pytest_bbmigrate.experiment.run import UpResult

FILES = {
    "001_a.up.sql": "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);",
    "001_a.down.sql": "DROP TABLE trips;",
    "002_b.up.sql": "ALTER TABLE trips ADD COLUMN memo TEXT;",
    "002_b.down.sql": "ALTER TABLE trips DROP COLUMN memo;",
    "003_c.up.sql": "SELECT 1;",
    "003_c.down.sql": "SELECT 1;",
    "004_d.up.sql": "UPDATE trips SET memo = name;",
    "004_d.down.sql": "UPDATE trips SET memo = NULL;",
}


def what_is_shown(chain: Chain) -> list[object]:
    """Return the states, and of the evidence what may depend on them."""
    shown: list[object] = []
    for position in range(4):
        evidence = chain.evidence(position)
        shown += [evidence.up_diff, evidence.down_diff, evidence.written, evidence.integrity]
        shown += [chain.state(position + 1).image, chain.state(position + 1).empty]
    return shown


def test_it_is_put_together_again_only_where_it_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[int] = []
    with_images = CachedUpResult.with_images

    def noted(kept: CachedUpResult, state: SeededState) -> UpResult:
        again.append(state.position)
        return with_images(kept, state)

    monkeypatch.setattr(CachedUpResult, "with_images", noted)
    catalogue = read_catalogue(write(tmp_path, FILES))

    small = what_is_shown(Chain(catalogue, Recipe(rows=7), RunEnvironment()))
    assert again == []
    monkeypatch.setattr("pytest_bbmigrate.chain.states.MOST_BYTES_KEPT", 0)
    large = what_is_shown(Chain(catalogue, Recipe(rows=7), RunEnvironment()))

    assert again == [0, 1, 2, 3]
    assert small == large

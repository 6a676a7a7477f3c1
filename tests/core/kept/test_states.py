"""A state that was kept is the one that was made, in all that the chain holds of it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.experiment.own_rows import RowOwner
from pytest_bbmigrate.kept.states import encode_state, read_state
from pytest_bbmigrate.project import read_project
from tests.core.keeping import NAMES, write_project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    project = read_project(write_project(tmp_path))
    return Chain(project.catalogue, project.recipe, project.environment, base=project.base)


def test_a_state_is_read_as_it_was_made(chain: Chain) -> None:
    for position in range(len(NAMES) + 1):
        made = chain.state(position)

        read = read_state(encode_state(made), position)

        assert read is not None
        for each in fields(made):
            assert getattr(read, each.name) == getattr(made, each.name), each.name


def test_a_state_that_may_hold_rows_of_somebodys_own_is_not_kept(chain: Chain) -> None:
    state = replace(chain.state(1), own=RowOwner(frozenset({"accounts"})))

    assert encode_state(state) is None


def test_what_is_no_state_or_another_one_is_none(chain: Chain) -> None:
    content = encode_state(chain.state(1))
    assert content is not None

    assert read_state(None, 1) is None
    assert read_state(content, 2) is None
    assert read_state(content[:-1], 1) is None
    assert read_state(b"{}\n", 1) is None


def test_a_chain_goes_on_from_a_state_and_back_to_those_before(chain: Chain) -> None:
    content = encode_state(chain.state(3))
    other = Chain(chain.catalogue, chain.recipe, chain.environment, base=chain.state(0).image)
    state = read_state(content, 3)
    assert state is not None
    other.resume(state)

    assert other.state(4).image == chain.state(4).image
    assert other.state(2).schema == chain.state(2).schema
    assert other.is_whole(4)

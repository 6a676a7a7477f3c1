"""A state as it is kept: what cannot be read in its databases as a line of JSON, then these."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_bbmigrate.experiment.model import SeededState
from pytest_bbmigrate.experiment.pages import share_pages
from pytest_bbmigrate.experiment.snapshot import snapshot_of
from pytest_bbmigrate.kept.entries import STATE
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_message
from pytest_bbmigrate.seeding.model import Unfilled

NAMES = {"Unfilled": Unfilled}


@dataclass(frozen=True)
class Held:
    """What stands before the databases: their sizes in bytes, None for no empty one."""

    position: int
    size: int
    empty_size: int | None
    unfilled: tuple[Unfilled, ...]


def encode_state(state: SeededState) -> bytes | None:
    """Return ``state`` as it is kept; None where it may hold rows of somebody's own."""
    if state.own:
        return None
    image, empty = state.image, state.empty
    size = None if empty is None else len(empty)
    held = Held(state.position, len(image), size, state.unfilled)
    return b"".join((encode_message(STATE, held), b"\n", image, empty or b""))


def read_state(content: bytes | None, position: int) -> SeededState | None:
    """Return the state after the first ``position`` migrations that an entry holds, or None."""
    if content is None:
        return None
    line, _, images = content.partition(b"\n")
    try:
        held = read_message(line, {STATE: Held}, NAMES)
    except Unreadable:
        return None
    if held.position != position or held.size + (held.empty_size or 0) != len(images):
        return None
    image, empty = images[: held.size], images[held.size :]
    snapshot = snapshot_of(image)
    return SeededState(
        position,
        share_pages(image),
        None if held.empty_size is None else share_pages(empty),
        snapshot.schema,
        snapshot.row_counts,
        held.unfilled,
        snapshot.layout,
    )

"""What the smoke tests' pytest is told, and what it records: a message a file, and one a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pytest_bbmigrate.processes.messages import Unreadable, read_file, read_message

ORDER, REPORT = "order.json", "report.jsonl"


@dataclass(frozen=True)
class SmokeOrder:
    """The migrated database to copy for each test, and what to call a copy.

    ``without`` are the modules that are known to have no smoke test.
    """

    working_copy: Path
    name: str
    without: tuple[str, ...]


@dataclass(frozen=True)
class Begun:
    """The record begins here: where this is not the first event, something has removed some."""


@dataclass(frozen=True)
class Collected:
    """There is a smoke test of this node id."""

    test: str


@dataclass(frozen=True)
class Started:
    """That test begins."""

    test: str


@dataclass(frozen=True)
class Reported:
    """The outcome of a test, or of a module that could not be collected or skipped itself."""

    test: str
    outcome: str


@dataclass(frozen=True)
class Finished:
    """The session ran to its end."""


Event: TypeAlias = Begun | Collected | Started | Reported | Finished
EVENTS: dict[str, type[Event]] = {
    "begun": Begun,
    "collected": Collected,
    "started": Started,
    "reported": Reported,
    "finished": Finished,
}
KIND_OF = {kind: name for name, kind in EVENTS.items()}
NAMES: dict[str, Any] = {"Path": Path}


def read_order(folder: Path) -> SmokeOrder:
    """Return the order in ``folder``. Raises: Unreadable."""
    return read_message(read_file(folder / ORDER), {"order": SmokeOrder}, NAMES)


def read_events(folder: Path) -> list[Event]:
    """Return the events that the session has recorded in ``folder``.

    Raises: Unreadable when something else has written there, or a line was cut short.
    """
    lines = read_file(folder / REPORT).split(b"\n")
    if lines.pop():
        raise Unreadable("its last line was cut short")
    events = [read_message(line, EVENTS, NAMES) for line in lines]
    if events and not isinstance(events[0], Begun):
        raise Unreadable("its beginning is gone")
    return events

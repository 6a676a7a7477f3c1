"""The order in which migrations run, and everything that makes it impossible to tell."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from difflib import get_close_matches
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import CatalogueError, Problem
from pytest_bbmigrate.visible import visible_line

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from pathlib import Path

Needs = dict[int, set[int]]  # for each step's place, the places of those that run before it


@dataclass(frozen=True)
class OrderEntry:
    """A migration as far as its order goes; ``shown`` is its file, ``depends`` is as written."""

    name: str
    shown: str
    path: Path
    number: tuple[int, ...] | None
    depends: tuple[str, ...] = ()


def arrange(steps: Iterable[OrderEntry]) -> tuple[OrderEntry, ...]:
    """Return ``steps`` in the order in which they run.

    Those without a number come first, by name, then the others by number. One that depends on a
    later one waits until that has run; nothing else is moved.

    Raises: CatalogueError with every problem: names or numbers that are there twice, dependencies
    that are not there, cycles.
    """
    ordered = sorted(
        steps, key=lambda step: (step.number is not None, step.number or (), step.name)
    )
    needs, unknown = _needs(ordered)
    places = _run_order(needs)
    problems = [
        *_shared_names(ordered),
        *_shared_numbers(ordered),
        *unknown,
        *_cycles(ordered, {place: needs[place] for place in needs.keys() - set(places)}),
    ]
    if problems:
        raise CatalogueError(problems)
    return tuple(ordered[place] for place in places)


def _shared_names(steps: Sequence[OrderEntry]) -> list[Problem]:
    return [
        _problem(group, "have the same name", "rename all but one of them")
        for group in _grouped(steps, lambda step: visible_line(step.name))  # as printed
        if len(group) > 1
    ]


def _shared_numbers(steps: Sequence[OrderEntry]) -> list[Problem]:
    numbered = [step for step in steps if step.number is not None]
    return [
        _problem(group, "have the same number", "give each a number of its own")
        for group in _grouped(numbered, lambda step: step.number)
        if len({step.name for step in group}) > 1
    ]


def _grouped(
    steps: Iterable[OrderEntry], key: Callable[[OrderEntry], Hashable]
) -> Iterable[list[OrderEntry]]:
    groups: dict[Hashable, list[OrderEntry]] = defaultdict(list)
    for step in steps:
        groups[key(step)].append(step)
    return groups.values()


def _needs(steps: Sequence[OrderEntry]) -> tuple[Needs, list[Problem]]:
    """Return which steps each needs to run before it, and the dependencies that are not there."""
    known = {name: place for place, step in enumerate(steps) for name in (step.shown, step.name)}
    needs: Needs = {place: set() for place in range(len(steps))}
    problems = []
    for place, step in enumerate(steps):
        for name in step.depends:
            if name in known:
                needs[place].add(known[name])
            else:
                problems.append(_unknown(step, name, known))
    return needs, problems


def _unknown(step: OrderEntry, name: str, known: Iterable[str]) -> Problem:
    nearest = get_close_matches(name, known, n=1, cutoff=0.0)
    return Problem(
        step.path,
        None,
        f"it depends on '{name}', and no migration is called so",
        f"the nearest there is is '{nearest[0]}'",
    )


def _run_order(needs: Needs) -> tuple[int, ...]:
    """Return the places in an order in which needs are met, as near to 0, 1, 2 .. as can be.

    What waits for itself, over whatever detour, is left out.
    """
    waiting = {place: len(before) for place, before in needs.items()}
    released: dict[int, list[int]] = defaultdict(list)
    for place, before in needs.items():
        for other in before:
            released[other].append(place)
    ready = [place for place, count in waiting.items() if count == 0]
    order = []
    while ready:
        place = heappop(ready)
        order.append(place)
        for other in released[place]:
            waiting[other] -= 1
            if waiting[other] == 0:
                heappush(ready, other)
    return tuple(order)


def _cycles(steps: Sequence[OrderEntry], needs: Needs) -> list[Problem]:
    """Return a problem for each cycle among steps that could not be ordered."""
    problems = []
    left = dict(needs)
    while left:
        walked, met_again = _walk(left)
        if met_again is None:  # it waits only for a cycle that is known already
            del left[walked[-1]]
            continue
        cycle = walked[walked.index(met_again) :]
        what = "wait for one another" if len(cycle) > 1 else "depends on itself"
        members = [steps[place] for place in cycle]
        problems.append(_problem(members, what, "leave one of these dependencies out"))
        for place in cycle:
            del left[place]
    return problems


def _walk(needs: Needs) -> tuple[list[int], int | None]:
    """Return the places met on the way from need to need, and the one met again, if any."""
    walked: dict[int, None] = {}
    place: int | None = min(needs)
    while place is not None and place not in walked:
        walked[place] = None
        place = min(needs[place] & needs.keys(), default=None)
    return list(walked), place


def _problem(steps: Sequence[OrderEntry], what: str, remedy: str) -> Problem:
    """Return a problem that several migrations have together."""
    shown = " and ".join(step.shown for step in steps)
    return Problem(steps[0].path, None, f"{shown} {what}", remedy)

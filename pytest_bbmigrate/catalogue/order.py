"""The order in which migrations run, and all that keeps them from having one."""

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

Dependencies = dict[int, set[int]]  # the index of each step, and those of the steps before it


@dataclass(frozen=True)
class OrderEntry:
    """What the order needs to know of a migration; ``shown`` is its file, as messages name it."""

    name: str
    shown: str
    path: Path
    number: tuple[int, ...] | None
    depends: tuple[str, ...] = ()


def arrange(steps: Iterable[OrderEntry]) -> tuple[OrderEntry, ...]:
    """Return ``steps`` in the order in which they run.

    Those without a number come first, by name, then the others by number. One that depends on a
    later one waits until that has run; nothing else is moved.

    Raises: CatalogueError with every problem: names or numbers that two have, unknown
    dependencies, cycles.
    """
    ordered = sorted(
        steps, key=lambda step: (step.number is not None, step.number or (), step.name)
    )
    needs, unknown = _dependencies(ordered)
    order = _topological_order(needs)
    problems = [
        *_shared_names(ordered),
        *_shared_numbers(ordered),
        *unknown,
        *_cycles(ordered, {index: needs[index] for index in needs.keys() - set(order)}),
    ]
    if problems:
        raise CatalogueError(problems)
    return tuple(ordered[index] for index in order)


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


def _dependencies(steps: Sequence[OrderEntry]) -> tuple[Dependencies, list[Problem]]:
    """Return what each step depends on, and a problem for each dependency that there is not."""
    by_name = {name: index for index, step in enumerate(steps) for name in (step.shown, step.name)}
    needs: Dependencies = {index: set() for index in range(len(steps))}
    problems = []
    for index, step in enumerate(steps):
        for name in step.depends:
            if name in by_name:
                needs[index].add(by_name[name])
            else:
                problems.append(_unknown(step, name, by_name))
    return needs, problems


def _unknown(step: OrderEntry, name: str, names: Iterable[str]) -> Problem:
    nearest = get_close_matches(name, names, n=1, cutoff=0.0)
    return Problem(
        step.path,
        None,
        f"it depends on '{name}', and no migration is called so",
        f"the nearest there is is '{nearest[0]}'",
    )


def _topological_order(needs: Dependencies) -> tuple[int, ...]:
    """Return the indices so that each comes after what it needs, otherwise in ascending order.

    Those in a cycle, and those that wait for one, are left out.
    """
    missing = {index: len(before) for index, before in needs.items()}  # needs that are not met
    released: dict[int, list[int]] = defaultdict(list)
    for index, before in needs.items():
        for needed in before:
            released[needed].append(index)
    ready = [index for index, count in missing.items() if count == 0]
    order = []
    while ready:
        index = heappop(ready)  # the smallest
        order.append(index)
        for dependent in released[index]:
            missing[dependent] -= 1
            if missing[dependent] == 0:
                heappush(ready, dependent)
    return tuple(order)


def _cycles(steps: Sequence[OrderEntry], needs: Dependencies) -> list[Problem]:
    """Return a problem for each cycle among steps that could not be ordered."""
    problems = []
    left = dict(needs)
    while left:
        walked, met_again = _walk(left)
        if met_again is None:  # it waits for a cycle that is reported already
            del left[walked[-1]]
            continue
        cycle = walked[walked.index(met_again) :]
        fault = "wait for one another" if len(cycle) > 1 else "depends on itself"
        members = [steps[index] for index in cycle]
        problems.append(_problem(members, fault, "leave one of these dependencies out"))
        for index in cycle:
            del left[index]
    return problems


def _walk(needs: Dependencies) -> tuple[list[int], int | None]:
    """Walk from step to needed step; return the indices walked, and the one met again, if any."""
    walked: dict[int, None] = {}
    index: int | None = min(needs)
    while index is not None and index not in walked:
        walked[index] = None
        index = min(needs[index] & needs.keys(), default=None)
    return list(walked), index


def _problem(steps: Sequence[OrderEntry], fault: str, remedy: str) -> Problem:
    """Return a problem that several migrations share."""
    shown = " and ".join(step.shown for step in steps)
    return Problem(steps[0].path, None, f"{shown} {fault}", remedy)

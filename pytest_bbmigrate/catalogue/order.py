"""The order in which migrations run, and all that keeps them from having one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise
from operator import lt
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.names import leading_number, numbers_in
from pytest_bbmigrate.errors import CatalogueError, Problem, SettingsError
from pytest_bbmigrate.nearest import nearest_of
from pytest_bbmigrate.visible import visible_line

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from pathlib import Path

    from pytest_bbmigrate.catalogue.listing import Listing

OWN_NAME = "rename all but one of them, or pass over with bb_ignore what another one reads"
OWN_NUMBER = "give each a number of its own, or list all in their order with bb_order = FILE"
# The tools that run files of one number, or without any, by name; others cannot run such folders.
BY_NAME = frozenset({"d1", "prisma", "yoyo"})
# The tools to which names are text alone: 10_b comes before 9_a, and a file without a number has
# its place among those with one. dbmate does not see such a file.
AS_TEXT = frozenset({"dbmate", "prisma", "yoyo"})
RUN_UNNUMBERED = BY_NAME & AS_TEXT
PASS_OVER_UNNUMBERED = frozenset({"dbmate", "golang-migrate"})

Dependencies = dict[int, set[int]]  # the index of each step, and those of the steps before it


@dataclass(frozen=True)
class OrderEntry:
    """What the order needs to know of a migration; ``shown`` is its file, as messages name it.

    ``is_doubtful`` is whether it is told of another reason that the file may be no migration.
    """

    name: str
    shown: str
    path: Path
    number: tuple[int, ...] | None
    depends: tuple[str, ...] = ()
    is_doubtful: bool = False


def arrange(
    steps: Iterable[OrderEntry], listing: Listing | None = None, runner: str = ""
) -> tuple[OrderEntry, ...]:
    """Return ``steps`` in the order in which they run.

    With a ``listing`` that is its order. Without, the numbers order them; those without one, which
    ``refuse_guess`` asks about, come first, by name. One that depends on a later one waits until
    that has run; nothing else is moved. ``runner`` is the tool that runs them, '' for an unknown
    one.

    Raises: CatalogueError with every problem: names or numbers that two have, unknown
    dependencies, cycles, what the ``listing`` lacks or has too much.
    """
    as_text = runner in AS_TEXT
    ordered = sorted(
        steps,
        key=lambda step: (
            (not as_text and step.number is not None),
            () if as_text else step.number or (),
            step.name,
        ),
    )
    problems = _shared_names(ordered)
    if listing is not None:
        ordered, unlisted = _as_listed(ordered, listing)
        problems += unlisted
    needs, unknown = _dependencies(ordered)
    order = _topological_order(needs)
    if listing is None and runner not in BY_NAME:
        problems += _shared_numbers([ordered[index] for index in order])
    problems += [
        *unknown,
        *_cycles(ordered, {index: needs[index] for index in needs.keys() - set(order)}),
    ]
    if problems:
        raise CatalogueError(problems)
    return tuple(ordered[index] for index in order)


def refuse_guess(steps: Sequence[OrderEntry], runner: str) -> None:
    """Raise SettingsError where nothing says in which order ``steps`` run; they are arranged.

    Numbers at the beginning of all names do, and numbers within them where they order them as the
    names do; so do dependencies, and the tools that run files by name.
    """
    unnumbered = [step for step in steps if step.number is None]
    if unnumbered and any("/" in step.name for step in steps):
        raise SettingsError(
            f"it is not known when {unnumbered[0].shown} runs, for it has no number and stands "
            "beside folders of versions: pass it over with bb_ignore, if it is the schema of the "
            "latest, or list all files in their order and name the list with bb_order = FILE"
        )
    if len(unnumbered) < len(steps):
        _refuse_unnumbered(unnumbered, steps, runner)
        return
    if runner in BY_NAME:
        return
    if _follow_one_another(steps):
        return
    within = [numbers_in(step.name) for step in steps]
    if all(within) and all(map(lt, within, within[1:])):
        return
    shown = ", ".join([*(step.shown for step in steps[:3]), *[".."][: len(steps[3:])]])
    why = "their names do not begin with a number"
    if all(within):
        why = "the numbers in their names order them otherwise than the names do"
    raise SettingsError(
        f"it is not known in which order the {len(steps)} migrations run ({shown}), for {why}: "
        "list their files in one, a line each (as `ls` does, where they run by name), and name it "
        "with bb_order = FILE"
    )


def _refuse_unnumbered(
    unnumbered: Sequence[OrderEntry], steps: Sequence[OrderEntry], runner: str
) -> None:
    """Raise SettingsError for ``unnumbered`` among numbered ``steps`` that no dependency places."""
    needed = {name for step in steps for name in step.depends}
    loose = [
        step
        for step in unnumbered
        if not (step.depends or needed & {step.name, step.shown} or step.is_doubtful)
    ]
    if not loose or runner in RUN_UNNUMBERED:
        return
    shown = ", ".join([*(step.shown for step in loose[:3]), *[".."][: len(loose[3:])]])
    numbered = len(steps) - len(unnumbered)
    who = f"{runner} passes it over" if runner in PASS_OVER_UNNUMBERED else "no tool runs it"
    raise SettingsError(
        f"it is not known when {shown} runs, without a number beside {numbered} with one: pass it "
        f"over with bb_ignore, if {who} (as the schema of the latest version is), start from it "
        "with bb_base, if it comes before all others and is no migration, or list all files in "
        "their order and name the list with bb_order = FILE"
    )


def _as_listed(
    steps: Sequence[OrderEntry], listing: Listing
) -> tuple[list[OrderEntry], list[Problem]]:
    """Return ``steps`` in the order of ``listing``, and a problem for what only one of them has.

    Where the list has one number under another name than the folder, that is one problem.
    """
    by_name = {name: step for step in steps for name in (step.shown, step.name)}
    listed = {by_name[name] for _, name in listing.names if name in by_name}
    unlisted = {step: None for step in steps if step not in listed and not step.is_doubtful}
    problems: list[Problem] = []
    places: dict[OrderEntry, int] = {}
    for line, name in listing.names:
        step = by_name.get(name)
        if step is None:
            problems.append(_not_there(name, line, listing, unlisted))
        elif step in places:
            fault = f"it lists '{name}' a second time"
            problems.append(Problem(listing.path, line, fault, "leave one of them out"))
        else:
            places[step] = len(places)
    fault = f"{listing.path.name}, which lists the migrations in their order, has not this one"
    remedy = "add it there, or pass it over with bb_ignore"
    problems += [Problem(step.path, None, fault, remedy) for step in unlisted]
    return sorted(steps, key=lambda step: places.get(step, len(places))), problems


def _not_there(
    name: str, line: int | None, listing: Listing, unlisted: dict[OrderEntry, None]
) -> Problem:
    """Return the problem with a ``name`` that ``listing`` has and the folder has not.

    One of the ``unlisted`` that has its number is taken out of them, for it is told with it.
    """
    fault = f"it lists '{name}', and no migration is called so"
    number = leading_number(name)
    for step in unlisted:
        if number is not None and step.number == number:
            del unlisted[step]
            fault += f", but not {step.shown}, which has that number"
            return Problem(listing.path, line, fault, "have both say the same name")
    remedy = "put its file back, or take it out of the list"
    if unlisted:
        nearest = nearest_of(name, [step.name for step in unlisted])
        remedy = f"{remedy} (of what it does not list, the nearest is '{nearest[0]}')"
    return Problem(listing.path, line, fault, remedy)


def _shared_names(steps: Sequence[OrderEntry]) -> list[Problem]:
    return [
        _problem(group, "have the same name", OWN_NAME)
        for group in _grouped(steps, lambda step: visible_line(step.name))  # as printed
        if len(group) > 1
    ]


def _shared_numbers(steps: Sequence[OrderEntry]) -> list[Problem]:
    numbered = [step for step in steps if step.number is not None and not step.is_doubtful]
    return [
        _problem(group, "have the same number", OWN_NUMBER)
        for group in _grouped(numbered, lambda step: step.number)
        if len({step.name for step in group}) > 1 and not _follow_one_another(group)
    ]


def _follow_one_another(steps: Iterable[OrderEntry]) -> bool:
    """Return whether each of ``steps`` depends on the one before it."""
    return all({one.name, one.shown} & {*after.depends} for one, after in pairwise(steps))


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
    nearest = nearest_of(name, names)
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

"""Many findings in few lines: faults by their kind, then the lines to declare, then what to do."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING

from pytest_bbmigrate.counting import counted
from pytest_bbmigrate.report.summary import cut
from pytest_bbmigrate.report.told import sort_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_bbmigrate.report.told import Declared, Fault, Told

MOST_FAULTS = 70  # lines
MOST_DECLARED = 30  # lines
LEAST_OF_A_KIND = 2
FIRST = ("does not run", "set-up lacks")


def describe_groups(all_told: Iterable[Told]) -> tuple[str, ...]:
    """Return what failed checks have found, in lines: real faults first, lines to declare last."""
    faults, declared = sort_out(all_told)
    return (*describe_faults(faults), *describe_declared(declared))


def describe_faults(faults: Sequence[Fault]) -> list[str]:
    """Return the faults, those of a kind together, with how many there are of it."""
    kinds: dict[str, list[Fault]] = {}
    for fault in faults:
        kinds.setdefault(fault.found.kind, []).append(fault)
    if not kinds:
        return []
    most = most_of_each([len(group) for group in kinds.values()])
    migrations = len({fault.told.migration for fault in faults})
    lines = [f"{counted(len(faults), 'fault')} in {counted(migrations, 'migration')}"]
    for kind, group in sorted(kinds.items(), key=rank):
        lines.append(f"  {kind} ({len(group):,})")
        lines += first_of(
            [cut(f"    {in_one_line(fault)}") for fault in group], most, "of this kind"
        )
    return [*lines, ""]


def most_of_each(sizes: Sequence[int]) -> int:
    """Return how many lines groups of these ``sizes`` may have each, for all to fit."""

    def lines(most: int) -> int:
        return sum(1 + min(size, most + 1) for size in sizes)

    fitting = (most for most in range(max(sizes), 0, -1) if lines(most) <= MOST_FAULTS)
    return max(LEAST_OF_A_KIND, next(fitting, 0))


def rank(kind: tuple[str, Sequence[Fault]]) -> tuple[bool, int]:
    """Return where a kind of fault stands: what does not run first, then what there is most of."""
    name, group = kind
    return name not in FIRST, -len(group)


def in_one_line(fault: Fault) -> str:
    """Return a fault in a line: its migration, what broke, and where."""
    found, told = fault.found, fault.told
    file, _, line = found.place.rpartition(":")
    if told.file and (file.endswith(f"/{told.file}") or found.place.endswith(f"/{told.file}")):
        place = f":{line}" if file.endswith(told.file) else ""
        return f"{told.migration}{place}: {found.headline}"
    return f"{told.migration}: {found.headline} ({PurePath(found.place).name})"


def describe_declared(declared: Sequence[Declared]) -> list[str]:
    """Return the lines to declare, those of a migration together."""
    if not declared:
        return []
    by_migration: dict[str, list[str]] = {}
    for each in declared:
        by_migration.setdefault(each.told.migration, []).append(each.line)
    verbs = Counter(each.line.split()[0] for each in declared)
    counts = ", ".join(f"{verb} ({count:,})" for verb, count in verbs.most_common())
    where = f"in {counted(len(by_migration), 'migration')}, where that is what is meant"
    lines = [f"{counted(len(declared), 'line')} would allow the rest, {where}", f"  {counts}"]
    shown = [
        cut(f"    {migration}: {'; '.join(of_it)}") for migration, of_it in by_migration.items()
    ]
    return [*lines, *first_of(shown, MOST_DECLARED, "migrations"), ""]


def describe_next(commands: Mapping[str, str]) -> tuple[str, ...]:
    """Return what to do next: each of ``commands`` with what it does."""
    width = max(map(len, commands))
    return tuple(f"{command:<{width}}  {does}" for command, does in commands.items())


def first_of(lines: Sequence[str], most: int, noun: str) -> list[str]:
    """Return the first of ``lines``, and how many more there are of that ``noun``, in words."""
    if len(lines) <= most + 1:
        return [*lines]
    more = len(lines) - most
    return [*lines[:most], f"    and {more:,} more {noun}"]

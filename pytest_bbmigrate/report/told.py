"""What checks have found, as plain values that travel with pytest's reports, also from workers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.report.headlines import headline
from pytest_bbmigrate.report.remedies import IRREVERSIBLE, irreversible_line
from pytest_bbmigrate.report.shown import shown_finding
from pytest_bbmigrate.report.words import shown_place
from pytest_bbmigrate.verdict import DOWN_CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_bbmigrate.verdict import Finding, Verdict

MARK = "bb: "


@dataclass(frozen=True)
class Found:
    """One finding in words; ``declares`` is the contract line that would allow it, '' for none.

    ``proves`` is one that has what is lost proved where it went, '' for none. ``about`` are the
    columns, or the table, that it is about, as contracts write them.
    """

    kind: str
    headline: str
    place: str
    declares: str = ""
    proves: str = ""
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """What one check of the migration at ``position`` (-1 for the folder) has found.

    ``file`` is the migration's, as in node ids. ``unneeded`` are the declarations of
    that file which nothing needed, None where that was not asked.
    """

    position: int
    migration: str
    file: str
    function: str
    check: str
    found: tuple[Found, ...]
    unneeded: tuple[str, ...] | None = None

    @property
    def key(self) -> str:
        """What bb_contracts calls the migration by: its name, or the file of a set's with it."""
        return self.file if self.function else self.migration


@dataclass(frozen=True)
class Declared:
    """A contract line that allows what was seen of a migration: each of ``found``."""

    told: Told
    line: str
    found: tuple[Found, ...]


@dataclass(frozen=True)
class Fault:
    """What no contract line allows."""

    told: Told
    found: Found


def told_of(
    verdict: Verdict, position: int, migration: str, file: str = "", function: str = ""
) -> Told:
    """Return what ``verdict`` has found."""
    # One line is for all that has no way back: a contract says it once.
    found: tuple[Found, ...] = ()
    if verdict.findings:
        irreversible = irreversible_line([shown_finding(finding) for finding in verdict.findings])
        found = tuple(found_in(finding, irreversible) for finding in verdict.findings)
    return Told(position, migration, file, function, verdict.check, found, verdict.unneeded)


def found_in(finding: Finding, irreversible: str) -> Found:
    """Return a finding in words, with the line to declare.

    That is ``irreversible`` where nothing can restore what was found.
    """
    shown = shown_finding(finding)
    of_way_back = irreversible if irreversible_line([shown]) else ""
    return Found(
        finding.kind,
        headline(shown),
        shown_place(finding.path, finding.line),
        finding.allow.partition(MARK)[2] or of_way_back,
        finding.prove.partition(MARK)[2],
        tuple(names_of(finding)),
    )


def names_of(finding: Finding) -> Iterator[str]:
    """Yield the columns, or the table, that a finding is about, as contracts write them."""
    if finding.table and not finding.column:
        yield bare_or_quoted(finding.table)
    for column in filter(None, finding.column.split(", ")):
        yield dotted(finding.table, column)


def to_plain(told: Told) -> dict[str, Any]:
    """Return ``told`` as what any process can send."""
    return {**vars(told), "found": tuple({**vars(each)} for each in told.found)}


def from_plain(plain: Mapping[str, Any]) -> Told:
    """Return what ``to_plain`` made a plain value of."""
    found = tuple(Found(**{**each, "about": tuple(each["about"])}) for each in plain["found"])
    unneeded = plain["unneeded"]
    return Told(
        **{**plain, "found": found, "unneeded": None if unneeded is None else tuple(unneeded)}
    )


def sort_out(all_told: Iterable[Told]) -> tuple[list[Fault], list[Declared]]:
    """Return the faults, and the lines to declare for all else, in the order of the migrations."""
    faults: list[Fault] = []
    declared: list[Declared] = []
    by_position = sorted(all_told, key=attrgetter("position"))
    for _, group in groupby(by_position, key=attrgetter("position")):
        of_one = [(told, found) for told in group for found in told.found]
        faults_of_one, lines = sort_out_one(of_one)
        faults += faults_of_one
        declared += [
            Declared(of_one[0][0], line, tuple(dict.fromkeys(found)))
            for line, found in lines.items()
        ]
    return faults, declared


def sort_out_one(
    of_one: Sequence[tuple[Told, Found]],
) -> tuple[list[Fault], dict[str, list[Found]]]:
    """Return the faults of one migration, and what each line to declare allows.

    A way back that is no fault but for what ``irreversible`` allows is declared so; where it has
    another, that would be hidden, and all of it are faults. What comes back otherwise of that which
    is to be declared dropped may be excused by that alone: another run tells.
    """
    hides = any(not found.declares for told, found in of_one if told.check in DOWN_CHECKS)
    declared = {found.declares for _, found in of_one}
    faults: list[Fault] = []
    lines: dict[str, list[Found]] = {}
    irreversible = ""
    for told, found in of_one:
        line, dropped = found.declares, [f"drops {name}" for name in found.about]
        if is_way_back(found) and dropped and declared.issuperset(dropped):
            line = dropped[0]
        elif is_way_back(found):
            irreversible = irreversible or line
            line = "" if hides else irreversible
        if line:
            lines.setdefault(line, []).append(found)
        else:
            faults.append(Fault(told, found))
    return faults, lines


def is_way_back(found: Found) -> bool:
    """Return whether what was found is of a way back that cannot restore it."""
    return found.declares.startswith(IRREVERSIBLE)

"""The fault collection: folders of migrations that must be refused, and near misses that must not.

``python -m tests.cases`` prints what was expected of each case and what was found.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import NO_RULES, read_catalogue
from pytest_bbmigrate.catalogue.since import NOTHING_PAST, Past, past_since
from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.checks.changed_since import with_changes
from pytest_bbmigrate.checks.judging import judge, judge_catalogue
from pytest_bbmigrate.errors import StateUnreachable
from pytest_bbmigrate.experiment.other_zone import in_zone
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.choose import choose_profile
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.sqlite_files import open_image, take_image
from pytest_bbmigrate.verdict import CHECKS, Outcome, Verdict
from pytest_bbmigrate.zones import DEFAULT_ZONE

if TYPE_CHECKING:
    from collections.abc import Collection

CASES = Path(__file__).parent.parent / "fixtures" / "cases"


@dataclass(frozen=True)
class Case:
    """One folder of ``fixtures/cases``.

    ``fails`` is the one check that must fail on the last migration, '' for a near miss; only for
    want of rows, under ``strict``, are there more, with a comma between;
    ``finding`` the kind of fault that it must find. Where there is a ``base.sql``, the first
    migration starts from it; ``shipped`` is what the files were when they were last committed.
    ``runs_as`` and ``foreign_keys`` ('on' or 'off') are what the settings say of the runner.
    """

    name: str
    folder: Path
    fails: str
    finding: str
    rows: int
    strict: bool
    invariants: tuple[tuple[str, str], ...]
    runs_as: str
    foreign_keys: str


def read_cases() -> tuple[Case, ...]:
    """Return every case there is, by name."""
    return tuple(read_case(path.parent) for path in sorted(CASES.rglob("case.toml")))


def read_case(folder: Path) -> Case:
    """Return the case that ``folder`` describes in its ``case.toml``."""
    described = tomllib.loads((folder / "case.toml").read_text())
    return Case(
        name=folder.relative_to(CASES).as_posix(),
        folder=folder,
        fails=described.get("fails", ""),
        finding=described.get("finding", ""),
        rows=described.get("rows", 60),
        strict=described.get("strict", False),
        invariants=tuple(described.get("invariants", {}).items()),
        runs_as=described.get("runs_as", ""),
        foreign_keys=described.get("foreign_keys", ""),
    )


def judge_case(case: Case) -> tuple[Verdict, ...]:
    """Return the verdict of every check on every migration of a case, in the zone of the judge."""
    with in_zone(DEFAULT_ZONE):
        return judge_here(case)


def judge_here(case: Case) -> tuple[Verdict, ...]:
    """Return the verdicts on a case in the time zone that this process is in."""
    catalogue = read_catalogue(case.folder / "migrations")
    literals = tuple(pair for m in catalogue.migrations for pair in m.literals)
    recipe = Recipe(rows=case.rows, literals=literals)
    base = base_of(case.folder)
    environment = RunEnvironment(
        profile=choose_profile(
            case.runs_as, case.folder / "migrations", case.folder, catalogue, base
        ),
        foreign_keys={"on": True, "off": False}.get(case.foreign_keys),
    )
    chain = Chain(catalogue, recipe, environment, base=base, invariants=case.invariants)
    verdicts = [with_changes(judge_catalogue(chain), past_of(case.folder))]
    for position in range(len(catalogue.migrations)):
        try:
            evidence = chain.evidence(position)
        except StateUnreachable:
            break
        verdicts += [judge(check, evidence, strict=case.strict) for check in CHECKS]
    return tuple(verdicts)


def past_of(folder: Path) -> Past:
    """Return what a commit of the files in ``shipped`` has, where a case has these."""
    if not (folder / "shipped").is_dir():
        return NOTHING_PAST
    with TemporaryDirectory() as name:
        top = Path(name).resolve()
        shutil.copytree(folder / "shipped", top / "migrations")
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Ship them"]):
            who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
            subprocess.run(["git", *who, *words], cwd=top, check=True)
        shutil.rmtree(top / "migrations")
        shutil.copytree(folder / "migrations", top / "migrations")
        return past_since("HEAD", read_catalogue(top / "migrations"), NO_RULES)


def base_of(folder: Path) -> bytes:
    """Return the database that ``base.sql`` makes, an empty one where a case has none."""
    script = folder / "base.sql"
    if not script.exists():
        return b""
    with closing(open_image(b"")) as db:
        db.executescript(script.read_text())
        return take_image(db)


def failures(verdicts: tuple[Verdict, ...]) -> tuple[str, ...]:
    """Return what failed, as ``migration::check``."""
    return tuple(f"{v.subject}::{v.check}" for v in verdicts if v.outcome is Outcome.FAILED)


def expected_failures(case: Case) -> tuple[str, ...]:
    """Return what must fail: one check of the last migration, or nothing."""
    if not case.fails:
        return ()
    if case.fails == "catalogue_reads":
        return ("migrations::catalogue_reads",)
    last = read_catalogue(case.folder / "migrations").migrations[-1]
    return tuple(f"{last.name}::{check}" for check in case.fails.split(", "))


def rate(cases: Collection[Case], right: Collection[str]) -> str:
    """Return in one sentence how many ``cases`` came out as they should: those named ``right``."""
    counts = [
        (sum(case.name in right for case in kind), len(kind))
        for kind in ([c for c in cases if c.fails], [c for c in cases if not c.fails])
    ]
    (found, faults), (passed, misses) = counts
    return (
        f"{found} of {faults} faults found by the check that should, "
        f"{passed} of {misses} near misses pass"
    )


def main() -> None:
    """Print the table of all cases, and the rate."""
    cases = read_cases()
    right = []
    for case in cases:
        found = failures(judge_case(case))
        if found == expected_failures(case):
            right.append(case.name)
        mark = "ok   " if case.name in right else "WRONG"
        expected = case.fails or "nothing"
        sys.stdout.write(
            f"{mark}  {case.name:<60} {expected:<20} {', '.join(found) or 'nothing'}\n"
        )
    sys.stdout.write(f"{rate(cases, right)}\n")


if __name__ == "__main__":
    main()

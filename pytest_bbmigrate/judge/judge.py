"""The judge's work: reading the project, and answering what is asked of it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.checks.judging import judge, judge_catalogue
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.judge.hiding import hide_in_contracts, hide_own_rows
from pytest_bbmigrate.judge.model import Broken, Judged, Ran, judged
from pytest_bbmigrate.kept.entries import STATE, Entries
from pytest_bbmigrate.kept.states import encode_state, read_state
from pytest_bbmigrate.private import safe_exception
from pytest_bbmigrate.sandbox.run_part import run_part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.judge.model import Resume
    from pytest_bbmigrate.project import Project
    from pytest_bbmigrate.verdict import Verdict


MOST_BYTES_APART = 64 << 20  # of a state whose evidence is gathered beside others'


class Judge:
    """Judges the migrations of one project, in this process; asked as a ``JudgeClient`` is."""

    def __init__(self, project: Project, resume: Resume | None = None) -> None:
        self._project = project
        self._chain = Chain(
            project.catalogue,
            project.recipe,
            project.environment,
            base=project.base,
            invariants=project.settings.invariants,
            unjudged=project.unjudged,
            shows_values=not project.hides_own,
        )
        if resume is not None and not project.holds_own:
            content = Entries(resume.folder).read(STATE, resume.key)
            if state := read_state(content, resume.position):
                self._chain.resume(state)

    def verdicts(self, position: int, checks: Sequence[str]) -> Judged:
        """Return the answers of ``checks`` on the migration at ``position``.

        Raises: StateUnreachable when an earlier migration does not apply; BBMigrateError for a
            fault of the set-up.
        """
        evidence = self._chain.evidence(position)
        answers = tuple(self._answer(check, evidence) for check in checks)
        printed = "" if self._project.hides_own else printed_in(evidence)
        return Judged(answers, printed, is_whole=self._chain.is_whole(position + 1))

    def prepare_apart(self, position: int) -> bool:
        """Make what evidence on the migration at ``position`` needs, to be gathered in a fork.

        Return whether it can be. That of Python cannot: of two at a time, neither could be told to
        be the one that has written the real database. That of a large database would need the
        memory for it several times, and that of derived values is asked for once more.

        Raises: as ``verdicts`` does.
        """
        migration = self._project.catalogue.migrations[position]
        parts = (migration.up, migration.down or migration.up)
        if migration.contract.derives or not all(isinstance(part, SqlPart) for part in parts):
            return False
        return self._chain.prepare_apart(position, MOST_BYTES_APART)

    def answered_apart(self, position: int) -> None:
        """Drop what was kept for the migration at ``position``, whose answers another gives."""
        self._chain.gathered_apart(position)

    def _answer(self, check: str, evidence: Evidence) -> Verdict | Broken:
        """Return the verdict of one check; an error that nobody expected is that check's alone."""
        project = self._project
        try:
            with self._chain.at_work():
                verdict = judge(check, evidence, strict=project.settings.strict)
            return hide_own_rows(verdict, evidence, project)
        except BBMigrateError:
            raise
        except Exception as error:  # noqa: BLE001 - it is reported, and the other checks asked
            return Broken(describe_broken(error, hides_values=project.hides_own))

    def verdict(self, position: int, check: str) -> tuple[Verdict, str]:
        """Return the verdict of one check, and what the migration printed.

        Raises: as ``verdicts`` does; JudgeFailed for an error that nobody expected.
        """
        reply = self.verdicts(position, [check])
        return judged(*reply.answers), reply.printed

    def folder_verdict(self, before: int = 0) -> Verdict:
        """Return the verdict on the folder as a whole; raises as ``verdicts`` does.

        Of the migrations ``before`` a position it is known to hold.
        """
        return hide_in_contracts(judge_catalogue(self._chain, before), self._project)

    def expect(self, checks: Mapping[int, tuple[str, ...]], *, works_ahead: bool) -> None:
        """Do nothing: each migration is judged when it is asked for."""

    def close(self) -> None:
        """Do nothing: no process was started."""

    def state(self, position: int) -> bytes:
        """Return the image of the database after the first ``position`` migrations, with data.

        Raises: as ``verdicts`` does.
        """
        return self._chain.state(position).image

    def kept_state(self, position: int) -> bytes | None:
        """Return the state after the first ``position`` migrations as it is kept.

        None where it is not to be: it holds rows of somebody's own, or not all that were made.

        Raises: as ``verdicts`` does.
        """
        state = self._chain.state(position)
        may_be_kept = self._chain.is_whole(position) and not self._project.holds_own
        return encode_state(state) if may_be_kept else None

    def run(self, position: int, side: str, image: bytes) -> tuple[Ran, bytes]:
        """Run a side ('up', 'down') of the migration at ``position`` on ``image``.

        Return what it gave, and the image afterwards.

        Raises: LookupError when it has no such side; BBMigrateError for a fault of the set-up.
        """
        migration = self._project.catalogue.migrations[position]
        part = part_of(migration, side)
        with self._chain.at_work():
            run, after = run_part(migration, part, image, self._project.environment)
        printed = "" if self._project.hides_own else run.printed
        return Ran(run.failure, printed=printed), after


def part_of(migration: Migration, side: str) -> Part:
    """Return the part of ``migration`` that runs it up or down.

    Raises: LookupError when there is none.
    """
    part = {"up": migration.up, "down": migration.down}.get(side)
    if part is None:
        raise LookupError(f"{migration.name} has no {side} part")
    return part


def printed_in(evidence: Evidence) -> str:
    """Return what the migration's Python printed, each time that it ran."""
    runs = (
        evidence.up,
        evidence.up_on_empty,
        evidence.down,
        evidence.second_up,
        evidence.down_after_writing,
    )
    return "".join(run.printed for run in runs if run is not None)


def describe_broken(error: Exception, *, hides_values: bool) -> str:
    """Return the traceback of ``error``; if it may hold values, its place and kind alone."""
    if not hides_values:
        lines = "".join(traceback.format_exception(error)).rstrip()
        return f"{type(error).__name__} in pytest-bbmigrate itself: please report this\n{lines}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}: {safe_exception(error)}"

"""An apply: the pending migrations, rehearsed on the real rows, put into the real database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.backup_owners import (
    backups_in,
    belongs_to,
    id_for,
    note_on,
    owner_of,
)
from pytest_bbmigrate.apply.change import ContentChange, PublishableCopy
from pytest_bbmigrate.apply.file_checks import refuse_orphans
from pytest_bbmigrate.apply.fixed_text import refuse_changed
from pytest_bbmigrate.apply.rehearsal.check_copy import refuse_forged_copy
from pytest_bbmigrate.apply.rehearsal.check_verdicts import refuse_forged_verdicts
from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder, identity_after, rehearse
from pytest_bbmigrate.apply.rehearsal.witness import witness
from pytest_bbmigrate.apply.replace_file import file_in_place
from pytest_bbmigrate.apply.reporter import step
from pytest_bbmigrate.apply.steps import run_change
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.identity import new_id
from pytest_bbmigrate.processes.app_python import app_python, unreadable_here
from pytest_bbmigrate.sql.own_tables import IDENTITY_TABLE
from pytest_bbmigrate.sqlite_files.notes import discard_backup
from pytest_bbmigrate.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_bbmigrate.apply.model import Preflight, Rehearsal, TableChange
    from pytest_bbmigrate.apply.replace_file import FileInPlace
    from pytest_bbmigrate.apply.reporter import Reporter
    from pytest_bbmigrate.catalogue import Fingerprint
    from pytest_bbmigrate.history.identity import Identity
    from pytest_bbmigrate.history.table import Applied
    from pytest_bbmigrate.sqlite_files.notes import Note
    from pytest_bbmigrate.verdict import Verdict


class RehearsalFailed(StepFailed):
    """Raised when a migration does not pass its checks on the real rows."""

    def __init__(self, verdicts: tuple[Verdict, ...], printed: tuple[tuple[str, str], ...]) -> None:
        self.verdicts = verdicts
        self.printed = printed
        names = ", ".join(f"{verdict.subject}: {verdict.check}" for verdict in verdicts)
        super().__init__(f"{names} failed on the real rows; nothing was published")


class HistoryChanged(StepFailed):
    """Raised when another run has changed the history since the preflight."""


@dataclass(frozen=True)
class ApplyOrder:
    """What is to be applied to which database, and how.

    ``smoke`` runs the smoke tests on copies of the working copy that it is given, and returns their
    result in words; it raises StepFailed when one fails. ``keep_backups`` is None for all of them.
    ``start`` is the image that the first migration starts from, in a database that is new;
    ``discards`` lets migrations that are rolled back discard what was written since. ``fixed`` is
    what the files said when they were checked. ``check_backup`` is as in ``ContentChange``.
    """

    database: Path
    backup_folder: Path
    preflight: Preflight
    rehearsal: RehearsalOrder
    smoke: Callable[[Path], str]
    publishes: bool = True
    keep_backups: int | None = None
    start: bytes = b""
    discards: bool = False
    fixed: Fingerprint | None = None
    check_backup: Callable[[Path], str] = lambda _: ""

    def refuse_other_text(self) -> None:
        """Make sure that every file that counts still says what was checked.

        Raises: StepFailed that names those that do not.
        """
        if self.fixed is not None:
            refuse_changed(self.fixed, self.fixed.read_again())


@dataclass(frozen=True)
class ApplyResult:
    """The result of an apply: what changed, where the backup is (None: it was a rehearsal).

    ``pruned`` are the older backups that were removed; ``notes`` are worth telling.
    """

    changes: tuple[TableChange, ...]
    backup: Path | None
    pruned: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def run_apply(order: ApplyOrder, reporter: Reporter) -> ApplyResult:
    """Apply the pending migrations and return what changed.

    Raises: StepFailed, as run_change does.
    """
    rehearsals: list[Rehearsal] = []
    is_new = order.preflight.is_new
    owner = owner_of(order.database, order.backup_folder)
    identity = new_id() if is_new else id_for(owner, order.backup_folder)

    def check_history(history: tuple[Applied, ...]) -> None:
        refuse_other_history(order, history)
        order.refuse_other_text()

    def prepare(backup: Path, folder: Path, reporter: Reporter) -> PublishableCopy:
        prepared, rehearsal = prepare_copy(order, identity, backup, folder, reporter)
        rehearsals.append(rehearsal)
        return prepared

    change = ContentChange(
        order.database,
        order.backup_folder,
        check_history=check_history,
        prepare=prepare,
        check_backup=order.check_backup,
        publishes=order.publishes,
        keeps_backup=not is_new,
        identity=identity,
        new_file=new_file(order.database) if is_new else None,
    )
    if not is_new:
        backup = run_change(change, reporter)
        notes: list[str] = []
        pruned = (
            prune(order, backup, notes.append) if backup and is_still_ours(order, backup) else ()
        )
        return ApplyResult(rehearsals[0].changes, backup, pruned, tuple(notes))
    run_change(change, reporter)
    return ApplyResult(rehearsals[0].changes, None)


def new_file(database: Path) -> FileInPlace | None:
    """Return where the new file ``database`` goes; None where there is one, which is empty.

    Raises: StepFailed, as refuse_orphans does.
    """
    refuse_orphans(database)
    in_place = file_in_place(database)
    return in_place if in_place.is_missing else None


def is_still_ours(order: ApplyOrder, backup: Path) -> bool:
    """Return whether the database is still the one that this apply has published."""
    return backup.name in owner_of(order.database, order.backup_folder).recorded


def prune(order: ApplyOrder, own_backup: Path, warn: Callable[[str], None]) -> tuple[Path, ...]:
    """Remove the oldest backups in the history, all but the newest to keep; return those removed.

    Their age is their order in the history; ``own_backup``, this run's, is the newest. Nothing else
    in the folder is touched, whatever its name: neither a backup that was changed since it was
    made, nor one of a copy of the database. Where the history cannot be read, because the app uses
    the database again, the next apply removes them. ``warn`` gets a sentence on each that cannot
    be removed, which is no failure: the database is published, and has its backup.
    """
    if order.keep_backups is None:
        return ()
    pruned = []
    try:
        for path, note in surplus_of(order, own_backup, order.keep_backups):
            if is_discarded(path, note, warn):
                pruned.append(path)
    except OSError as error:
        warn(f"{order.backup_folder}: older backups cannot be looked for ({error.strerror})")
    return tuple(pruned)


def is_discarded(backup: Path, note: Note, warn: Callable[[str], None]) -> bool:
    """Return whether an older backup was removed; where it cannot be, ``warn`` gets the reason."""
    try:
        return discard_backup(backup, note)
    except OSError as error:
        warn(
            f"{backup.name} could not be pruned ({error.strerror}): remove it by hand, or have the "
            "next apply try again"
        )
    return False


def surplus_of(order: ApplyOrder, own_backup: Path, keep: int) -> list[tuple[Path, Note]]:
    """Return the backups to be pruned, with their notes. Raises: OSError."""
    owner = owner_of(order.database, order.backup_folder)
    notes = {path.name: (path, note) for path, note in backups_in(order.backup_folder) if note}
    older = [
        notes[name]
        for name in owner.recorded
        if name in notes and name != own_backup.name and belongs_to(notes[name][1], owner)
    ]
    return older[: max(0, len(older) + 1 - keep)]


def prepare_copy(
    order: ApplyOrder, identity: str, backup: Path, folder: Path, reporter: Reporter
) -> tuple[PublishableCopy, Rehearsal]:
    """Rehearse and smoke-test on copies of ``backup``; return the working copy and the rehearsal.

    ``identity`` is the id that the database is to have.

    Raises: RehearsalFailed when a check fails; StepFailed when a step cannot be done.
    """
    with step(reporter, "rehearsal") as detail:
        scratch = folder / "rehearsal"
        scratch.mkdir()
        work = folder / order.database.name
        before, name = backup, backup.name
        if order.preflight.is_new:
            before, name = folder / "start.db", ""
            before.write_bytes(order.start)
        note = note_on(backup)
        order_sent = replace(
            order.rehearsal,
            before=before,
            folder=scratch,
            work=work,
            backup=name,
            backup_digest=note.digest if note else "",
            identity=identity,
        )
        expected = identity_after(order_sent)
        rehearsal = rehearse(order_sent, lambda at: reporter.progress("rehearsal", at))
        order.refuse_other_text()  # what a migration reads by itself, too
        refuse_forged_verdicts(order.preflight, order_sent, rehearsal)
        failed = tuple(v for v in rehearsal.verdicts if v.outcome is Outcome.FAILED)
        if failed:
            raise RehearsalFailed(failed, rehearsal.printed)
        check_copy(order, order_sent, rehearsal, expected)
        if rehearsal.discarded and not order.discards:
            raise StepFailed(
                "what would go with the migrations holds values:\n  "
                + "\n  ".join(map(str, rehearsal.discarded))
                + "\nnothing was changed; --bb-discard-changes rolls them back all the same"
            )
        detail.append(describe_rehearsal(order, rehearsal))
    if not order.preflight.is_rollback:  # those tests are of the newest version
        with step(reporter, "smoke") as detail:
            detail.append(order.smoke(work))
    return PublishableCopy(work, rehearsal.digest, rehearsal.journal_mode), rehearsal


def check_copy(
    order: ApplyOrder, order_sent: RehearsalOrder, rehearsal: Rehearsal, expected: Identity
) -> None:
    """Make sure that the working copy is what the rehearsal says, and of the database ``expected``.

    Raises: StepFailed.
    """
    try:
        report = witness(order_sent.before, order_sent.work, rehearsal.changes)
    except StepFailed as error:
        python = app_python(order_sent.python) if order_sent.python else None
        raise StepFailed(f"{error}{unreadable_here(python, str(error))}") from error
    refuse_forged_copy(order.preflight, order_sent, rehearsal, report)
    if report.after.identity != expected:
        raise StepFailed(
            f"{order.database}: a migration has written to {IDENTITY_TABLE}, and the result "
            "is said to be another database, or its backups others; nothing was published"
        )


def describe_rehearsal(order: ApplyOrder, rehearsal: Rehearsal) -> str:
    """Return how much was asked of the real rows, in words."""
    passed = sum(verdict.outcome is Outcome.PASSED for verdict in rehearsal.verdicts)
    values = sum(verdict.values for verdict in rehearsal.verdicts)
    count = len(order.preflight.pending)
    migrations = f"{count} migration{'' if count == 1 else 's'}"
    return f"{migrations}, {passed} checks passed on the real rows, {values:,} values compared"


def refuse_other_history(order: ApplyOrder, history: tuple[Applied, ...]) -> None:
    """Make sure that the history is what the preflight saw: another run may have changed it since.

    Raises: HistoryChanged.
    """
    names = {applied.name for applied in history}
    statuses = order.preflight.statuses
    expected = {entry.applied_as for entry in statuses.entries if entry.applied_as} | set(
        statuses.missing
    )
    if names != expected:
        raise HistoryChanged(
            f"{order.database}: the history is not what it was a moment ago: another run has "
            "come between; run again"
        )

"""A judge that takes what an earlier run has found, as far as nothing has changed that it rests on.

It is asked as a ``JudgeClient`` is, and has one asked for all that is not kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import StateUnreachable
from pytest_bbmigrate.judge.model import JudgeFailed, Resume
from pytest_bbmigrate.kept import verdicts as kept_verdicts
from pytest_bbmigrate.kept.entries import LARGEST, STATE
from pytest_bbmigrate.kept.surroundings import source_of_ours
from pytest_bbmigrate.kept.verdicts import (
    KeptVerdicts,
    encode_verdicts,
    may_be_kept,
    read_verdicts,
)
from pytest_bbmigrate.verdict import CATALOGUE_CHECK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_bbmigrate.judge.client import JudgeClient
    from pytest_bbmigrate.judge.model import Opening, Ran
    from pytest_bbmigrate.judge.shared import SharedJudge
    from pytest_bbmigrate.kept.entries import Entries
    from pytest_bbmigrate.kept.keys import Keys
    from pytest_bbmigrate.project import Project
    from pytest_bbmigrate.verdict import Verdict


class KeptJudge:
    """Answers from ``entries`` by ``keys``, and else as the ``client``, opened when needed.

    Only then is ``opening`` called: what pytest collects until then adds to ``sys.path``.
    """

    def __init__(
        self,
        client: JudgeClient | SharedJudge,
        opening: Callable[[], Opening],
        project: Project,
        keys: Keys,
        entries: Entries,
    ) -> None:
        self._client = client
        self._opening = opening
        self._project = project
        self._names = tuple(migration.name for migration in project.catalogue.migrations)
        self._folder_name = project.catalogue.folder.name
        self._unasked = project.past.names
        self._keys = keys
        self._entries = entries
        self._kept: dict[int, KeptVerdicts | None] = {}
        self._found: dict[int, dict[str, Verdict]] = {}
        self._printed: dict[int, str] = {}
        self._folder_found: Verdict | None = None
        self._first = len(self._names)  # the first that is not kept of those that are expected
        self._begins: int | None = None  # with this state the client does, once it was opened

    def start(self) -> None:
        """Have the judge start now if the next questions will be for what is not kept."""
        asked = [n for n, name in enumerate(self._names) if name not in self._unasked]
        missing = (n for n in asked if not self._has(kept_verdicts.KIND, self._keys.verdicts[n]))
        first = next(missing, len(self._names))
        if first < len(self._names) or not self._has(kept_verdicts.KIND, self._keys.folder):
            self._client.start()

    def expect(self, checks: Mapping[int, tuple[str, ...]], *, works_ahead: bool) -> None:
        """Say which checks will be asked for, as of a ``JudgeClient``."""
        missing = {
            position: names
            for position, names in checks.items()
            if not all(self.has(position, name) for name in names)
        }
        self._first = min(missing, default=len(self._names))
        if missing:
            self._begin()
        self._client.expect(missing, works_ahead=works_ahead)

    def has(self, position: int, check: str) -> bool:
        """Return whether the verdict of ``check`` on the migration at ``position`` is kept."""
        if position not in self._kept:
            self._kept[position] = self._read(self._keys.verdicts[position], self._names[position])
        kept = self._kept[position]
        return kept is not None and check in kept.by_check

    @property
    def has_folder(self) -> bool:
        """Whether the verdict on the folder is kept."""
        return self._kept_folder() is not None

    def verdict(self, position: int, check: str) -> tuple[Verdict, str]:
        """Return the verdict of ``check`` on the migration at ``position``, and what it printed.

        Raises: as that of a ``JudgeClient``.
        """
        kept = self._kept.get(position) if self.has(position, check) else None
        if kept is not None:
            return kept.by_check[check], kept.printed
        self._begin()
        verdict, printed = self._client.verdict(position, check)
        self._found.setdefault(position, {})[check] = verdict
        self._printed[position] = printed
        return verdict, printed

    def folder_verdict(self) -> Verdict:
        """Return the verdict on the folder as a whole; raises as ``verdict`` does."""
        if (kept := self._kept_folder()) is not None:
            return kept
        self._folder_found = self._client.folder_verdict(self._begin())
        return self._folder_found

    def state(self, position: int) -> bytes:
        """Return the image of the database after the first ``position`` migrations.

        Raises: as ``verdict`` does.
        """
        self._begin()
        return self._client.state(position)

    def run(self, position: int, side: str, image: bytes) -> tuple[Ran, bytes]:
        """Run a side of the migration at ``position``, as a ``JudgeClient`` does."""
        self._begin()
        return self._client.run(position, side, image)

    def finish(self, *, is_over: bool) -> None:
        """Keep what was found; states only where the session ``is_over``, and not broken off."""
        if not (self._found or self._folder_found) or self._is_changed():
            return
        for position, found in self._found.items():
            key = self._keys.verdicts[position]
            is_passed = all(map(may_be_kept, found.values()))
            if key and is_passed and self._client.is_whole(position):
                self._keep(key, self._names[position], found, self._printed[position])
        folder, key = self._folder_found, self._keys.folder
        if folder is not None and may_be_kept(folder):
            if key:
                self._keep(key, self._folder_name, {CATALOGUE_CHECK: folder}, "")
            if is_over:
                self._keep_states()
        self._entries.prune()

    def close(self) -> None:
        """End the client's process."""
        self._client.close()

    def _is_changed(self) -> bool:
        """Return whether what the keys were made of may have been written to since then.

        Of the other files the judge has seen that they are what they were.
        """
        base = self._project.settings.base
        try:
            is_new = base is not None and base.stat().st_mtime_ns >= self._project.began
        except OSError:
            return True
        return is_new or source_of_ours() != self._keys.source

    def _begin(self) -> int:
        """Open the client when it is first needed: in the same way in all workers of a session.

        Return the number of the state that its chain begins with; up to there the folder is known
        to read.
        """
        if self._begins is None:
            resume = next(self._resumes(self._first), None)
            self._begins = resume.position if resume else 0
            self._client.start()
            self._client.open(replace(self._opening(), resume=resume))
        return self._begins

    def _resumes(self, position: int) -> Iterator[Resume]:
        """Yield the kept states up to ``position``, the last first."""
        for each in range(position, 0, -1):
            key = self._keys.states[each]
            if key and self._entries.read(STATE, key) is not None:
                yield Resume(self._entries.folder, key, each)

    def _keep_states(self) -> None:
        """Keep those states that the next run will most likely go on from, all of them made now.

        They lie the further apart the further they are from the last: what a change of any
        migration costs grows with how many come after it.
        """
        for position in states_to_keep(len(self._names)):
            key = self._keys.states[position]
            if not key or (STATE, key) in self._entries:
                continue
            try:
                content = self._client.kept_state(position)
            except (StateUnreachable, JudgeFailed):
                return
            if content and len(content) < LARGEST:
                self._entries.write(STATE, key, content)

    def _keep(self, key: str, subject: str, found: Mapping[str, Verdict], printed: str) -> None:
        """Keep verdicts under ``key``, beside those that are kept there of other checks."""
        before = self._read(key, subject)
        together = {**(before.by_check if before else {}), **found}
        content = encode_verdicts(KeptVerdicts(tuple(together.values()), printed))
        self._entries.write(kept_verdicts.KIND, key, content)

    def _kept_folder(self) -> Verdict | None:
        """Return the verdict on the folder that is kept, None for none."""
        if self._folder_found is not None:
            return None
        kept = self._read(self._keys.folder, self._folder_name)
        return kept.by_check.get(CATALOGUE_CHECK) if kept else None

    def _read(self, key: str | None, subject: str) -> KeptVerdicts | None:
        """Return the verdicts on ``subject`` that are kept under ``key``, None for none."""
        if key is None:
            return None
        return read_verdicts(self._entries.read(kept_verdicts.KIND, key), subject)

    def _has(self, kind: str, key: str | None) -> bool:
        return key is not None and (kind, key) in self._entries


def states_to_keep(count: int) -> list[int]:
    """Return the states that are kept of ``count`` migrations: the last, and ever fewer before."""
    distances = [0, *(1 << n for n in range(count.bit_length()))]
    return [count - each for each in distances if each < count]

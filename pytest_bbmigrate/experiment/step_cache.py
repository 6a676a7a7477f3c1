"""A step that waits for its evidence, with images as pages that are shared with its state's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.pages import join_pages, share_pages
from pytest_bbmigrate.experiment.run import UpResult, snapshot_of_state
from pytest_bbmigrate.sqlite_files import require_bytes

if TYPE_CHECKING:
    from pytest_bbmigrate.experiment.model import SeededState
    from pytest_bbmigrate.experiment.pages import Pages


@dataclass(frozen=True)
class CachedUpResult:
    """A ``step`` whose stages hold no images: ``after`` and ``empty`` have those that up left.

    ``after`` is None where up left the state as it was.
    """

    step: UpResult
    after: Pages | None
    empty: Pages | None

    def taken_up(self, state: SeededState) -> UpResult:
        """Return the step, whole again; ``state`` is the one that it goes up from."""
        before = snapshot_of_state(state)
        after = before
        if self.after is not None:
            after = replace(self.step.after, image=join_pages(self.after), known=before)
        empty = None if self.empty is None else join_pages(self.empty)
        return replace(self.step, before=before, after=after, empty=empty)


def keep_step(step: UpResult, state: SeededState) -> CachedUpResult:
    """Return ``step``, which goes up from ``state``, for keeping."""
    moved = step.after is not step.before
    after = share_pages(require_bytes(step.after.image), state.pages) if moved else None
    known = state.empty_pages or ()
    empty = None if step.empty is None else share_pages(require_bytes(step.empty), known)
    before = replace(step.before, image=b"")
    bare = replace(step.after, image=b"", known=None)
    return CachedUpResult(replace(step, before=before, after=bare, empty=None), after, empty)

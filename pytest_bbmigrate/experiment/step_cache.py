"""The result of up, kept until its evidence is gathered, in pages shared with its state's."""

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
    """A ``result`` whose snapshots hold no images, and the pages of the databases that up left.

    ``after`` is None where up changed nothing; ``empty`` where nothing is left of the empty state.
    """

    result: UpResult
    after: Pages | None
    empty: Pages | None

    def with_images(self, state: SeededState) -> UpResult:
        """Return the result with its images again; ``state`` is the one that up ran from."""
        before = snapshot_of_state(state)
        after = before
        if self.after is not None:
            after = replace(self.result.after, image=join_pages(self.after), earlier=before)
        empty = None if self.empty is None else join_pages(self.empty)
        return replace(self.result, before=before, after=after, empty=empty)


def cache_up_result(result: UpResult, state: SeededState) -> CachedUpResult:
    """Return ``result``, of up from ``state``, in the form that is kept."""
    changed = result.after is not result.before
    pages = share_pages(require_bytes(result.after.image), state.pages) if changed else None
    empty_pages = (
        None
        if result.empty is None
        else share_pages(require_bytes(result.empty), state.empty_pages or ())
    )
    before = replace(result.before, image=b"")
    after = replace(result.after, image=b"", earlier=None)
    stripped = replace(result, before=before, after=after, empty=None)
    return CachedUpResult(stripped, pages, empty_pages)

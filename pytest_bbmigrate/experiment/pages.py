"""Images that share what they have in common, so that a chain of states costs what it changes."""

from __future__ import annotations

from itertools import zip_longest

from pytest_bbmigrate.sqlite_files import page_size

Pages = tuple[bytes, ...]

PAGES_SHARED = 8  # pages that are shared, or not, as one


def share_pages(image: bytes, previous: Pages = ()) -> Pages:
    """Return ``image`` cut into runs of pages, taken from ``previous`` where that has the same."""
    if not image:
        return ()
    size = PAGES_SHARED * page_size(image)
    whole = [run if len(run) == size else None for run in previous]
    return tuple(
        known if known and image.startswith(known, start) else image[start : start + size]
        for start, known in zip_longest(range(0, len(image), size), whole)
        if start is not None
    )


def join_pages(pages: Pages) -> bytes:
    """Return the image that was cut."""
    return b"".join(pages)

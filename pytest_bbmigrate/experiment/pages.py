"""Images that share equal pages, so that a chain of states costs only what changes in it."""

from __future__ import annotations

from itertools import zip_longest

from pytest_bbmigrate.sqlite_files import page_size

Pages = tuple[bytes, ...]

PAGES_SHARED = 8  # pages in a run, which is shared as a whole or not at all


def share_pages(image: bytes, previous: Pages = ()) -> Pages:
    """Return ``image`` cut into runs of pages; equal ones in ``previous`` are used again."""
    if not image:
        return ()
    size = PAGES_SHARED * page_size(image)
    full_runs = [run if len(run) == size else None for run in previous]
    return tuple(
        run if run and image.startswith(run, start) else image[start : start + size]
        for start, run in zip_longest(range(0, len(image), size), full_runs)
        if start is not None
    )


def join_pages(pages: Pages) -> bytes:
    """Return the image that ``pages`` were cut from."""
    return b"".join(pages)

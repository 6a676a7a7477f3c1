"""Images that share equal pages, so that a chain of states costs only what changes in it."""

from __future__ import annotations

from collections import deque
from itertools import zip_longest

from pytest_bbmigrate.sqlite_files import page_size

Pages = tuple[bytes, ...]

PAGES_SHARED = 8  # pages in a run, which is shared as a whole or not at all
KEPT_JOINED = 4  # images that were joined last: a state is asked for its own again and again
MOST_BYTES_KEPT = 16 << 20  # of such an image

_joined: deque[tuple[Pages, bytes]] = deque(maxlen=KEPT_JOINED)


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
    for known, image in _joined:
        if known is pages:
            return image
    image = b"".join(pages)
    if len(image) <= MOST_BYTES_KEPT:
        _joined.append((pages, image))
    return image

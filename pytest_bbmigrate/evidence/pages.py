"""Images that share what they have in common, so that a chain of states costs what it changes."""

from __future__ import annotations

from pytest_bbmigrate.database import page_size

Pages = tuple[bytes, ...]


def share_pages(image: bytes, previous: Pages = ()) -> Pages:
    """Return ``image`` cut into pages, taken from ``previous`` where that has the same."""
    if not image:
        return ()
    size = page_size(image)
    pages = [image[start : start + size] for start in range(0, len(image), size)]
    for number, (page, known) in enumerate(zip(pages, previous, strict=False)):
        if page == known:
            pages[number] = known
    return tuple(pages)


def join_pages(pages: Pages) -> bytes:
    """Return the image that was cut."""
    return b"".join(pages)

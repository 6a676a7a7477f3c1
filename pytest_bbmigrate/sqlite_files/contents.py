"""A database's content, as bytes in memory or as a file that is closed: one way to work on both.

A content is a value: it is never changed. Who wants to write gets a private copy, and what that
becomes is a new content. A file stands for its content only while nobody writes it: it is closed,
and no journal or WAL lies beside it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import ExitStack, closing, contextmanager
from hashlib import blake2b
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.sqlite_files.images import (
    APP_HOOK,
    call_hook,
    closed_on_failure,
    image_file,
    lenient_schemas,
    open_image,
    page_size,
    prepare,
    same_content,
    serializes,
    take_image,
    uri_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

Content = bytes | Path

AT_ONCE = 1 << 20  # bytes read at a time; a multiple of every page size
PAGES_AT_ONCE = 32  # compared as one, before any is looked at alone
CACHE = 32 << 10  # KiB of pages that a connection to a file keeps
DIGEST_SIZE = 32
HEADER_SIZE = 100
SIDECARS = ("", "-journal", "-wal", "-shm")
NOBODY_WRITES = "mode=ro&immutable=1"  # https://sqlite.org/uri.html#uriimmutable


def in_memory(content: Content) -> bytes:
    """Return ``content``, which is one in memory.

    Raises: TypeError for a file.
    """
    if isinstance(content, bytes):
        return content
    raise TypeError(f"{content} is a file, and content in memory is wanted")


def open_content(content: Content) -> sqlite3.Connection:
    """Return a connection for reading ``content``, set up as ``open_image`` does it."""
    if isinstance(content, bytes):
        return open_image(content)
    return open_file(content, NOBODY_WRITES)


def open_contents(before: Content, after: Content) -> sqlite3.Connection:
    """Return a connection for reading, in which ``main`` is ``after``; ``before`` is attached."""
    db = open_content(after)
    with closed_on_failure(db):
        return attach_content(db, before)


def attach_content(
    db: sqlite3.Connection, content: Content, name: str = "before"
) -> sqlite3.Connection:
    """Return ``db`` (of ``open_content``) with ``content`` attached as ``name``, at most once."""
    if any(there == name for _, there, _ in db.execute("PRAGMA database_list")):
        return db
    with lenient_schemas(db), ExitStack() as stack:
        if not isinstance(content, bytes):
            db.execute(f"ATTACH ? AS {name}", [uri_of(content, NOBODY_WRITES)])
            db.execute(f"PRAGMA {name}.cache_size = -{CACHE}")
        elif content and not serializes():
            db.execute(f"ATTACH ? AS {name}", [stack.enter_context(image_file(content))])
        else:
            db.execute(f"ATTACH ':memory:' AS {name}")
            if content:
                db.deserialize(content, name=name)
        db.execute(f"SELECT 1 FROM {name}.sqlite_schema LIMIT 1").fetchall()
    return db


def open_private(
    content: Content, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Return a connection for writing to ``content``, which is a ``private_copy``.

    A file is in rollback-journal mode, and not synced while it is written.
    """
    if isinstance(content, bytes):
        return open_image(content, factory)
    db = open_file(content, "mode=rw", factory)
    with closed_on_failure(db):
        db.execute("PRAGMA synchronous = OFF")  # a copy that a crash damages is thrown away
        db.execute("PRAGMA journal_mode = DELETE")
        return db


def private_copy(content: Content, folder: Path | None, *, take: bool = False) -> Content:
    """Return a copy of ``content`` to write to; a file's is a new one in ``folder``, mode 0600.

    With ``take``, the file itself is moved there, for nobody needs it any more.

    Raises: OSError when it cannot be written.
    """
    if isinstance(content, bytes):
        return content
    number, name = tempfile.mkstemp(".db", dir=folder)
    os.close(number)
    copy = Path(name)
    if take:
        content.replace(copy)
        return copy
    try:
        copy_bytes(content, copy)
    except OSError:
        copy.unlink()
        raise
    return copy


def kept_content(db: sqlite3.Connection, copy: Content) -> Content:
    """Return what the ``private_copy`` became on ``db``, which is to be closed afterwards."""
    if isinstance(copy, bytes):
        return take_image(db)
    db.execute("PRAGMA journal_mode = DELETE")  # whatever the migration set
    return copy


def discard(content: Content) -> None:
    """Delete a private copy, and what SQLite has left beside it."""
    if isinstance(content, Path):
        for suffix in SIDECARS:
            content.with_name(content.name + suffix).unlink(missing_ok=True)


@contextmanager
def throwaway(content: Content) -> Iterator[sqlite3.Connection]:
    """Give a connection for writing to a copy of ``content`` that is gone afterwards."""
    folder = Path(tempfile.gettempdir()) if isinstance(content, Path) else None
    copy = private_copy(content, folder)
    try:
        with closing(open_private(copy)) as db:
            yield db
    finally:
        discard(copy)


def content_size(content: Content) -> int:
    """Return the size of ``content`` in bytes."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def content_header(content: Content) -> bytes:
    """Return the first 100 bytes of ``content``; fewer of an empty one."""
    if isinstance(content, bytes):
        return content[:HEADER_SIZE]
    with content.open("rb") as file:
        return file.read(HEADER_SIZE)


def equal_contents(one: Content, other: Content) -> bool:
    """Return whether two contents are equal to the byte."""
    if isinstance(one, bytes) or isinstance(other, bytes):
        return one == other
    return one == other or (
        content_size(one) == content_size(other)
        and all(mine == theirs for _, mine, theirs in side_by_side(one, other))
    )


def alike_contents(one: Content, other: Content) -> bool:
    """Return whether two contents differ in nothing but how often they were written, and by whom.

    See ``same_content``.
    """
    if isinstance(one, bytes) and isinstance(other, bytes):
        return one == other or same_content(one, other)
    if content_size(one) != content_size(other) or not content_size(one):
        return content_size(one) == content_size(other)
    return all(
        same_content(mine, theirs) if not start else mine == theirs
        for start, mine, theirs in side_by_side(one, other)
    )


def changed_pages(before: Content, after: Content) -> bytearray:
    """Return for each page of ``before``, by its number, whether it differs in ``after``: 0 or 1.

    The page size must be the same. The first page is given as the same: it holds the header, which
    always changes, and the root of the schema's own table. There is no page 0.
    """
    size = page_size(content_header(before))
    changed = bytearray(content_size(before) // size + 1)
    several = PAGES_AT_ONCE * size
    for start, mine, theirs in side_by_side(before, after):
        if mine == theirs:
            continue
        own = memoryview(mine)
        for run in range(0, len(own), several):
            if not theirs.startswith(own[run : run + several], run):
                for at in range(run, min(run + several, len(own)), size):
                    same = theirs.startswith(own[at : at + size], at)
                    changed[(start + at) // size + 1] = not same
    changed[1:2] = bytes(len(changed[1:2]))
    return changed


def side_by_side(one: Content, other: Content) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield two contents piece by piece: where it begins, and what each has there (b"" beyond).

    What is in memory as it is, is one piece.
    """
    if isinstance(one, bytes) or isinstance(other, bytes):
        yield 0, in_memory(one), in_memory(other)
        return
    pairs = zip_longest(pieces(one), pieces(other), fillvalue=b"")
    for number, (mine, theirs) in enumerate(pairs):
        yield number * AT_ONCE, mine, theirs


def pieces(path: Path) -> Iterator[bytes]:
    """Yield the content of the file ``path`` piece by piece."""
    with path.open("rb", buffering=0) as file:
        while piece := read_whole(file.fileno()):
            yield piece


def read_whole(descriptor: int) -> bytes:
    """Return the next AT_ONCE bytes, fewer only at the file's end."""
    piece = os.read(descriptor, AT_ONCE)
    while piece and len(piece) < AT_ONCE and (more := os.read(descriptor, AT_ONCE - len(piece))):
        piece += more
    return piece


def digest_of(path: Path) -> str:
    """Return the hash (BLAKE2b, hexadecimal) of the bytes of a file.

    Raises: OSError.
    """
    digest = blake2b(digest_size=DIGEST_SIZE)
    for piece in pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def open_file(
    path: Path, parameters: str, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Return a connection to ``path``, set up as ``open_image`` does it.

    Raises: SettingsError when the app's hook (``app_connections``) raises.
    """
    db = sqlite3.connect(uri_of(path, parameters), uri=True, isolation_level=None, factory=factory)
    with closed_on_failure(db):
        call_hook(APP_HOOK.get(), db)
        db.execute(f"PRAGMA cache_size = -{CACHE}")
        return prepare(db)


def copy_bytes(source: Path, target: Path) -> None:
    """Write the bytes of ``source`` into the file ``target``; in the kernel, where that can.

    Raises: OSError.
    """
    with source.open("rb") as old, target.open("wb") as new:
        left = source.stat().st_size
        try:
            while left > 0 and (done := os.copy_file_range(old.fileno(), new.fileno(), left)):
                left -= done
        except (AttributeError, OSError):
            left = 1  # no such call here, or not between these two file systems
    if left:
        shutil.copyfile(source, target)

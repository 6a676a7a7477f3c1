"""A database's content, as bytes in memory or as a file that is closed: one way to work on both.

A content is a value: it is never changed. Whoever wants to write gets a private copy, which becomes
a new content. A file counts as a content only while nobody writes it: it is closed, and no journal
or WAL lies beside it.
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
    HEADER_SIZE,
    call_hook,
    can_serialize,
    closed_on_failure,
    configure_connection,
    image_file,
    lenient_schemas,
    open_image,
    page_size,
    same_image,
    take_image,
    uri_of,
)
from pytest_bbmigrate.sqlite_files.sidecars import SIDECARS, beside

if TYPE_CHECKING:
    from collections.abc import Iterator

Content = bytes | Path

# Read at a time, few enough to stay in a core's cache; a multiple of every page size.
PIECE_BYTES = 1 << 18
PAGES_PER_RUN = 32  # compared at once; page by page only where such a run differs
FILE_CACHE_KIB = 32 << 10  # of pages that a connection to a file keeps
DIGEST_SIZE = 32
OWN_NAMES = frozenset({"main", "temp"})  # of databases that every connection has
IMMUTABLE = "mode=ro&immutable=1"  # https://sqlite.org/uri.html#uriimmutable


def require_bytes(content: Content) -> bytes:
    """Return ``content`` as the bytes that it is.

    Raises: TypeError when it is a file.
    """
    if isinstance(content, bytes):
        return content
    raise TypeError(f"{content} is a file, and content in memory is wanted")


def open_content(content: Content) -> sqlite3.Connection:
    """Return a connection for reading ``content``, set up as ``open_image`` does it."""
    if isinstance(content, bytes):
        return open_image(content)
    return open_file(content, IMMUTABLE)


@contextmanager
def read_content(
    content: Content, there: sqlite3.Connection | None = None
) -> Iterator[sqlite3.Connection]:
    """Yield a connection for reading ``content``: the one that is ``there``, else a new one.

    Only the new one is closed. What was attached to the other is detached again.
    """
    if there is None:
        with closing(open_content(content)) as db:
            yield db
        return
    try:
        yield there
    finally:
        for _, name, _ in there.execute("PRAGMA database_list").fetchall():
            if name not in OWN_NAMES:
                there.execute(f"DETACH {name}")


def open_contents(before: Content, after: Content) -> sqlite3.Connection:
    """Return a connection for reading ``after`` as ``main``, and ``before`` as ``before``."""
    db = open_content(after)
    with closed_on_failure(db):
        return attach_content(db, before)


def attach_content(
    db: sqlite3.Connection, content: Content, name: str = "before"
) -> sqlite3.Connection:
    """Return ``db`` (of ``open_content``) with ``content`` attached as ``name``, at most once."""
    if any(attached == name for _, attached, _ in db.execute("PRAGMA database_list")):
        return db
    with lenient_schemas(db), ExitStack() as stack:
        if not isinstance(content, bytes):
            db.execute(f"ATTACH ? AS {name}", [uri_of(content, IMMUTABLE)])
            db.execute(f"PRAGMA {name}.cache_size = -{FILE_CACHE_KIB}")
        elif content and not can_serialize():
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


def private_copy(content: Content, folder: Path | None, *, move: bool = False) -> Content:
    """Return a copy of ``content`` to write to; of a file, a new file in ``folder``, mode 0600.

    With ``move`` a file is moved there instead, for callers that no longer need it.

    Raises: OSError when it cannot be written.
    """
    if isinstance(content, bytes):
        return content
    number, name = tempfile.mkstemp(".db", dir=folder)
    os.close(number)
    copy = Path(name)
    if move:
        content.replace(copy)
        return copy
    try:
        copy_bytes(content, copy)
    except OSError:
        copy.unlink()
        raise
    return copy


def written_content(db: sqlite3.Connection, copy: Content) -> Content:
    """Return the content of the ``private_copy`` that ``db`` has written; then close ``db``."""
    if isinstance(copy, bytes):
        return take_image(db)
    db.execute("PRAGMA journal_mode = DELETE")  # whatever mode the migration set
    return copy


def discard(content: Content) -> None:
    """Delete a private copy, and what SQLite has left beside it; nothing for one in memory."""
    if isinstance(content, Path):
        for suffix in ("", *SIDECARS):
            beside(content, suffix).unlink(missing_ok=True)


@contextmanager
def temporary_copy(content: Content) -> Iterator[sqlite3.Connection]:
    """Yield a connection for writing to a copy of ``content`` that is deleted afterwards."""
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
        and all(piece == other_piece for _, piece, other_piece in side_by_side(one, other))
    )


def same_content(one: Content, other: Content) -> bool:
    """Return whether two contents are equal, except for counters of writes; see ``same_image``."""
    if isinstance(one, bytes) and isinstance(other, bytes):
        return one == other or same_image(one, other)
    if content_size(one) != content_size(other) or not content_size(one):
        return content_size(one) == content_size(other)
    return all(
        same_image(piece, other_piece) if not start else piece == other_piece
        for start, piece, other_piece in side_by_side(one, other)
    )


def changed_pages(before: Content, after: Content) -> bytearray:
    """Return for each page of ``before`` 1 if it differs in ``after``, else 0; by page number.

    The page size must be the same. There is no page 0. Page 1 counts as the same: it holds the
    header, which always changes, and the root of the schema's own table.
    """
    size = page_size(content_header(before))
    changed = bytearray(content_size(before) // size + 1)
    run_bytes = PAGES_PER_RUN * size
    for start, piece, piece_after in side_by_side(before, after):
        if piece == piece_after:
            continue
        view = memoryview(piece)  # a slice of it copies nothing
        for run in range(0, len(view), run_bytes):
            if piece_after.startswith(view[run : run + run_bytes], run):
                continue
            for offset in range(run, min(run + run_bytes, len(view)), size):
                same = piece_after.startswith(view[offset : offset + size], offset)
                changed[(start + offset) // size + 1] = not same
    changed[1:2] = bytes(len(changed[1:2]))
    return changed


def side_by_side(one: Content, other: Content) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield two contents piece by piece, as (offset, piece of one, piece of the other).

    A piece is b"" behind the end of its content. Contents in memory are one piece.
    """
    if isinstance(one, bytes) or isinstance(other, bytes):
        yield 0, require_bytes(one), require_bytes(other)
        return
    pairs = zip_longest(read_pieces(one), read_pieces(other), fillvalue=b"")
    for number, (piece, other_piece) in enumerate(pairs):
        yield number * PIECE_BYTES, piece, other_piece


def read_pieces(path: Path) -> Iterator[bytes]:
    """Yield the content of the file ``path`` piece by piece."""
    with path.open("rb", buffering=0) as file:
        while piece := read_piece(file.fileno()):
            yield piece


def read_piece(descriptor: int) -> bytes:
    """Return the next AT_ONCE bytes, fewer only at the file's end."""
    piece = os.read(descriptor, PIECE_BYTES)
    while (
        piece
        and len(piece) < PIECE_BYTES
        and (more := os.read(descriptor, PIECE_BYTES - len(piece)))
    ):
        piece += more
    return piece


def digest_of(path: Path) -> str:
    """Return the hash (BLAKE2b, hexadecimal) of the bytes of a file.

    Raises: OSError.
    """
    digest = blake2b(digest_size=DIGEST_SIZE)
    for piece in read_pieces(path):
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
        db.execute(f"PRAGMA cache_size = -{FILE_CACHE_KIB}")
        return configure_connection(db)


def copy_bytes(source: Path, target: Path) -> None:
    """Write the bytes of ``source`` into the file ``target``; inside the kernel if it can copy.

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

"""Open and copy SQLite databases as images.

A database in a check lives in memory. It is passed around as an *image*: the bytes of the file that
it would be. Images are values: they can be kept, compared and opened as often as wanted.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, contextmanager
from contextvars import ContextVar
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import DatabaseError, SettingsError
from pytest_bbmigrate.private import muted, safe_exception, safe_message

if TYPE_CHECKING:
    from collections.abc import Iterator

Hook = Callable[[sqlite3.Connection], object]

HEADER_STRING = b"SQLite format 3\x00"
HEADER_SIZE = 100  # bytes: https://sqlite.org/fileformat2.html#the_database_header
LARGEST_KEPT_BYTES = 31 << 20  # bytes; glibc maps every block of 32 MiB or more by itself
LOCK_SECONDS = 5.0  # to wait for another program to end its transaction
# Of TEXT makes a str, in which bytes that are not UTF-8 are lone surrogates. It is called for each
# value, which a function in Python would make slow.
decode_text: Callable[[bytes], str] = methodcaller("decode", "utf-8", "surrogateescape")
APP_HOOK: ContextVar[Hook | None] = ContextVar("APP_HOOK", default=None)


def open_image(
    image: bytes, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Return a connection (autocommit, foreign keys off) to a private copy of ``image``.

    An empty ``image`` is an empty database. Text that is not UTF-8 is read with surrogate escapes,
    so that every value can be compared.

    Raises: SettingsError when the app's hook (``app_connections``) raises.
    """
    db = sqlite3.connect(
        ":memory:",
        isolation_level=None,
        factory=factory,
        uri=not can_serialize(),  # else images are attached as files, by URI
    )
    with closed_on_failure(db):
        if image:
            load_image(db, image)
        call_hook(APP_HOOK.get(), db)
        return configure_connection(db)


@contextmanager
def closed_on_failure(db: sqlite3.Connection) -> Iterator[None]:
    """Close ``db`` if the block raises, because the caller then never gets it to close.

    It is closed by the method of sqlite3 itself, since that of a ``factory`` may do nothing. From
    3.13 on Python warns of a connection that was not closed, and warnings may be errors.
    """
    try:
        yield
    except BaseException:
        sqlite3.Connection.close(db)
        raise


def can_serialize() -> bool:
    """Return whether SQLite is built with ``serialize`` and ``deserialize``.

    They may be left out (https://sqlite.org/compile.html#omit_deserialize); then a temporary file
    takes their place.
    """
    return hasattr(sqlite3.Connection, "deserialize")


def load_image(db: sqlite3.Connection, image: bytes) -> None:
    """Replace the content of ``db``, a database in memory, by ``image``."""
    if can_serialize():
        db.deserialize(image)
        return
    with image_file(image) as uri, closing(sqlite3.connect(uri, uri=True)) as source:
        source.backup(db)


def refuse_open_transaction(status: int, _: int, __: int) -> None:
    """Raise sqlite3.OperationalError where ``backup()`` would wait for a transaction to end."""
    if status not in (sqlite3.SQLITE_OK, sqlite3.SQLITE_DONE):
        raise sqlite3.OperationalError("no image can be taken while a transaction is open")


@contextmanager
def image_file(image: bytes) -> Iterator[str]:
    """Yield the URI of a temporary file with the content of ``image``, for reading.

    The file is removed when the block ends; what has it open can still read it.
    """
    with tempfile.TemporaryDirectory(prefix="bbmigrate-") as folder:
        file = Path(folder) / "image.db"
        file.write_bytes(image)
        yield uri_of(file, "mode=ro&immutable=1")


@contextmanager
def app_connections(hook: Hook | None) -> Iterator[None]:
    """Have ``hook`` called with every connection that is opened while the block runs.

    A CHECK, a view or an index may call functions that only the app registers; without them its
    tables can be neither filled nor read. Every connection needs the hook, which is why it is set
    here and not passed from function to function.
    """
    token = APP_HOOK.set(hook)
    try:
        yield
    finally:
        APP_HOOK.reset(token)


def call_hook(hook: Hook | None, db: sqlite3.Connection) -> None:
    """Call the app's hook, if there is one, with ``db``.

    Raises: SettingsError when the hook raises anything.
    """
    if hook is None:
        return
    try:
        with muted():
            hook(db)
    except SettingsError:
        raise
    except Exception as error:
        name = getattr(hook, "__name__", repr(hook))
        raise SettingsError(
            f"bb_connection: {name}() raised {safe_exception(error)}; it is called with "
            "every connection, and must be able to prepare each"
        ) from error


@contextmanager
def lenient_schemas(db: sqlite3.Connection) -> Iterator[None]:
    """Let SQLite skip what it cannot read in schemas that are first read in the block.

    A view or trigger may say ``main.t``, which is an error in a database attached under another
    name, and one error makes the whole schema unreadable. With ``writable_schema`` SQLite reads the
    rest of it (https://sqlite.org/pragma.html#pragma_writable_schema).
    """
    db.execute("PRAGMA writable_schema = ON")
    try:
        yield
    finally:
        db.execute("PRAGMA writable_schema = OFF")


def keep_freed_memory() -> None:
    """Let the memory of one image be reused for the next, where the C library is glibc.

    glibc returns a freed block to the system if it is larger than every block freed before, and
    the images of a chain are each a little larger than the last. So the largest block is freed
    first (https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD).
    """
    bytes(LARGEST_KEPT_BYTES)  # allocated, and freed at once


def take_image(db: sqlite3.Connection) -> bytes:
    """Return the content of ``db`` as an image; b"" for a database with nothing in it."""
    if not db.execute("PRAGMA page_count").fetchone()[0]:
        return b""  # serialize() refuses a database without a page
    if can_serialize():
        return marked_rollback_mode(db.serialize())
    with tempfile.TemporaryDirectory(prefix="bbmigrate-") as folder:
        file = Path(folder) / "image.db"
        with closing(sqlite3.connect(file, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = OFF")
            copy.execute("PRAGMA synchronous = OFF")
            sqlite3.Connection.backup(
                db, copy, progress=refuse_open_transaction
            )  # which a subclass may not
        return marked_rollback_mode(file.read_bytes())


def read_image(path: Path) -> bytes:
    """Return the content of the database file ``path`` as an image, WAL content included.

    The file is opened read-only, and nothing is created beside it.

    Raises: DatabaseError when it is missing, is not SQLite, or cannot be read.
    """
    if not path.is_file():
        exists = path.exists()
        raise DatabaseError(path, "not a database file" if exists else "no such database file")
    try:
        closed = closed_wal_file(path)
        image = copy_file(path, "mode=ro&immutable=1" if closed else "mode=ro")
        is_unchanged = not closed or closed == closed_wal_file(path)
    except (OSError, sqlite3.Error) as error:
        why = f"cannot be read as an SQLite database ({safe_message(error)})"
        raise DatabaseError(path, why) from error
    # Without locks, what was read is torn if somebody wrote meanwhile.
    return image if is_unchanged else read_image(path)


def copy_file(path: Path, parameters: str) -> bytes:
    """Return an image of the file ``path``, opened with those URI parameters.

    The read lock is taken first; that gives up when another program keeps writing, while backup()
    alone would retry for ever.
    """
    source = sqlite3.connect(
        uri_of(path, parameters),
        uri=True,
        isolation_level=None,
        timeout=LOCK_SECONDS,
    )
    with closing(source), closing(sqlite3.connect(":memory:")) as copy:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(copy)
        return take_image(copy)


def closed_wal_file(path: Path) -> tuple[int, int] | None:
    """Return the size and time of a file in WAL mode without a WAL; None for any other file.

    Nobody has such a file open. Reading it in the ordinary way makes a WAL and leaves it there,
    because a reader may not remove it (https://sqlite.org/wal.html#read_only_databases).
    """
    with path.open("rb") as file:
        if file.read(20)[18:] != b"\x02\x02" or path.with_name(f"{path.name}-wal").exists():
            return None
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def marked_rollback_mode(image: bytes) -> bytes:
    """Return ``image`` marked as not in WAL mode, in which no image in memory can be opened.

    Bytes 18 and 19 of the header are the write and read version, 2 for WAL
    (https://sqlite.org/fileformat2.html#file_format_version_numbers).
    """
    if image[18:20] != b"\x02\x02":
        return image
    return image[:18] + b"\x01\x01" + image[20:]


def configure_connection(db: sqlite3.Connection) -> sqlite3.Connection:
    """Return ``db`` set up as every connection of ours: exact text, no foreign key actions.

    Defaults that SQLite was built with do not count: with Apple's, RENAME leaves references to a
    table as they are (https://sqlite.org/pragma.html#pragma_legacy_alter_table).
    """
    db.text_factory = decode_text
    db.row_factory = None
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("PRAGMA legacy_alter_table = OFF")
    return db


def same_image(one: bytes, other: bytes) -> bool:
    """Return whether two images are equal, except for counters of writes.

    These are in the header at bytes 24, 40 and 92: the change counter, the schema cookie, and the
    version-valid-for number with the SQLite version (https://sqlite.org/fileformat2.html, 1.3).
    """
    return (
        len(one) == len(other)
        and all(one[start:end] == other[start:end] for start, end in ((0, 24), (28, 40), (44, 92)))
        and one.startswith(memoryview(other)[100:], 100)
    )


def uri_of(path: Path, parameters: str) -> str:
    """Return the URI by which SQLite opens ``path``."""
    return f"{path.absolute().as_uri()}?{parameters}"


def size_in_header(header: bytes) -> int:
    """Return the size in bytes of a database, as its ``header`` says.

    Bytes 28 to 31 are the number of pages (https://sqlite.org/fileformat2.html, 1.3.8).
    """
    return page_size(header) * int.from_bytes(header[28:32], "big")


def page_size(image: bytes) -> int:
    """Return the page size of ``image`` in bytes (https://sqlite.org/fileformat2.html#page_size)."""
    size = int.from_bytes(image[16:18], "big")
    return 65536 if size == 1 else size

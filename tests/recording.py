"""What a process does to the files of a folder, recorded, and the disks that a power cut leaves.

A small C library, compiled when it is needed and loaded by LD_PRELOAD, writes down each write,
truncation, sync, removal and renaming. From these come the states that the disk may be in when the
power goes at any moment: what was synced is there, and of all else any part may be there, in pieces
of a sector, in any order. What a file grew by may hold anything where it was not written.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

SOURCE = Path(__file__).with_name("recorder.c")
HEAD = struct.Struct("<ciiQQ")
SECTOR = 512  # bytes that a disk writes whole
MOST_PIECES = 7  # of which every choice is made; of more, samples

Disk = Mapping[str, bytes]  # what is in each file


@dataclass(frozen=True)
class Done:
    """One thing that was done; ``kind`` is the letter of ``recorder.c``, or M for a mark.

    O open, C close, W write, T truncate, S sync, U unlink, R rename.
    """

    kind: str
    process: int
    file: int
    at: int
    text: bytes


@dataclass(frozen=True)
class Recording:
    """The files of a folder when it began, what was done since, and the files at its end."""

    folder: Path
    before: Disk
    done: tuple[Done, ...]
    after: Disk


def why_not() -> str:
    """Return why nothing can be recorded here, '' where it can be."""
    if not sys.platform.startswith("linux"):
        return "recording needs LD_PRELOAD, which Linux has"
    return "" if shutil.which("gcc") else "recording needs gcc, which is not here"


class Recorder:
    """Records what processes that are started within ``recording`` do in ``folder``."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.folder, self.log = folder, place / "recorded"
        self.library = place / "recorder.so"
        command = ["gcc", "-shared", "-fPIC", "-O1", "-o", str(self.library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        self.before = read_disk(folder)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what processes that are started in the block do."""
        names = {"LOG": self.log, "FOLDER": self.folder}
        set_up = {f"RECORDER_{name}": str(path) for name, path in names.items()}
        with patch.dict(os.environ, {**set_up, "LD_PRELOAD": str(self.library)}):
            yield

    def mark(self, text: str) -> None:
        """Note that ``text`` is so from here on."""
        with self.log.open("ab") as log:
            log.write(HEAD.pack(b"M", 0, -1, 0, len(text)) + text.encode())

    def result(self) -> Recording:
        """Return what was recorded."""
        record, done = self.log.read_bytes(), []
        at = 0
        while at < len(record):
            kind, process, file, where, length = HEAD.unpack_from(record, at)
            at += HEAD.size + length
            done.append(Done(kind.decode(), process, file, where, record[at - length : at]))
        return Recording(self.folder, self.before, tuple(done), read_disk(self.folder))


def read_disk(folder: Path) -> dict[str, bytes]:
    """Return what is in each file of ``folder``."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def write_disk(disk: Disk, folder: Path) -> None:
    """Make ``folder`` and the files in it."""
    folder.mkdir()
    for name, content in disk.items():
        (folder / name).write_bytes(content)


@dataclass(frozen=True)
class Piece:
    """What may be on the disk or not: a part of a write, a truncation, or a change of a name."""

    kind: str  # W, T or N
    at: int = 0
    text: bytes = b""
    name: str = ""  # that leads to ``inode`` now
    gone: str = ""  # the name that leads nowhere
    inode: Inode | None = None
    write: int = 0  # pieces of one write have the same number


@dataclass(eq=False)
class Inode:
    """A file: what of it is on the disk for certain, and what else was done to it."""

    number: int
    synced: bytes = b""
    since: list[Piece] = field(default_factory=list)

    def content(self, pieces: list[Piece], filling: bytes = b"\0") -> bytes:
        """Return what it holds when just these pieces are on the disk, in this order."""
        content = bytearray(self.synced)
        for piece in pieces:
            if piece.kind == "T":
                del content[piece.at :]
            size = piece.at + len(piece.text)
            content += filling * (size - len(content))
            content[piece.at : size] = piece.text
        return bytes(content)


class Machine:
    """The files of one folder, and what of them is on the disk, as recorded things are done."""

    def __init__(self, recording: Recording) -> None:
        self.folder = recording.folder
        self.inodes: list[Inode] = []
        self.synced = {name: self.inode(content) for name, content in recording.before.items()}
        self.names = dict(self.synced)
        self.since: list[Piece] = []  # done to names
        self.open: dict[tuple[int, int], Inode | None] = {}  # None is the folder
        self.writes = 0

    def inode(self, content: bytes = b"") -> Inode:
        self.inodes.append(Inode(len(self.inodes), content))
        return self.inodes[-1]

    def do(self, done: Done) -> bool:
        """Do what was recorded; return whether the disk may have changed by that."""
        opened = (done.process, done.file)
        match done.kind:
            case "O":
                return self.open_file(opened, Path(os.fsdecode(done.text)), truncates=bool(done.at))
            case "C":
                del self.open[opened]
            case "W" | "T" if (inode := self.open[opened]) is not None:
                self.writes += 1
                inode.since += pieces_of(done, self.writes)
                return True
            case "S":
                self.sync(self.open[opened])
                return True
            case "U" | "R":
                *old, new = (Path(os.fsdecode(path)).name for path in done.text.split(b"\n"))
                self.rename(old[0], new) if old else self.rename(new, "")
                return True
        return False

    def open_file(self, opened: tuple[int, int], path: Path, *, truncates: bool) -> bool:
        """Open or make a file; return whether it was changed by that."""
        if path == self.folder:
            self.open[opened] = None
            return False
        is_new = path.name not in self.names
        if is_new:
            inode = self.names[path.name] = self.inode()
            self.since.append(Piece("N", name=path.name, inode=inode))
        inode = self.open[opened] = self.names[path.name]
        if truncates:
            inode.since.append(Piece("T"))
        return is_new or truncates

    def rename(self, old: str, new: str) -> None:
        """Have ``new`` lead to what ``old`` led to; '' is for nowhere."""
        inode = self.names.pop(old)
        if new:
            self.names[new] = inode
        self.since.append(Piece("N", name=new, gone=old, inode=inode))

    def sync(self, inode: Inode | None) -> None:
        """Have on the disk what a file holds, or the names."""
        if inode is None:
            self.synced, self.since = dict(self.names), []
        else:
            inode.synced, inode.since = inode.content(inode.since), []

    def pieces(self) -> Pieces:
        """Return what is not on the disk for certain, each with its file; None is for names."""
        reachable = [*self.synced.values(), *self.names.values()]
        reachable += [piece.inode for piece in self.since if piece.inode]
        numbers = sorted({inode.number for inode in reachable})
        found: Pieces = [(None, piece) for piece in self.since]
        for number in numbers:
            inode = self.inodes[number]
            found += [(inode, piece) for piece in inode.since]
        return found

    def disk(self, kept: Pieces, filling: bytes = b"\0") -> Disk:
        """Return the disk when just those pieces are on it, in this order."""
        names = dict(self.synced)
        of: dict[int, list[Piece]] = defaultdict(list)
        for inode, piece in kept:
            if inode is not None:
                of[inode.number].append(piece)
                continue
            if piece.gone:
                names.pop(piece.gone, None)
            if piece.name and piece.inode is not None:
                names[piece.name] = piece.inode
        return {name: inode.content(of[inode.number], filling) for name, inode in names.items()}


Pieces = list[tuple[Inode | None, Piece]]


def pieces_of(done: Done, write: int) -> list[Piece]:
    """Return a write in its sectors, or a truncation."""
    if done.kind == "T":
        return [Piece("T", done.at, write=write)]
    cuts = range((done.at // SECTOR + 1) * SECTOR, done.at + len(done.text), SECTOR)
    bounds = [done.at, *cuts, done.at + len(done.text)]
    return [
        Piece("W", at, done.text[at - done.at : end - done.at], write=write)
        for at, end in pairwise(bounds)
    ]


def power_cuts(machine: Machine, chance: random.Random, samples: int) -> Iterator[Disk]:
    """Yield what the disk may be now: each of all, where pieces are few, else some of them."""
    pieces = machine.pieces()
    if len(pieces) <= MOST_PIECES:
        for choice in product((True, False), repeat=len(pieces)):
            yield machine.disk([p for p, kept in zip(pieces, choice, strict=True) if kept])
        return
    yield machine.disk([])
    yield machine.disk(pieces)
    for number in range(samples):
        kept = WAYS[number % len(WAYS)](pieces, chance)
        if number % 2:
            chance.shuffle(kept)
        yield machine.disk(kept, bytes([chance.randrange(256)]))


def some_lost(pieces: Pieces, chance: random.Random) -> Pieces:
    """Return all but a few."""
    lost = set(chance.sample(range(len(pieces)), chance.randint(1, 3)))
    return [piece for number, piece in enumerate(pieces) if number not in lost]


def some_kept(pieces: Pieces, chance: random.Random) -> Pieces:
    """Return some at random."""
    part = chance.random()
    return [piece for piece in pieces if chance.random() < part]


def up_to(pieces: Pieces, chance: random.Random) -> Pieces:
    """Return those before a random one."""
    return pieces[: chance.randint(1, len(pieces))]


def writes_lost(pieces: Pieces, chance: random.Random) -> Pieces:
    """Return all but a few whole writes."""
    writes = sorted({piece.write for _, piece in pieces})
    lost = set(chance.sample(writes, min(len(writes), chance.randint(1, 3))))
    return [(inode, piece) for inode, piece in pieces if piece.write not in lost]


WAYS = (some_lost, some_kept, up_to, writes_lost)

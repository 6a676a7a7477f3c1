"""Where database files are to lie: whether there is room, and whether locks can be relied on."""

from __future__ import annotations

import os
import shutil
import unicodedata
from pathlib import Path

from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files.sidecars import WAL, beside

WORKING_COPIES = 3  # the one that is published, one to go back and forth, one for a smoke test
GROWTH = 1.1  # what migrations may add
LEAST_SLACK = 16 * 1024 * 1024  # bytes
# What each place is to hold: how often the size of the database, and in words.
USES = {
    "backup": (1, "the backup"),
    "work": (WORKING_COPIES, f"{WORKING_COPIES} working copies"),
    "journal": (1, "SQLite's journal while it publishes"),
}
# File systems whose locks do not reach every program that has the file (howtocorrupt.html, 2.1).
NETWORK = {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "afpfs", "ncpfs", "coda"}
NETWORK |= {"webdav", "davfs", "davfs2", "ceph", "lustre", "gpfs", "beegfs"}
# Those by which a virtual machine or a container has folders of its host.
NETWORK |= {"9p", "virtiofs", "osxfs", "fakeowner", "drvfs", "vboxsf", "prl_fs", "vmhgfs"}
# A program stands behind these, and keeps its own rules: sshfs, rclone, LiteFS, gRPC FUSE.
NETWORK |= {"fuse", "macfuse", "osxfuse", "litefs"}


def disk_space_faults(database: Path, backup_folder: Path, work_folder: Path) -> tuple[str, ...]:
    """Return, a line for each file system that is too small, what does not fit; () when all does.

    Needed are, of the database's size with its WAL: the backup and, while the two are compared, a
    second one; then the backup, three working copies, and the journal of the publish. What lies on
    one file system adds up, and some slack comes to it. Folders need not be there yet.
    """
    real = Path(os.path.realpath(database))
    parts = (real, beside(real, WAL))
    size = sum(path.stat().st_size for path in parts if path.exists())
    folders = {"backup": backup_folder, "work": work_folder, "journal": real.parent}
    places = {use: _existing(folder) for use, folder in folders.items()}
    complaints = []
    for device in dict.fromkeys(place.stat().st_dev for place in places.values()):
        uses = [use for use, place in places.items() if place.stat().st_dev == device]
        times = sum(USES[use][0] for use in uses)
        times = max(times, 2) if "backup" in uses else times  # while it is compared
        needed = round(times * size * GROWTH) + LEAST_SLACK
        free = shutil.disk_usage(places[uses[0]]).free
        if needed > free:
            what = ", ".join(USES[use][1] for use in uses)
            complaints.append(
                f"{places[uses[0]]}: {in_megabytes(needed)} are needed for {what}, and "
                f"{in_megabytes(free)} are free; make room, or choose another folder"
            )
    return tuple(complaints)


def _existing(folder: Path) -> Path:
    """Return ``folder``, or the nearest one above it that is there."""
    folder = Path(os.path.realpath(folder))
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def as_spelled(path: Path) -> Path:
    """Return ``path`` with the file's name as its folder has it.

    A volume may pass over the case of letters, and over how accents are composed, as macOS's do:
    then one database has many names, and its backups are to have one.
    """
    try:
        names = os.listdir(path.parent)  # noqa: PTH208 - names alone
        if path.name in names:
            return path
        there = os.lstat(path)
    except OSError:
        return path
    for name in names:
        other = path.with_name(name)
        if _folded(name) == _folded(path.name) and os.path.samestat(there, os.lstat(other)):
            return other
    return path


def _folded(name: str) -> str:
    return fold_name(unicodedata.normalize("NFC", name))


def file_system_fault(path: Path) -> str:
    """Return why SQLite's locks on ``path`` cannot be trusted; '' when they can.

    On a network or cloud file system another machine's program may write at the same time, and on
    a folder that a virtual machine or a container is given, one of its host.
    """
    kind = file_system_of(path)
    if kind.partition(".")[0] not in NETWORK:
        return ""
    return (
        f"it is on a file system of type {kind}, whose locks do not keep programs on other "
        "machines, or on the host of this one, out; run this where the disk is, or on a copy on a "
        "disk of this machine"
    )


def file_system_of(path: Path) -> str:
    """Return the type of the file system that ``path`` is on, as mount shows it; '' if unknown."""
    import psutil  # not there in the process that holds the lock, which is isolated

    real = Path(os.path.realpath(path))
    kinds = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    return next((kinds[folder] for folder in (real, *real.parents) if folder in kinds), "").lower()


def in_megabytes(size: int) -> str:
    """Return a size in bytes in wordsrounded up, such as '210 MB'."""
    return f"{-(-size // 1_000_000)} MB"

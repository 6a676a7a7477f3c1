"""Whether a place suits a database: whether it has enough room, and locks that can be trusted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pytest_bbmigrate.sqlite_files.sidecars import WAL, beside

WORKING_COPIES = 3  # one to publish, one to run up and down, one for a smoke test
GROWTH = 1.1  # what migrations may add
LEAST_SLACK = 16 * 1024 * 1024  # bytes
# For each use of a folder: how many times the size of the database it needs, and what for.
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
    """Return a sentence for each file system that is too small; () when everything fits.

    Needed is, in multiples of the size of the database with its WAL: 1 for the backup, and a second
    while the two are compared; then 1 for the backup, 3 for working copies and 1 for the journal of
    the publish. What lies on one file system is added up, with some slack. The folders need not
    exist yet.
    """
    real = Path(os.path.realpath(database))
    parts = (real, beside(real, WAL))
    size = sum(path.stat().st_size for path in parts if path.exists())
    folders = {"backup": backup_folder, "work": work_folder, "journal": real.parent}
    existing = {use: _nearest_existing(folder) for use, folder in folders.items()}
    faults = []
    for device in dict.fromkeys(folder.stat().st_dev for folder in existing.values()):
        uses = [use for use, folder in existing.items() if folder.stat().st_dev == device]
        times = sum(USES[use][0] for use in uses)
        times = max(times, 2) if "backup" in uses else times  # while it is compared
        needed = round(times * size * GROWTH) + LEAST_SLACK
        free = shutil.disk_usage(existing[uses[0]]).free
        if needed > free:
            purpose = ", ".join(USES[use][1] for use in uses)
            faults.append(
                f"{existing[uses[0]]}: {in_megabytes(needed)} are needed for {purpose}, and "
                f"{in_megabytes(free)} are free; make room, or choose another folder"
            )
    return tuple(faults)


def _nearest_existing(folder: Path) -> Path:
    """Return ``folder``, or the nearest folder above it that exists."""
    folder = Path(os.path.realpath(folder))
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def file_system_fault(path: Path) -> str:
    """Return why SQLite's locks on ``path`` cannot be trusted; '' when they can.

    On a network or cloud file system a program on another machine may write at the same time; in a
    folder that a virtual machine or container shares with its host, a program of the host.
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
    """Return the type of the file system of ``path``, as ``mount`` shows it; '' if unknown."""
    import psutil  # not at the top: the lock process, which is isolated, has no such module

    real = Path(os.path.realpath(path))
    kinds = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    return next((kinds[folder] for folder in (real, *real.parents) if folder in kinds), "").lower()


def in_megabytes(size: int) -> str:
    """Return a size in bytes as text, rounded up, such as '210 MB'."""
    return f"{-(-size // 1_000_000)} MB"

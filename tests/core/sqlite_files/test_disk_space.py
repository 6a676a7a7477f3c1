"""Room on disk, and file systems whose locks cannot be relied on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_bbmigrate.sqlite_files import disk_space
from pytest_bbmigrate.sqlite_files.disk_space import (
    disk_space_faults,
    file_system_fault,
    file_system_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Disks = dict[str, tuple[int, int]]  # folder: number of its file system, megabytes free


@pytest.fixture
def on_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Disks], Path]:
    """Return what puts folders on file systems of their own; 100 MB of database are in ``db``."""

    def lay_out(disks: Disks) -> Path:
        stat = Path.stat

        def stat_of(path: Path, **options: bool) -> os.stat_result:
            status = list(stat(path, **options))
            if path.name in disks:
                status[2] = disks[path.name][0]
            return os.stat_result(status)

        for name in disks:
            (tmp_path / name).mkdir()
        database = tmp_path / "db" / "real.db"
        database.touch()
        os.truncate(database, 90_000_000)
        database.with_name("real.db-wal").touch()
        os.truncate(database.with_name("real.db-wal"), 10_000_000)
        monkeypatch.setattr(Path, "stat", stat_of)
        monkeypatch.setattr(
            shutil,
            "disk_usage",
            lambda path: SimpleNamespace(free=disks[Path(path).name][1] * 1_000_000),
        )
        return database

    return lay_out


ALL = "the backup, 3 working copies, SQLite's journal while it publishes"
TWO = "the backup, SQLite's journal while it publishes"
WAY_OUT = "make room, or choose another folder"


@pytest.mark.parametrize(
    ("db", "backup", "work", "complaints"),
    [
        ((1, 567), (1, 567), (1, 567), []),
        ((1, 566), (1, 566), (1, 566), [f"backup: 567 MB are needed for {ALL}, and 566 MB"]),
        ((1, 127), (2, 237), (3, 347), []),
        (
            (1, 126),
            (2, 236),
            (3, 346),
            [
                "backup: 237 MB are needed for the backup, and 236 MB",
                "work: 347 MB are needed for 3 working copies, and 346 MB",
                "db: 127 MB are needed for SQLite's journal while it publishes, and 126 MB",
            ],
        ),
        (
            (1, 0),
            (2, 500),
            (2, 500),
            ["db: 127 MB are needed for SQLite's journal while it publishes, and 0 MB"],
        ),
        ((1, 236), (1, 236), (2, 400), [f"backup: 237 MB are needed for {TWO}, and 236 MB"]),
    ],
    ids=["one disk", "too small", "three disks", "all too small", "full", "two on one"],
)  # fmt: skip
def test_what_does_not_fit_is_said_for_each_file_system(
    tmp_path: Path,
    on_disks: Callable[[Disks], Path],
    db: tuple[int, int],
    backup: tuple[int, int],
    work: tuple[int, int],
    complaints: list[str],
) -> None:
    database = on_disks({"db": db, "backup": backup, "work": work})

    found = disk_space_faults(database, tmp_path / "backup", tmp_path / "work")

    assert list(found) == [f"{tmp_path}/{line} are free; {WAY_OUT}" for line in complaints]


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(
    tmp_path: Path, on_disks: Callable[[Disks], Path]
) -> None:
    database = on_disks({"db": (1, 1000), "backup": (2, 5)})

    (complaint,) = disk_space_faults(database, tmp_path / "backup" / "not" / "yet", tmp_path / "db")

    assert complaint.startswith(f"{tmp_path}/backup: 237 MB are needed for the backup, and 5 MB")


def test_a_database_that_is_not_there_yet_needs_the_slack_alone(tmp_path: Path) -> None:
    assert disk_space_faults(tmp_path / "new.db", tmp_path, tmp_path) == ()


@pytest.mark.parametrize(
    ("kind", "trusted"),
    [
        *((kind, True) for kind in ("ext4", "xfs", "btrfs", "zfs", "apfs", "tmpfs", "overlay")),
        *((kind, True) for kind in ("fuseblk", "fusectl", "hfs", "ntfs3", "")),
        *((kind, False) for kind in ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "vboxsf")),
        *((kind, False) for kind in ("fuse.sshfs", "fuse.rclone", "fuse.s3fs", "webdav", "NFS")),
        *((kind, False) for kind in ("virtiofs", "osxfs", "fakeowner", "fuse.grpcfuse", "macfuse")),
        *((kind, False) for kind in ("fuse.litefs", "fuse", "fuse.gocryptfs", "fuse.mergerfs")),
    ],
)
def test_network_and_cloud_file_systems_are_not_trusted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    trusted: bool,  # noqa: FBT001 - a table's column
) -> None:
    mounted = [
        SimpleNamespace(mountpoint="/", fstype="ext4"),
        SimpleNamespace(mountpoint=str(tmp_path), fstype="ext3"),
        SimpleNamespace(mountpoint=str(tmp_path), fstype=kind),  # mounted over the one before
        SimpleNamespace(mountpoint=str(tmp_path / "re"), fstype="nfs"),  # not above real.db
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounted)
    fault = (
        f"it is on a file system of type {kind.lower()}, whose locks do not keep programs on other "
        "machines, or on the host of this one, out; run this where the disk is, or on a copy on a "
        "disk of this machine"
    )

    assert file_system_fault(tmp_path / "real.db") == ("" if trusted else fault)


def test_a_symbolic_link_is_where_it_points_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = [SimpleNamespace(mountpoint=str(tmp_path / "share"), fstype="nfs4")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounted)
    (tmp_path / "link.db").symlink_to(tmp_path / "share" / "real.db")

    assert file_system_of(tmp_path / "link.db") == "nfs4"
    assert file_system_of(tmp_path / "real.db") == ""


def test_the_file_system_of_a_real_file_is_known() -> None:
    assert file_system_of(Path("/proc/self/status")) == "proc"


def test_sizes_are_rounded_up() -> None:
    assert [disk_space.in_megabytes(size) for size in (0, 1, 1_000_000, 1_000_001)] == [
        "0 MB",
        "1 MB",
        "1 MB",
        "2 MB",
    ]

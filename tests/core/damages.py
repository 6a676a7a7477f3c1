"""What programs do to a database file that ask SQLite for no lock, and what is said of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from pytest_bbmigrate.sqlite_files.held_file import NameTarget
from tests.core.real_databases import make


def remove(real: Path) -> None:
    real.unlink()


def move_away(real: Path) -> None:
    real.rename(real.with_name("elsewhere.db"))


def replace_by_another(real: Path) -> None:
    make(real.with_name("another.db"), "another").rename(real)


def replace_by_its_own_copy(real: Path) -> None:
    shutil.copyfile(real, real.with_name("copy.db"))
    real.with_name("copy.db").rename(real)


def truncate(real: Path) -> None:
    os.truncate(real, 0)


def cut_off(real: Path) -> None:
    os.truncate(real, 5000)


def overwrite(real: Path) -> None:
    another = make(real.with_name("another.db"), "another")
    real.write_bytes(another.read_bytes())
    another.unlink()


def garble(real: Path) -> None:
    real.write_bytes(b"dear diary " * 2000)


def replace_by_a_link(real: Path) -> None:
    real.rename(real.with_name("target.db"))
    real.symlink_to("target.db")


def replace_by_a_folder(real: Path) -> None:
    real.unlink()
    real.mkdir()


def move_the_folder(real: Path) -> None:
    real.parent.rename(real.parent.with_name("moved"))


Damage = Callable[[Path], None]
DAMAGES: dict[Damage, tuple[NameTarget, str]] = {
    remove: (NameTarget.GONE, "is gone: something removed it while this run was at work"),
    move_away: (
        NameTarget.GONE,
        "is gone: something moved it to *elsewhere.db while this run was at",
    ),
    replace_by_another: (NameTarget.ANOTHER, "is another file now: something replaced it while"),
    replace_by_its_own_copy: (
        NameTarget.ANOTHER,
        "is another file now, which holds what it held: ",
    ),
    truncate: (NameTarget.SAME, "is empty: something truncated it while this run was at work"),
    cut_off: (NameTarget.SAME, "is cut short (5,000 bytes are left of 12,288): something wrote"),
    overwrite: (NameTarget.SAME, "is not as it was: something else wrote to it while"),
    garble: (NameTarget.SAME, "is not as it was: something else wrote to it while"),
    replace_by_a_link: (NameTarget.LINK, "is another symbolic link now to *target.db: something"),
    replace_by_a_folder: (NameTarget.NO_FILE, "is no file any more: something replaced it while"),
    move_the_folder: (
        NameTarget.NO_FOLDER,
        "is gone, and the folder that it was in: something moved",
    ),
}

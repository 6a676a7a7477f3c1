"""What other programs do to the files of a run, without asking anybody: to a database, to a folder.

Each is done at once, in the way a person with a shell or a program with a fault would do it.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

ASIDE = "elsewhere"
WRITTEN = 700  # bytes that are written over
OTHER_MODE = 0o666

Meddle = Callable[[Path, Path, random.Random], None]


def remove(path: Path, _: Path, __: random.Random) -> None:
    path.unlink()


def move(path: Path, _: Path, __: random.Random) -> None:
    path.rename(path.with_name(ASIDE))


def empty(path: Path, _: Path, __: random.Random) -> None:
    os.truncate(path, 0)


def cut_short(path: Path, _: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randrange(path.stat().st_size + 1))


def replace(path: Path, other: Path, _: random.Random) -> None:
    """Rename another database over it."""
    new = path.with_name(f"{ASIDE}-new")
    shutil.copyfile(other, new)
    new.rename(path)


def replace_by_itself(path: Path, _: Path, __: random.Random) -> None:
    """Rename a copy over it, as an editor or a synchronising program does."""
    new = path.with_name(f"{ASIDE}-new")
    shutil.copy(path, new)
    new.rename(path)


def overwrite(path: Path, other: Path, _: random.Random) -> None:
    """Copy another database over it, as cp does."""
    shutil.copyfile(other, path)


def garble(path: Path, _: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.seek(chance.randrange(max(1, path.stat().st_size - WRITTEN)))
        file.write(chance.randbytes(WRITTEN))


def change_mode(path: Path, _: Path, __: random.Random) -> None:
    path.chmod(OTHER_MODE)


def remove_folder(path: Path, _: Path, __: random.Random) -> None:
    shutil.rmtree(path, ignore_errors=True)  # it is at work there


def replace_folder(path: Path, _: Path, __: random.Random) -> None:
    path.rename(path.with_name(ASIDE))
    path.mkdir()


def in_each(deed: Meddle) -> Meddle:
    """Return what does ``deed`` to every file of a folder."""

    def do(path: Path, other: Path, chance: random.Random) -> None:
        for file in sorted(path.rglob("*")):
            if file.is_file():
                deed(file, other, chance)

    do.__name__ = f"{deed.__name__}_in_each"
    return do


NAMES_GO = (remove, move, replace, replace_by_itself)  # the file itself stays what it was
TO_A_FILE = (*NAMES_GO, empty, cut_short, overwrite, garble, change_mode)
TO_A_FOLDER = (
    remove_folder,
    move,
    replace_folder,
    change_mode,
    *(in_each(deed) for deed in (remove, empty, cut_short, overwrite, garble)),
)
TO_A_JOURNAL = (remove, move, empty, garble)

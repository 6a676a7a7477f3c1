"""By whose rules a folder's files run: as the settings say, else what there is to tell it by."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.runner_marks import runner_of_marks, runner_of_place
from pytest_bbmigrate.runner.ledgers import find_ledgers
from pytest_bbmigrate.runner.profiles import PROFILES, UNDECIDED, Profile
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Catalogue

OF_EXPO = "migrations.js"  # what drizzle-kit writes beside the journal for Expo's driver


def choose_profile(
    runs_as: str, folder: Path, root: Path, catalogue: Catalogue | None, base: bytes
) -> Profile:
    """Return the profile called ``runs_as``, or with '' the one that the first of these tells.

    The table of another tool in the ``base``; what a tool has left around ``folder``, up to
    ``root``; marks that all files of the ``catalogue`` have (None for one that does not read).
    """
    name = runner_told(runs_as, folder, root, base)
    if not name and catalogue is not None:
        name = runner_of_marks(catalogue.migrations, catalogue.texts)
    profile = PROFILES.get(name, UNDECIDED)
    # On a phone the app opens the database: its driver leaves foreign keys off unless it says so.
    is_on_phone = profile.name == "drizzle" and (folder / OF_EXPO).is_file()
    return replace(profile, foreign_keys=None) if is_on_phone and not runs_as else profile


def runner_told(runs_as: str, folder: Path, root: Path, base: bytes) -> str:
    """Return the runner that anything but the files of ``folder`` tells, as ``choose_profile``."""
    return runs_as or runner_of_base(base) or runner_of_place(folder, root)


def runner_of_base(base: bytes) -> str:
    """Return the one tool whose table is in the database ``base``; '' for none or several."""
    if not base:
        return ""
    with closing(open_image(base)) as db:
        runners = {ledger.runner for ledger in find_ledgers(db)}
    return runners.pop() if len(runners) == 1 else ""

"""Whether a program keeps the folder that a file is in the same as one on other machines.

Such a program copies a database while another one writes it, without its journal, and puts what
another machine had in its place (https://sqlite.org/howtocorrupt.html, 1.2 and 1.4).
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path

from pytest_bbmigrate.sql.names import fold_name

ICLOUD = "iCloud Drive"
PROVIDERS = {"dropbox": "Dropbox", "onedrive": "OneDrive", "googledrive": "Google Drive"}
PROVIDERS |= {"iclouddrive": ICLOUD, "nextcloud": "Nextcloud", "owncloud": "ownCloud"}
# What the names of extended attributes begin with that these programs give to files and folders.
ATTRIBUTES = {
    "com.apple.icloud": ICLOUD,
    "com.apple.clouddocs": ICLOUD,
    "com.apple.fileprovider": "a file provider such as iCloud Drive",
    "com.apple.file-provider": "a file provider such as iCloud Drive",
    "com.dropbox.": "Dropbox",
    "com.google.drivefs": "Google Drive",
    "user.drive.": "Google Drive",
    "com.microsoft.onedrive": "OneDrive",
}
MARKS = {".dropbox": "Dropbox", ".dropbox.cache": "Dropbox", ".stfolder": "Syncthing"}
MOBILE = ("Library", "Mobile Documents")  # https://support.apple.com/en-us/109344
STORAGE = ("Library", "CloudStorage")
CLOUD_DOCUMENTS = Path(*MOBILE, "com~apple~CloudDocs")
ATTRIBUTE_LIST_BYTES = 64 * 1024  # bytes of names of attributes, which is the most that Linux has


def synchronised_by(path: Path) -> str:
    """Return what keeps the folder of the file ``path`` the same elsewhere; '' where none is known.

    The file is not opened, and need not be there.
    """
    named = (Path(os.path.abspath(path)), Path(os.path.realpath(path)))  # noqa: PTH100 - both names
    for found in named:
        if name := _by_name(found):
            return name
    places = [named[-1], *named[-1].parents]
    return _by_home(named[-1]) or next(filter(None, map(_by_mark, places)), "")


def _by_name(path: Path) -> str:
    """Return what the names of the folders above ``path`` tell."""
    folders = path.parts[:-1]
    for at, folder in enumerate(folders):
        if folders[at : at + 2] == MOBILE:
            return ICLOUD
        if folders[at : at + 2] == STORAGE and len(folders) > at + 2:
            name = folders[at + 2].partition("-")[0]
            return PROVIDERS.get(_plain(name), name)
        # A company's or a person's name may follow, after a hyphen or in parentheses.
        if (known := _plain(folder.partition(" - ")[0].partition(" (")[0])) in PROVIDERS:
            return PROVIDERS[known]
    return ""


def _plain(name: str) -> str:
    return fold_name(name).replace(" ", "")


def _by_home(path: Path) -> str:
    """Return whether ``path`` is in one of the two folders of a home that iCloud may have as well.

    Where it has them, they are to be seen among its own, too.
    """
    home = Path.home()
    for name in ("Desktop", "Documents"):
        if path.is_relative_to(home / name) and os.path.lexists(home / CLOUD_DOCUMENTS / name):
            return ICLOUD
    return ""


def _by_mark(place: Path) -> str:
    """Return what the attributes of a file or folder tell, or a program's own file in it."""
    for attribute in attributes_of(place):
        known = fold_name(attribute)
        for beginning, name in ATTRIBUTES.items():
            if known.removeprefix("user.").startswith(beginning) or known.startswith(beginning):
                return name
    return next((name for mark, name in MARKS.items() if os.path.lexists(place / mark)), "")


def attributes_of(path: Path) -> tuple[str, ...]:
    """Return the names of the extended attributes of ``path``; none where that cannot be told.

    Python itself lists them on Linux alone.
    """
    with suppress(AttributeError, TypeError):  # no such function, or no C library to look in
        listxattr = ctypes.CDLL(None).listxattr
        names = ctypes.create_string_buffer(ATTRIBUTE_LIST_BYTES)
        # macOS takes four arguments, Linux the first three of them.
        length = listxattr(
            ctypes.c_char_p(os.fsencode(path)), names, ctypes.c_size_t(ATTRIBUTE_LIST_BYTES), 0
        )
        return tuple(os.fsdecode(name) for name in names.raw[: max(0, length)].split(b"\0") if name)
    return ()

"""Find out whether a program synchronises the folder of a file with other machines.

Such a program copies a database while another program writes it, without its journal, and replaces
it by the content of another machine (https://sqlite.org/howtocorrupt.html, 1.2 and 1.4).
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
# How the names of extended attributes begin that these programs give to files and folders.
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
ATTRIBUTE_LIST_BYTES = 64 * 1024  # of all names together; Linux allows no more


def synchronised_by(path: Path) -> str:
    """Return the program that synchronises the folder of the file ``path``; '' if none is known.

    The file is not opened, and need not exist.
    """
    absolute, real = Path(os.path.abspath(path)), Path(os.path.realpath(path))  # noqa: PTH100 - keeps links
    program = _by_folder_name(absolute) or _by_folder_name(real) or _by_home(real)
    return program or next(filter(None, map(_by_mark, (real, *real.parents))), "")


def _by_folder_name(path: Path) -> str:
    """Return the program that the names of the folders above ``path`` show, or ''."""
    folders = path.parts[:-1]
    for index, folder in enumerate(folders):
        if folders[index : index + 2] == MOBILE:
            return ICLOUD
        if folders[index : index + 2] == STORAGE and len(folders) > index + 2:
            name = folders[index + 2].partition("-")[0]
            return PROVIDERS.get(_plain(name), name)
        # A company's or a person's name may follow, after a hyphen or in parentheses.
        if (plain := _plain(folder.partition(" - ")[0].partition(" (")[0])) in PROVIDERS:
            return PROVIDERS[plain]
    return ""


def _plain(name: str) -> str:
    return fold_name(name).replace(" ", "")


def _by_home(path: Path) -> str:
    """Return ICLOUD if ``path`` is in a Desktop or Documents that iCloud has as well; else ''.

    Then the folder is also among those of iCloud itself.
    """
    home = Path.home()
    for name in ("Desktop", "Documents"):
        if path.is_relative_to(home / name) and os.path.lexists(home / CLOUD_DOCUMENTS / name):
            return ICLOUD
    return ""


def _by_mark(path: Path) -> str:
    """Return the program that has left attributes on ``path``, or its own files in it, or ''."""
    for attribute in attributes_of(path):
        folded = fold_name(attribute)
        for beginning, name in ATTRIBUTES.items():
            if folded.removeprefix("user.").startswith(beginning) or folded.startswith(beginning):
                return name
    return next((name for mark, name in MARKS.items() if os.path.lexists(path / mark)), "")


def attributes_of(path: Path) -> tuple[str, ...]:
    """Return the names of the extended attributes of ``path``; () if they cannot be listed.

    Python itself lists them on Linux only.
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

"""Time zones as the C library reads them: POSIX strings, and zones of the system's database."""

from __future__ import annotations

import re
from pathlib import Path

# A place whose clock differs from UTC by half hours and is changed twice a year: what depends on
# the zone shows there.
DEFAULT_ZONE = "ACST-9:30ACDT,M10.1.0,M4.1.0/3"
_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_TIME = r"[+-]?\d{1,3}(?::\d{2}){0,2}"
_DAY = rf"(?:M\d{{1,2}}\.\d\.\d|J?\d{{1,3}})(?:/{_TIME})?"
# https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html#tag_08_03
POSIX_ZONE = re.compile(rf"{_NAME}{_TIME}(?:{_NAME}(?:{_TIME})?(?:,{_DAY},{_DAY})?)?")


def is_zone(text: str) -> bool:
    """Return whether ``text`` names a time zone; the C library takes any other for UTC.

    That reads the system's files, and knows nothing of zones that a package of Python's brings.
    """
    if POSIX_ZONE.fullmatch(text):
        return True
    import zoneinfo  # where a zone is named: it takes the time of ten modules of ours

    try:
        zoneinfo.ZoneInfo(text)
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return any(Path(folder, text).is_file() for folder in zoneinfo.TZPATH)

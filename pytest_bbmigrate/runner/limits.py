"""How long one run of one part may take, and how much memory it may hold."""

from __future__ import annotations

import re

DEFAULT_SECONDS = 300  # what takes longer on a few hundred rows will not end
DEFAULT_MEMORY = 2_000_000_000  # bytes
LEAST_MEMORY = 64_000_000  # Python itself and a few modules hold half of that
MOST_PRINTED = 16_000_000  # bytes, of which nobody reads a part
UNITS = {"GB": 10**9, "MB": 10**6, "KB": 10**3}


def read_size(text: str) -> int | None:
    """Return the bytes that a text such as '512MB', '2 GB' or '1000' says; None if it says none."""
    match = re.fullmatch(r"([0-9]{1,18})\s*([KMG]B)?", text.strip(), re.IGNORECASE)
    if match is None:
        return None
    return int(match[1]) * UNITS.get((match[2] or "").upper(), 1)


def show_size(size: int) -> str:
    """Return a number of bytes as ``read_size`` reads it."""
    for unit, factor in UNITS.items():
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


def overdue(seconds: float | None) -> str:
    """Return what is said of a part that takes longer than ``seconds``."""
    return f"took longer than bb_seconds = {seconds:g}"


def oversized(memory: int | None) -> str:
    """Return what is said of a part that holds more than ``memory`` bytes."""
    return f"held more than bb_memory = {show_size(memory or 0)}"


def too_loud() -> str:
    """Return what is said of a part that prints too much."""
    return f"printed more than {show_size(MOST_PRINTED)}"


def is_of_limit(message: str) -> bool:
    """Return whether ``message`` is what is said of a part that was ended for taking too much."""
    return message.startswith(("took longer than bb_", "held more than bb_", "printed more than "))


def is_of_sandbox(message: str) -> bool:
    """Return whether ``message`` is what is said of what no migration may do, on any rows."""
    return re.search(r" is refused(: | in a migration)", message) is not None

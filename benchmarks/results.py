"""The file of results: a section for each part, which stays until that part is measured again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.machine import QUICK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TITLE = "# What it costs\n"
HOW = (
    "Seconds on the clock; in brackets those of processors, in all processes of a run. Each section"
    " says when and on what it was measured: `make bench` measures all, `python -m benchmarks"
    " PART` one.\n"
)


def keep(file: Path, heading: str, section: str, order: Sequence[str]) -> bool:
    """Put ``section`` under ``heading`` into ``file``; return whether it is there now.

    Other sections stay as they are, in ``order``. One that was measured quickly does not replace
    one that was not.
    """
    kept = read(file)
    if QUICK in section and heading in kept and QUICK not in kept[heading]:
        return False
    kept[heading] = section
    known = [name for name in order if name in kept]
    rest = [name for name in kept if name not in order]
    parts = [f"## {name}\n\n{kept[name].strip()}\n" for name in (*known, *rest)]
    file.write_text("\n".join([TITLE, HOW, *parts]))
    return True


def read(file: Path) -> dict[str, str]:
    """Return the sections of ``file`` by their headings; {} where there is none."""
    if not file.exists():
        return {}
    _, *sections = f"\n{file.read_text()}".split("\n## ")
    return {heading: text.strip() for heading, _, text in (one.partition("\n") for one in sections)}

"""Which rows a check has looked at, where a migration does not run on all that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.experiment import Evidence, Narrowed

NONE_LEFT = "up does not run on generated rows, as up_applies tells: there were none to look at"
MOST_TABLES = 3


def rows_looked_at(evidence: Evidence) -> str:
    """Return which rows ``evidence`` is of, '' for all that there are."""
    narrowed = evidence.narrowed
    if narrowed is None:
        return ""
    if narrowed.is_empty:
        return "no rows, for up runs on the empty database alone"
    or_not = ", or was not tried" if narrowed.is_cut_short else ""
    without = f"{left_out(narrowed)}, on which up does not run{or_not}" if narrowed.left_out else ""
    asked = [refused.requirement for refused in narrowed.refused if refused.requirement]
    emptied = list(filter(None, map(emptied_table, asked)))
    if len(emptied) < len(asked):
        empty = f", with {joined(emptied)} empty" if emptied else ""
        of_them = f"rows that meet the requires lines of up_applies{empty}"
        return f"{of_them}, but for {without}" if without else of_them
    if emptied:
        are = "is" if len(set(emptied)) == 1 else "are"
        to_be = f"those of {joined(emptied)}, which {are} to be empty"
        without = ", and ".join(filter(None, (to_be, without)))
    return f"all rows but {without}" if without else ""


def emptied_table(requirement: str) -> str:
    """Return the table that a ``requirement``, as a contract has it, wants to be empty; or ''."""
    table, colon, condition = requirement.rpartition(": ")
    return table if colon and condition == "0" else ""


def joined(tables: Sequence[str]) -> str:
    """Return the first few of ``tables``, each once, in words."""
    names = list(dict.fromkeys(tables))
    more = len(names) - MOST_TABLES
    return f"{', '.join(names[:MOST_TABLES])}{f' and {more} more tables' if more > 0 else ''}"


def left_out(narrowed: Narrowed) -> str:
    """Return how many rows of which tables were left out, in words."""
    named = [f"{count:,} of {table}" for table, count in [*narrowed.left_out.items()][:MOST_TABLES]]
    more = len(narrowed.left_out) - len(named)
    return f"{', '.join(named)}{f' and of {more} more tables' if more else ''}"

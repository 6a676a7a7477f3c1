"""What the plugin adds to a start of pytest: where it is not used, and where it is."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.folders import write_project
from benchmarks.rivals import QUIETLY
from benchmarks.timing import NoCost, cost_of, table

if TYPE_CHECKING:
    from benchmarks.timing import Bench, Taken

TURNS = 21
OURS_OFF = ("-p", "no:bbmigrate")
FAKER_OFF = ("-p", "no:faker")


def measure(bench: Bench) -> str:
    """Return the section on starting."""
    unrelated = bench.scratch / "unrelated"
    unrelated.mkdir()
    (unrelated / "pytest.ini").write_text("[pytest]\n")
    (unrelated / "test_one.py").write_text("def test_one() -> None:\n    pass\n")
    one = write_project(bench.scratch / "one", 1, 0)
    pytest = (sys.executable, "-m", "pytest", *QUIETLY)
    costs = bench.in_turns(
        {
            "neither this plugin nor Faker's": partial(
                cost_of, (*pytest, *OURS_OFF, *FAKER_OFF), unrelated
            ),
            "Faker's alone": partial(cost_of, (*pytest, *OURS_OFF), unrelated),
            "this plugin alone": partial(cost_of, (*pytest, *FAKER_OFF), unrelated),
            "both, as installed": partial(cost_of, pytest, unrelated),
            "both, and the checks of one migration": partial(
                cost_of, (*pytest, "--bb-check-migrations"), one
            ),
        },
        TURNS,
    )
    least = next(iter(costs.values()))
    lines = [[name, *milliseconds(cost, least)] for name, cost in costs.items()]
    return (
        "Milliseconds of a session with one empty test, in a project that knows nothing of"
        " migrations; and of the checks of one migration.\n\n"
        + table(("with", "ms", "more than with neither"), lines)
    )


def milliseconds(cost: Taken, least: Taken) -> tuple[str, str]:
    """Return a cost in milliseconds, and how much more it is than ``least``."""
    if isinstance(cost, NoCost):
        return cost.words, "-"
    own = f"{cost.wall * 1000:.0f} ({cost.cpu * 1000:.0f})"
    if isinstance(least, NoCost):
        return own, "-"
    more = f"{(cost.wall - least.wall) * 1000:+.0f} ({(cost.cpu - least.cpu) * 1000:+.0f})"
    return own, more

"""What the plugin adds to a start of pytest: where it is not used, and where it is."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.folders import write_project
from benchmarks.rivals import QUIETLY
from benchmarks.timing import NO_BYTECODE, ROOT, NoCost, cost_of, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.timing import Bench, Taken

TURNS = 21
IMPORTING = """
import dataclasses, json, re._compiler as patterns, sys, time
spent = {"classes": 0.0, "patterns": 0.0}
def timed(name, call):
    def run(*given, **named):
        began = time.process_time()
        try:
            return call(*given, **named)
        finally:
            spent[name] += time.process_time() - began
    return run
dataclasses._process_class = timed("classes", dataclasses._process_class)
patterns.compile = timed("patterns", patterns.compile)
began = time.process_time()
for name in sys.argv[1:]:
    __import__(name)
print(json.dumps([time.process_time() - began, *spent.values()]))
"""
IMPORTED = {
    "the judge's modules": ("pytest_bbmigrate.judge.server", "pytest_bbmigrate.judge.turns"),
    "those of pytest's process": (
        "pytest",
        "pytest_bbmigrate.plugin.collectors",
        "pytest_bbmigrate.plugin.terminal",
        "pytest_bbmigrate.judge.kept_judge",
    ),
    "pytest alone": ("pytest",),
    "Faker": ("faker",),
}
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
        + "\nThe floor is what Python takes to import what is needed, in milliseconds of the"
        " processor. Half of it and more is to make dataclasses, each of which has six methods that"
        " Python writes and compiles. Two processes are started, one after the other; the judge"
        " imports while pytest's process does, where a second core is idle, and then Faker.\n\n"
        + table(
            ("imported", "ms", "of these for dataclasses", "for patterns"),
            [[name, *imported(names, bench)] for name, names in IMPORTED.items()],
        )
    )


def imported(modules: Sequence[str], bench: Bench) -> list[str]:
    """Return the milliseconds that a new Python takes to import ``modules``, and parts of these."""
    turns = []
    settings = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
    for _ in range(1 if bench.quick else TURNS):
        done = subprocess.run(
            [sys.executable, "-c", IMPORTING, *modules],
            check=True,
            capture_output=True,
            cwd=ROOT,
            env=settings,
        )
        turns.append(json.loads(done.stdout))
    return [f"{statistics.median(each) * 1000:.0f}" for each in zip(*turns, strict=True)]


def milliseconds(cost: Taken, least: Taken) -> tuple[str, str]:
    """Return a cost in milliseconds, and how much more it is than ``least``."""
    if isinstance(cost, NoCost):
        return cost.words, "-"
    own = f"{cost.wall * 1000:.0f} ({cost.cpu * 1000:.0f})"
    if isinstance(least, NoCost):
        return own, "-"
    more = f"{(cost.wall - least.wall) * 1000:+.0f} ({(cost.cpu - least.cpu) * 1000:+.0f})"
    return own, more

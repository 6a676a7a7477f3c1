"""Measure in turns, print the tables and keep them in ``benchmarks/RESULTS.md``.

Without PART all are measured. Results of other parts, and whole ones where ``--quick`` is given,
are kept as they are. What fails is a row that says so; the rest goes on, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import (
    again,
    apply,
    chain,
    compared,
    generated,
    large,
    memory,
    public,
    start,
    workers,
)
from benchmarks.machine import describe_machine
from benchmarks.results import keep
from benchmarks.timing import Bench, table

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Part:
    """One part: its heading in the results, and what returns the text below that."""

    heading: str
    measure: Callable[[Bench], str]


PARTS = {
    "chain": Part("Chains of migrations", chain.measure),
    "again": Part("The next run", again.measure),
    "workers": Part("Workers and cores", workers.measure),
    "start": Part("Starting", start.measure),
    "large": Part("Large files and folders", large.measure),
    "generated": Part("Generated rows", generated.measure),
    "compared": Part("Rows compared", compared.measure),
    "apply": Part("Applying", apply.measure),
    "memory": Part("Memory", memory.measure),
    "folders": Part("Folders", public.measure),
}
RESULTS = Path(__file__).with_name("RESULTS.md")
FOLDERS = "BENCH_FOLDERS"


def main(arguments: list[str] | None = None) -> int:
    """Measure what is asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes and one turn")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the file of results")
    parser.add_argument(
        "--folders",
        type=Path,
        default=os.environ.get(FOLDERS) or None,
        help=f"whose folders, each a project, are checked as well (or ${FOLDERS})",
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that folders are removed
    failures: list[str] = []
    for name in options.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="bbmigrate-bench-") as scratch:
            bench = Bench(
                Path(scratch), quick=options.quick, folders=options.folders, failures=failures
            )
            section = measured(PARTS[name], bench)
        is_kept = keep(
            options.out, PARTS[name].heading, section, [part.heading for part in PARTS.values()]
        )
        print(f"## {PARTS[name].heading}\n\n{section}", flush=True)
        if not is_kept:
            print(f"{options.out.name} keeps what was measured in full\n", flush=True)
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if failures else 0


def measured(part: Part, bench: Bench) -> str:
    """Return the text of a part with what it was measured on; a row that says so where it fails."""
    before = describe_machine(quick=bench.quick)
    try:
        text = part.measure(bench)
    except Exception as error:  # noqa: BLE001 -- told, and the other parts go on
        bench.failures.append(f"{part.heading}: {type(error).__name__}: {error}")
        text = table(("failed",), [[f"{type(error).__name__}: {first_line(error)}"]])
    return f"{before}\n\n{text}"


def first_line(error: Exception) -> str:
    """Return the first line of a message, as it can stand in a table."""
    return str(error).partition("\n")[0].replace("|", "/")


if __name__ == "__main__":
    sys.exit(main())

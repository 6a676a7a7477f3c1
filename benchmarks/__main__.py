"""Measure in turns, print the tables and keep them in ``benchmarks/RESULTS.md``.

``--quick`` takes small sizes and one turn, to see that everything runs; ``--only chain`` (or
``start``, ``rows``) takes one part; ``--out FILE`` writes elsewhere.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import chain, rows, start
from benchmarks.timing import describe_machine

PARTS = {"chain": chain.measure, "start": start.measure, "rows": rows.measure}
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    parts = options.only or list(PARTS)
    before = describe_machine(quick=options.quick)
    sections = []
    for name in parts:
        with tempfile.TemporaryDirectory() as scratch:
            section = PARTS[name](Path(scratch), quick=options.quick)
        print(section, flush=True)
        sections.append(section)
    options.out.write_text("\n".join(["# What it costs", "", before, "", *sections]))


if __name__ == "__main__":
    main()

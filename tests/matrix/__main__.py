"""Run the rows and print the table."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.matrix.environments import (
    KEPT,
    ROOT,
    WHICH_SQLITE,
    Broken,
    NotTried,
    environment,
    library,
    output_of,
)
from tests.matrix.pythons import find_pythons, variables_with
from tests.matrix.rows import Result, counts, rows, table
from tests.telling import tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from tests.matrix.rows import Row

TESTS_OF_A_QUICK_RUN = (
    "tests/test_patterns.py",
    "tests/core/sql",
    "tests/core/schema",
    "tests/core/catalogue/test_facts.py",
    "tests/core/runner/test_sql.py",
    "tests/core/apply/test_steps.py",
    "tests/plugin/test_bad_input.py",
    "tests/plugin/test_items.py",
    "tests/plugin/test_options.py",
    "tests/plugin/test_status.py",
    "tests/plugin/test_xdist.py",
)


def main(words: Sequence[str] | None = None) -> None:
    """Run the rows, print the table, and exit with 1 unless every row that was tried is good."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix")
    parser.add_argument("--quick", action="store_true", help="some tests of each room, fewer rows")
    parser.add_argument("rows", nargs="*", type=int, help="these rows of the table alone, from 1")
    arguments = parser.parse_args(words)
    quick = arguments.quick
    tests = TESTS_OF_A_QUICK_RUN if quick else ("tests",)
    there = rows(find_pythons(), quick=quick)
    if unknown := sorted({*arguments.rows}.difference(range(1, len(there) + 1))):
        parser.error(
            f"there is no row {', '.join(map(str, unknown))}: they go from 1 to {len(there)}"
        )
    results = []
    for number, row in enumerate(there, 1):
        if arguments.rows and number not in arguments.rows:
            continue
        results.append(result_of(row, tests))
        tell(table(results[-1:])[-1])
    tell("", *table(results))
    tried = [result for result in results if result.tried]
    if not tried or not all(result.is_good for result in results):
        sys.exit(1)


def result_of(row: Row, tests: Iterable[str]) -> Result:
    """Return what became of ``tests`` under the conditions of ``row``."""
    try:
        bin_folder = environment(row.python, row.pytest)
        variables = variables_with(
            library(row.sqlite, row.python, bin_folder) if row.sqlite else None
        )
        sqlite = output_of([bin_folder / "python", "-I", "-S", "-c", WHICH_SQLITE], variables)
    except NotTried as lack:
        return Result(row, row.sqlite.name if row.sqlite else "", tried=False, note=f"{lack}")
    except Broken as error:
        return Result(row, row.sqlite.name if row.sqlite else "", note=f"{error}")
    return run_tests(row, bin_folder, sqlite, variables, tests)


def run_tests(
    row: Row, programs: Path, sqlite: str, variables: Mapping[str, str], tests: Iterable[str]
) -> Result:
    name = f"{row.python.version}-{row.pytest}-{sqlite}"
    log, told = KEPT / f"{name}.log", KEPT / f"{name}.xml"
    told.unlink(missing_ok=True)
    begun = time.monotonic()
    command: list[str | Path] = [
        programs / "pytest",
        "-n",
        "auto",
        "--dist",
        "worksteal",
        f"--junitxml={told}",
        "-m",
        "not torture",
    ]
    with log.open("wb") as output:
        code = subprocess.run(
            [*command, *tests],
            cwd=ROOT,
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    passed, failed, skipped = counts(told)
    note = "" if code == 0 else f"exit code {code}, see {log.relative_to(ROOT)}"
    return Result(row, sqlite, passed, failed, skipped, seconds=time.monotonic() - begun, note=note)


if __name__ == "__main__":
    main()

"""Modules that migrations of other tools import, and that need not be installed: ours instead."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SAVEPOINT = "bb_step"


@dataclass(frozen=True, eq=False)
class Step:
    """One step of yoyo: what it does and how that is undone, each SQL, a function or None.

    ``ignore_errors`` is 'apply', 'rollback', 'all' or None, as yoyo has it.
    """

    apply: Any
    rollback: Any = None
    ignore_errors: str | None = None


class Steps:
    """The steps that a migration makes while it is loaded, in their order."""

    def __init__(self) -> None:
        self.made: list[Step] = []

    def step(self, apply: Any, rollback: Any = None, ignore_errors: str | None = None) -> Step:
        """Make a step, as ``yoyo.step`` does."""
        self.made.append(Step(apply, rollback, ignore_errors))
        return self.made[-1]

    def group(
        self, *given: Any, steps: Iterable[Step] = (), ignore_errors: str | None = None
    ) -> Step:
        """Make one step of several, as ``yoyo.group`` does; it comes after what is made by then."""
        each = [*steps, *(s for one in given for s in (one if isinstance(one, list) else [one]))]
        for step in each:
            self.made.remove(step)

        def apply(db: sqlite3.Connection) -> None:
            run_steps(db, each, back=False)

        def rollback(db: sqlite3.Connection) -> None:
            run_steps(db, each[::-1], back=True)

        return self.step(apply, rollback, ignore_errors)


@contextmanager
def stand_ins(*, yoyo: bool) -> Iterator[Steps]:
    """Have modules be ours while the block runs; give the steps that are made by then.

    They are ``yoyo``, if that is wanted, and ``sqlite_migrate`` where it is not installed.
    """
    steps = Steps()
    ours: dict[str, ModuleType] = {}
    if yoyo:
        ours["yoyo"] = ModuleType("yoyo")
        vars(ours["yoyo"]).update(step=steps.step, group=steps.group, transaction=steps.group)
    if "sqlite_migrate" not in sys.modules and find_spec("sqlite_migrate") is None:
        ours["sqlite_migrate"] = ModuleType("sqlite_migrate")
        vars(ours["sqlite_migrate"])["__getattr__"] = _of_sqlite_utils
    theirs = {name: sys.modules.get(name) for name in ours}
    sys.modules.update(ours)
    try:
        yield steps
    finally:
        for name, module in theirs.items():
            if sys.modules.get(name) is ours[name]:
                del sys.modules[name]
            if module is not None:
                sys.modules[name] = module


def _of_sqlite_utils(name: str) -> object:
    """Return what sqlite-utils has under ``name``; it is asked when a migration imports that."""
    import sqlite_utils

    return getattr(sqlite_utils, name)


def run_steps(db: sqlite3.Connection, steps: Iterable[Step], *, back: bool) -> None:
    """Do what the steps do, or undo it, in the order given. Raises: whatever they raise."""
    for step in steps:
        action = step.rollback if back else step.apply
        ignores = step.ignore_errors in ("all", "rollback" if back else "apply")
        if ignores:
            db.execute(f"SAVEPOINT {SAVEPOINT}")
        try:
            if callable(action):
                action(db)
            elif action:
                db.execute(action)
        except sqlite3.Error:
            if not ignores:
                raise
            db.execute(f"ROLLBACK TO {SAVEPOINT}")
        if ignores:
            db.execute(f"RELEASE {SAVEPOINT}")

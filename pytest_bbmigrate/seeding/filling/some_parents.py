"""Which of the parents that are there the rows of a table are to refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import random
    from collections.abc import Collection

    from pytest_bbmigrate.schema import ForeignKey
    from pytest_bbmigrate.seeding.filling.context import Context
    from pytest_bbmigrate.seeding.filling.queries import Key

CHILDLESS = 10  # one parent in so many has no child
MANY_PARENTS = 1000  # of which there may be some that no row refers to
PARENTS_A_ROW = 5


def thinned(context: Context, key: ForeignKey, parents: list[Key], count: int) -> list[Key]:
    """Return some of ``parents``, in even steps, where few rows are to refer to very many.

    With them those that migrations look for. Texts stay, since the odd ones are to be found.
    """
    step = len(parents) // max(MANY_PARENTS, PARENTS_A_ROW * count)
    parent = context.schema.table(key.parent)
    if step < 2 or parent is None or len(parents[0]) > 1 or isinstance(parents[0][0], str):
        return parents
    column = parent.column(key.parent_columns[0])
    expected = set(context.expected(parent, column)) if column else set()
    some = dict.fromkeys(parents[::step])
    some.update((row, None) for row in parents if expected and row[0] in expected)
    return list(some)


def told_apart(key: ForeignKey, names: Collection[str], parents: list[Key]) -> list[Key]:
    """Return one of those ``parents`` that agree in the columns which ``names`` refer by.

    They are columns (folded) of ``key`` that are unique together: all of them, or a part.
    """
    at = [number for number, own in enumerate(key.columns) if fold_name(own) in names]
    if len(at) == len(key.columns):
        return parents
    return list({tuple(parent[number] for number in at): parent for parent in parents}.values())


def with_child(parents: list[Key], count: int, rng: random.Random, *, once: bool) -> list[Key]:
    """Return in any order those of ``parents`` that get a child, of ``count`` that there will be.

    Where each has but one, the last rows get none: two tables that need one another's rows have no
    other for them, and the rest come out even. One alone where there are few, so that tables which
    extend one another do not become ever shorter.
    """
    without = 1 if once and len(parents) < count else max(len(parents) // CHILDLESS, 1)
    number = max(len(parents) - without, 1)
    if once:
        del parents[number:]
    rng.shuffle(parents)
    return parents[:number]

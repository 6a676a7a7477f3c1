"""How migrations stand to a history."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.catalogue import Catalogue, Migration, SqlPart
from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.plan import Place, Standing, take_stock


def migration(name: str, checksum: str) -> Migration:
    part = SqlPart(Path(f"{name}.sql"), ())
    return Migration(name, part.path, None, part, None, Contract(), checksum)


A, B, C = (migration(name, f"sum of {name}") for name in "abc")
CATALOGUE = Catalogue(Path("migrations"), (A, B, C))

APPLIED, CHANGED, RENAMED, PENDING, OUT_OF_ORDER = Standing


@pytest.mark.parametrize(
    ("applied", "expected", "missing"),
    [
        ({}, [PENDING, PENDING, PENDING], ()),
        ({"a": "sum of a"}, [APPLIED, PENDING, PENDING], ()),
        ({"a": "sum of a", "b": "sum of b", "c": "sum of c"}, [APPLIED] * 3, ()),
        ({"a": "another"}, [CHANGED, PENDING, PENDING], ()),
        ({"b": "sum of b"}, [OUT_OF_ORDER, APPLIED, PENDING], ()),
        ({"c": "another"}, [OUT_OF_ORDER, OUT_OF_ORDER, CHANGED], ()),
        ({"old": "sum of b"}, [OUT_OF_ORDER, RENAMED, PENDING], ()),
        ({"old": "another"}, [PENDING, PENDING, PENDING], ("old",)),
        ({"z": "1", "a": "sum of a", "y": "2"}, [APPLIED, PENDING, PENDING], ("z", "y")),
        ({"b": "sum of a"}, [OUT_OF_ORDER, CHANGED, PENDING], ()),
        ({"old": "sum of a", "older": "sum of a"}, [RENAMED, PENDING, PENDING], ("older",)),
    ],
)
def test_each_migration_stands_to_the_history_in_one_way(
    applied: dict[str, str], expected: list[Standing], missing: tuple[str, ...]
) -> None:
    stock = take_stock(CATALOGUE, applied)

    assert [place.standing for place in stock.places] == expected
    assert [place.migration for place in stock.places] == [A, B, C]
    assert stock.missing == missing


def test_one_applied_migration_has_only_one_new_name() -> None:
    twin = migration("twin", "sum of a")
    catalogue = Catalogue(Path("migrations"), (A, twin))

    stock = take_stock(catalogue, {"old": "sum of a"})

    assert stock.places == (Place(A, RENAMED, "old"), Place(twin, PENDING, None))


def test_a_stock_gives_the_migrations_that_stand_alike() -> None:
    late = migration("d", "sum of d")
    catalogue = Catalogue(Path("migrations"), (A, late, B, C, migration("e", "sum of e")))

    stock = take_stock(catalogue, {"a": "sum of a", "b": "another", "old": "sum of c"})

    assert stock.applied == (A, B, C)
    assert stock.pending == (late, catalogue.migrations[-1])
    assert stock.changed == (B,)
    assert stock.renamed == (C,)
    assert stock.out_of_order == (late,)

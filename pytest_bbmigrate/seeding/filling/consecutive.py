"""The keys of rows that are numbered without a gap, as one's own rows mostly are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from pytest_bbmigrate.sql.values import Cell

Key = tuple[Cell, ...]


class ConsecutiveKeys(Sequence[Key]):
    """The keys of rows with these ``numbers``, which nobody has to read."""

    def __init__(self, numbers: range) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Key: ...

    @overload
    def __getitem__(self, place: slice) -> ConsecutiveKeys: ...

    def __getitem__(self, place: int | slice) -> Key | ConsecutiveKeys:
        if isinstance(place, slice):
            return ConsecutiveKeys(self.numbers[place])
        return (self.numbers[place],)

    def __iter__(self) -> Iterator[Key]:
        return ((number,) for number in self.numbers)

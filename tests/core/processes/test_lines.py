"""What comes through a pipe is taken line by line, however it is cut on its way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.processes.lines import Lines, write_all

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Yield the two ends of a pipe."""
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue  # the test has closed it


def test_a_line_that_has_not_come_whole_is_not_taken(pipe: tuple[int, int]) -> None:
    ours, its = pipe
    lines = Lines(ours)

    assert lines.take(waits=False) is None
    write_all(its, b"one\ntwo\nthr")
    assert [lines.take(), lines.take(waits=False), lines.take(waits=False)] == [
        b"one",
        b"two",
        None,
    ]
    os.close(its)
    assert lines.take() == b""


def test_bytes_that_follow_a_line_are_no_lines(pipe: tuple[int, int]) -> None:
    ours, its = pipe
    lines = Lines(ours)
    write_all(its, b"3\na\nbnext\ncut")
    os.close(its)

    assert lines.take() == b"3"
    assert lines.take_bytes(3) == b"a\nb"
    assert lines.take() == b"next"
    assert lines.take_bytes(4) is None


def test_a_line_without_end_is_cut(pipe: tuple[int, int]) -> None:
    ours, its = pipe
    write_all(its, b"123456789")

    assert Lines(ours, most=4).take() == b"1234"

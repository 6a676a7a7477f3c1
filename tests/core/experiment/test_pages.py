"""Images that share their pages."""

from __future__ import annotations

from contextlib import closing

import pytest

from pytest_bbmigrate.experiment.pages import join_pages, share_pages
from pytest_bbmigrate.sqlite_files import open_image, take_image


def make_image(*statements: str) -> bytes:
    with closing(open_image(b"")) as db:
        for sql in statements:
            db.execute(sql)
        return take_image(db)


def test_pages_join_to_the_image_they_were_cut_from() -> None:
    image = make_image("CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(10000))")

    assert join_pages(share_pages(image)) == image


def test_pages_that_did_not_change_are_the_very_same_objects() -> None:
    filled = ("CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(100000))")
    image = make_image(*filled)
    changed = make_image(*filled, "CREATE TABLE u (a)")
    first = share_pages(image)
    second = share_pages(changed, first)

    assert join_pages(second) == changed
    assert any(mine is theirs for mine, theirs in zip(first, second, strict=False))
    assert any(mine is not theirs for mine, theirs in zip(first, second, strict=False))


@pytest.mark.parametrize("pages", [1, 7, 8, 9, 40])
def test_an_image_that_grew_or_shrank_joins_to_what_it_is(pages: int) -> None:
    short = make_image("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    grown = make_image(
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        *[f"INSERT INTO t VALUES (zeroblob({4000 * pages}))"],
    )

    assert join_pages(share_pages(grown, share_pages(short))) == grown
    assert join_pages(share_pages(short, share_pages(grown))) == short


def test_an_empty_image_has_no_pages() -> None:
    assert share_pages(b"") == ()
    assert join_pages(()) == b""


def test_what_was_joined_just_now_is_not_joined_again() -> None:
    filled = ("CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(100000))")
    pages = share_pages(make_image(*filled))

    assert join_pages(pages) is join_pages(pages)


def test_of_equal_pages_each_gives_its_own_image() -> None:
    image = make_image("CREATE TABLE t (a)")
    other = make_image("CREATE TABLE u (a)")
    pages, others = share_pages(image), share_pages(other)

    assert [join_pages(each) for each in (pages, others, pages)] == [image, other, image]


def test_a_large_image_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_bbmigrate.experiment.pages.MOST_BYTES_KEPT", 100)
    filled = ("CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(100000))")
    pages = share_pages(make_image(*filled))

    assert join_pages(pages) is not join_pages(pages)

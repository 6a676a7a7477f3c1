"""Images that share their pages."""

from __future__ import annotations

from contextlib import closing

from pytest_bbmigrate.database import open_image, take_image
from pytest_bbmigrate.evidence.pages import join_pages, share_pages


def make_image(*statements: str) -> bytes:
    with closing(open_image(b"")) as db:
        for sql in statements:
            db.execute(sql)
        return take_image(db)


def test_pages_join_to_the_image_they_were_cut_from() -> None:
    image = make_image("CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(10000))")

    assert join_pages(share_pages(image)) == image


def test_pages_that_did_not_change_are_the_very_same_objects() -> None:
    one = make_image("CREATE TABLE t (a)", "CREATE TABLE u (a)")
    other = make_image("CREATE TABLE t (a)", "CREATE TABLE u (a)", "INSERT INTO u VALUES (1)")
    first = share_pages(one)
    second = share_pages(other, first)

    assert join_pages(second) == other
    assert any(mine is theirs for mine, theirs in zip(first, second, strict=True))
    assert any(mine is not theirs for mine, theirs in zip(first, second, strict=True))


def test_an_empty_image_has_no_pages() -> None:
    assert share_pages(b"") == ()
    assert join_pages(()) == b""

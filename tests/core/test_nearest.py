"""Which name may be meant."""

from __future__ import annotations

from pytest_bbmigrate.nearest import nearest_of, similar_to


def test_the_nearest_is_named_however_far_it_is() -> None:
    assert nearest_of("020_x", ["abc", "020_going_out"]) == ["020_going_out"]
    assert nearest_of("zzz", ["abc"]) == ["abc"]
    assert nearest_of("zzz", []) == []
    assert len(nearest_of("a", ["aa", "ab", "ac"], most=2)) == 2


def test_what_is_not_like_it_is_not_meant() -> None:
    assert similar_to("acounts", ["trips", "accounts"]) == "accounts"
    assert similar_to("zzz", ["accounts"]) == ""
    assert similar_to("abcd", ["abxy"]) == ""
    assert similar_to("abcd", ["abxy"], least=0.5) == "abxy"

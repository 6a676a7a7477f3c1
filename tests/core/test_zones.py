"""Which texts the C library reads as a time zone; any other it takes for UTC in silence."""

from __future__ import annotations

import subprocess
import sys
import zoneinfo

import pytest

from pytest_bbmigrate.zones import DEFAULT_ZONE, is_zone

POSIX = [
    DEFAULT_ZONE,
    "UTC0",
    "EST5EDT",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "<+0530>-5:30",
    "NST3:30NDT,J60,J300",
]


@pytest.mark.parametrize("zone", [*POSIX, "Europe/Berlin"])
def test_a_zone_is_known(zone: str) -> None:
    assert is_zone(zone)


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "../../etc/passwd", "EST5EDT,M3", "UTC+", "5", "a\0b"]
)
def test_any_other_text_is_none(zone: str) -> None:
    assert not is_zone(zone)


def test_a_zone_that_only_a_package_of_python_knows_is_none() -> None:
    pytest.importorskip("tzdata")
    try:
        zoneinfo.reset_tzpath(to=())
        zoneinfo.ZoneInfo("Europe/Berlin")  # which the package has

        assert not is_zone("Europe/Berlin")
    finally:
        zoneinfo.reset_tzpath()


def test_the_default_is_a_zone_with_half_hours_that_changes_twice_a_year() -> None:
    told = (
        "import time; time.tzset(); "
        "print(*[time.localtime(day * 86400).tm_gmtoff for day in (20454, 20636)])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", told],
        env={"TZ": DEFAULT_ZONE},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.split() == ["37800", "34200"]  # 10:30 in January, 9:30 in July

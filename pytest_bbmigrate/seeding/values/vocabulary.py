"""Realistic values for each meaning, drawn from Faker once.

Faker takes 0.2 s to import: it is imported with the first value that is drawn, and so never by a
process that generates nothing.
"""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.values import household_words as household
from pytest_bbmigrate.seeding.values.meaning import TEMPORAL, Family

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from faker import Faker

    from pytest_bbmigrate.sql.values import Cell

DRAWN = 40  # values drawn for each meaning; rows choose among them

_FIXED: Mapping[str, tuple[str, ...]] = {
    "category": household.CATEGORIES,
    "institution": household.INSTITUTIONS,
    "merchant": tuple(chain.from_iterable(household.MERCHANTS.values())),
    "account_type": tuple(household.ACCOUNTS),
    "account_name": tuple(chain.from_iterable(household.ACCOUNTS.values())),
    "bill": tuple(household.RECURRING),
    "fund": household.FUNDS,
    "goal": household.GOALS,
    "title": household.GOALS,
    "trip": household.TRIPS,
    "note": household.NOTES,
    "event": ("sync_started", "sync_finished", "login_required", "reconnected", "revoked"),
    "status": ("active", "pending", "posted", "closed", "error"),
    "kind": ("debit", "credit", "transfer", "deposit", "withdrawal", "fee"),
    "frequency": ("weekly", "biweekly", "monthly", "quarterly", "yearly"),
    "currency": ("USD", "EUR", "GBP", "CHF", "JPY"),
    "label": (*household.CATEGORIES[:6], *household.FUNDS[:4], *household.NOTES[:6]),
}


@lru_cache(maxsize=2048)
def realistic(seed: int, family: Family, meaning: str) -> tuple[Cell, ...]:
    """Return what a column of ``family`` and ``meaning`` usually holds: some values, no NULL."""
    if family is Family.TEXT:
        return _texts(seed, meaning)
    if family is Family.INTEGER:
        return _numbers(seed, meaning)
    if family is Family.REAL:
        return tuple(float(number) for number in _reals(seed, meaning))
    if family is Family.BLOB:
        return tuple(str(text).encode() for text in _texts(seed, "token"))
    if meaning in _NUMBERS and meaning not in TEMPORAL:
        return _reals(seed, meaning)
    return _texts(seed, meaning)


# Faker's providers of what is drawn here, and of what these draw from; all take 15 ms more.
KINDS = ("address", "color", "company", "file", "internet", "lorem", "misc", "person")


@cache
def _faker() -> Faker:
    from pytest_bbmigrate.seeding.values.household import make_faker

    return make_faker(0, KINDS)


def _drawn(seed: int, purpose: str, draw: Callable[[Faker], Cell]) -> tuple[Cell, ...]:
    """Return up to DRAWN different values, the same for the same ``seed`` and ``purpose``."""
    faker = _faker()
    faker.seed_instance(f"{seed}:{purpose}")
    return tuple(dict.fromkeys(draw(faker) for _ in range(DRAWN)))


_TEXTS: Mapping[str, Callable[[Faker], Cell]] = {
    "review": lambda fake: fake.review_text(),
    "person": lambda fake: fake.name(),
    "uuid": lambda fake: fake.uuid4(),
    "email": lambda fake: fake.safe_email(),
    "url": lambda fake: fake.url() + fake.slug(),
    "phone": lambda fake: fake.numerify("+1-555-###-####"),
    "color": lambda fake: fake.hex_color(),
    "token": lambda fake: fake.hexify("^" * 24),
    "mask": lambda fake: fake.numerify("####"),
    "id": lambda fake: "ref_" + fake.hexify("^" * 12),
    "path": lambda fake: fake.file_path(depth=2, extension="pdf"),
    "address": lambda fake: fake.street_address(),
    "city": lambda fake: fake.city(),
    "country": lambda fake: fake.country_code(),
    "json": lambda fake: json.dumps({"category": fake.category(), "score": fake.random_digit()}),
    "date": lambda fake: fake.day().isoformat(),
    "month": lambda fake: fake.month(),
    "month_start": lambda fake: fake.month() + "-01",
    "week_start": lambda fake: fake.week_start().isoformat(),
    "week_end": lambda fake: (fake.week_start() + timedelta(6)).isoformat(),
    "timestamp": lambda fake: _moment(fake).isoformat(" "),
    "time": lambda fake: _moment(fake).time().isoformat(),
}
_NUMBERS: Mapping[str, Callable[[Faker], int]] = {
    "cents": lambda fake: round(fake.price() * 100),
    "money": lambda fake: round(fake.price()),
    "count": lambda fake: fake.random_int(0, 60),
    "number": lambda fake: fake.random_int(0, 5_000),
    "percent": lambda fake: fake.random_int(0, 100),
    "rating": lambda fake: fake.random_int(1, 5),
    "rank": lambda fake: fake.random_int(1, 40),
    "id": lambda fake: fake.random_int(1, 400),
    "flag": lambda fake: fake.random_int(0, 1),
    "year": lambda fake: fake.random_int(2024, 2026),
    "month_number": lambda fake: fake.random_int(1, 12),
    "day": lambda fake: fake.random_int(1, 28),
    "weekday": lambda fake: fake.random_int(0, 6),
    "time": lambda fake: fake.random_int(0, 86_399),
    "timestamp": lambda fake: int((_moment(fake) - datetime(1970, 1, 1)).total_seconds()),
}
_REALS: Mapping[str, Callable[[Faker], float]] = {
    "money": lambda fake: fake.price(),
    "number": lambda fake: fake.price(),
    "percent": lambda fake: fake.random_int(0, 100) / 100,
}
# In a column of numbers, a name that means something written means a number for it.
_AS_NUMBER = {"date": "timestamp", "week_start": "timestamp", "week_end": "timestamp"}
_AS_NUMBER |= {
    "month_start": "timestamp",
    "month": "month_number",
    "label": "number",
    "title": "number",
    "note": "number",
}


def _texts(seed: int, meaning: str) -> tuple[Cell, ...]:
    if meaning in _FIXED:
        return _FIXED[meaning]
    if meaning in _TEXTS:
        return _drawn(seed, meaning, _TEXTS[meaning])
    return tuple(str(number) for number in _reals(seed, meaning))


def _numbers(seed: int, meaning: str) -> tuple[int, ...]:
    meaning = _AS_NUMBER.get(meaning, meaning)
    draw = _NUMBERS.get(meaning, _NUMBERS["rank"])
    return tuple(number for number in _drawn(seed, meaning, draw) if isinstance(number, int))


def _reals(seed: int, meaning: str) -> tuple[float, ...]:
    meaning = _AS_NUMBER.get(meaning, meaning)
    if meaning not in _REALS:
        return _numbers(seed, meaning)
    drawn = _drawn(seed, f"real {meaning}", _REALS[meaning])
    return tuple(number for number in drawn if isinstance(number, float))


def _moment(fake: Faker) -> datetime:
    seconds = fake.random_int(6 * 3600, 23 * 3600)
    return datetime.combine(fake.day(), time()) + timedelta(seconds=seconds)

"""What a column means, read from its declared type, its name and its table's name. Pure."""

from __future__ import annotations

import re
from enum import Enum
from functools import cache, lru_cache

from pytest_bbmigrate.sql.names import fold_name


class Family(Enum):
    """Which storage class the values of a column should have."""

    INTEGER = "integer"
    REAL = "real"
    TEXT = "text"
    BLOB = "blob"
    ANY = "any"


# Meanings by the kind of value. A name that says nothing means "label".
FREE_TEXT = frozenset(
    {
        "label",
        "merchant",
        "category",
        "institution",
        "account_name",
        "account_type",
        "note",
        "review",
        "trip",
        "bill",
        "fund",
        "goal",
        "person",
        "title",
        "kind",
        "status",
        "frequency",
        "address",
        "city",
        "event",
    }
)
FORMATTED_TEXT = frozenset(
    {"uuid", "email", "url", "phone", "currency", "color", "token", "mask", "path", "country"}
)
STRUCTURED_TEXT = frozenset({"json"})
TEMPORAL = frozenset(
    {"date", "month", "month_start", "week_start", "week_end", "timestamp", "time"}
)
AMOUNTS = frozenset({"money", "cents", "count", "number"})
SMALL_NUMBERS = frozenset(
    {"flag", "id", "month_number", "year", "day", "weekday", "rank", "percent", "rating"}
)

# The first pattern that matches decides. Each matches whole words of the name only.
_NAMES: tuple[tuple[str, str], ...] = (
    (r"(is|has|can|was|should)_\w+|rolls_over", "flag"),
    (r"(enabled|disabled|active|archived|deleted|pending|hidden|recurring|flag)$", "flag"),
    (r"(verified|completed|done|locked|excluded)$", "flag"),
    (r"uuid|guid", "uuid"),
    (r"month_(number|num|no)", "month_number"),
    (r"(id|ids|number|no)$", "id"),
    (r"e?_?mail", "email"),
    (r"url|uri|website|link|logo", "url"),
    (r"phone|mobile|fax", "phone"),
    (r"currency", "currency"),
    (r"colou?r", "color"),
    (r"json|payload|metadata|meta|settings|preferences|config|raw", "json"),
    (r"token|hash|checksum|secret|password", "token"),
    (r"mask|last4|last_four", "mask"),
    (r"(\w+_)?count|quantity|qty", "count"),
    (r"week_end(ing)?", "week_end"),
    (r"day_of_week|weekday", "weekday"),
    (r"week", "week_start"),
    (r"day|day_of_month", "day"),
    (r"year", "year"),
    (r"\w+_at|timestamp|datetime|modified|last_(sync|login)", "timestamp"),
    (r"date|birthday|due|deadline|on", "date"),
    (r"month|period", "month"),
    (r"time", "time"),
    (r"cents", "cents"),
    (r"percent(age)?|pct|rate|ratio|confidence|probability", "percent"),
    (r"rating|score|mood|stars|priority|severity", "rating"),
    (r"rank|position|sort|order|sequence|seq|ordinal|version|level", "rank"),
    (r"external|ref|reference|code|key", "id"),
    (r"notes?|memo|description|comments?|remark|reason|message|detail", "note"),
    (
        r"summary|insights?|recommendations?|reflection|review|progress|improve|went|text|content|body",
        "review",
    ),
    (r"account_name|nickname", "account_name"),
    (r"account_type|subtype", "account_type"),
    (r"merchant|payee|vendor|store|shop|counterparty", "merchant"),
    (r"category|categories", "category"),
    (r"institution|bank", "institution"),
    (r"trip|tags?", "trip"),
    (r"frequency|cadence|interval|recurrence", "frequency"),
    (r"status|state", "status"),
    (r"event", "event"),
    (r"amount|balance|price|cost|total|budget|spent|income|salary|pay|fee|paid|limit", "money"),
    (r"target|saved|planned|allocated|payment|deposit|earned|savings", "money"),
    (r"type|kind|mode|role|source|direction", "kind"),
    (r"goal", "goal"),
    (r"fund", "fund"),
    (r"(user|first|last|full|display|owner|person|member)_?name|author|owner|person", "person"),
    (r"title|subject", "title"),
    (r"path|file|filename", "path"),
    (r"address|street", "address"),
    (r"city|town", "city"),
    (r"country", "country"),
)
_TABLES: tuple[tuple[str, str], ...] = (
    (r"institutions?|banks?", "institution"),
    (r"categor(y|ies)", "category"),
    (r"accounts?", "account_name"),
    (r"\w*funds?", "fund"),
    (r"\w*goals?", "goal"),
    (r"subscriptions?|subscription_\w+|bills?|recurring\w*", "bill"),
    (r"merchants?|payees?|vendors?", "merchant"),
    (r"trips?|tags?", "trip"),
    (r"users?|people|persons?|members?|owners?|customers?|authors?", "person"),
)
_TEMPORAL_TYPES = (("DATETIME", "timestamp"), ("TIMESTAMP", "timestamp"), ("DATE", "date"))
# These words say that a text is a day; others (due, on, deadline, period) only that it may be one.
_DAY_WORDS = r"(?:.*_)?(?:date|dates|at|datetime|timestamp|month|week|day)(?:_.*)?|week_\w+"
_JSON_WORDS = r"(?:.*_)?(?:json|payload|metadata)(?:_.*)?"
# In a DATE column, a name that means a month or a week means the day that stands for it.
_DAYS = {"month": "month_start", "week_start": "week_start", "week_end": "week_end"}
_ACCOUNT_KINDS = frozenset({"account", "accounts"})


@lru_cache(maxsize=4096)
def read_meaning(table: str, name: str, declared: str) -> str:
    """Return what column ``name`` of ``table`` means; ``declared`` is its type in upper case."""
    by_type = _meaning_of_type(declared)
    by_name = _first(_NAMES, _words(name))
    if by_type == "date" and by_name in _DAYS:
        return _DAYS[by_name]
    if by_type:
        return by_type
    if by_name == "kind" and _words(table) in _ACCOUNT_KINDS:
        return "account_type"
    if by_name in ("", "title") and (by_table := _meaning_of_table(table, name)):
        return by_table
    return by_name or "label"


@lru_cache(maxsize=1024)
def read_family(declared: str, affinity: str) -> Family:
    """Return the storage class that a declared type (in upper case) asks for."""
    if declared in ("", "ANY"):
        return Family.ANY
    if _meaning_of_type(declared) in TEMPORAL | {"json", "uuid"} or "STRING" in declared:
        return Family.TEXT
    if "BOOL" in declared:
        return Family.INTEGER
    if affinity == "NUMERIC":
        return Family.REAL
    return Family(affinity.lower())


@lru_cache(maxsize=4096)
def is_loosely_meant(name: str, declared: str) -> bool:
    """Return whether only a name promises numbers, days or JSON in a column of texts."""
    by_name = _first(_NAMES, _words(name))
    if _meaning_of_type(declared) or "STRING" in declared:
        return False
    if by_name in TEMPORAL:
        return not re.fullmatch(_DAY_WORDS, _words(name))
    if by_name in STRUCTURED_TEXT:
        return not re.fullmatch(_JSON_WORDS, _words(name))
    return by_name in AMOUNTS | SMALL_NUMBERS


@lru_cache(maxsize=1024)
def length_limit(declared: str) -> int | None:
    """Return the n of a type such as VARCHAR(n), which SQLite ignores and apps keep to."""
    match = re.search(r"(?:CHAR|CHARACTER|TEXT|STRING|CLOB)\w*\s*\(\s*(\d+)", declared)
    return int(match[1]) if match else None


def _meaning_of_type(declared: str) -> str:
    for part, meaning in _TEMPORAL_TYPES:
        if part in declared:
            return meaning
    if re.fullmatch(r"TIME\b.*", declared):
        return "time"
    if "BOOL" in declared:
        return "flag"
    if "JSON" in declared:
        return "json"
    return "uuid" if declared in ("UUID", "GUID") else ""


def _meaning_of_table(table: str, name: str) -> str:
    if _words(name) not in ("name", "title", "label"):
        return ""
    return _first(_TABLES, _words(table), whole=True)


def _first(rules: tuple[tuple[str, str], ...], words: str, *, whole: bool = False) -> str:
    for pattern, meaning in _compiled(rules, whole=whole):
        if pattern.fullmatch(words):
            return meaning
    return ""


@cache
def _compiled(
    rules: tuple[tuple[str, str], ...], *, whole: bool
) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return ``rules`` with compiled patterns, for whole words of a name or for ``whole`` names."""
    form = "(?:{})" if whole else "(?:^|.*_)(?:{})(?:_.*|$)"
    return tuple((re.compile(form.format(pattern)), meaning) for pattern, meaning in rules)


def _words(name: str) -> str:
    """Return ``name`` folded, with an underscore between its words: trip_tag for tripTag."""
    separated = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return fold_name(re.sub(r"\W+", "_", separated).strip("_"))

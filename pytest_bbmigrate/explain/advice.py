"""From what SQLite or Python says to what to do about it."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.explain.advice_by_runner import BY_STATEMENT, advise_by_runner
from pytest_bbmigrate.explain.advice_by_statement import NOT_NULL, advise_on_statement
from pytest_bbmigrate.explain.messages import MESSAGES
from pytest_bbmigrate.explain.newer_dates import MODIFIERS, modifiers_given
from pytest_bbmigrate.explain.syntax import REBUILD, foreign_remedy, newer_feature, plain_text
from pytest_bbmigrate.runner.model import RanAs
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from pytest_bbmigrate.runner import Failure

HOOK = (
    "if the app registers it on its connections, name the function that does so: "
    'bb_connection = "package.module:function"'
)

FUNCTIONS_SINCE = {  # https://sqlite.org/changes.html
    "concat": (3, 44),
    "concat_ws": (3, 44),
    "format": (3, 38),
    "if": (3, 48),
    "iif": (3, 32),
    "json_pretty": (3, 46),
    "jsonb": (3, 45),
    "octet_length": (3, 43),
    "sign": (3, 35),
    "string_agg": (3, 44),
    "substring": (3, 34),
    "timediff": (3, 43),
    "unhex": (3, 41),
    "unistr": (3, 50),
    "unixepoch": (3, 38),
}
FOREIGN_FUNCTIONS = {
    "char_length": "write length(x)",
    "concat": "write a || b, with ifnull(a, '') for what may be NULL",
    "concat_ws": "write a || ', ' || b, and leave out what may be NULL by CASE",
    "curdate": "write CURRENT_DATE",
    "date_add": "write date(x, '+1 day')",
    "date_format": "write strftime('%Y-%m', x)",
    "date_sub": "write date(x, '-1 day')",
    "date_trunc": "write date(x, 'start of month')",
    "day": "write CAST(strftime('%d', x) AS INTEGER)",
    "from_unixtime": "write datetime(x, 'unixepoch')",
    "gen_random_uuid": "write lower(hex(randomblob(16)))",
    "getdate": "write CURRENT_TIMESTAMP, which is in UTC",
    "greatest": "write max(a, b)",
    "if": "write iif(a, b, c) or CASE WHEN a THEN b ELSE c END",
    "isnull": "write ifnull(a, b), or a IS NULL",
    "least": "write min(a, b)",
    "left": "write substr(x, 1, n)",
    "len": "write length(x)",
    "lpad": "write printf('%05d', x) or substr('00000' || x, -5)",
    "month": "write CAST(strftime('%m', x) AS INTEGER)",
    "now": "write CURRENT_TIMESTAMP or datetime('now'), which are in UTC",
    "nvl": "write ifnull(a, b)",
    "rand": "write random(), which is any whole number, or abs(random() % 1000) / 1000.0",
    "setval": "leave it out: SQLite has no sequences, an INTEGER PRIMARY KEY counts by itself",
    "string_agg": "write group_concat(x, ', ')",
    "str_to_date": "keep dates as ISO text, 2026-01-31",
    "sysdate": "write CURRENT_TIMESTAMP, which is in UTC",
    "to_char": "write strftime(format, x) or printf(format, x)",
    "to_date": "write date(x)",
    "to_timestamp": "write datetime(x)",
    "unix_timestamp": "write CAST(strftime('%s', x) AS INTEGER)",
    "uuid": "write lower(hex(randomblob(16)))",
    "year": "write CAST(strftime('%Y', x) AS INTEGER)",
}

# What Python and SQLAlchemy put before the message of SQLite itself.
DATABASE_ERROR = re.compile(
    r"^(?:.*, after )?(?:Operational|Integrity|Programming|NotSupported|Data|Database)Error: "
    r"(?:\(sqlite3\.\w+\) )?"
)
MISSING_MODULE = re.compile(r"No module named '(?P<name>[^']+)'")
MISSING = re.compile(
    r"no such (?P<kind>function|collation sequence|module|tokenizer): (?P<name>[\w.]+)"
)


IF_REAL_ROWS = "; if real rows"
PYTHON = ".py"
SQL_MARK, PYTHON_MARK = "-- bb: ", "# bb: "  # how a line of a contract begins


class Advice(NamedTuple):
    """What to do, '' when not known, and what the set-up lacks: 'function normalize', say.

    ``missing`` is '' when the migration itself is at fault.
    """

    text: str
    missing: str = ""


def advise_on_failure(failure: Failure, *, has_line: bool = False) -> Advice:
    """Return what to do about a part that did not run.

    That a requires line would help is said where there is one, with ``has_line``: which it is to
    be says another.
    """
    advice = advise(failure.message, failure.statement, ran=failure.ran)
    text = advice.text if has_line else advice.text.partition(IF_REAL_ROWS)[0]
    if failure.path.suffix == PYTHON:
        text = text.replace(SQL_MARK, PYTHON_MARK).replace(BY_STATEMENT, "")
    lines = [line for line in (text, failure.note) if line]
    return Advice("\n".join(lines), advice.missing or failure.lacks)


def advise(
    message: str,
    statement: str,
    *,
    version: tuple[int, ...] = sqlite3.sqlite_version_info,
    ran: RanAs = RanAs(),  # noqa: B008 - it is frozen
) -> Advice:
    """Return what to do about ``message``, raised for the SQL ``statement`` ('' for none).

    ``version`` is that of the SQLite that runs, ``ran`` by whose rules the statement did.
    """
    if lacking := advise_on_lack(message, statement, version):
        return lacking
    words = plain_text(statement)
    for text in (DATABASE_ERROR.sub("", message), message):
        if advice := advise_on_statement(text, words) or advise_by_runner(text, ran):
            return Advice(advice)
        for pattern, advice in MESSAGES:
            if match := re.search(pattern, text):
                return Advice(advice.format(**match.groupdict()))
    if "syntax error" in message or "unrecognized token" in message:
        return advise_on_syntax(words, version)
    return Advice("")


def advise_on_lack(message: str, statement: str, version: tuple[int, ...]) -> Advice | None:
    """Return what to do about what the set-up has not; None where that is not why."""
    if absent := MISSING.search(message):
        return advise_on_missing(absent["kind"], absent["name"], version)
    if module := MISSING_MODULE.search(message):
        return Advice(
            "install it where the migrations run (in pytest's Python, or the one that bb_python "
            "names), or import from the migration's own folder",
            f"module {module['name']}",
        )
    return advise_on_date(DATABASE_ERROR.sub("", message), statement, version)


def advise_on_missing(kind: str, name: str, version: tuple[int, ...]) -> Advice:
    """Return what to do about a function, collation or module that SQLite does not have."""
    if kind == "module":
        return Advice("use an SQLite that is built with it", f"SQLite module {name}")
    function = fold_name(name) if kind == "function" else ""
    since = FUNCTIONS_SINCE.get(function)
    remedy = FOREIGN_FUNCTIONS.get(function, "")
    if since and version < since:
        return _newer(f"{name}()", since, version, remedy)
    if remedy:
        return Advice(f"SQLite has no {name}(): {remedy}")
    return Advice(HOOK, f"{kind.split()[0]} {name}")


def advise_on_date(message: str, statement: str, version: tuple[int, ...]) -> Advice | None:
    """Return what to do about a NULL that SQLite gives for a date in a word it does not know."""
    match = NOT_NULL.match(message)
    for word in modifiers_given(statement, match["column"]) if match else ():
        modifier = MODIFIERS[word]
        if version < modifier.since:
            what = (
                f"the modifier '{word}', which makes the date NULL where SQLite does not know it,"
            )
            return _newer(what, modifier.since, version, modifier.remedy)
    return None


def advise_on_syntax(text: str, version: tuple[int, ...]) -> Advice:
    """Return what to do about a syntax error in a statement, given as ``plain_text`` has it."""
    since = newer_feature(text)
    remedy = foreign_remedy(text)
    if since and version < since:
        # That SQLite cannot do it at all is true of the older one alone.
        without = REBUILD if remedy.endswith(REBUILD) else remedy
        return _newer("this syntax", since, version, without)
    return Advice(remedy)


def _newer(what: str, since: tuple[int, ...], version: tuple[int, ...], remedy: str) -> Advice:
    """Return what to do about ``what`` came with SQLite ``since`` where an older ``version`` runs.

    The app's Python may have it where pytest's has not; ``remedy`` is how to do without, or ''.
    """
    newer = f"{what} came with SQLite {dotted(since)}, this is {dotted(version)}"
    with_it = "name the app's Python with bb_python where that has it"
    return Advice(f"{newer}: {f'{remedy}, or ' * bool(remedy)}{with_it}", f"SQLite {dotted(since)}")


def dotted(version: tuple[int, ...]) -> str:
    """Return a version as it is written, 3.40.1."""
    return ".".join(str(number) for number in version)

"""What to do where that depends on the tool that runs the file: foreign keys, transactions."""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from pytest_bbmigrate.runner.model import KeysTurnedOn, RanAs
from pytest_bbmigrate.runner.profiles import PROFILES, UNDECIDED, ControlRule, PragmaRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.runner.profiles import Profile

ORPHANED = (
    "a row refers to a parent that is not there (any more): with foreign keys on, dropping a "
    "parent table deletes or orphans its children"
)
PUT_OFF = (
    "PRAGMA defer_foreign_keys = ON before a rebuild, and = OFF behind it, lets the check wait, "
    "though not what ON DELETE does"
)
# Where neither the contract nor the settings, but the tool itself has them on.
WAYS_OUT = {
    "d1": f"D1 has them on, and PRAGMA foreign_keys does nothing there: {PUT_OFF}",
    "drizzle": (
        "drizzle has one transaction around the whole run, where PRAGMA foreign_keys does nothing. "
        f"Over better-sqlite3 they are on: {PUT_OFF}. Over @libsql/client they are off: say so by "
        "bb_foreign_keys = off in the settings"
    ),
    "sqlx": (
        "sqlx has them on and each file in a transaction, where PRAGMA foreign_keys does nothing: "
        "turn them off where the app connects, and say so by bb_foreign_keys = off in the "
        f"settings, or else {PUT_OFF}"
    ),
}
BY_STATEMENT = (
    "; where the tool runs one statement after the other, as the sqlite3 shell does, it runs all "
    "of them: say bb_runs_as = sqlite3 in the settings"
)
TAKEN_OUT = {
    KeysTurnedOn.CONTRACT: "take foreign_keys on out of the contract",
    KeysTurnedOn.FILE: "leave PRAGMA foreign_keys = ON out",
}


def advise_by_runner(message: str, ran: RanAs) -> str:
    """Return what to do about ``message``, '' where that is the same under every tool."""
    profile = PROFILES.get(ran.profile, UNDECIDED)
    for pattern, advise in BY_RUNNER:
        if re.search(pattern, message):
            return advise(profile, ran)
    return ""


def on_orphans(profile: Profile, ran: RanAs) -> str:
    """Return what to do about a foreign key that refuses a statement."""
    return f"{ORPHANED}; {way_out(profile, ran)}"


def way_out(profile: Profile, ran: RanAs) -> str:
    """Return how to have foreign keys off, or their check put off, while a table is rebuilt."""
    if ran.keys is KeysTurnedOn.PROGRAM:
        return "have the program turn them off while a table is rebuilt"
    if profile.name in WAYS_OUT:
        return WAYS_OUT[profile.name]
    if profile.pragma is PragmaRule.DECLARES:
        off = TAKEN_OUT.get(ran.keys, "say -- bb: foreign_keys off")
        rest = "" if profile.name else ", and say by bb_runs_as which tool runs it, if another does"
        return f"{off} while a table is rebuilt{rest}"
    if profile.pragma is PragmaRule.ACTS or not ran.in_transaction:
        return (
            "PRAGMA foreign_keys takes effect in this file: have it begin with = OFF while a table "
            "is rebuilt, and end with = ON"
        )
    taken = TAKEN_OUT.get(ran.keys, "say so by bb_foreign_keys = off in the settings")
    return (
        f"PRAGMA foreign_keys does nothing within the transaction of {profile.name}: turn them off "
        f"where it connects, and {taken}, or have it run the file in no transaction, with PRAGMA "
        "foreign_keys = OFF at the beginning"
    )


def on_control(profile: Profile, _ran: RanAs) -> str:
    """Return what to do about a BEGIN, COMMIT or ROLLBACK that is refused."""
    if profile.control is ControlRule.REFUSED:
        return f"leave it out: {profile.name} has a transaction of its own around what is in a file"
    return (
        "leave it out: the runner puts the whole migration into one transaction (a single BEGIN "
        "and COMMIT around all of it may stay; SAVEPOINT may be used); -- bb: no_transaction is "
        f"for what cannot run in one{BY_STATEMENT * (not profile.name)}"
    )


def on_transaction(profile: Profile, _ran: RanAs) -> str:
    """Return what to do about what cannot run in a transaction, and is in one."""
    if not profile.leaves_transaction:
        return (
            f"{profile.name} has each file in a transaction, and nothing in it says otherwise: do "
            "it by hand, outside of the migrations"
        )
    if profile.pragma is PragmaRule.DECLARES:
        return "declare -- bb: no_transaction, and put it into a migration of its own"
    return (
        f"have {profile.name} run it in no transaction, in a migration of its own; what the file "
        "does not say of that in the tool's own words, -- bb: no_transaction says here"
    )


BY_RUNNER: tuple[tuple[str, Callable[[Profile, RanAs], str]], ...] = (
    (r"^FOREIGN KEY constraint failed", on_orphans),
    (r"^(BEGIN|COMMIT|ROLLBACK) is refused", on_control),
    (r"from within a transaction|inside a transaction", on_transaction),
)


@cache
def every_advice() -> frozenset[str]:
    """Return all that is advised here: none of it repeats anything of a message."""
    ran = [
        RanAs(keys=keys, in_transaction=inside) for keys in KeysTurnedOn for inside in (False, True)
    ]
    profiles = (UNDECIDED, *PROFILES.values())
    return frozenset(advise(*given) for _, advise in BY_RUNNER for given in product(profiles, ran))

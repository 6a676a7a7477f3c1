"""By whose rules files run: what each tool does around them that decides what they lose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class PragmaRule(Enum):
    """What ``PRAGMA foreign_keys = ..`` in a file does."""

    DECLARES = "declares"  # before all else, it says what the whole file wants
    ACTS = "acts"  # it takes effect where it stands: a file that has one runs in no transaction
    NOTHING = "nothing"  # a transaction is around the file (https://sqlite.org/pragma.html)


@dataclass(frozen=True)
class Profile:
    """The rules of the runner called ``name``; '' where nobody has said which one it is.

    ``foreign_keys`` is whether they are enforced when a file begins, None where the tool leaves
    that to its user: they are off then, and what would be lost with them on is told.
    ``leaves_transaction`` is whether a file can run outside a transaction, ``takes_commit`` whether
    it may end the one around it and begin another; with ``helps_add_column`` the runner does what
    ``ADD COLUMN IF NOT EXISTS`` means.
    """

    name: str
    foreign_keys: bool | None
    pragma: PragmaRule
    leaves_transaction: bool = True
    takes_commit: bool = True
    helps_add_column: bool = False


BBMIGRATE = Profile(
    "bbmigrate", foreign_keys=False, pragma=PragmaRule.DECLARES, helps_add_column=True
)
UNDECIDED = replace(BBMIGRATE, name="", foreign_keys=None)

PROFILES = {
    profile.name: profile
    for profile in (
        BBMIGRATE,
        Profile("sqlite3", foreign_keys=False, pragma=PragmaRule.ACTS),
        Profile("dbmate", foreign_keys=None, pragma=PragmaRule.NOTHING),
        Profile("goose", foreign_keys=None, pragma=PragmaRule.NOTHING),
        Profile("golang-migrate", foreign_keys=None, pragma=PragmaRule.NOTHING),
        Profile("sqlx", foreign_keys=True, pragma=PragmaRule.NOTHING),
        Profile("diesel", foreign_keys=None, pragma=PragmaRule.NOTHING),
        Profile("prisma", foreign_keys=True, pragma=PragmaRule.ACTS),
        Profile("drizzle", foreign_keys=True, pragma=PragmaRule.NOTHING, leaves_transaction=False),
        Profile(
            "d1",
            foreign_keys=True,
            pragma=PragmaRule.NOTHING,
            leaves_transaction=False,
            takes_commit=False,
        ),
        Profile("flyway", foreign_keys=False, pragma=PragmaRule.ACTS),
        Profile("yoyo", foreign_keys=False, pragma=PragmaRule.NOTHING),
        Profile("sqlite-utils", foreign_keys=False, pragma=PragmaRule.NOTHING),
    )
}


def as_applied(profile: Profile) -> Profile:
    """Return the rules of ``profile`` where we apply: in transactions of ours, nothing left open.

    A file that another tool runs in none is in one here, and its first PRAGMA foreign_keys says
    what it wants.
    """
    acts = profile.pragma is PragmaRule.ACTS
    return replace(
        profile,
        foreign_keys=bool(profile.foreign_keys),
        pragma=PragmaRule.DECLARES if acts else profile.pragma,
    )

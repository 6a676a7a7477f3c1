"""By whose rules files run: what each tool does around them that decides what they lose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class PragmaRule(Enum):
    """What ``PRAGMA foreign_keys = ..`` in a file does."""

    DECLARES = "declares"  # before all else, it says what the whole file wants
    ACTS = "acts"  # it takes effect where it stands: a file that has one runs in no transaction
    NOTHING = "nothing"  # a transaction is around the file (https://sqlite.org/pragma.html)


class Around(Enum):
    """What a tool puts a transaction around."""

    FILE = "each file"
    RUN = "all files of a run"  # the one that fails takes back those before it
    NOTHING = "nothing"  # each statement is by itself


class ControlRule(Enum):
    """What becomes of BEGIN, COMMIT and ROLLBACK in a file."""

    HONOURED = "honoured"  # such as stand around the whole file are understood, others refused
    PASSED = "passed"  # they reach SQLite: within the tool's transaction BEGIN fails
    REFUSED = "refused"  # none of them runs


@dataclass(frozen=True)
class Profile:
    """The rules of the runner called ``name``; '' where nobody has said which one it is.

    ``foreign_keys`` is whether they are enforced when a file begins, None where the tool leaves
    that to its user: they are off then, and what would be lost with them on is told.
    ``around`` is what a transaction is around, ``leaves_transaction`` whether a file can say that
    it wants none. With ``recursive_triggers`` the tool's connection has them on, so that INSERT OR
    REPLACE fires delete triggers; with ``single_statements`` it is given what stands between two
    breakpoints at once, which may be one statement; with ``confined`` the tool authorises nothing
    temporary, no savepoint and few pragmas; with ``helps_add_column`` the runner does what ``ADD
    COLUMN IF NOT EXISTS`` means; with ``on_copy`` it runs on a copy, of which nothing is kept where
    a file fails.
    """

    name: str
    foreign_keys: bool | None
    pragma: PragmaRule
    around: Around = Around.FILE
    leaves_transaction: bool = True
    control: ControlRule = ControlRule.PASSED
    recursive_triggers: bool = False
    single_statements: bool = False
    confined: bool = False
    helps_add_column: bool = False
    on_copy: bool = False


BBMIGRATE = Profile(
    "bbmigrate",
    foreign_keys=False,
    pragma=PragmaRule.DECLARES,
    control=ControlRule.HONOURED,
    helps_add_column=True,
    on_copy=True,
)
UNDECIDED = replace(BBMIGRATE, name="", foreign_keys=None, on_copy=False)

# What each does was seen on the tool itself, where tests/runners has it.
PROFILES = {
    profile.name: profile
    for profile in (
        BBMIGRATE,
        Profile("sqlite3", foreign_keys=False, pragma=PragmaRule.ACTS, around=Around.NOTHING),
        Profile("dbmate", foreign_keys=None, pragma=PragmaRule.NOTHING),
        Profile("goose", foreign_keys=None, pragma=PragmaRule.NOTHING),
        Profile("golang-migrate", foreign_keys=None, pragma=PragmaRule.NOTHING),
        # Its `-- no-transaction` is for other databases: with SQLite every file is in one.
        Profile("sqlx", foreign_keys=True, pragma=PragmaRule.NOTHING, leaves_transaction=False),
        Profile("diesel", foreign_keys=None, pragma=PragmaRule.NOTHING),
        Profile("prisma", foreign_keys=True, pragma=PragmaRule.ACTS, around=Around.NOTHING),
        Profile(
            "drizzle",
            foreign_keys=True,
            pragma=PragmaRule.NOTHING,
            around=Around.RUN,
            leaves_transaction=False,
            single_statements=True,
        ),
        Profile(
            "d1",
            foreign_keys=True,
            pragma=PragmaRule.NOTHING,
            leaves_transaction=False,
            control=ControlRule.REFUSED,
            confined=True,
        ),
        Profile("flyway", foreign_keys=False, pragma=PragmaRule.ACTS),
        # Each statement is in a savepoint of its own, which no COMMIT in the file outlives.
        Profile(
            "yoyo",
            foreign_keys=False,
            pragma=PragmaRule.NOTHING,
            control=ControlRule.REFUSED,
        ),
        Profile(
            "sqlite-utils",
            foreign_keys=False,
            pragma=PragmaRule.NOTHING,
            recursive_triggers=True,
        ),
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
        around=Around.FILE,
        control=ControlRule.HONOURED,
        confined=False,
        on_copy=True,
    )

"""What the tests of kept verdicts share: a folder to edit, and runs that keep what they find."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from pytest_bbmigrate.catalogue import Fingerprint
from pytest_bbmigrate.errors import StateUnreachable
from pytest_bbmigrate.judge.judge import Judge
from pytest_bbmigrate.judge.kept_judge import KeptJudge
from pytest_bbmigrate.judge.model import Opening
from pytest_bbmigrate.kept.entries import Entries, open_entries
from pytest_bbmigrate.kept.keys import keys_of
from pytest_bbmigrate.project import read_project
from pytest_bbmigrate.settings import Settings
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.judge.client import JudgeClient
    from pytest_bbmigrate.project import Project

FOLDER = {
    "migrations/010_accounts.sql": "-- migrate:up\n"
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP);\n"
    "-- migrate:down\nDROP TABLE notes;\nDROP TABLE accounts;\n",
    "migrations/020_kind.sql": "-- migrate:up\nALTER TABLE accounts ADD COLUMN kind TEXT;\n"
    "-- migrate:down\nALTER TABLE accounts DROP COLUMN kind;\n",
    "migrations/030_going_out.sql": "-- bb: changes accounts.kind where kind = 'Dining'\n"
    "-- bb: irreversible because two kinds become one\n"
    "UPDATE accounts SET kind = 'Going Out' WHERE kind = 'Dining';\n",
    "migrations/040_funds.py": "from _words import FUNDS\n\n\ndef up(db):\n    print('funds')\n"
    "    db.execute(f'CREATE TABLE {FUNDS} (id INTEGER PRIMARY KEY, goal INTEGER)')\n\n\n"
    "def down(db):\n    db.execute(f'DROP TABLE {FUNDS}')\n",
    "migrations/_words.py": "FUNDS = 'funds'\n",
    "migrations/050_trim.sql": "UPDATE notes SET body = trim(body);\n",
    "migrations/060_budgets.sql": "-- migrate:up\nCREATE TABLE budgets (id INTEGER PRIMARY KEY);\n"
    "-- migrate:down\nDROP TABLE budgets;\n",
    "contracts.toml": '"050_trim" = ["changes notes.body", "irreversible because it is gone"]\n',
    "base.sql": "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT);\n",
}
NAMES = ("010_accounts", "020_kind", "030_going_out", "040_funds", "050_trim", "060_budgets")
Answers = dict[tuple[str, str], tuple[Verdict, str] | str]


def write_project(root: Path) -> Settings:
    """Write the folder of this module into ``root``, and return its settings."""
    for name, text in FOLDER.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_again(
        Settings(
            root=root,
            migrations=root / "migrations",
            database=root / "budget_buddy.db",
            rows=30,
            base=root / "base.sql",
            contracts_file=root / "contracts.toml",
            invariants=(("accounts", "SELECT count(*) FROM accounts"),),
        )
    )


def read_again(settings: Settings) -> Settings:
    """Return the settings with the contracts as their file has them now."""
    file = settings.contracts_file
    return replace(settings, contracts=file.read_text()) if file else settings


def entries_in(folder: Path) -> Entries:
    """Return what is kept in ``folder``, which is made."""
    folder.mkdir(exist_ok=True)
    entries = open_entries(folder)
    assert entries is not None
    return entries


class Here:
    """Answers as a JudgeClient does, in this process; ``asked`` has all that it was asked for."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.judge: Judge | None = None
        self.resumed = 0
        self.asked: list[tuple[int, str]] = []
        self.whole: set[int] = set()

    def start(self) -> None:
        pass

    def open(self, opening: Opening) -> None:
        self.resumed = opening.resume.position if opening.resume else 0
        self.judge = Judge(self.project, opening.resume)

    def expect(self, checks: object, *, works_ahead: bool) -> None:
        pass

    def verdict(self, position: int, check: str) -> tuple[Verdict, str]:
        assert self.judge is not None
        self.asked.append((position, check))
        reply = self.judge.verdicts(position, [check])
        if reply.is_whole:
            self.whole.add(position)
        (answer,) = reply.answers
        assert isinstance(answer, Verdict)
        return answer, reply.printed

    def is_whole(self, position: int) -> bool:
        return position in self.whole

    def folder_verdict(self, before: int = 0) -> Verdict:
        assert self.judge is not None
        self.asked.append((-1, CATALOGUE_CHECK))
        return self.judge.folder_verdict(before)

    def kept_state(self, position: int) -> bytes:
        assert self.judge is not None
        return self.judge.kept_state(position) or b""

    def close(self) -> None:
        pass


@dataclass
class Ran:
    """What a run has answered, by migration and check, and how much of that was kept."""

    answers: Answers = field(default_factory=dict)
    cached: set[tuple[str, str]] = field(default_factory=set)
    resumed: int = 0


def opening_of(settings: Settings) -> Opening:
    """Return an opening with ``settings``."""
    return Opening(settings, (), Fingerprint(settings.migrations, settings.database, {}))


def run(settings: Settings, entries: Entries | None, *, names: tuple[str, ...] = CHECKS) -> Ran:
    """Ask every check as a session does; with None for ``entries`` nothing is kept or taken."""
    project = read_project(read_again(settings))
    client, ran = Here(project), Ran()
    opening = opening_of(settings)
    client.open(opening)
    judge: KeptJudge | Here = client
    if entries is not None:
        keys = keys_of(project, shows_errors=True)
        judge = KeptJudge(cast("JudgeClient", client), lambda: opening, project, keys, entries)
    migrations = project.catalogue.migrations
    judge.expect(dict.fromkeys(range(len(migrations)), names), works_ahead=True)
    if isinstance(judge, KeptJudge) and judge.has_folder:
        ran.cached.add(("", CATALOGUE_CHECK))
    ran.answers["", CATALOGUE_CHECK] = (judge.folder_verdict(), "")
    for position, migration in enumerate(migrations):
        for check in names:
            if isinstance(judge, KeptJudge) and judge.has(position, check):
                ran.cached.add((migration.name, check))
            try:
                ran.answers[migration.name, check] = judge.verdict(position, check)
            except StateUnreachable as error:
                ran.answers[migration.name, check] = str(error)
    if isinstance(judge, KeptJudge):
        judge.finish(is_over=True)
    ran.resumed = client.resumed
    return ran

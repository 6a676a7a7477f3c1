"""The runner on scripts: programs that open the database by themselves and only get a copy."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from pathlib import Path

import pytest

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.explain.advice import advise_on_failure
from pytest_bbmigrate.runner import Run, RunEnvironment
from pytest_bbmigrate.sandbox import connections, files, kept, landlock
from pytest_bbmigrate.sandbox.paths import SandboxPaths, path_in_name
from pytest_bbmigrate.sandbox.script_main import is_bare_migrate
from pytest_bbmigrate.sandbox.script_report import ScriptLog
from tests.core.running import failure_of, image_of, rows, run_script
from tests.depth import every
from tests.processes import is_running, started_here

DESK = SandboxPaths(
    real=Path("/project/real.db"),
    copy=Path("/desk/work/real.db"),
    work=Path("/desk/work"),
    root=Path("/project"),
    temporary=Path("/desk/tmp"),
)

TABLE = "CREATE TABLE transactions (id INTEGER PRIMARY KEY, bb_category TEXT);"
COPY = TABLE + "INSERT INTO transactions VALUES (1, 'Dining Out');"
REAL = TABLE + "INSERT INTO transactions VALUES (7, 'Real');"
CHANGE = "UPDATE transactions SET bb_category = 'Changed'"

HAS_LANDLOCK = landlock.abi_version() > 0


class Project:
    """A project folder with a real database and a script in its migrations folder."""

    def __init__(self, root: Path) -> None:
        self.root = root / "project"
        self.folder = self.root / "backend" / "migrations"
        self.folder.mkdir(parents=True)
        self.real = self.root / "budget_buddy.db"
        self.real.write_bytes(image_of(REAL))
        self.other = self.root / "other.db"
        self.other.write_bytes(image_of(TABLE))
        self.environment = RunEnvironment(Path("budget_buddy.db"), self.root)

    def run(self, source: str, image: bytes | None = None) -> tuple[Run, bytes]:
        """Run a script with ``source``, where ``REAL`` and ``OTHER`` are the files' paths."""
        head = f"import os, sqlite3, sys\nREAL = {str(self.real)!r}\nOTHER = {str(self.other)!r}\n"
        return run_script(
            self.folder, head + source, image or image_of(COPY), environment=self.environment
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def categories(image: bytes) -> list[str]:
    return rows(image, "SELECT bb_category FROM transactions")


DIRECT = {
    "relative": "sqlite3.connect('budget_buddy.db')",
    "relative with a dot": "sqlite3.connect('./budget_buddy.db')",
    "bytes": "sqlite3.connect(b'budget_buddy.db')",
    "absolute": "sqlite3.connect(REAL)",
    "pathlib": "sqlite3.connect(__import__('pathlib').Path(REAL))",
    "from the script's folder": (
        "sqlite3.connect(os.path.join(os.path.dirname(__file__), '..', '..', 'budget_buddy.db'))"
    ),
    "after a chdir": "os.chdir(os.path.dirname(REAL)) or sqlite3.connect('budget_buddy.db')",
    "relative URI": "sqlite3.connect('file:budget_buddy.db?mode=rw', uri=True)",
    "absolute URI": "sqlite3.connect('file:' + REAL + '?mode=rw', uri=True)",
    "URI with a host": "sqlite3.connect('file://localhost' + REAL, uri=True)",
    "positional URI": (
        "sqlite3.connect('file:' + REAL, 5, 0, None, True, sqlite3.Connection, 9, True)"
    ),
    "symbolic link": (
        "os.symlink(REAL, os.environ['TMPDIR'] + '/l.db') or"
        " sqlite3.connect(os.environ['TMPDIR'] + '/l.db')"
    ),
    "dbapi2": "sqlite3.dbapi2.connect(REAL)",
    "Connection": "sqlite3.Connection(REAL)",
    "own class": "sqlite3.connect(REAL, factory=type('Own', (sqlite3.Connection,), {}))",
    "sqlite-utils": "__import__('sqlite_utils').Database(REAL).conn",
    "sqlite-utils with a path": (
        "__import__('sqlite_utils').Database(__import__('pathlib').Path(REAL)).conn"
    ),
    "SQLAlchemy, absolute": (
        "__import__('sqlalchemy').create_engine('sqlite:///' + REAL).raw_connection()"
    ),
    "SQLAlchemy, relative": (
        "__import__('sqlalchemy').create_engine('sqlite:///budget_buddy.db').raw_connection()"
    ),
}


@pytest.mark.parametrize("way", every(2, DIRECT))
def test_opening_the_database_by_any_name_opens_the_copy(project: Project, way: str) -> None:
    before = project.real.read_bytes()

    run, after = project.run(
        f"db = {DIRECT[way]}\ncursor = db.cursor()\ncursor.execute({CHANGE!r})\n"
        "db.commit()\ncursor.close()\ndb.close()\n"
    )

    assert run.failure is None, run.printed
    assert categories(after) == ["Changed"]
    assert project.real.read_bytes() == before


WRITE = f"db.execute({CHANGE!r}); db.commit()"
AROUND = {
    "ATTACH": f"db.execute('ATTACH ? AS r', (REAL,)); {WRITE}",
    "ATTACH by name": (
        "db.execute(f'ATTACH {REAL!r} AS r'); db.execute('DELETE FROM r.transactions')"
    ),
    "ATTACH by URI": "db.execute(f\"ATTACH 'file:{REAL}' AS r\")",
    "VACUUM INTO": "db.execute(f'VACUUM INTO {REAL!r}')",
    "backup": "db.backup(sqlite3.connect(OTHER))",
    "os.system": "assert os.system(f'echo x > {REAL}') == 0",
    "sqlite3 shell": (
        "import subprocess;"
        " subprocess.run(['sqlite3', REAL, 'DROP TABLE transactions'], check=True)"
    ),
    "child Python": (
        "import subprocess; subprocess.run([sys.executable, '-c',"
        ' f"import sqlite3; c = sqlite3.connect({REAL!r});'
        " c.execute('DROP TABLE transactions')\"],"
        " check=True)"
    ),
    "os.fork": (
        "pid = os.fork()\nif not pid:\n    try: open(REAL, 'wb')\n    finally: os._exit(3)\n"
        "assert os.waitpid(pid, 0)[1] == 0"
    ),
    "os.execv": "os.execv('/bin/rm', ['rm', REAL])",
    "shutil.copyfile": "import shutil; shutil.copyfile('budget_buddy.db', REAL)",
    "shutil.move": "import shutil; shutil.move('budget_buddy.db', REAL)",
    "os.replace": "os.replace('budget_buddy.db', REAL)",
    "os.rename away": "os.rename(REAL, 'mine.db')",
    "os.remove": "os.remove(REAL)",
    "os.truncate": "os.truncate(REAL, 0)",
    "os.chmod": "os.chmod(REAL, 0)",
    "hard link": "os.link(REAL, 'linked.db'); open('linked.db', 'wb')",
    "open for writing": "open(REAL, 'wb')",
    "open for appending": "open(REAL, 'ab').write(b'x')",
    "os.open": "os.open(REAL, os.O_RDWR)",
    "Path.write_bytes": "import pathlib; pathlib.Path(REAL).write_bytes(b'')",
    "through a symbolic link": "os.symlink(REAL, 'link'); open('link', 'wb')",
    "journal beside it": "open(REAL + '-journal', 'wb')",
}


@pytest.mark.parametrize("way", AROUND)
@pytest.mark.parametrize("use_landlock", every(2, [True, False]))
def test_the_real_database_is_not_touched_by_any_other_way(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    use_landlock: bool,  # noqa: FBT001 - a case
) -> None:
    monkeypatch.setattr(kept, "USE_LANDLOCK", use_landlock)
    before = project.real.read_bytes()
    listed = sorted(project.root.iterdir())
    image = image_of(COPY)

    run, after = project.run(f"db = sqlite3.connect('budget_buddy.db')\n{AROUND[way]}\n", image)

    assert run.failure is not None
    assert after is image
    assert project.real.read_bytes() == before
    assert sorted(project.root.iterdir()) == listed


PAST_PYTHON = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
name = REAL.encode()
for attempt in (
    lambda: libc.creat(name, 0o644),
    lambda: libc.unlink(name),
    lambda: libc.truncate(name, 0),
    lambda: libc.rename(name, b'mine.db'),
    lambda: libc.link(name, b'mine.db'),
    lambda: libc.mkdir(name + b'.d', 0o755),
):
    print(attempt(), ctypes.get_errno())
"""


def test_what_no_python_code_sees_is_refused_by_the_kernel_or_noticed(project: Project) -> None:
    before = project.real.read_bytes()
    if not HAS_LANDLOCK:
        with pytest.raises(DatabaseError, match="was written while"):
            project.run(PAST_PYTHON)
        return

    run, _ = project.run(PAST_PYTHON)

    assert run.failure is None
    assert set(run.printed.splitlines()) <= {"-1 13", "-1 18"}
    assert project.real.read_bytes() == before


def test_what_the_guard_alone_does_not_see_is_noticed_afterwards(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "USE_LANDLOCK", False)

    with pytest.raises(DatabaseError, match=r"was written while 003_step\.py ran") as caught:
        project.run(PAST_PYTHON)

    assert caught.value.path == project.real


def test_a_database_behind_a_symbolic_link_goes_by_the_name_of_the_link(project: Project) -> None:
    project.real.rename(project.root / "data-2026.db")
    project.real.symlink_to("data-2026.db")
    for name in ("'budget_buddy.db'", "REAL", "REAL.replace('budget_buddy', 'data-2026')"):
        run, after = project.run(f"db = sqlite3.connect({name})\n{WRITE}")

        assert run.failure is None, run.printed
        assert categories(after) == ["Changed"]
        assert rows(project.real.read_bytes(), "SELECT id FROM transactions") == [7]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("sqlite3.connect(OTHER)", "other.db"),
        ("sqlite3.connect('other.db')", "other.db"),
        ("sqlite3.connect('data/budget_buddy.db')", "data/budget_buddy.db"),
        ("sqlite3.connect('file:' + OTHER + '?mode=ro', uri=True)", "other.db"),
        ("sqlite3.connect(':memory:').execute(f'ATTACH {OTHER!r} AS o')", "other.db"),
        ("sqlite3.connect(':memory:').execute(\"VACUUM INTO 'copy.db'\")", "copy.db"),
    ],
)
@pytest.mark.parametrize("swallowed", [False, True])
def test_another_database_is_refused_with_its_path(
    project: Project,
    source: str,
    name: str,
    swallowed: bool,  # noqa: FBT001 - a case
) -> None:
    if swallowed:
        source = f"try:\n    {source}\nexcept Exception: pass"

    run, _ = project.run(source)

    failure = failure_of(run)
    assert "opening the database /" in failure.message
    assert f"{name} is refused: a migration script may open budget_buddy.db and no other" in (
        failure.message
    )
    assert "--bb-db" in advise_on_failure(failure).text


HARMLESS = """
sqlite3.connect(':memory:').execute("ATTACH ':memory:' AS a")
sqlite3.connect('')
sqlite3.connect('file::memory:?cache=shared', uri=True)
sqlite3.connect('file:other.db?mode=memory', uri=True)
import tempfile; sqlite3.connect(tempfile.mkstemp()[1]).execute('CREATE TABLE t (x)')
sqlite3.connect(':memory:').execute("ATTACH 'budget_buddy.db' AS b")
sqlite3.connect('budget_buddy.db', isolation_level=None).execute('VACUUM')
open('/dev/null', 'w').write('x')
import shutil; shutil.copy('budget_buddy.db', 'budget_buddy.db.backup')
open('log.txt', 'a').write('done'); os.remove('log.txt')
os.makedirs('a/b'); os.rename('a/b', 'c'); os.rmdir('c'); shutil.rmtree('a')
open(1, 'w', closefd=False).write('x')
assert sys.stdin.read() == ''
assert os.access(REAL, os.W_OK) and os.stat(1)
assert os.stat in os.supports_dir_fd
assert open(REAL, 'rb').read(6) == b'SQLite'
"""


@pytest.mark.parametrize("use_landlock", [True, False])
def test_what_is_harmless_is_allowed(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    use_landlock: bool,  # noqa: FBT001 - a case
) -> None:
    monkeypatch.setattr(kept, "USE_LANDLOCK", use_landlock)

    run, after = project.run(HARMLESS)

    assert run.failure is None, run.printed
    assert categories(after) == ["Dining Out"]


def test_other_programs_may_be_started_where_the_kernel_holds_them_in(project: Project) -> None:
    run, _ = project.run("import subprocess; subprocess.run(['true'], check=True)")

    assert run.succeeded == HAS_LANDLOCK


def test_other_programs_are_refused_where_it_does_not(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "USE_LANDLOCK", False)

    run, _ = project.run("import subprocess; subprocess.run(['true'], check=True)")

    assert "cannot start other programs" in failure_of(run).message
    assert failure_of(run).line == 4


PROGRAMS = {
    "os.system": "os.system(f'sqlite3 {REAL} VACUUM')",
    "a list": "import subprocess; subprocess.run(['sqlite3', REAL, 'VACUUM'])",
    "a program's own text": (
        "import subprocess; subprocess.run([sys.executable, '-c',"
        " f'import sqlite3; sqlite3.connect({REAL!r})'])"
    ),
    "another name": (
        "os.system(f\"sqlite3 '{os.path.dirname(REAL)}/x/../budget_buddy.db' VACUUM\")"
    ),
    "swallowed": "try: os.system(f'sqlite3 {REAL} VACUUM')\nexcept OSError: pass",
}


@pytest.mark.skipif(not HAS_LANDLOCK, reason="a script may start no program here")
@pytest.mark.parametrize("way", PROGRAMS)
def test_a_program_that_would_open_the_real_database_is_refused(project: Project, way: str) -> None:
    (project.root / "x").mkdir()

    run, _ = project.run(PROGRAMS[way])

    assert re.search(
        r"starting a program on /\S+/budget_buddy\.db is refused: it would open the real database; "
        r"to another program a migration script calls it budget_buddy\.db, without a folder$",
        failure_of(run).message,
    )


@pytest.mark.skipif(not HAS_LANDLOCK, reason="a script may start no program here")
def test_a_program_opens_the_copy_by_its_name(project: Project) -> None:
    code = f"import sqlite3; db = sqlite3.connect('budget_buddy.db'); {WRITE}"

    run, after = project.run(f"import subprocess; subprocess.run([sys.executable, '-c', {code!r}])")

    assert run.failure is None, run.printed
    assert categories(after) == ["Changed"]


def test_a_database_elsewhere_is_meant_by_its_name_as_seen_from_the_root(tmp_path: Path) -> None:
    project = Project(tmp_path)
    (project.root / "data").mkdir()
    project.real.rename(project.root / "data" / "budget_buddy.db")
    project.environment = RunEnvironment(Path("data/budget_buddy.db"), project.root)

    for name in ("data/budget_buddy.db", "budget_buddy.db", "./data/../data/budget_buddy.db"):
        for way in (
            f"sqlite3.connect({name!r})",
            f"__import__('sqlalchemy').create_engine('sqlite:///{name}').raw_connection()",
        ):
            run, after = project.run(
                f"db = {way}\ndb.cursor().execute({CHANGE!r})\ndb.commit()\ndb.close()"
            )

            assert run.failure is None, run.printed
            assert categories(after) == ["Changed"]


def test_a_hard_link_to_the_real_database_is_the_real_database(project: Project) -> None:
    (project.root / "alias.db").hardlink_to(project.real)

    run, after = project.run(f"db = sqlite3.connect({str(project.root / 'alias.db')!r})\n{WRITE}")

    assert run.failure is None
    assert categories(after) == ["Changed"]
    assert rows(project.real.read_bytes(), "SELECT id FROM transactions") == [7]


def test_a_database_that_does_not_exist_yet_is_seen_by_the_script(project: Project) -> None:
    project.real.unlink()

    run, after = project.run(
        "assert os.path.exists(REAL) and os.path.exists('budget_buddy.db')\n"
        "import pathlib; assert pathlib.Path(REAL).is_file()\n"
        "assert not os.path.exists(OTHER + 'x')\n"
        f"db = sqlite3.connect(REAL)\n{WRITE}"
    )

    assert run.failure is None, run.printed
    assert categories(after) == ["Changed"]
    assert not project.real.exists()


def test_an_empty_image_is_an_empty_database(project: Project) -> None:
    path = project.folder / "a.py"

    run, after = run_script(
        path.parent,
        f"import sqlite3\ndb = sqlite3.connect('budget_buddy.db')\ndb.execute({TABLE!r})",
        b"",
        environment=project.environment,
    )

    assert run.failure is None
    assert categories(after) == []


# the program


def test_a_script_runs_as_a_program(project: Project) -> None:
    (project.folder / "helper.py").write_text("WORD = 'helped'")
    (project.root / "app.py").write_text("NAME = 'app'")

    run, _ = project.run(
        "import helper, app\n"
        "def migrate():\n    print('migrating')\n"
        "if __name__ == '__main__':\n"
        "    print(__name__, sys.argv == [__file__], sys.path[0] == os.path.dirname(__file__))\n"
        "    print(helper.WORD, app.NAME, os.path.samefile('budget_buddy.db', REAL))\n"
        "    migrate()\n"
        "    print('oh', file=sys.stderr)\n"
        "    sys.exit()\n"
    )

    assert run.failure is None
    assert run.printed == "__main__ True True\nhelped app True\nmigrating\noh\n"
    assert list(project.root.rglob("*.pyc")) == []


def test_a_migrate_function_that_nobody_calls_is_called(project: Project) -> None:
    run, after = project.run(
        "def migrate():\n    with sqlite3.connect('budget_buddy.db') as db:\n"
        f"        db.execute({CHANGE!r})\n    print(__name__)\n"
    )

    assert run.failure is None
    assert run.printed == "migration\n"
    assert categories(after) == ["Changed"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def migrate(): pass", True),
        ("async def migrate(): pass", True),
        ("def migrate(): pass\nif __name__ == '__main__': migrate()", False),
        ("def migrate(): pass\nif '__main__' == __name__: migrate()", False),
        ("def migrate(): pass\nif True: pass", True),
        ("def migrate(): pass\nmigrate()", False),
        ("def migrate(): pass\nif True:\n    migrate()", False),
        ("def migrate(): pass\ndef again():\n    migrate()", True),
        ("print('x')", False),
    ],
)
def test_a_bare_migrate_function_is_told_from_a_program(source: str, expected: bool) -> None:  # noqa: FBT001 - a case
    assert is_bare_migrate(source.encode(), "x.py") is expected


def test_what_the_script_executed_is_known_and_its_renames_are_followed(project: Project) -> None:
    run, after = project.run(
        "db = sqlite3.connect('budget_buddy.db')\n"
        "db.execute('ALTER TABLE transactions RENAME TO moves')\n"
        "db.executescript('''ALTER TABLE moves RENAME bb_category TO label;\n"
        "UPDATE moves SET label = 1;''')\n"
        "db.executemany('INSERT INTO moves VALUES (?, ?)', [(8, 'a'), (9, 'b')])\n"
        "db.commit()\n"
    )

    assert run.failure is None
    assert run.statements == 3
    assert run.executed[0] == "ALTER TABLE transactions RENAME TO moves"
    assert run.renamed_tables == (("transactions", "moves"),)
    assert run.renamed_columns == ((("transactions", "bb_category"), "label"),)
    assert rows(after, "SELECT count(*) FROM moves") == [3]


def test_the_hook_of_the_app_is_called_by_its_name(project: Project) -> None:
    (project.root / "app.py").write_text(
        "def prepare(db):\n"
        "    db.execute('SELECT 1')\n"
        "    db.create_function('normalize', 1, str.casefold)\n"
    )
    project.environment = RunEnvironment(
        Path("budget_buddy.db"), project.root, connection_hook="app:prepare"
    )

    run, after = project.run(
        "db = sqlite3.connect('budget_buddy.db')\n"
        "db.execute('UPDATE transactions SET bb_category = normalize(bb_category)'); db.commit()"
    )

    assert run.failure is None, run.printed
    assert run.statements == 1
    assert categories(after) == ["dining out"]


# failures


@pytest.mark.parametrize(
    ("source", "line", "statement", "message", "advice"),
    [
        (
            (
                "def migrate():\n    sqlite3.connect('budget_buddy.db').execute('BOOM')\n\n"
                "migrate()\n"
                "if __name__ == '__main__': pass"
            ),
            5,
            "BOOM",
            'OperationalError: near "BOOM": syntax error',
            "",
        ),
        (
            (
                "db = sqlite3.connect('budget_buddy.db')\n"
                "try: db.execute('SELECT normalize(1)')\n"
                "except sqlite3.Error as error:\n    print(error)\n    sys.exit(2)"
            ),
            5,
            "SELECT normalize(1)",
            "SystemExit: 2, after OperationalError: no such function: normalize",
            "bb_connection",
        ),
        ("sys.exit('no good')", 4, "", "SystemExit: no good", "raises"),
        ("raise KeyError", 4, "", "KeyError", ""),
        ("def broken(:", 4, "", "SyntaxError: invalid syntax", ""),
        ("import no_such_module", 4, "", "ModuleNotFoundError: No module named", "install it"),
        ("async def migrate(): pass", None, "", "TypeError: migrate() is a coroutine", ""),
        ("os._exit(3)", None, "", "the program ended with exit code 3 before", "printed"),
        ("os._exit(0)", None, "", "the program ended with exit code 0 before", "printed"),
        ("open('data.json')", 4, "", "FileNotFoundError", "Path(__file__)"),
        ("open(OTHER, 'w')", 4, "", "PermissionError: [Errno 13] a migration script may", "beside"),
        (
            "sqlite3.connect('budget_buddy.db').set_authorizer(None)",
            4,
            "",
            "NotSupportedError: a migration cannot set an authorizer of its own",
            "",
        ),
        (
            "sqlite3.connect(':memory:').execute('ATTACH ? AS x', (OTHER,))",
            4,
            "ATTACH ? AS x",
            "OperationalError: ATTACH of a name that is not written out is refused",
            "leave it out",
        ),
        (
            (
                "try:\n    sqlite3.connect('budget_buddy.db').execute('BOOM')\n"
                "except Exception: pass\n"
                "raise ValueError('later')"
            ),
            7,
            "",
            "ValueError: later",
            "",
        ),
    ],
)
def test_a_script_that_fails_says_where_and_why(
    project: Project, source: str, line: int | None, statement: str, message: str, advice: str
) -> None:
    image = image_of(COPY)

    run, after = project.run(source, image)

    failure = failure_of(run)
    assert failure.path == project.folder / "003_step.py"
    assert (failure.line, failure.statement) == (line, statement)
    assert failure.message.startswith(message)
    assert advice in advise_on_failure(failure).text
    assert after is image


def test_of_what_is_refused_the_traceback_ends_in_the_script(project: Project) -> None:
    run, _ = project.run("import tempfile\n\nsqlite3.connect(OTHER)\n")

    assert [line.strip() for line in run.printed.splitlines() if "File" in line] == [
        f'File "{project.folder / "003_step.py"}", line 6, in <module>'
    ]
    assert "opening the database" in run.printed.splitlines()[-1]


def test_the_traceback_is_printed_without_our_own_frames(project: Project) -> None:
    run, _ = project.run("print('half way')\nraise ValueError('no')")

    path = project.folder / "003_step.py"
    assert run.printed == (
        "half way\n"
        "Traceback (most recent call last):\n"
        f'  File "{path}", line 5, in <module>\n'
        "    raise ValueError('no')\n"
        "ValueError: no\n"
    )


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        (
            (
                f"try:\n    db.execute({CHANGE!r})\n    db.execute('BOOM')\n"
                "except sqlite3.Error:\n    db.rollback()\n"
            ),
            9,
            "the script rolled its changes back, after OperationalError: near",
        ),
        (f"db.execute({CHANGE!r})\ndb.execute('ROLLBACK')", 6, "the script rolled its changes"),
        (
            (
                f"try:\n    with db:\n        db.execute({CHANGE!r})\n        1 / 0\n"
                "except ZeroDivisionError: pass"
            ),
            6,
            "the script rolled its changes back, after ZeroDivisionError",
        ),
        (f"db.execute({CHANGE!r})\ndb.close()", 6, "the script closed the database without commit"),
        (f"db.execute({CHANGE!r})", None, "the script ended without commit()"),
        (
            (
                "db.execute('/* a */ INSERT INTO transactions /* b */ '\n"
                "           'SELECT 2, bb_category FROM transactions')"
            ),
            None,
            "the script ended without commit()",
        ),
    ],
)
def test_a_script_that_loses_its_changes_has_failed(
    project: Project, source: str, line: int | None, message: str
) -> None:
    run, _ = project.run(f"db = sqlite3.connect('budget_buddy.db')\n{source}")

    assert failure_of(run).message.startswith(message)
    assert failure_of(run).line == line
    assert advise_on_failure(failure_of(run)).text


@pytest.mark.parametrize(
    "source",
    [
        f"db.execute({CHANGE!r})\ndb.rollback()\ndb.execute({CHANGE!r})\ndb.commit()",
        f"db.execute('BEGIN')\ndb.rollback()\ndb.execute({CHANGE!r})\nwith db: pass",
        f"db.execute({CHANGE!r})\ndb.rollback()\nwith db:\n    db.execute({CHANGE!r})",
        f"db.execute('BEGIN')\ndb.execute({CHANGE!r})\ndb.execute('COMMIT')\ndb.rollback()",
        f"db.execute({CHANGE!r})\ndb.execute('-- done\\nEND')\ndb.close()\ndb = None",
        f"db.isolation_level = None\ndb.execute({CHANGE!r})\ndb.close()",
        (
            f"with db: db.execute({CHANGE!r})\nwith db: pass\n"
            "list(db.execute('SELECT 1'))\ndb.rollback()"
        ),
    ],
)
def test_a_script_that_commits_in_the_end_has_not_lost_them(project: Project, source: str) -> None:
    run, after = project.run(f"db = sqlite3.connect('budget_buddy.db')\n{source}")

    assert run.failure is None, run.failure
    assert categories(after) == ["Changed"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("os.remove('budget_buddy.db')", "No such file"),
        ("open('budget_buddy.db', 'w').write('nonsense' * 1000)", "file is not a database"),
    ],
)
def test_what_a_script_leaves_must_be_a_database(
    project: Project, source: str, message: str
) -> None:
    image = image_of(COPY)

    run, after = project.run(source, image)

    assert failure_of(run).message.startswith("what the script left is no database any more")
    assert message in failure_of(run).message
    assert after is image


def test_what_is_left_in_a_wal_is_read_back(project: Project) -> None:
    run, after = project.run(
        "db = sqlite3.connect('budget_buddy.db')\ndb.execute('PRAGMA journal_mode = wal')\n"
        f"{WRITE}\nassert os.path.exists('budget_buddy.db-wal')\n"
        "import shutil; shutil.copytree('.', 'kept')\ndb.close()\n"
        "for name in os.listdir('kept'): shutil.move(f'kept/{name}', name)\n"
    )

    assert run.failure is None, run.printed
    assert categories(after) == ["Changed"]
    assert after[18:20] == b"\x01\x01"


def test_what_a_hot_journal_undoes_is_undone(project: Project) -> None:
    run, after = project.run(
        "import shutil\n"
        "db = sqlite3.connect('budget_buddy.db')\ndb.execute('PRAGMA cache_size = 1')\n"
        "db.execute('PRAGMA cache_spill = 1')\n"
        "db.execute('CREATE TABLE big (x)')\n"
        "db.executemany('INSERT INTO big VALUES (zeroblob(9000))', [()] * 50)\n"
        "assert os.path.getsize('budget_buddy.db-journal')\n"
        "shutil.copytree('.', 'kept')\n"
        "db.commit()\ndb.close()\n"
        "for name in os.listdir('kept'): shutil.move(f'kept/{name}', name)\n"
    )

    assert run.failure is None, run.printed
    assert rows(after, "SELECT count(*) FROM big") == [0]
    assert categories(after) == ["Dining Out"]


@pytest.mark.parametrize("end", ["", "-wal", "-journal"])
def test_a_real_database_that_changed_meanwhile_is_an_error_that_names_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(kept, "USE_LANDLOCK", False)
    changed = project.real.with_name(project.real.name + end)

    with pytest.raises(DatabaseError, match=r"was written while 003_step\.py ran") as caught:
        project.run(f"import ctypes, os\nlibc = ctypes.CDLL(None)\n{write_in_c(changed)}")

    assert caught.value.path == project.real


def write_in_c(path: Path) -> str:
    """Return Python that writes to ``path`` past every audit hook."""
    flags = os.O_WRONLY | os.O_CREAT
    return f"libc.write(libc.open({os.fsencode(path)!r}, {flags}, 0o600), b'changed', 7)"


def test_ctrl_c_ends_the_script_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def interrupted(*_: object) -> bytes:
        monkeypatch.undo()
        started.extend(child.pid for child in started_here())
        raise KeyboardInterrupt

    monkeypatch.setattr(kept, "read_all", interrupted)

    with pytest.raises(KeyboardInterrupt):
        project.run("import time; time.sleep(600)")

    assert started
    assert not any(map(is_running, started))


@pytest.mark.skipif(not HAS_LANDLOCK, reason="a script may start no program here")
@pytest.mark.parametrize("alone", [False, True])
def test_what_a_script_leaves_running_is_ended_and_it_has_failed(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    alone: bool,  # noqa: FBT001 - a case
) -> None:
    monkeypatch.setattr(kept, "ORPHAN_SECONDS", 0.0)
    image = image_of(COPY)

    run, after = project.run(
        "import subprocess\n"
        f"left = subprocess.Popen(['sleep', '600'], start_new_session={alone})\n"
        "print(left.pid)",
        image,
    )

    assert failure_of(run).message == "the script ended and left sleep running"
    assert after is image
    assert not is_running(int(run.printed))


@pytest.mark.skipif(not HAS_LANDLOCK, reason="a script may start no program here")
def test_what_ends_soon_after_the_script_has_its_time(project: Project) -> None:
    code = f"import sqlite3; db = sqlite3.connect('budget_buddy.db'); {WRITE}"

    run, after = project.run(
        f"import subprocess\nsubprocess.Popen([sys.executable, '-c', {code!r}])"
    )

    assert run.failure is None, run.printed
    assert categories(after) == ["Changed"]


# the guard's parts


@pytest.mark.parametrize(
    ("database", "uri", "path"),
    [
        ("x.db", False, "x.db"),
        ("x.db", True, "x.db"),
        (":memory:", True, None),
        ("", False, None),
        ("file:x.db", False, "file:x.db"),
        ("file:x%20y.db?mode=ro", True, "x y.db"),
        ("file:///a/x.db#part", True, "/a/x.db"),
        ("file::memory:", True, None),
        ("file:", True, None),
        ("file:x.db?mode=memory&cache=shared", True, None),
    ],
)
def test_the_file_in_a_name_or_uri(database: str, uri: bool, path: str | None) -> None:  # noqa: FBT001 - a case
    assert path_in_name(database, uri=uri) == path


def test_a_uri_keeps_its_query_when_it_is_led_to_the_copy(tmp_path: Path) -> None:
    real, work = tmp_path / "real.db", tmp_path / "work"
    places = SandboxPaths(real, work / "real.db", work, tmp_path, tmp_path / "tmp")

    led = places.database_to_open(f"file:{real}?mode=rw&cache=private", uri=True)

    assert led == f"file:{work / 'real.db'}?mode=rw&cache=private"


def test_a_file_is_known_by_any_of_its_names(tmp_path: Path) -> None:
    real, work = tmp_path / "real.db", tmp_path / "work"
    work.mkdir()
    places = SandboxPaths(real, work / "real.db", work, tmp_path, tmp_path / "tmp")
    for file, other in ((real, tmp_path / "REAL.DB"), (places.copy, work / "Real.db")):
        file.touch()
        other.hardlink_to(file)  # as on a volume that passes over the case of letters

    assert places.path_to_open(str(work / "Real.db")) == str(work / "Real.db")
    assert places.path_to_open(str(tmp_path / "REAL.DB")) == str(places.copy)
    assert places.find_real([f"sqlite3 {tmp_path}/REAL.DB .dump"]) == f"{tmp_path}/REAL.DB"


@pytest.mark.parametrize(
    ("event", "args", "refused"),
    [
        ("open", ("/elsewhere", "w", os.O_WRONLY), True),
        ("open", (b"/elsewhere", "w", os.O_CREAT), True),
        ("open", ("/elsewhere", "r", os.O_RDONLY | os.O_CLOEXEC), False),
        ("open", ("/elsewhere", None, None), False),
        ("open", (1, "w", os.O_WRONLY), False),
        ("open", ("/dev/null", "w", os.O_WRONLY), False),
        ("os.rename", ("/desk/work/a", "/elsewhere", -1, -1), True),
        ("os.rename", ("/desk/work/a", "/desk/work/b", -1, -1), False),
        ("os.symlink", ("/elsewhere", "/desk/work/b", -1), False),
        ("os.chmod", (1, 0o600, -1), False),
        ("os.listdir", ("/elsewhere",), False),
        ("os.system", ("true",), True),
    ],
)
def test_an_event_that_writes_elsewhere_is_refused(
    event: str,
    args: tuple[object, ...],
    refused: bool,  # noqa: FBT001 - a case
) -> None:
    programs = False
    if not refused:
        files.refuse_event(DESK, programs, event, args)
        return

    with pytest.raises(PermissionError, match="a migration script"):
        files.refuse_event(DESK, programs, event, args)


def test_a_connection_made_past_the_guard_is_refused() -> None:
    script_log = ScriptLog()
    terms = connections.ConnectionRules(DESK, script_log, "script.py")

    connections.refuse_others(terms, "sqlite3.connect", ("/desk/work/real.db",))
    connections.refuse_others(terms, "sqlite3.connect", (b":memory:",))
    connections.refuse_others(terms, "os.listdir", ("/project",))
    for database in ("/project/real.db", "file:/project/real.db?mode=ro", "/project/other.db"):
        with pytest.raises(sqlite3.OperationalError, match="is refused"):
            connections.refuse_others(terms, "sqlite3.connect", (database,))

    assert len(script_log.refused) == 3


@pytest.mark.parametrize(
    ("abi", "rights"), [(0, 0), (1, 0x1FF2), (2, 0x3FF2), (3, 0x7FF2), (7, 0x7FF2)]
)
def test_landlock_is_asked_for_the_rights_that_its_version_knows(abi: int, rights: int) -> None:
    assert landlock.write_rights(abi) == rights


def test_elsewhere_than_on_linux_nothing_is_restricted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    assert not landlock.restrict_writes(["/"])


def test_a_system_call_that_fails_is_an_error() -> None:
    with pytest.raises(OSError, match="Landlock system call 446 failed"):
        landlock.checked_call(landlock.RESTRICT_SELF, -1, 0)


def test_a_script_that_prints_without_end_is_ended(project: Project) -> None:
    run, _ = project.run("while True: print('x' * 1000)")

    assert failure_of(run).message == "printed more than 16MB"
    assert len(run.printed) < 5000

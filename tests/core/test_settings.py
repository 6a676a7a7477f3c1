from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from fnmatch import fnmatch
from pathlib import Path

import pytest

from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.runner.connection_hook import load_connection_hook
from pytest_bbmigrate.runner.limits import read_size, show_size
from pytest_bbmigrate.settings import GivenValue, Settings, read_settings

ROOT = Path("/household")


def settings_with(**values: str | int | tuple[str, ...]) -> Settings:
    given = {field: GivenValue(f"bb_{field}", value, ROOT) for field, value in values.items()}
    return read_settings(ROOT, given)


def refusal_of(**values: str | int | tuple[str, ...]) -> str:
    with pytest.raises(SettingsError) as caught:
        settings_with(**values)
    return str(caught.value)


def test_nothing_given_means_the_defaults() -> None:
    settings = read_settings(ROOT, {})

    assert settings == Settings(
        root=ROOT,
        migrations=ROOT / "migrations",
        database=ROOT / "budget_buddy.db",
        base=None,
        invariants=(),
        rows=200,
        seed=20260101,
        rows_from=None,
        connection="",
        check_from="",
        strict=False,
    )


def test_placeholders_are_names_and_values() -> None:
    lines = ("# the app's", "who = me = you", "nobody =")

    assert settings_with(placeholders=lines).placeholders == (("who", "me = you"), ("nobody", ""))


@pytest.mark.parametrize("line", ["who", "= me", "${who} = me"])
def test_a_placeholder_without_a_name_or_value_is_refused(line: str) -> None:
    refusal = refusal_of(placeholders=(line,))

    assert refusal == f"bb_placeholders = {line}: 'name = value' is wanted"


def test_a_placeholder_has_one_value() -> None:
    refusal = refusal_of(placeholders=("who = me", "who = you"))

    assert refusal == "bb_placeholders: two values for who; leave one of them"


def test_what_is_ignored_are_patterns_a_line_each() -> None:
    assert settings_with(ignore=("*.sh", "", "R__*")).reading_rules.ignore == ("*.sh", "R__*")


def test_an_order_is_the_lines_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "order.txt"
    path.write_text("\ufeffb\n\n# a\na\n", "utf-8")

    settings = settings_with(order=str(path))

    assert (settings.order_file, settings.order) == (path, ("b", "", "# a", "a"))


def test_an_order_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "order.txt").write_bytes(b"\xff")

    refusal = refusal_of(order=str(tmp_path / "order.txt"))

    path = tmp_path / "order.txt"
    assert refusal == (
        f"bb_order = {path}: byte 0 of the file (0xff) is not UTF-8; save the file as UTF-8"
    )


def test_contract_lines_of_other_files_are_read_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "contracts.toml"
    path.write_bytes(b"\xef\xbb\xbfx = []\r\n")

    settings = settings_with(contracts=str(path), steps=str(path))

    assert (settings.contracts_file, settings.contracts) == (path, "\ufeffx = []\r\n")
    assert (settings.steps_file, settings.steps) == (path, settings.contracts)
    rules = settings.reading_rules
    assert (rules.contracts, rules.steps) == (settings.contracts, settings.steps)


def test_contract_lines_that_are_not_there_are_refused() -> None:
    refusal = refusal_of(contracts="c.toml")

    assert refusal == "bb_contracts = c.toml: there is no such file (/household/c.toml)"


def test_an_order_that_is_not_there_is_refused() -> None:
    refusal = refusal_of(order="order.txt")

    assert refusal == "bb_order = order.txt: there is no such file (/household/order.txt)"


def test_an_empty_value_means_the_default() -> None:
    fields = ("migrations", "database", "base", "rows", "seed", "rows_from", "strict")

    assert settings_with(**dict.fromkeys(fields, "")) == read_settings(ROOT, {})


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("db/migrations", "/household/db/migrations"),
        ("./db/../other/", "/household/other"),
        ("../shared", "/shared"),
        ("/srv/migrations", "/srv/migrations"),
        ("  db  ", "/household/db"),
    ],
)
def test_a_relative_path_counts_from_the_folder_of_its_option(text: str, path: str) -> None:
    assert settings_with(migrations=text).migrations == Path(path)
    assert settings_with(database=text).database == Path(path)


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")

    assert settings_with(database="~/money.db").database == Path("/home/ada/money.db")


def test_a_symbolic_link_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    settings = read_settings(
        tmp_path, {"migrations": GivenValue("bb_migrations", "link", tmp_path)}
    )

    assert settings.migrations == tmp_path / "link"


@pytest.mark.parametrize(("raw", "rows"), [("1", 1), (50, 50), ("+7", 7), (" 12 ", 12)])
def test_rows_are_a_positive_integer(raw: str | int, rows: int) -> None:
    assert settings_with(rows=raw).rows == rows


@pytest.mark.parametrize("raw", ["0", "-1", "-200", 0, "abc", "1.5", "1_000", "1e3", "٣", "9" * 19])
def test_rows_that_are_no_positive_integer_are_refused(raw: str | int) -> None:
    assert refusal_of(rows=raw) == f"bb_rows = {raw}: a positive integer is wanted"


@pytest.mark.parametrize(("raw", "seed"), [("0", 0), ("-3", -3), ("20260101", 20260101)])
def test_a_seed_is_any_integer(raw: str, seed: int) -> None:
    assert settings_with(seed=raw).seed == seed


def test_a_seed_that_is_no_integer_is_refused() -> None:
    assert refusal_of(seed="today") == "bb_seed = today: an integer is wanted"


@pytest.mark.parametrize(
    ("raw", "strict"),
    [(True, True), ("true", True), ("ON", True), ("1", True), (False, False), ("no", False)],
)
def test_strict_is_true_or_false(raw: str | int, strict: bool) -> None:  # noqa: FBT001 (a table)
    assert settings_with(strict=raw).strict is strict


def test_strict_that_is_neither_is_refused() -> None:
    assert refusal_of(strict="maybe") == "bb_strict = maybe: true or false is wanted"


@pytest.mark.parametrize(
    ("raw", "memory"),
    [
        ("", 2_000_000_000),
        ("512MB", 512_000_000),
        ("2 gb", 2_000_000_000),
        ("64000KB", 64_000_000),
        ("100000000", 100_000_000),
    ],
)
def test_memory_is_a_size(raw: str, memory: int) -> None:
    assert settings_with(memory=raw).memory == memory


@pytest.mark.parametrize("raw", ["lots", "-1", "2.5GB", "2TB", "MB", "٣GB", "1_000MB"])
def test_memory_that_is_no_size_is_refused(raw: str) -> None:
    assert refusal_of(memory=raw) == (f"bb_memory = {raw}: a size is wanted, such as 512MB or 2GB")


@pytest.mark.parametrize("raw", ["0", "2", "63999999", "1MB"])
def test_memory_that_python_alone_would_not_fit_into_is_refused(raw: str) -> None:
    assert refusal_of(memory=raw).startswith(f"bb_memory = {raw}: 64MB is the least")


@pytest.mark.parametrize("size", [1, 1_000, 1_500, 64_000_000, 2_000_000_000, 10**18])
def test_a_size_is_shown_as_it_is_read(size: int) -> None:
    assert read_size(show_size(size)) == size


@pytest.mark.parametrize("raw", ["0", "-3", "soon", "1.5"])
def test_seconds_that_are_no_positive_integer_are_refused(raw: str) -> None:
    assert refusal_of(seconds=raw) == f"bb_seconds = {raw}: a positive integer is wanted"


def test_seconds_that_are_not_given_are_known_as_that() -> None:
    assert settings_with().seconds is None
    assert settings_with(seconds="300").seconds == 300


def test_a_message_names_the_option_that_gave_the_value() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(ROOT, {"rows": GivenValue("--bb-rows", "-1", ROOT)})

    assert str(caught.value) == "--bb-rows = -1: a positive integer is wanted"


def test_a_path_with_a_nul_is_refused() -> None:
    assert refusal_of(migrations="a\0b") == r"bb_migrations = a\x00b: a path is wanted"


@pytest.mark.parametrize(
    ("option", "name"), [("--bb-db", "trail "), ("--bb-db", " lead"), ("bb_database", "trail")]
)
def test_a_path_of_the_command_line_is_taken_to_the_letter(option: str, name: str) -> None:
    given = {"database": GivenValue(option, name if option[0] == "-" else f" {name} ", ROOT)}

    assert read_settings(ROOT, given).database == ROOT / name


def test_the_baseline_is_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "baseline.sql").write_text("")

    settings = read_settings(tmp_path, {"base": GivenValue("bb_base", "baseline.sql", tmp_path)})

    assert settings.base == tmp_path / "baseline.sql"


def test_a_baseline_that_is_not_there_is_refused() -> None:
    message = refusal_of(base="models.sql")

    assert message == "bb_base = models.sql: there is no such file (/household/models.sql)"


def test_the_users_rows_are_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()

    settings = read_settings(tmp_path, {"rows_from": GivenValue("bb_rows_from", "rows", tmp_path)})

    assert settings.rows_from == tmp_path / "rows"


def test_a_folder_of_rows_that_is_not_there_is_refused() -> None:
    message = refusal_of(rows_from="rows")

    assert message == "bb_rows_from = rows: there is no such folder (/household/rows)"


def test_an_invariant_is_a_name_and_a_query() -> None:
    settings = settings_with(
        invariants=(
            "money is conserved: SELECT sum(amount) FROM transactions;",
            "",
            "# per account",
            "times: select time(':' || 1)",
            "ids: WITH i AS (SELECT 1) SELECT * FROM i",
        )
    )

    assert settings.invariants == (
        ("money is conserved", "SELECT sum(amount) FROM transactions"),
        ("times", "select time(':' || 1)"),
        ("ids", "WITH i AS (SELECT 1) SELECT * FROM i"),
    )


def test_invariants_may_come_as_one_text() -> None:
    settings = settings_with(invariants="one: SELECT 1\ntwo: SELECT 2\n")

    assert settings.invariants == (("one", "SELECT 1"), ("two", "SELECT 2"))


@pytest.mark.parametrize("line", ["SELECT 1", "name:", ": SELECT 1", "name: DELETE FROM t"])
def test_a_line_that_is_no_invariant_is_refused(line: str) -> None:
    message = refusal_of(invariants=(line,))

    assert message == f"bb_invariants = {line}: a line 'name: SELECT ..' is wanted"


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("SELECT 1; SELECT 2", "one query is wanted; write each on a line of its own, *"),
        ("SELECT 'a", "a string that is not finished; *"),
        ("WITH a AS (SELECT 1) DELETE FROM t", "a query that only reads is wanted, *has DELETE"),
        ("WITH a AS (SELECT 1) replace into t SELECT 1", "a query that only reads *has into"),
        ("SELECT sum(amount FROM t", 'near "FROM": syntax error'),
        ("SELECT sum(amount) FROM", "incomplete input"),
    ],
)
def test_an_invariant_that_could_not_run_or_would_write_is_refused(query: str, fault: str) -> None:
    message = refusal_of(invariants=(f"sum: {query}",))

    assert fnmatch(message, f"bb_invariants = sum: {query}: {fault}")


@pytest.mark.parametrize("query", ["SELECT gold FROM vault", "SELECT shout('delete') FROM t"])
def test_an_invariant_may_name_what_is_not_there_yet(query: str) -> None:
    assert settings_with(invariants=(f"sum: {query}",)).invariants == (("sum", query),)


def test_more_rows_than_memory_holds_are_refused() -> None:
    assert settings_with(rows=1_000_000).rows == 1_000_000
    assert refusal_of(rows=1_000_001) == "bb_rows = 1000001: 1000000 is the most"


def test_the_real_database_is_no_baseline(tmp_path: Path) -> None:
    (tmp_path / "budget_buddy.db").touch()
    (tmp_path / "link.db").symlink_to("budget_buddy.db")

    with pytest.raises(SettingsError) as caught:
        read_settings(tmp_path, {"base": GivenValue("bb_base", "link.db", tmp_path)})

    assert str(caught.value) == (
        "bb_base = link.db: this is the real database, which a check never opens; make a copy of it"
    )


def test_two_invariants_of_one_name_are_refused() -> None:
    message = refusal_of(invariants=("sum: SELECT 1", "sum: SELECT 2"))

    assert message == "bb_invariants: two queries are called sum"


@pytest.mark.parametrize("name", ["app.db:prepare", "db:prepare", "a.b.c:set_up"])
def test_a_connection_hook_is_a_module_and_a_function(name: str) -> None:
    assert settings_with(connection=name).connection == name


@pytest.mark.parametrize("name", ["app.db", "app/db.py:prepare", "app:", ":f", "app:f:g", "1a:f"])
def test_a_connection_hook_of_another_form_is_refused(name: str) -> None:
    message = refusal_of(connection=name)

    assert message == f"bb_connection = {name}: package.module:function is wanted"


def test_no_name_is_no_hook() -> None:
    assert load_connection_hook("", ROOT) is None


def test_a_hook_is_imported_from_the_root_folder(tmp_path: Path) -> None:
    (tmp_path / "household_hook.py").write_text(
        "def prepare(db):\n    db.create_function('twice', 1, lambda x: 2 * x)\n"
    )
    before = list(sys.path)

    hook = load_connection_hook("household_hook:prepare", tmp_path)

    assert hook is not None
    with closing(sqlite3.connect(":memory:")) as db:
        hook(db)
        assert db.execute("SELECT twice(21)").fetchone() == (42,)
    assert sys.path == before


def test_a_hook_in_no_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_connection_hook("household_nowhere:prepare", tmp_path)

    assert str(caught.value) == (
        "bb_connection = household_nowhere:prepare: household_nowhere cannot be imported from "
        f"{tmp_path} (ModuleNotFoundError: No module named 'household_nowhere')"
    )


def test_a_module_that_fails_as_it_is_imported_is_refused(tmp_path: Path) -> None:
    (tmp_path / "household_fails.py").write_text("{}['KEY']\n")

    with pytest.raises(SettingsError, match=r"cannot be imported from .* \(KeyError: 'KEY'\)"):
        load_connection_hook("household_fails:prepare", tmp_path)


def test_a_module_that_ends_the_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "household_exits.py").write_text("raise SystemExit(3)\n")

    with pytest.raises(SettingsError, match=r"cannot be imported from .* \(SystemExit: 3\)"):
        load_connection_hook("household_exits:prepare", tmp_path)


def test_an_interrupt_is_no_fault_of_the_module(tmp_path: Path) -> None:
    (tmp_path / "household_interrupted.py").write_text("raise KeyboardInterrupt\n")

    with pytest.raises(KeyboardInterrupt):
        load_connection_hook("household_interrupted:prepare", tmp_path)


RAISED = "called with an empty database it raised {}; it is to register functions and collations, *"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("raise ValueError('no')", RAISED.format("ValueError: no")),
        ("raise SystemExit(3)", RAISED.format("SystemExit: 3")),
        ("db.execute('SELECT * FROM rates')", RAISED.format("OperationalError: no such *")),
        ("db.execute(\"ATTACH 'o.db' AS o\")", RAISED.format("DatabaseError: not authorized")),
        ("db.execute(\"VACUUM INTO 'o.db'\")", RAISED.format("DatabaseError: authorization *")),
        ("db.execute('BEGIN')", "it leaves a transaction open"),
        ("db.execute('CREATE TABLE a (b)')", "it writes to the database; it is to register *"),
        ("db.close()", RAISED.format("ProgrammingError: Cannot operate on a closed database.")),
        ("db.execute('PRAGMA query_only = 1')", "the connection is of no use after it (attempt *"),
    ],
)
def test_a_hook_that_cannot_prepare_a_connection_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, fault: str
) -> None:
    module = f"household_{abs(hash(body))}"
    (tmp_path / f"{module}.py").write_text(f"def prepare(db):\n    {body}\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SettingsError) as caught:
        load_connection_hook(f"{module}:prepare", tmp_path)

    assert fnmatch(str(caught.value), f"bb_connection = {module}:prepare: {fault}")
    assert not (tmp_path / "o.db").exists()


def test_a_hook_that_nobody_awaits_is_refused(tmp_path: Path) -> None:
    (tmp_path / "household_async.py").write_text("async def prepare(db): pass\n")

    with pytest.raises(SettingsError, match="it is a coroutine function, and nobody awaits"):
        load_connection_hook("household_async:prepare", tmp_path)


def test_an_interrupt_is_no_fault_of_the_hook(tmp_path: Path) -> None:
    (tmp_path / "household_stopped.py").write_text("def prepare(db): raise KeyboardInterrupt\n")

    with pytest.raises(KeyboardInterrupt):
        load_connection_hook("household_stopped:prepare", tmp_path)


def test_rows_stay_tuples_after_a_hook(tmp_path: Path) -> None:
    (tmp_path / "household_rows.py").write_text(
        "def prepare(db): db.row_factory = lambda cursor, row: {'value': row[0]}\n"
    )

    hook = load_connection_hook("household_rows:prepare", tmp_path)

    assert hook is not None
    with closing(sqlite3.connect(":memory:")) as db:
        hook(db)
        assert db.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("text", ["", "prepare = 3\n"])
def test_a_module_without_the_function_is_refused(tmp_path: Path, text: str) -> None:
    module = f"household_without_{len(text)}"
    (tmp_path / f"{module}.py").write_text(text)

    with pytest.raises(SettingsError) as caught:
        load_connection_hook(f"{module}:prepare", tmp_path)

    assert str(caught.value) == (
        f"bb_connection = {module}:prepare: {module} has no function prepare; "
        "define prepare(connection) there"
    )


def test_a_runner_and_its_foreign_keys_are_as_they_are_written() -> None:
    settings = settings_with(runs_as="d1", foreign_keys="ON")

    assert (settings.runs_as, settings.foreign_keys) == ("d1", True)
    assert settings_with(foreign_keys="off").foreign_keys is False
    assert settings_with(runs_as="", foreign_keys="").foreign_keys is None


def test_a_runner_that_is_not_known_is_refused_with_those_that_are() -> None:
    message = refusal_of(runs_as="alembic")

    assert message.startswith("bb_runs_as = alembic: one of bbmigrate, sqlite3, dbmate, goose, ")
    assert refusal_of(foreign_keys="1") == "bb_foreign_keys = 1: on or off is wanted"


def test_an_interpreter_is_named_by_its_path_whose_links_stay(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)

    settings = read_settings(tmp_path, {"python": GivenValue("bb_python", "python", tmp_path)})

    assert settings.python == tmp_path / "python"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "there is no such file ({})"),
        ("venv", "this is a folder; name the interpreter in it, its bin/python ({})"),
        ("notes", "this is no program: it may not be executed ({})"),
    ],
)
def test_what_can_be_no_interpreter_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "notes").write_text("")

    with pytest.raises(SettingsError) as caught:
        read_settings(tmp_path, {"python": GivenValue("bb_python", name, tmp_path)})

    assert str(caught.value) == f"bb_python = {name}: {message.format(tmp_path / name)}"


def test_an_invariant_is_not_tried_by_another_sqlite_than_the_migrations() -> None:
    with pytest.raises(SettingsError, match="syntax error"):
        settings_with(invariants=("a: SELECT sum(a SOMEHOW b) FROM t",))

    assert settings_with(
        invariants=("a: SELECT sum(a SOMEHOW b) FROM t",), python=sys.executable
    ).invariants == (("a", "SELECT sum(a SOMEHOW b) FROM t"),)

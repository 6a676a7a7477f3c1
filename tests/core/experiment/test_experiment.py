"""The chain of states, and what one experiment on one migration shows."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.checks.judging import judge, judge_catalogue
from pytest_bbmigrate.errors import SeedingError, StateUnreachable
from pytest_bbmigrate.experiment import run, view_limits
from pytest_bbmigrate.experiment.run import ExperimentSetup
from pytest_bbmigrate.experiment.step_cache import cache_up_result
from pytest_bbmigrate.rows import RowAdded, RowLost, ValueChanged
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.sandbox.run_part import part_run, run_part
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.sqlite_files import in_time, open_image
from pytest_bbmigrate.verdict import CHECKS, Outcome
from tests.core.checking import chain_of
from tests.core.running import image_of
from tests.core.sqlite_builds import NEEDS_DBSTAT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from pytest_bbmigrate.sql.values import Cell

TRIPS = "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, cents INTEGER);"
REFERRING = (
    "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE costs (id INTEGER PRIMARY KEY, trip_id INTEGER REFERENCES trips (id));"
)


def ask(image: bytes | None, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query on ``image``."""
    assert image is not None
    with closing(open_image(image)) as db:
        return db.execute(sql).fetchall()


def test_a_state_is_made_once_and_shares_its_pages_with_the_one_before(tmp_path: Path) -> None:
    notes = "CREATE TABLE notes (id INTEGER PRIMARY KEY);"
    chain = chain_of(tmp_path, TRIPS, notes, rows=4000)
    first, second = chain.state(1), chain.state(2)

    assert chain.state(1) is first
    assert any(mine is theirs for mine, theirs in zip(first.pages, second.pages, strict=False))


def test_a_state_is_filled_and_its_empty_twin_is_not(tmp_path: Path) -> None:
    state = chain_of(tmp_path, TRIPS, rows=7).state(1)

    assert state.row_counts == {"trips": 7}
    assert ask(state.image, "SELECT count(*) FROM trips") == [(7,)]
    assert ask(state.empty, "SELECT count(*) FROM trips") == [(0,)]


def test_a_state_holds_the_keys_that_later_migrations_look_for_and_none_of_them_writes(
    tmp_path: Path,
) -> None:
    names = "SELECT count(*) FROM settings WHERE name = '{}'"
    chain = chain_of(
        tmp_path,
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT);",
        "DELETE FROM settings WHERE name = 'theme';",
        "UPDATE settings SET value = 1 WHERE name = 'font';",
        "INSERT INTO settings (name) VALUES ('font');",
    )

    assert ask(chain.state(1).image, names.format("theme")) == [(1,)]
    assert ask(chain.state(1).image, names.format("font")) == [(0,)]
    assert ask(chain.state(4).image, names.format("font")) == [(1,)]


def test_what_a_migration_creates_is_filled_before_the_next_one(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS, "CREATE TABLE notes (id INTEGER PRIMARY KEY);", rows=7)

    assert chain.state(1).row_counts == {"trips": 7}
    assert chain.state(2).row_counts == {"trips": 7, "notes": 7}


def test_a_column_that_a_migration_adds_is_filled_before_the_next_one(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS, "ALTER TABLE trips ADD COLUMN mood TEXT;")
    ((distinct,),) = ask(chain.state(2).image, "SELECT count(DISTINCT mood) FROM trips")

    assert distinct > 1


def test_a_table_that_a_migration_emptied_is_filled_again(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS, "-- bb: deletes trips\nDELETE FROM trips;", rows=7)

    assert chain.state(2).row_counts == {"trips": 7}


def test_same_files_give_the_same_states(tmp_path: Path) -> None:
    files = (TRIPS, "ALTER TABLE trips ADD COLUMN mood TEXT;")

    assert chain_of(tmp_path, *files).state(2).image == chain_of(tmp_path, *files).state(2).image


def test_nothing_is_tried_after_a_migration_that_does_not_apply(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS, "DROP TABLE trip;", "SELECT 1;")

    with pytest.raises(StateUnreachable, match="002_step does not apply") as raised:
        chain.evidence(2)
    assert raised.value.migration == "002_step"


def test_a_migration_that_does_not_apply_is_evidence(tmp_path: Path) -> None:
    evidence = chain_of(tmp_path, TRIPS, "DROP TABLE trip;").evidence(1)

    assert evidence.up.failure is not None
    assert (evidence.up_on_empty, evidence.up_diff, evidence.down) == (None, None, None)


def test_a_migration_that_leaves_what_sqlite_cannot_read_does_not_apply(tmp_path: Path) -> None:
    spoils = (
        "PRAGMA writable_schema = ON;"
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE trips (id' WHERE name = 'trips';"
    )

    failure = chain_of(tmp_path, TRIPS, spoils).evidence(1).up.failure

    assert failure is not None
    assert failure.message == (
        "what it leaves is no database that SQLite can read"
        " (malformed database schema (trips) - incomplete input)"
    )


@pytest.mark.parametrize(
    ("limit", "where"), [("MAX_ROWS", "1"), ("MAX_CALLS_IN_MEMORY", "a.id + b.id + c.id < 0")]
)
def test_a_view_that_counts_without_end_is_given_up_and_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, where: str
) -> None:
    monkeypatch.setattr(view_limits, limit, 20)
    monkeypatch.setattr(in_time, "INSTRUCTIONS", 1_000)
    days = f"CREATE VIEW days AS SELECT a.* FROM trips a, trips b, trips c WHERE {where};"
    chain = chain_of(tmp_path, TRIPS + days, "ALTER TABLE trips ADD COLUMN mood;")

    diff, verdict = chain.evidence(1).up_diff, judge("schema_survives", chain.evidence(1))

    assert diff is not None
    assert (diff.views, diff.views_passed_over) == ((), ("days",))
    assert verdict.notes == (
        "of 1 view (days) it was not looked at whether it shows what it did: that takes too long",
    )


def test_a_migration_that_fails_on_the_empty_database_ends_that_one_only(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS,
        "CREATE TABLE top (cents INTEGER NOT NULL); INSERT INTO top SELECT max(cents) FROM trips;",
        "SELECT 1;",
    )
    on_empty = chain.evidence(1).up_on_empty

    assert on_empty is not None
    assert not on_empty.succeeded
    assert chain.state(2).empty is None
    assert chain.evidence(2).up_on_empty is None


@pytest.mark.parametrize(
    ("up", "down", "ups", "downs"),
    [
        ("CREATE INDEX i ON trips (name);", "DROP INDEX i;", 3, 1),
        ("CREATE TABLE tags (id INTEGER PRIMARY KEY);", "DROP TABLE tags;", 3, 2),
        ("UPDATE trips SET cents = cents + 1;", "UPDATE trips SET cents = cents - 1;", 3, 2),
        ("UPDATE sums SET cents = cents + 1;", "UPDATE sums SET cents = cents - 1;", 4, 2),
    ],
)
def test_an_experiment_is_run_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, up: str, down: str, ups: int, downs: int
) -> None:
    runs: list[str] = []

    def counting(runner: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            runs.append(f"{args[0].name} {'down' if args[1] is args[0].down else 'up'}")
            return runner(*args, **options)

        return counted

    for runner in (run_part, part_run):
        monkeypatch.setattr(run, runner.__name__, counting(runner))
    base = f"{TRIPS} CREATE TABLE sums (cents INTEGER);"
    chain = chain_of(tmp_path, base, f"-- migrate:up\n{up}\n-- migrate:down\n{down}")
    evidence = chain.evidence(1)
    chain.state(2)

    assert chain.evidence(1) is evidence
    # Up on the filled and the empty state; down, up again; where down could harm rows they are
    # written, and it is run again. Where neither pages nor keys prove that down gave the state
    # before again, up runs once more from that.
    assert sorted(runs) == ["001_step up"] * 2 + ["002_step down"] * downs + ["002_step up"] * ups


def test_a_cached_result_of_up_shares_the_pages_of_its_state(tmp_path: Path) -> None:
    notes = "CREATE TABLE notes (id INTEGER PRIMARY KEY);"
    chain = chain_of(tmp_path, TRIPS, notes, rows=4000)
    state = chain.state(1)
    result = run.run_up(
        chain.catalogue.migrations[1], state, ExperimentSetup(chain.recipe, RunEnvironment())
    )
    kept = cache_up_result(result, state)

    assert not kept.result.before.image
    assert not kept.result.after.image
    assert kept.after is not None
    assert kept.after[1] is state.pages[1]
    assert kept.with_images(state) == result


@pytest.mark.parametrize(
    ("requirement", "broken"),
    [
        ("unique trips(name)", "SELECT 1 FROM trips GROUP BY name HAVING count(name) > 1"),
        ("trips: cents > 100", "SELECT 1 FROM trips WHERE NOT cents > 100"),
    ],
)
def test_rows_keep_to_what_a_later_migration_requires(
    tmp_path: Path, requirement: str, broken: str
) -> None:
    chain = chain_of(tmp_path, TRIPS, "SELECT 1;", f"-- bb: requires {requirement}\nSELECT 1;")

    assert chain.state(1).row_counts["trips"] > 0
    assert ask(chain.state(1).image, broken) == []
    assert ask(chain.state(2).image, broken) == []


def test_rows_keep_to_a_requirement_under_a_name_that_comes_by_a_rename(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        REFERRING,
        "ALTER TABLE trips RENAME COLUMN name TO title;",
        "-- bb: requires unique trips(title)\nCREATE UNIQUE INDEX i ON trips (title);",
    )

    assert chain.evidence(2).up.failure is None
    assert ask(chain.state(2).image, "PRAGMA foreign_key_check") == []
    assert chain.state(2).row_counts["costs"] > 0


def test_the_users_own_rows_stay_though_a_requirement_says_otherwise(tmp_path: Path) -> None:
    own: dict[str, list[dict[str, Cell]]] = {
        "trips": [{"id": 1, "name": "Alps", "cents": 5}, {"id": 2, "name": "Alps", "cents": 7}]
    }
    chain = chain_of(
        tmp_path,
        TRIPS,
        "ALTER TABLE trips RENAME COLUMN name TO title;",
        "-- bb: requires unique trips(title)\nCREATE UNIQUE INDEX i ON trips (title);",
        own_rows=own,
    )
    rows = ask(chain.state(2).image, "SELECT id, title, cents FROM trips")

    narrowed = chain.evidence(2).narrowed

    assert rows == [(1, "Alps", 5), (2, "Alps", 7)]
    assert narrowed is not None
    assert narrowed.left_out == {"trips": 1}


def test_a_renamed_table_is_not_filled_as_if_it_were_new(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS,
        "-- bb: changes trips.name\nUPDATE trips SET name = 'same';",
        "ALTER TABLE trips RENAME COLUMN name TO title; ALTER TABLE trips RENAME TO journeys;",
        rows=7,
    )

    assert ask(chain.state(3).image, "SELECT DISTINCT title FROM journeys") == [("same",)]
    assert chain.state(3).row_counts == {"journeys": 7}


def test_conditions_that_cannot_be_evaluated_are_reported_with_their_line(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS,
        "-- bb: deletes trips where cent = 0\n"
        "-- bb: requires trips: nam <> ''\n"
        "-- bb: requires unique trips(nam)\n"
        "-- bb: requires unique trip(name)\n"
        "-- bb: deletes trip where cent = 0\n"
        "SELECT 1;",
    )

    found = chain.condition_errors(1)
    assert sorted((each.line, each.condition, each.error) for each in found) == [
        (1, "cent = 0", "no such column: cent"),
        (2, "nam <> ''", "no such column: nam"),
        (3, "unique nam", "no such column: trips.nam"),
        (4, "unique name", "no such table: trip"),
    ]
    assert chain.condition_errors(0) == ()


ENDLESS = "(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT sum(x) FROM c)"


def test_conditions_without_end_are_given_up_and_reported_with_their_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_time, "LEAST_CALLS", 5)
    monkeypatch.setattr(in_time, "BYTES_FOR_A_CALL", 10_000)
    chain = chain_of(
        tmp_path,
        TRIPS,
        f"-- bb: requires trips: {ENDLESS} > 0\n"
        f"-- bb: changes trips.name where {ENDLESS} > 0\n"
        f"-- bb: derives trips.name = {ENDLESS}\n"
        f"-- bb: deletes trips where {ENDLESS} > 0\n"
        "UPDATE trips SET name = name || 'x'; DELETE FROM trips WHERE id = 1;",
    )

    found = chain.condition_errors(1)
    told = sorted((each.line, each.condition, each.error) for each in found)
    given_up = f"{ENDLESS} > 0"
    assert told == [(line, given_up, in_time.TAKES_TOO_LONG) for line in (1, 2, 4)]
    diff = chain.evidence(1).up_diff
    assert diff is not None
    (derivation,) = diff.derivations
    assert (derivation.declared.line, derivation.unusable) == (3, in_time.TAKES_TOO_LONG)


def test_what_cannot_be_filled_is_remembered_with_its_reason(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        "CREATE TABLE odd (id INTEGER PRIMARY KEY CHECK (id < 0 AND id > 0));",
        "CREATE TABLE plain (id INTEGER PRIMARY KEY);",
    )
    (first,), (later,) = chain.state(1).unfilled, chain.state(2).unfilled

    assert first == later
    assert (first.table, first.column) == ("odd", "")


def test_a_table_that_is_gone_is_no_longer_unfilled(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        "CREATE TABLE odd (id INTEGER PRIMARY KEY CHECK (id < 0 AND id > 0));",
        "-- bb: drops odd\nDROP TABLE odd;",
    )

    assert chain.state(2).unfilled == ()


VOLATILE = [
    "ALTER TABLE trips ADD COLUMN seen TEXT; UPDATE trips SET seen = strftime('%f', 'now') || id;",
    "ALTER TABLE trips ADD COLUMN token BLOB; UPDATE trips SET token = randomblob(8);",
    (
        "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP, r REAL);"
        "INSERT INTO log (r) SELECT random() FROM trips;"
    ),
    (
        "CREATE TABLE names (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);"
        "INSERT INTO names (name) SELECT name FROM trips ORDER BY random();"
    ),
]


@pytest.mark.parametrize("up", VOLATILE)
def test_what_differs_between_two_runs_from_one_state_is_no_fault(tmp_path: Path, up: str) -> None:
    undo = (
        "ALTER TABLE trips DROP COLUMN " + up.split()[5]
        if up.startswith("ALTER")
        else "DROP TABLE " + up.split()[2]
    )
    chain = chain_of(tmp_path, TRIPS, f"-- migrate:up\n{up}\n-- migrate:down\n{undo};")

    assert judge("up_repeats", chain.evidence(1)).outcome is Outcome.PASSED


def test_what_differs_between_two_runs_from_one_state_is_kept_as_volatile(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS,
        f"-- migrate:up\n{VOLATILE[1]}\n-- migrate:down\nALTER TABLE trips DROP COLUMN token;",
    )
    volatile = chain.evidence(1).volatile

    assert volatile is not None
    assert {
        difference.column
        for table in volatile.tables
        for difference in table.differences
        if isinstance(difference, ValueChanged)
    } == {"token"}


@NEEDS_DBSTAT
def test_rows_are_written_where_down_could_harm_them(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS + "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);",
        "-- migrate:up\n"
        "ALTER TABLE trips ADD COLUMN mood TEXT;\n"
        "CREATE TABLE empty_one (id INTEGER PRIMARY KEY, text TEXT);\n"
        "CREATE TABLE full_one AS SELECT * FROM trips;\n"
        "-- migrate:down\n"
        "DROP TABLE full_one; DROP TABLE empty_one; ALTER TABLE trips DROP COLUMN mood;",
    )
    written = chain.evidence(1).written

    assert written is not None
    assert dict(written.counts) == {"trips": 5, "empty_one": 5}
    assert written.differences == ()


@NEEDS_DBSTAT
def test_rows_are_written_where_down_changed_others_without_naming_them(
    tmp_path: Path,
) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS
        + "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);"
        + "CREATE TABLE tags (id INTEGER PRIMARY KEY, text TEXT);"
        + "CREATE TRIGGER told AFTER UPDATE ON trips BEGIN UPDATE notes SET text = 'x'; END;",
        "-- migrate:up\n"
        "ALTER TABLE trips ADD COLUMN mood TEXT;\n"
        "-- migrate:down\n"
        "UPDATE trips SET name = name; ALTER TABLE trips DROP COLUMN mood;",
    )
    written = chain.evidence(1).written

    assert written is not None
    assert dict(written.counts) == {"trips": 5, "notes": 5}


@pytest.mark.parametrize(
    ("declared", "renamed", "name", "changed"),
    [
        ("Trips.Cents", "", "Trips", set()),
        ("Notes.Cents", "", "Trips", {"cents"}),
        ("Trips.Cents", "Trips", "Journeys", set()),
        ("Journeys.Cents", "Trips", "Journeys", set()),
    ],
)
@NEEDS_DBSTAT
def test_a_column_declared_to_change_may_be_changed_in_rows_written_since(
    tmp_path: Path, declared: str, renamed: str, name: str, changed: set[str]
) -> None:
    rename_up, rename_down = "", ""
    if renamed:
        rename_up = f"ALTER TABLE {renamed} RENAME TO {name};"
        rename_down = f"ALTER TABLE {name} RENAME TO {renamed};"
    chain = chain_of(
        tmp_path,
        "CREATE TABLE Trips (Code TEXT PRIMARY KEY, Cents INTEGER);"
        "CREATE TABLE Notes (Id INTEGER PRIMARY KEY, Cents INTEGER);",
        f"-- bb: changes {declared}\n"
        f"-- migrate:up\nUPDATE Trips SET Cents = Cents + 1; {rename_up}\n"
        f"-- migrate:down\n{rename_down} UPDATE Trips SET Cents = Cents - 1;",
    )
    written = chain.evidence(1).written

    assert written is not None
    assert dict(written.counts) == {name: 5}
    assert {type(d) for d in written.differences} <= {ValueChanged}
    assert {d.column for d in written.differences if isinstance(d, ValueChanged)} == changed


def test_rows_written_since_are_followed_by_key_and_value(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS,
        "-- migrate:up\n"
        "ALTER TABLE trips ADD COLUMN is_old INTEGER;\n"
        "CREATE TABLE old AS SELECT id FROM trips;\n"
        "-- migrate:down\n"
        "DELETE FROM trips WHERE id NOT IN (SELECT id FROM old)\n"
        "AND id % 2 = (SELECT max(id) % 2 FROM trips);\n"
        "UPDATE trips SET cents = 424242 WHERE id NOT IN (SELECT id FROM old);\n"
        "DROP TABLE old; ALTER TABLE trips DROP COLUMN is_old;",
    )
    written = chain.evidence(1).written

    assert written is not None
    lost = [d for d in written.differences if isinstance(d, RowLost)]
    changed = [d for d in written.differences if isinstance(d, ValueChanged)]
    assert len(lost) + len({d.key for d in changed}) == 5
    assert {(d.column, d.after) for d in changed} == {("cents", 424242)}


def test_invariants_run_before_and_after_where_they_can(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS,
        "ALTER TABLE trips ADD COLUMN mood TEXT;",
        rows=7,
        invariants=(("trips", "SELECT count(*) FROM trips"), ("moods", "SELECT mood FROM trips")),
    )
    trips, moods = chain.evidence(1).invariants

    assert (trips.before, trips.after) == ("[(7,)]", "[(7,)]")
    assert moods.before is None
    assert moods.after is not None


def test_an_invariant_that_runs_at_no_version_guards_nothing_and_is_reported(
    tmp_path: Path,
) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS,
        invariants=(("trips", "SELECT count(*) FROM trips"), ("typo", "SELECT sum(x) FROM trip")),
    )
    verdict = judge_catalogue(chain)

    assert verdict.outcome is Outcome.FAILED
    assert [(f.kind, f.name, f.observed) for f in verdict.findings] == [
        ("invariant never runs", "typo", "no such table: trip")
    ]


def test_the_apps_functions_are_there_wherever_the_schema_needs_them(tmp_path: Path) -> None:
    def prepare(db: sqlite3.Connection) -> None:
        db.create_function("norm", 1, lambda text: text and text.lower(), deterministic=True)

    (tmp_path / "001_base.sql").write_text(
        "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, tag TEXT CHECK (norm(tag) = tag),"
        " short TEXT AS (norm(name)));"
        "CREATE INDEX by_name ON trips (norm(name));"
        "CREATE VIEW labels AS SELECT norm(name) AS label FROM trips;"
    )
    (tmp_path / "002_mood.sql").write_text(
        "-- bb: changes trips.name where norm(name) = 'rome'\n-- migrate:up\n"
        "ALTER TABLE trips ADD COLUMN mood TEXT;"
        "UPDATE trips SET name = 'Roma' WHERE norm(name) = 'rome';\n"
        "-- migrate:down\nALTER TABLE trips DROP COLUMN mood;"
        "UPDATE trips SET name = 'Rome' WHERE name = 'Roma';"
    )
    catalogue = read_catalogue(tmp_path)
    chain = Chain(catalogue, Recipe(rows=20), RunEnvironment(prepare_connection=prepare))

    assert judge_catalogue(chain).outcome is Outcome.PASSED
    for position in (0, 1):
        verdicts = [judge(check, chain.evidence(position)) for check in CHECKS]
        assert {verdict.outcome for verdict in verdicts} <= {Outcome.PASSED, Outcome.SKIPPED}
    assert chain.state(2).row_counts["trips"] == 20


def test_own_rows_for_a_table_that_no_version_has_are_refused(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS, own_rows={"trips": [], "trip": []})

    with pytest.raises(SeedingError, match="no version of the database has a table trip"):
        judge_catalogue(chain)


def test_a_migration_is_not_blamed_for_references_that_dangled_before(tmp_path: Path) -> None:
    base = image_of(REFERRING + "INSERT INTO costs VALUES (1, 99), (2, 98);")
    chain = chain_of(
        tmp_path,
        "ALTER TABLE costs RENAME COLUMN trip_id TO trip; UPDATE costs SET id = id;",
        "-- bb: changes costs.trip where id = 1\nUPDATE costs SET trip = 97 WHERE id = 1;",
        base=base,
    )
    first, second = chain.evidence(0).up_diff, chain.evidence(1).up_diff

    assert first is not None
    assert first.dangling == ()
    assert second is not None
    assert [(d.table, d.columns, d.count, d.values) for d in second.dangling] == [
        ("costs", ("trip",), 1, ((97,),))
    ]


def test_a_migration_is_not_blamed_for_a_reference_that_was_broken_before(tmp_path: Path) -> None:
    base = image_of("CREATE TABLE costs (id INTEGER PRIMARY KEY, trip INTEGER REFERENCES t);")
    chain = chain_of(tmp_path, "ALTER TABLE costs ADD COLUMN note TEXT;", base=base)
    up_diff = chain.evidence(0).up_diff

    assert up_diff is not None
    assert up_diff.mismatches == ()


def test_a_column_that_is_added_refers_for_the_first_time(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS + "CREATE TABLE costs (id INTEGER PRIMARY KEY);",
        "ALTER TABLE costs ADD COLUMN trip_id INTEGER DEFAULT 0 REFERENCES trips (id);",
        rows=7,
    )
    up_diff = chain.evidence(1).up_diff

    assert up_diff is not None
    assert [(d.table, d.count) for d in up_diff.dangling] == [("costs", 7)]


@pytest.mark.parametrize(
    ("declared", "new_name"),
    [("", "trips"), ("-- bb: renames trips -> trips_2025\n", "trips_2025")],
)
def test_a_table_renamed_away_is_followed_if_that_is_declared(
    tmp_path: Path, declared: str, new_name: str
) -> None:
    aside = f"{declared}ALTER TABLE trips RENAME TO trips_2025;{TRIPS}"
    up_diff = chain_of(tmp_path, TRIPS, aside, rows=7).evidence(1).up_diff

    assert up_diff is not None
    assert up_diff.renames.tables == {"trips": new_name}


@pytest.mark.parametrize(
    ("declared", "new_name"),
    [("", "name"), ("-- bb: renames trips.name -> trips.old_name\n", "old_name")],
)
def test_a_column_renamed_away_is_followed_if_that_is_declared(
    tmp_path: Path, declared: str, new_name: str
) -> None:
    aside = (
        f"{declared}ALTER TABLE trips RENAME COLUMN name TO old_name;"
        "ALTER TABLE trips ADD COLUMN name TEXT;"
    )
    up_diff = chain_of(tmp_path, TRIPS, aside, rows=7).evidence(1).up_diff

    assert up_diff is not None
    assert up_diff.renames.columns["trips", "name"] == new_name


def test_a_rebuild_that_keeps_the_old_table_is_judged_by_the_new_one(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS,
        "ALTER TABLE trips RENAME TO trips_old;"
        + TRIPS
        + "INSERT INTO trips SELECT * FROM trips_old LIMIT 19;",
    )
    up_diff = chain.evidence(1).up_diff

    assert up_diff is not None
    assert up_diff.renames.tables == {"trips": "trips"}
    assert [type(d) for table in up_diff.tables for d in table.differences] == [RowLost]


def test_a_rename_that_the_contract_declares_is_followed(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS,
        "-- bb: renames trips -> journeys, trips.name -> journeys.title\n"
        "CREATE TABLE journeys (id INTEGER PRIMARY KEY, title TEXT, cents INTEGER);"
        "INSERT INTO journeys SELECT id, upper(name), cents FROM trips; DROP TABLE trips;",
    )
    up_diff = chain.evidence(1).up_diff

    assert up_diff is not None
    assert up_diff.renames.tables == {"trips": "journeys"}
    assert up_diff.renames.columns["trips", "name"] == "title"


def test_after_down_another_name_is_another_thing(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS,
        "-- migrate:up\nALTER TABLE trips RENAME COLUMN name TO title;\n-- migrate:down\n-- no",
    )
    back = chain.evidence(1).down_diff

    assert back is not None
    assert [d.kind for d in back.schema] == ["column lost", "column added"]


@NEEDS_DBSTAT
def test_unchanged_tables_are_counted_and_not_compared(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        TRIPS + "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);",
        "-- bb: inserts notes\nINSERT INTO notes (text) VALUES ('new');",
        rows=7,
    )
    up_diff = chain.evidence(1).up_diff

    assert up_diff is not None
    assert up_diff.untouched == {"trips"}
    assert (up_diff.rows_compared, up_diff.values_compared) == (14, 35)
    assert [type(d) for table in up_diff.tables for d in table.differences] == [RowAdded]

"""Views and triggers that say what they said and do something else, for a table's new shape."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.contract import Contract, Rename
from pytest_bbmigrate.experiment import view_limits
from pytest_bbmigrate.experiment.model import AffectedView
from pytest_bbmigrate.experiment.observe import observe
from pytest_bbmigrate.experiment.snapshot import snapshot_of
from pytest_bbmigrate.sqlite_files import in_time, open_image, take_image
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

COSTS = (
    "CREATE TABLE costs (id INTEGER PRIMARY KEY, place TEXT, remark TEXT, cents INT);"
    "INSERT INTO costs VALUES (1, 'inn', 'dear', 900), (2, 'bus', 'late', 120);"
)
PEOPLE = (
    "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);INSERT INTO people VALUES (1, 'A');"
)
REORDERED = (
    "CREATE TABLE n (id INTEGER PRIMARY KEY, remark TEXT, place TEXT, cents INT);"
    "INSERT INTO n SELECT id, remark, place, cents FROM costs;"
    "PRAGMA legacy_alter_table = ON; DROP TABLE costs; ALTER TABLE n RENAME TO costs;"
)


NOTHING = Contract()


def shifted(
    create: str, change: str, folder: Path | None = None, contract: Contract = NOTHING
) -> tuple[AffectedView, ...]:
    """Return the views that show something else after ``change``; in files of ``folder``."""
    with closing(open_image(b"")) as db:
        db.executescript(create)
        before = take_image(db)
        db.executescript(change)
        after = take_image(db)
    if folder is None:
        return observe(snapshot_of(before), snapshot_of(after), contract=contract).views
    files = folder / "before.db", folder / "after.db"
    for file, image in zip(files, (before, after), strict=True):
        file.write_bytes(image)
    there = observe(snapshot_of(files[0]), snapshot_of(files[1]), contract=Contract())
    assert [file.read_bytes() for file in files] == [before, after]
    assert set(folder.iterdir()) == set(files)
    return there.views


@pytest.mark.parametrize(
    ("view", "columns"),
    [
        ("v (a, b, c, d) AS SELECT * FROM costs", ("b", "c")),
        ("v (a, b, c, d) AS SELECT c.* FROM costs AS c ORDER BY 1 LIMIT 1", ("b", "c")),
        ("v (a, b, c, d) AS SELECT * FROM main.costs", ("b", "c")),
        ("v (a, b, c, d) AS SELECT * FROM costs UNION SELECT * FROM costs", ("b", "c")),
        (
            "v AS SELECT 1 AS i, 2 AS a, 3 AS b, 4 AS c UNION ALL SELECT * FROM costs",
            ("a", "b"),
        ),
        ("v (a, b, c, d, e) AS SELECT *, rowid FROM costs", ("b", "c")),
        ("v (a, b, c, d) AS SELECT * FROM costs WHERE rowid > 0", ("b", "c")),
        ("v (a, b, c, d) AS SELECT * FROM costs WHERE [Oid] > 0", ("b", "c")),
        ('v (a, b, c, d) AS SELECT * FROM costs WHERE costs."_rowid_" > 0', ("b", "c")),
        ('v (a, b, c, d) AS SELECT * FROM costs WHERE "rowid" < 9', ("b", "c")),
        ("v (a, b) AS SELECT rowid, place FROM costs", None),
        ("v AS SELECT id FROM (SELECT 1 AS id, 2, 3 EXCEPT SELECT 1, place, 3 FROM costs)", None),
        ("v AS SELECT * FROM costs", None),
        ("v AS SELECT place, remark FROM costs", None),
        ("v (a) AS SELECT count(*) FROM costs", None),
        ("v (a, b) AS SELECT id, random() FROM costs", None),
        ("v (a, b) AS SELECT * FROM people", None),
        ("v (a, b, c, d) AS SELECT * FROM costs WHERE id > 5", None),
    ],
)
def test_a_view_by_the_order_of_columns_is_shifted_when_they_change_places(
    view: str, columns: tuple[str, ...] | None
) -> None:
    found = shifted(f"{COSTS}{PEOPLE}CREATE VIEW {view};", REORDERED)

    assert found == (() if columns is None else (AffectedView("v", columns, ("costs",)),))


@pytest.mark.parametrize(
    ("view", "change", "columns"),
    [
        ("SELECT id, place FROM costs NATURAL JOIN people", "costs ADD name TEXT", ()),
        ("SELECT id, place FROM costs NATURAL JOIN people", "costs ADD other TEXT", None),
        ("SELECT id, place FROM costs JOIN people USING (id)", "costs ADD name TEXT", None),
        (
            "SELECT (SELECT max(name || p.id) FROM people) AS who FROM costs AS p",
            "people ADD place TEXT",
            None,
        ),
        (
            "SELECT (SELECT place FROM people LIMIT 1) AS p FROM costs",
            "people ADD place TEXT",
            ("p",),
        ),
        ('SELECT "tag" AS t FROM people', "people ADD tag TEXT", None),  # it is a changed view
        ("SELECT * FROM costs", "costs ADD tag TEXT", None),
        ("SELECT DISTINCT * FROM costs", "costs ADD tag TEXT", None),
    ],
)
def test_a_view_is_shifted_where_a_new_column_takes_over_a_name(
    view: str, change: str, columns: tuple[str, ...] | None
) -> None:
    found = shifted(f"{COSTS}{PEOPLE}CREATE VIEW v AS {view};", f"ALTER TABLE {change};")

    assert [(view.view, view.columns) for view in found] == (
        [] if columns is None else [("v", columns)]
    )


@pytest.mark.parametrize(
    "rows",
    [
        "SELECT DISTINCT * FROM laps",
        "SELECT * FROM laps UNION SELECT * FROM laps",
        "SELECT * FROM laps INTERSECT SELECT * FROM laps",
        "SELECT * FROM laps EXCEPT SELECT * FROM laps WHERE name = 'B'",
    ],
)
def test_rows_that_a_new_column_tells_apart_are_no_shift_where_equal_ones_count_once(
    rows: str,
) -> None:
    laps = "CREATE TABLE laps (name TEXT); INSERT INTO laps VALUES ('A'), ('A'), ('B');"
    view = f"CREATE VIEW v AS SELECT name FROM ({rows});"

    assert shifted(laps + view, "ALTER TABLE laps ADD n INT; UPDATE laps SET n = rowid;") == ()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE costs RENAME TO expenses;",
        "ALTER TABLE costs RENAME COLUMN place TO venue;",
        "ALTER TABLE costs RENAME TO expenses; ALTER TABLE expenses RENAME COLUMN cents TO euros;",
        "UPDATE costs SET remark = upper(remark);",
        "DELETE FROM costs WHERE id = 1;",
        "DROP VIEW v;",
        "DROP VIEW v; CREATE VIEW v (a, b, c, d) AS SELECT id, remark, place, cents FROM costs;",
        f"{REORDERED}DROP VIEW v; CREATE VIEW v (a, c, b, d) AS SELECT * FROM costs;",
        "ALTER TABLE costs ADD COLUMN more TEXT;",  # now the view has too few names: it is broken
    ],
)
def test_what_else_becomes_of_a_view_is_no_shift(change: str) -> None:
    view = "CREATE VIEW v (a, b, c, d) AS SELECT * FROM costs;"

    assert shifted(COSTS + view, change) == ()


def test_a_view_is_shifted_under_the_new_names_too() -> None:
    view = "CREATE VIEW v (a, b, c, d) AS SELECT * FROM costs;"
    moved = "DROP VIEW v; ALTER TABLE costs RENAME TO expenses;" + REORDERED.replace(
        "costs", "expenses"
    )
    again = view.replace("costs", "expenses")
    renamed = Contract(renames=(Rename("costs", None, "expenses", None, 1),))

    assert shifted(COSTS + view, moved + again, contract=renamed) == (
        AffectedView("v", ("b", "c"), ("expenses",)),
    )


@pytest.mark.parametrize(
    ("columns", "options", "condition"),
    [
        ("{} TEXT COLLATE NOCASE, {} TEXT COLLATE NOCASE", "", "a = 'K' AND rowid > 0"),
        ("{} ANY, {} ANY", "STRICT", "typeof(a) = 'text' AND rowid > 0"),
        ("{} DECIMAL, {} DECIMAL", "", "typeof(a) = 'integer' AND a = '7' AND rowid > 0"),
        ("{}, {}, z TEXT AS (1)", "", "a = 'k' AND typeof(z) = 'text' AND rowid > 0"),
        ("{} TEXT, {} TEXT, rowid INT DEFAULT 5", "", "rowid = 5 AND oid < 4"),
        ("{} TEXT, {} TEXT, oid TEXT, rowid TEXT, _rowid_ TEXT", "", "rowid IS NULL"),
        ("{} TEXT PRIMARY KEY, {} TEXT, rowid INT DEFAULT 5", "WITHOUT ROWID", "rowid = 5"),
    ],
)
def test_a_view_that_asks_for_rowids_is_asked_of_the_values_as_they_are(
    columns: str, options: str, condition: str
) -> None:
    rows = "INSERT INTO t (a, b) VALUES (7, 8), ('8', '7'), ('k', 'l');"
    then, now = (
        f"CREATE TABLE t ({columns.format(*order)}) {options}; {rows}" for order in ("ab", "ba")
    )
    names = ", ".join("xyzuv"[: columns.count(",") + 1])
    view = f"CREATE VIEW v ({names}) AS SELECT * FROM t WHERE {condition};"

    found = shifted(then + view, f"DROP TABLE t; {now}")

    assert found == (AffectedView("v", ("x", "y"), ("t",)),)


def test_of_a_chain_of_views_those_are_shifted_that_show_something_else() -> None:
    views = (
        "CREATE VIEW inner_view AS SELECT * FROM costs;"
        "CREATE VIEW outer_view (a, b, c, d) AS SELECT * FROM inner_view;"
    )

    assert [view.view for view in shifted(COSTS + views, REORDERED)] == ["outer_view"]


def test_a_view_that_names_an_index_cannot_be_asked() -> None:
    index = "CREATE INDEX i ON costs (place);"
    view = "CREATE VIEW v (a, b, c, d) AS SELECT * FROM costs INDEXED BY i WHERE place > '';"

    assert shifted(COSTS + index + view, REORDERED + index) == ()


BY_ORDER = "CREATE VIEW v (a, b, c, d) AS SELECT * FROM costs;"


def test_a_view_of_a_small_file_is_asked_in_a_copy(tmp_path: Path) -> None:
    assert shifted(COSTS + BY_ORDER, REORDERED, tmp_path) == (
        AffectedView("v", ("b", "c"), ("costs",)),
    )


def test_a_view_of_a_long_file_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_limits, "MAX_FILE_SIZE", 4096)

    assert shifted(COSTS + BY_ORDER, REORDERED, tmp_path) == ()


def test_a_view_of_a_file_that_takes_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_time, "INSTRUCTIONS", 1000)
    monkeypatch.setattr(view_limits, "MAX_CALLS", 5)
    endless = (
        "CREATE VIEW v (a, b, c, d) AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL "
        "SELECT i + 1 FROM n) SELECT costs.* FROM n, costs;"
    )

    assert shifted(COSTS + endless, REORDERED, tmp_path) == ()


LOG = "CREATE TABLE log (at TEXT, place TEXT, remark TEXT, size INT AS (length(at)));"
LOG_AGAIN = "DROP TABLE log;" + LOG.replace("place TEXT, remark TEXT", "remark TEXT, place TEXT")


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("INSERT INTO log VALUES ('now', new.place, new.remark)", "remark, place"),
        ("INSERT INTO log VALUES ('a b', (SELECT 1), max(2, 3))", "remark, place"),
        ("REPLACE INTO log VALUES ('now', new.place, new.remark)", "remark, place"),
        ("INSERT OR IGNORE INTO log VALUES ('now', new.place, 'x; y')", "remark, place"),
        ("INSERT INTO log (at, place, remark) VALUES ('now', new.place, new.remark)", None),
        ("INSERT INTO log SELECT 'now', place, remark FROM costs", "remark, place"),
        ("INSERT INTO log (at, remark, place) SELECT 'now', remark, place FROM costs", None),
        ("INSERT INTO people VALUES (NULL, new.place)", None),
        ("UPDATE log SET at = 'now'", None),
        ("DELETE FROM log; INSERT INTO log VALUES ('now', 'a', new.place)", "remark, place"),
        ("INSERT INTO log VALUES ('now', 'same', 'same')", None),
    ],
)
def test_a_trigger_that_fills_by_order_is_shifted_when_columns_change_places(
    tmp_path: Path, statement: str, columns: str | None
) -> None:
    trigger = f"CREATE TRIGGER keep AFTER INSERT ON costs BEGIN {statement}; END;"
    create = f"{COSTS}{PEOPLE}{LOG}"
    step = f"-- bb: deletes log\nDROP TRIGGER keep;{LOG_AGAIN}{trigger}"
    verdict = judge_last("schema_survives", chain_of(tmp_path, create + trigger, step))
    found = [(f.name, f.column) for f in verdict.findings if f.kind == "trigger writes otherwise"]

    assert found == ([] if columns is None else [("keep", columns)])


@pytest.mark.parametrize("name", ["order", "limit", "from", "(", "a,b"])
def test_a_column_that_is_called_like_a_keyword_is_read_as_one(tmp_path: Path, name: str) -> None:
    log, again = f'(a TEXT, "{name}" TEXT)', f'("{name}" TEXT, a TEXT)'
    create = f"CREATE TABLE log {log}; CREATE TABLE costs {log};"
    trigger = (
        "CREATE TRIGGER keep AFTER DELETE ON costs BEGIN"
        f' INSERT INTO log SELECT a, "{name}" FROM costs WHERE "{name}" > 0; END;'
    )
    step = f"-- bb: deletes log\nDROP TRIGGER keep; DROP TABLE log; CREATE TABLE log {again};"
    verdict = judge_last("schema_survives", chain_of(tmp_path, create + trigger, step + trigger))

    assert [(f.kind, f.column) for f in verdict.findings] == [
        ("trigger writes otherwise", f"{name}, a")
    ]


def test_a_table_with_a_blank_in_its_name_is_read_as_well(tmp_path: Path) -> None:
    create = 'CREATE TABLE "my log" (a TEXT, b TEXT); CREATE TABLE costs (a TEXT, b TEXT);'
    trigger = (
        'CREATE TRIGGER keep AFTER DELETE ON costs BEGIN INSERT INTO "my log" SELECT * FROM costs;'
        " END;"
    )
    step = (
        '-- bb: deletes "my log"\nDROP TRIGGER keep; DROP TABLE "my log";'
        'CREATE TABLE "my log" (b TEXT, a TEXT);'
    )
    verdict = judge_last("schema_survives", chain_of(tmp_path, create + trigger, step + trigger))

    assert [(f.kind, f.table, f.column, f.expected, f.observed) for f in verdict.findings] == [
        ("trigger writes otherwise", "my log", "b, a", "my log (a, b)", "my log (b, a)")
    ]

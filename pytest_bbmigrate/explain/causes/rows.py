"""Why rows are gone, or more than there were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes.context import begins, holds
from pytest_bbmigrate.explain.renamed_away import renamed_to
from pytest_bbmigrate.runner.transactions import switched_to
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from pytest_bbmigrate.explain.causes.context import FindingContext, Tokens
    from pytest_bbmigrate.explain.copies import Copy
    from pytest_bbmigrate.schema import ForeignKey, Trigger

REPLACES = (
    ("replace", "into"),
    ("insert", "or", "replace", "into"),
    ("update", "or", "replace"),
)
CLEARS = {"SET NULL", "SET DEFAULT"}
LOST = frozenset({"rows lost", "written rows lost"})
CHANGED = frozenset({"values changed", "written values changed"})
NUMBERED_ANEW = LOST | CHANGED | {"rows added", "rows renumbered"}


def is_cascade(scene: FindingContext) -> bool:
    """Tell whether a parent went while foreign keys were enforced, and took its children along."""
    child = scene.table_before
    if child is None or not scene.enforced:
        return False
    return any(
        is_acted_on(scene, key) and parent_goes(scene, fold_name(key.parent), frozenset())
        for key in child.foreign_keys
    )


def is_acted_on(scene: FindingContext, key: ForeignKey) -> bool:
    """Return whether what ON DELETE of ``key`` does is what the finding shows."""
    if scene.finding.kind in LOST:
        return key.on_delete.upper() == "CASCADE"
    columns = {fold_name(column) for column in key.columns}
    return (
        scene.finding.kind in CHANGED
        and key.on_delete.upper() in CLEARS
        and scene.column in columns
    )


def parent_goes(scene: FindingContext, parent: str, seen: frozenset[str]) -> bool:
    """Return whether rows of ``parent`` were deleted, or went with those of a parent of theirs."""
    if scene.dropped(parent) or any(
        scene.ran(*words, parent) for words in (("delete", "from"), *REPLACES)
    ):
        return True
    table = scene.schema_before.table(parent) if scene.schema_before else None
    return any(
        key.on_delete.upper() == "CASCADE"
        and fold_name(key.parent) not in seen
        and parent_goes(scene, fold_name(key.parent), seen | {parent})
        for key in (table.foreign_keys if table else ())
    )


def is_pragma_in_transaction(scene: FindingContext) -> bool:
    """Tell whether the migration meant to turn foreign keys off, where that does nothing."""
    return (
        scene.in_transaction
        and is_cascade(scene)
        and any(switched_to(" ".join(tokens)) is False for tokens in scene.pragmas)
    )


def is_deferred(scene: FindingContext) -> bool:
    """Tell whether the migration put checks off, and took that to hold for actions too."""
    return is_cascade(scene) and any("defer_foreign_keys" in tokens for tokens in scene.pragmas)


def is_update_cascade(scene: FindingContext) -> bool:
    """Tell whether the key of a parent was updated while foreign keys were enforced."""
    child = scene.table_before
    if child is None or not scene.enforced or scene.finding.kind not in CHANGED:
        return False
    return any(
        key.on_update.upper() in CLEARS | {"CASCADE"}
        and scene.column in {fold_name(column) for column in key.columns}
        and any(sets(scene, key.parent, column) for column in key.parent_columns)
        for key in child.foreign_keys
    )


def sets(scene: FindingContext, table: str, column: str) -> bool:
    """Return whether an UPDATE of ``table`` sets ``column``."""
    wanted = fold_name(column)
    return any(
        holds(assignments(tokens), wanted, "=")
        for tokens in scene.statements
        if updated_table(tokens) == fold_name(table)
    )


def updated_table(tokens: Tokens) -> str:
    """Return the table of an UPDATE, '' for another statement."""
    if tokens[:1] != ("update",):
        return ""
    return tokens[3] if tokens[1:2] == ("or",) else tokens[1]


def assignments(tokens: Tokens) -> Tokens:
    """Return what stands between SET and WHERE of an UPDATE."""
    start = tokens.index("set") + 1 if "set" in tokens else len(tokens)
    end = tokens.index("where", start) if "where" in tokens[start:] else len(tokens)
    return tokens[start:end]


def losses(scene: FindingContext, copy: Copy) -> frozenset[str]:
    """Return what can have kept rows of the finding's table from being copied."""
    features = set(copy.features) - {"left join", "union all", "or abort", "or fail", "or rollback"}
    key = set(map(fold_name, scene.table_before.primary_key if scene.table_before else ()))
    selected = {item[0] for item in copy.items if len(item) == 1}
    if key and (key <= selected or "*" in selected):  # equal rows are then the same row
        features -= {"distinct", "union"}
    if key and key <= set(copy.grouped):
        features -= {"group"}
    if "join" in features:
        features -= {"where"}  # of a join in the old style, it is what joins
    return frozenset(features)


def lost_by(scene: FindingContext, *features: str) -> bool:
    """Return whether rows were lost in a copy that can lose them by one of ``features`` alone."""
    lossy = [found for copy in scene.copies if (found := losses(scene, copy))]
    return (
        scene.finding.kind in LOST
        and bool(lossy)
        and all(len(found) == 1 and found <= set(features) for found in lossy)
    )


def is_ignore(scene: FindingContext) -> bool:
    """Tell whether OR IGNORE leaves out the rows that do not fit."""
    return lost_by(scene, "or ignore")


def is_inner_join(scene: FindingContext) -> bool:
    """Tell whether rows without a match were left out of a join."""
    return lost_by(scene, "join")


def is_not_in_null(scene: FindingContext) -> bool:
    """Tell whether no row at all passed a NOT IN, as is so when its list holds NULL."""
    return (
        lost_by(scene, "where")
        and scene.finding.count == scene.finding.total
        and any(holds(copy.where, "not", "in", "(", "select") for copy in scene.copies)
        and not any(holds(copy.where, "is", "not", "null") for copy in scene.copies)
    )


def is_where(scene: FindingContext) -> bool:
    """Tell whether rows were left out because the WHERE is not true for them."""
    return lost_by(scene, "where")


def is_distinct(scene: FindingContext) -> bool:
    """Tell whether equal rows were taken for one."""
    return lost_by(scene, "distinct", "union", "except", "intersect")


def is_grouped(scene: FindingContext) -> bool:
    """Tell whether each group became a single row."""
    return lost_by(scene, "group")


def is_replace(scene: FindingContext) -> bool:
    """Tell whether REPLACE deleted the row that was in the way of another."""
    if scene.finding.kind in LOST:
        return lost_by(scene, "or replace") or is_replaced(scene)
    return scene.finding.kind in CHANGED and any(
        is_replaced_without(tokens, name, scene.column)
        for tokens in scene.statements
        for name in scene.names
    )


def is_replaced(scene: FindingContext) -> bool:
    """Return whether rows of the table were replaced where they are, by an equal unique value."""
    table = scene.table_before
    indexes = table.indexes if table else ()
    return any(index.unique for index in indexes) and any(
        begins(tokens, (*verb, name))
        for tokens in scene.statements
        for name in scene.names
        for verb in REPLACES
    )


def is_replaced_without(tokens: Tokens, table: str, column: str) -> bool:
    """Return whether REPLACE INTO ``table`` names columns, but not ``column``."""
    verb = ("replace",) if tokens[:1] == ("replace",) else ("insert", "or", "replace")
    words = (*verb, "into", table, "(")
    return begins(tokens, words) and column not in tokens[len(words) : tokens.index(")")]


def is_begun_anew(scene: FindingContext) -> bool:
    """Tell whether what held the data was renamed, and something blank made under its old name."""
    return scene.finding.step == "up" and bool(renamed_to(scene.finding, scene.evidence))


def is_not_copied(scene: FindingContext) -> bool:
    """Tell whether the table was dropped and made again, and nothing was put into the new one."""
    ends = (scene.name_at_end, *scene.names)
    return (
        scene.finding.kind in LOST
        and scene.rebuilt
        and scene.finding.count == scene.finding.total
        and not any(
            tokens[:1] in (("insert",), ("replace",))
            and any(scene.name_later(word, at) in ends for word in tokens[1:6])
            for at, tokens in enumerate(scene.statements)
        )
    )


def is_renumbered(scene: FindingContext) -> bool:
    """Tell whether a rebuild left the id out, so that SQLite gave new ones."""
    table = scene.table_before
    alias = table.rowid_alias if table else None
    return (
        scene.finding.kind in NUMBERED_ANEW
        and alias is not None
        and scene.table_at_end is not None
        and scene.table_at_end.rowid_alias is not None
        and any(
            copy.columns and not copy.creates and fold_name(alias) not in copy.columns
            for copy in scene.copies
        )
    )


def is_join_doubles(scene: FindingContext) -> bool:
    """Tell whether a join gave a row once for each match."""
    return scene.finding.kind == "rows added" and any(copy.joins for copy in scene.copies)


def is_trigger(scene: FindingContext) -> bool:
    """Tell whether a trigger fired for what the migration wrote, and did what was found."""
    triggers = scene.schema_before.triggers if scene.schema_before else ()
    return not is_done_by_itself(scene) and any(
        does(scene, trigger) and fires(scene, trigger) for trigger in triggers
    )


def is_done_by_itself(scene: FindingContext) -> bool:
    """Return whether a statement of the step does to the finding's table what was found."""
    table = scene.names[0]
    if scene.finding.kind in CHANGED:
        return sets(scene, table, scene.column)
    words = ("into", table) if scene.finding.kind == "rows added" else ("delete", "from", table)
    return any(holds(tokens[:5], *words) for tokens in scene.statements)


def fires(scene: FindingContext, trigger: Trigger) -> bool:
    """Return whether the step wrote what ``trigger`` waits for, before it dropped the trigger."""
    table, head = fold_name(trigger.table), trigger.tokens[: trigger.tokens.index("begin")]
    for tokens in scene.statements:
        if tokens[:2] == ("drop", "trigger") and fold_name(trigger.name) in tokens:
            return False
        if event_of(tokens, table) in head and (
            "of" not in head or set(head[head.index("of") + 1 :]) & set(assignments(tokens))
        ):
            return True
    return False


def event_of(tokens: Tokens, table: str) -> str:
    """Return what a statement does to rows of ``table``: 'insert', 'update', 'delete' or ''."""
    if updated_table(tokens) == table:
        return "update"
    if tokens[:3] == ("delete", "from", table):
        return "delete"
    return "insert" if tokens[:1] != ("create",) and holds(tokens[:5], "into", table) else ""


def does(scene: FindingContext, trigger: Trigger) -> bool:
    """Return whether the body of ``trigger`` does to the finding's table what was found."""
    body = trigger.tokens[trigger.tokens.index("begin") :]
    table = scene.names[0]
    if scene.finding.kind in CHANGED:
        return holds(body, scene.column, "=") and holds(body, "update", table)
    if scene.finding.kind in LOST:
        return holds(body, "delete", "from", table) or holds(body, "replace", "into", table)
    return scene.finding.kind == "rows added" and holds(body, "into", table)

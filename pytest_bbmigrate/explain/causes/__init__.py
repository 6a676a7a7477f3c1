"""Why it happened: the known ways in which SQLite, or a library, loses what was there.

Each cause is a name that ``report`` has a sentence for, and a question whether what was run and
what was found look like it. A cause explains a finding; it never excuses one. Where several could
be it, none is given: no explanation is better than a wrong one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes import (
    cascades,
    down,
    keys,
    references,
    rows,
    structure,
    values,
)
from pytest_bbmigrate.explain.causes.context import FindingContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.verdict import Finding

    Question = Callable[[FindingContext], bool]

# The first that fits is given: what is more telling comes before what is more general.
CAUSES: tuple[tuple[str, Question], ...] = (
    ("transform", structure.is_transform),
    ("create table as", structure.is_create_as),
    ("dropped with its view", structure.is_gone_with_its_view),
    ("on a dropped column", structure.is_on_a_dropped_column),
    ("left out of rebuild", structure.is_left_out_of_rebuild),
    ("another create table", structure.is_other_create_table),
    ("recreated differently", structure.is_recreated_differently),
    ("sequence dropped", structure.is_lowered_by_rebuild),
    ("column added last", structure.is_added_last),
    ("depends on column order", structure.is_by_column_order),
    ("empty database", structure.is_empty_database),
    ("trigger refuses", structure.is_refused_by_trigger),
    ("if not exists", structure.is_other_shape),
    ("edited schema", structure.is_edited_schema),
    ("checks ignored", structure.is_unchecked),
    ("deleted by up", down.is_deleted_by_up),
    ("empty down part", down.is_empty_down),
    ("old table renamed first", references.is_renamed_first),
    ("not dropped by down", structure.is_not_dropped_by_down),
    ("not recreated by down", structure.is_not_recreated_by_down),
    ("cascade under d1", rows.is_cascade_under_d1),
    ("cascade under drizzle", rows.is_cascade_under_drizzle),
    ("cascade under sqlx", rows.is_cascade_under_sqlx),
    ("pragma ignored by the runner", rows.is_pragma_ignored),
    ("cascade under the runner", rows.is_cascade_by_runner),
    ("pragma in transaction", rows.is_pragma_in_transaction),
    ("deferred foreign keys", rows.is_deferred),
    ("cascade", rows.is_cascade),
    ("update cascade", rows.is_update_cascade),
    ("legacy rename", references.is_legacy_rename),
    ("other keys", keys.is_parent_rekeyed),
    ("missing parent key", references.is_missing_key),
    ("parent column renamed", references.is_parent_column_renamed),
    ("parent dropped", references.is_parent_dropped),
    ("unknown parent", references.is_unknown_parent),
    ("new foreign key", references.is_new_key),
    ("default without parent", references.is_default_without_parent),
    ("parent deleted", references.is_parent_deleted),
    ("parent updated", references.is_parent_updated),
    ("written unchecked", references.is_written_unchecked),
    ("renumbered", references.is_parent_renumbered),
    ("stale view", structure.is_stale_view),
    ("made too early", structure.is_made_too_early),
    ("replaced by an old copy", down.is_replaced_by_an_old_copy),
    ("recreated empty", rows.is_recreated_empty),
    ("not copied", rows.is_not_copied),
    ("other keys", keys.is_rekeyed),
    ("added again", down.is_added_again),
    ("copied by position", values.is_by_position),
    ("renumbered", rows.is_renumbered),
    ("replace", rows.is_replace),
    ("or ignore", rows.is_ignore),
    ("inner join", rows.is_inner_join),
    ("not in null", rows.is_not_in_null),
    ("limit in a list", rows.is_limit_in_list),
    ("where beside not null", rows.is_where_of_no_null),
    ("where", rows.is_where),
    ("distinct", rows.is_distinct),
    ("group by", rows.is_grouped),
    ("join doubles", rows.is_join_doubles),
    ("trigger", rows.is_trigger),
    ("cast to a number", values.is_cast_to_a_number),
    ("affinity", values.is_affinity),
    ("quoted text", values.is_quoted_text),
    ("nul", values.is_cut_at_nul),
    ("trim", values.is_trimmed),
    ("letter case", values.is_other_case),
    ("large integer", values.is_rounded_integer),
    ("time zone", values.is_zoned),
    ("whole seconds", values.is_whole_seconds),
    ("integer division", values.is_integer_division),
    ("cast", values.is_cut_by_cast),
    ("like", values.is_like),
)
CASCADES = frozenset(
    {
        *("cascade", "cascade under d1", "cascade under drizzle", "cascade under sqlx"),
        *("cascade under the runner", "pragma ignored by the runner", "pragma in transaction"),
        "deferred foreign keys",
    }
)
SECOND_TIME: tuple[tuple[str, Question], ...] = (
    ("version not reset", down.is_version_not_reset),
    ("blank after down", down.is_blank_after_down),
)


def with_cause(finding: Finding, evidence: Evidence) -> Finding:
    """Return ``finding`` with the first known cause that fits, if it has none yet.

    What a trigger did has the line of the statement that it fired for, where none was found; what
    ON DELETE did that of the statement for which the parent went.
    """
    if finding.cause:
        return finding
    context = FindingContext(finding, evidence)
    causes = SECOND_TIME if finding.step == "up again" else CAUSES
    for name, fits in causes:
        if fits(context):
            return replace(finding, cause=name, line=line_of(name, context))
    return finding


def line_of(cause: str, context: FindingContext) -> int | None:
    """Return the line of what was found, as its ``cause`` tells it."""
    line = context.finding.line
    if cause == "trigger" and line is None:
        return rows.line_that_fires(context)
    if cause == "other keys":
        return keys.line_that_rekeys(context) or line
    if cause in CASCADES:
        return cascades.line_that_takes(context) or line
    return line

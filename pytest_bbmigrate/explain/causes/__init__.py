"""Why it happened: the known ways in which SQLite, or a library, loses what was there.

Each cause is a name that ``report`` has a sentence for, and a question whether what was run and
what was found look like it. A cause explains a finding; it never excuses one. Where several could
be it, none is given: no explanation is better than a wrong one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes import down, references, rows, structure, values
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
    ("left out of rebuild", structure.is_left_out_of_rebuild),
    ("another create table", structure.is_other_create),
    ("made otherwise", structure.is_made_otherwise),
    ("sequence", structure.is_lowered_by_rebuild),
    ("added last", structure.is_added_last),
    ("by order", structure.is_by_order),
    ("empty database", structure.is_empty_database),
    ("trigger refuses", structure.is_refused_by_trigger),
    ("if not exists", structure.is_other_shape),
    ("edited schema", structure.is_edited_schema),
    ("checks ignored", structure.is_unchecked),
    ("left behind", structure.is_left_behind),
    ("not put back", structure.is_not_put_back),
    ("pragma in transaction", rows.is_pragma_in_transaction),
    ("deferred", rows.is_deferred),
    ("cascade", rows.is_cascade),
    ("update cascade", rows.is_update_cascade),
    ("renamed first", references.is_renamed_first),
    ("legacy rename", references.is_legacy_rename),
    ("missing key", references.is_missing_key),
    ("parent column renamed", references.is_parent_column_renamed),
    ("parent dropped", references.is_parent_dropped),
    ("unknown parent", references.is_unknown_parent),
    ("new key", references.is_new_key),
    ("default without parent", references.is_default_without_parent),
    ("parent deleted", references.is_parent_deleted),
    ("parent updated", references.is_parent_updated),
    ("written unchecked", references.is_written_unchecked),
    ("stale view", structure.is_stale_view),
    ("deleted for good", down.is_deleted_for_good),
    ("put aside", down.is_put_aside),
    ("begun anew", rows.is_begun_anew),
    ("not copied", rows.is_not_copied),
    ("by position", values.is_by_position),
    ("numbered anew", rows.is_renumbered),
    ("replace", rows.is_replace),
    ("ignore", rows.is_ignore),
    ("inner join", rows.is_inner_join),
    ("not in null", rows.is_not_in_null),
    ("where", rows.is_where),
    ("distinct", rows.is_distinct),
    ("group by", rows.is_grouped),
    ("join doubles", rows.is_join_doubles),
    ("trigger", rows.is_trigger),
    ("affinity", values.is_affinity),
    ("quoted text", values.is_quoted_text),
    ("nul", values.is_cut_at_nul),
    ("trim", values.is_trimmed),
    ("letter case", values.is_other_case),
    ("large integer", values.is_rounded_integer),
    ("whole seconds", values.is_whole_seconds),
    ("integer division", values.is_integer_division),
    ("cast", values.is_cut_by_cast),
    ("like", values.is_like),
)
SECOND_TIME: tuple[tuple[str, Question], ...] = (
    ("version kept", down.is_version_kept),
    ("blank the second time", down.is_blank_the_second_time),
)


def with_cause(finding: Finding, evidence: Evidence) -> Finding:
    """Return ``finding`` with the first known cause that fits, if it has none yet."""
    if finding.cause:
        return finding
    scene = FindingContext(finding, evidence)
    known = SECOND_TIME if finding.step == "up again" else CAUSES
    for name, fits in known:
        if fits(scene):
            return replace(finding, cause=name)
    return finding

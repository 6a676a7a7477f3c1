"""Views and triggers that did not compile before up, and so keep up from running."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.clauses import Delete, Insert, Update
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_command

if TYPE_CHECKING:
    from pytest_bbmigrate.runner import Failure
    from pytest_bbmigrate.schema import Schema

IN_OBJECT = re.compile(r"^error in (?P<kind>view|trigger) (?P<name>.+?)(?: after [a-z ]+)?: ")


def broken_before(failure: Failure, before: Schema) -> str:
    """Return what to do about a view or trigger that was broken ``before``; '' if none is at fault.

    A trigger is at fault where the statement fires it and failed for the trigger's own reason; of
    what ALTER TABLE meets, SQLite says the name.
    """
    if match := IN_OBJECT.match(failure.message):
        objects = before.views if match["kind"] == "view" else before.triggers
        if any(each.error and same_name(each.name, match["name"]) for each in objects):
            return (
                f"{match['kind']} {match['name']} did not compile before this migration either, and"
                " ALTER TABLE reads them all: drop or mend it first, in this migration"
            )
        return ""
    command = read_command(failure.statement)
    if not isinstance(command, Insert | Update | Delete):
        return ""
    for trigger in before.triggers:
        is_fired = fold_name(trigger.table) == command.table.folded
        if is_fired and trigger.error and trigger.error == failure.message:
            return (
                f"it fires trigger {trigger.name} on {trigger.table}, which did not compile before"
                " this migration either: drop or mend the trigger first"
            )
    return ""

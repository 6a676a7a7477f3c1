"""One Migration from the SQL texts of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.declarations import read_declarations, runs_in_transaction
from pytest_bbmigrate.catalogue.facts import sql_facts
from pytest_bbmigrate.catalogue.markers import find_markers
from pytest_bbmigrate.catalogue.model import Migration, SqlPart
from pytest_bbmigrate.catalogue.sql_text import Section, read_sections
from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.errors import CatalogueError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.markers import MarkedParts
    from pytest_bbmigrate.catalogue.sql_text import SqlText


def from_files(
    entry: FolderEntry,
    up: Path,
    down: Path | None,
    *,
    may_be_empty: bool,
    in_transaction: bool = True,
    down_in_transaction: bool | None = None,
) -> Migration:
    """Return the migration whose parts are a file each.

    ``in_transaction`` holds for both unless ``down_in_transaction`` is given.

    Raises: CatalogueError with every problem of both files; an empty up file is one unless
    ``may_be_empty``.
    """
    sections: list[Section] = []
    problems: list[Problem] = []
    for path in (up, down) if down else (up,):
        try:
            sections.append(_whole(path, entry.sql_of(path)))
        except CatalogueError as error:
            problems.extend(error.problems)
    if problems:
        raise CatalogueError(problems)
    return from_sections(
        entry,
        sections[0],
        sections[1] if down else None,
        may_be_empty=may_be_empty,
        in_transaction=in_transaction,
        down_in_transaction=down_in_transaction,
    )


def from_sections(
    entry: FolderEntry,
    up: Section,
    down: Section | None,
    *,
    may_be_empty: bool = False,
    in_transaction: bool = True,
    down_in_transaction: bool | None = None,
) -> Migration:
    """Return the migration of which each part is a section; otherwise as ``from_files`` does."""
    texts = read_sections(up, *((down,) if down else ()))
    if texts[0].is_blank and not may_be_empty:
        raise fault(
            up.path, "the migration is still empty", "write its statements, or delete the file"
        )
    return _assemble(
        entry,
        None,
        texts[0],
        texts[1] if down else None,
        up_in_transaction=in_transaction,
        down_in_transaction=in_transaction if down_in_transaction is None else down_in_transaction,
    )


def from_halves(
    entry: FolderEntry, halves: MarkedParts, *, up_in_transaction: bool, down_in_transaction: bool
) -> Migration:
    """Return the migration of one marked file.

    A down part without anything is a way back that does nothing, as their tools have it.

    Raises: CatalogueError with every problem of it; statements above the up marker and an up part
    with neither a statement nor a comment are such.
    """
    sections = (halves.header, halves.up, *((halves.down,) if halves.down else ()))
    texts = read_sections(*sections)
    header, up = texts[:2]
    problems = [
        Problem(
            entry.path,
            statement.line,
            "a statement above the marker of the up part",
            "move it below the marker",
        )
        for statement in header.statements[:1]
    ]
    if up.is_blank:
        problems.append(
            Problem(
                entry.path,
                halves.up.first_line - 1,
                "the up part of this migration is still empty",
                "write its statements below the marker, or a comment that says why there are none",
            )
        )
    if problems:
        raise CatalogueError(problems)
    return _assemble(
        entry,
        header,
        up,
        texts[2] if halves.down else None,
        up_in_transaction=up_in_transaction,
        down_in_transaction=down_in_transaction,
    )


def _assemble(
    entry: FolderEntry,
    header: SqlText | None,
    up: SqlText,
    down: SqlText | None,
    *,
    up_in_transaction: bool,
    down_in_transaction: bool,
) -> Migration:
    header_remarks = header.remarks if header else ()
    contract = read_declarations((*header_remarks, *up.remarks, *(down.remarks if down else ())))

    def part(text: SqlText, *, in_transaction: bool) -> SqlPart:
        allowed = not contract.no_transaction and runs_in_transaction(
            (*header_remarks, *text.remarks)
        )
        return SqlPart(text.path, text.statements, in_transaction and allowed, text.not_single)

    facts = sql_facts(up.statements, down.statements if down else ())
    return Migration(
        name=entry.name,
        path=up.path,
        number=entry.number,
        up=part(up, in_transaction=up_in_transaction),
        down=part(down, in_transaction=down_in_transaction) if down else None,
        contract=contract,
        **facts.by_field(),
    )


def _whole(path: Path, text: str) -> Section:
    """Return a file that is one part as a whole; a marker in it is a mistake.

    Raises: CatalogueError.
    """
    markers = find_markers(path, text)
    if markers:
        raise fault(
            path,
            f"a marker of {markers[0].dialect} in a file that is one part as a whole",
            "leave the marker out, or write both parts into NAME.sql",
            markers[0].line,
        )
    return Section(path, text)

"""The contract lines of files that must not be touched, which stand in a TOML file beside them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.declarations import CommentLine, line_problems, read_declarations
from pytest_bbmigrate.catalogue.model import PythonPart, SqlPart
from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.catalogue.toml_text import place_texts, read_toml
from pytest_bbmigrate.contract import ContractError
from pytest_bbmigrate.contract.join import join_contracts, placed
from pytest_bbmigrate.errors import CatalogueError, Problem
from pytest_bbmigrate.nearest import nearest_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from pytest_bbmigrate.catalogue.model import Migration, Part
    from pytest_bbmigrate.contract import Contract

MARKS = re.compile(r"(?:--|#)\s*")
DIRECTIVE = re.compile(r"bb\s*:", re.IGNORECASE)
DEPENDS = re.compile(r"depends\b\s*:?", re.IGNORECASE)
OF_THE_RUN = re.compile(r"(?:bb\s*:\s*(?P<verb>[a-z_]+)|(?P<depends>depends)\s*:)", re.IGNORECASE)
SCRIPT = re.compile(r"bb\s*:\s*script\b.*", re.IGNORECASE)
A_LIST = 'write "NAME" = ["changes t.c", ..], a list of lines for each migration'
DIGITS = 16  # of the digest of what changes the run


@dataclass(frozen=True)
class OutsideLines:
    """The lines for one migration, which ``name`` names in ``line`` of the TOML file."""

    name: str
    line: int
    remarks: tuple[CommentLine, ...]


@dataclass(frozen=True)
class ContractFile:
    """What the file ``path`` declares for migrations, each by its name or that of its file."""

    path: Path
    entries: tuple[OutsideLines, ...]

    def joined(self, migration: Migration, file: str) -> Migration:
        """Return ``migration``, in ``file``, with its lines of this file.

        Raises: CatalogueError with every line that is wrong, or contradicts the migration's own.
        """
        remarks: dict[str, CommentLine] = {}
        for entry in self.entries:
            if entry.name in (migration.name, file):
                for remark in entry.remarks:
                    remarks.setdefault(" ".join(remark.text.split()), remark)
        return self._joined(migration, tuple(remarks.values())) if remarks else migration

    def _joined(self, migration: Migration, remarks: tuple[CommentLine, ...]) -> Migration:
        if problems := [*line_problems(remarks), *_misplaced(remarks)]:
            raise CatalogueError(problems)
        outside = placed(read_declarations(remarks), self.path)
        lines = {verb: remark.line for remark in remarks if (verb := _verb(remark))}
        try:
            contract = join_contracts(migration.contract, outside, lines)
        except ContractError as error:
            raise fault(self.path, error.message, error.remedy, error.line) from error
        return _as_declared(migration, contract, outside)

    def unknown(self, names: Collection[str]) -> Iterator[Problem]:
        """Yield a problem for each migration named here that is none of ``names``."""
        for entry in self.entries:
            if entry.name not in names:
                near = nearest_of(entry.name, names)
                nearest = f"; the nearest there is is '{near[0]}'" if near else ""
                yield Problem(
                    self.path,
                    entry.line,
                    f"no migration is called '{entry.name}'{nearest}",
                    "name one that is there, or leave it out",
                )


def read_contract_file(path: Path, text: str) -> ContractFile:
    """Return what the file that bb_contracts names declares, as its ``text`` says.

    Raises: CatalogueError when it is no TOML, or holds anything but lists of strings.
    """
    return ContractFile(path, tuple(_entries(path, text)))


def _entries(path: Path, text: str) -> Iterator[OutsideLines]:
    held = read_toml(path, text)
    for name, lines in held.items():
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            line = next((each.line for each in place_texts(text, [name])), None)
            raise fault(path, f"what '{name}' is to declare is no list of lines", A_LIST, line)
    wanted = [each for name, lines in held.items() for each in (name, *lines)]
    places = place_texts(text, wanted)
    for name, lines in held.items():
        at = next(places).line
        remarks = tuple(CommentLine(path, next(places).line, as_comment(each)) for each in lines)
        yield OutsideLines(name, at, remarks)


def as_comment(line: str) -> str:
    """Return a line as it is in a comment of the migration's file, without the comment's mark."""
    text = MARKS.sub("", line.strip(), count=1) if MARKS.match(line.strip()) else line.strip()
    if DIRECTIVE.match(text):
        return text
    if depends := DEPENDS.match(text):
        return f"depends: {text[depends.end() :].strip()}"
    return f"bb: {text}"


def _misplaced(remarks: Iterable[CommentLine]) -> Iterator[Problem]:
    for remark in remarks:
        if "\n" in remark.text:
            yield Problem(
                remark.path,
                remark.line,
                "that is more than one line",
                "give each line of the contract a string of its own",
            )
        if SCRIPT.fullmatch(remark.text):
            yield Problem(
                remark.path,
                remark.line,
                "that a file is a script can be said in that file alone",
                "write `# bb: script` at its top, or `def up(db):`",
            )


def _verb(remark: CommentLine) -> str:
    match = OF_THE_RUN.match(remark.text)
    return (match["verb"] or match["depends"]).lower() if match else ""


def _as_declared(migration: Migration, contract: Contract, outside: Contract) -> Migration:
    """Return ``migration`` with ``contract``; what ``outside`` changes of the run is seen to.

    That enters the checksum, for the file does not say it.
    """
    up, down = migration.up, migration.down
    if outside.no_transaction:
        up, down = _without_transaction(up), down and _without_transaction(down)
    digest = run_digest(outside)
    checksum = f"{migration.checksum}+{digest}" if digest else migration.checksum
    return replace(migration, contract=contract, up=up, down=down, checksum=checksum)


def _without_transaction(part: Part) -> Part:
    return replace(part, in_transaction=False) if isinstance(part, SqlPart | PythonPart) else part


def run_digest(outside: Contract) -> str:
    """Return a digest of what changes how, or when, the migration runs; '' for nothing of it."""
    said = [f"depends {name}" for name in sorted(outside.depends)]
    if outside.foreign_keys is not None:
        said.append(f"foreign_keys {outside.foreign_keys}")
    if outside.no_transaction:
        said.append("no_transaction")
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:DIGITS] if said else ""

"""The contract that comment lines declare; each fault with its file and line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.contract import Contract, ContractError, read_contract
from pytest_bbmigrate.errors import Problem
from pytest_bbmigrate.sql import UnreadableSql, tokenize
from pytest_bbmigrate.sql.tokens import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# The comments by which sqlx, yoyo and Atlas turn the transaction off.
TRANSACTION = re.compile(
    r"no-transaction|transactional\s*:\s*(\w+)|atlas:txmode\s+(\w+)", re.IGNORECASE
)
SQLX = "no-transaction"
NO_TRANSACTION_WORDS = (SQLX, "false", "none")


@dataclass(frozen=True)
class CommentLine:
    """A comment line where a declaration is allowed; ``text`` is without the comment marks."""

    path: Path
    line: int
    text: str


def read_declarations(remarks: Sequence[CommentLine]) -> Contract:
    """Return the contract that the comments of all files of one migration declare together.

    Raises: CatalogueError when one line contradicts another.
    """
    for path, group in groupby(remarks, key=attrgetter("path")):
        _read(path, tuple(group))
    return _read(remarks[-1].path, remarks) if remarks else Contract()


def line_problems(remarks: Iterable[CommentLine]) -> list[Problem]:
    """Return what is wrong with each line by itself."""
    return [problem for remark in remarks for problem in _line_problems(remark)]


def misplaced(path: Path, line: int) -> Problem:
    """Return the problem with a directive after the first statement."""
    return Problem(
        path,
        line,
        "a directive after the first statement",
        "move it above the first statement of the file, or of its up or down part",
    )


def outside_its_function(path: Path, line: int) -> Problem:
    """Return the problem with a directive that belongs to no function of a set."""
    return Problem(
        path,
        line,
        "a directive outside the functions, each of which is a migration of its own",
        "move it into the function that it is about, above its first statement",
    )


def runs_in_transaction(remarks: Iterable[CommentLine]) -> bool:
    """Return whether no comment turns the transaction off."""
    matches = (TRANSACTION.fullmatch(remark.text) for remark in remarks)
    words = ((match[1] or match[2] or match[0]).lower() for match in matches if match)
    return not any(word in NO_TRANSACTION_WORDS for word in words)


def _read(path: Path, remarks: Sequence[CommentLine]) -> Contract:
    try:
        return read_contract(tuple((remark.line, remark.text) for remark in remarks))
    except ContractError as error:
        raise fault(path, error.message, error.remedy, error.line) from error


def _line_problems(remark: CommentLine) -> Iterable[Problem]:
    if remark.text.lower().startswith("atlas:delimiter"):
        yield Problem(
            remark.path,
            remark.line,
            "Atlas's delimiters are not supported",
            "end each statement with ; and leave the line out",
        )
    if remark.line > 1 and remark.text.lower() == SQLX:
        yield Problem(
            remark.path,
            remark.line,
            f"`-- {SQLX}` below the first line, where sqlx does not see it",
            "put it on the first line, or write -- bb: no_transaction",
        )
    try:
        contract = read_contract(((remark.line, remark.text),))
    except ContractError as error:
        yield Problem(remark.path, remark.line, error.message, error.remedy)
        return
    for expression in _expressions(contract):
        if complaint := _complaint(expression):
            yield Problem(
                remark.path,
                remark.line,
                f"the expression '{expression}' does not read: {complaint}",
                "write one SQL expression",
            )


def _expressions(contract: Contract) -> Iterable[str]:
    conditions = (
        *(
            change.where for change in contract.changes[:1]
        ),  # the columns of one line share its condition
        *(delete.where for delete in contract.deletes[:1]),
        *(requirement.expression for requirement in contract.requires[:1]),
        *(derived.expression for derived in contract.derives),
    )
    return (condition for condition in conditions if condition is not None)


def _complaint(expression: str) -> str:
    """Return why the tokens of ``expression`` are no single SQL expression, '' if they may be."""
    try:
        tokens = tokenize(expression)
    except UnreadableSql as error:
        return error.message
    if any(token.text == ";" for token in tokens):
        return "there is a ; in it"
    unbound = [token.text for token in tokens if token.kind is Kind.PARAMETER]
    return f"nothing gives the parameter {unbound[0]} a value" if unbound else ""

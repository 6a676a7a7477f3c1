"""Read comment lines as a contract."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from pytest_bbmigrate.contract.model import (
    Alter,
    AlterObject,
    Change,
    Contract,
    ContractError,
    Delete,
    Derive,
    Drop,
    Insert,
    Rename,
    Requirement,
)
from pytest_bbmigrate.contract.targets import Directive
from pytest_bbmigrate.contract.verbs import VERBS
from pytest_bbmigrate.nearest import similar_to
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.contract.model import Declaration

Lines = tuple[tuple[int, str], ...]
Kind = TypeVar(
    "Kind", Alter, AlterObject, Change, Delete, Derive, Drop, Insert, Rename, Requirement
)

SETTINGS = ("irreversible", "foreign_keys", "no_transaction", "script")
KNOWN = (*VERBS, *SETTINGS, "depends")
HEADERS = ("Migration", "Date", "Author", "Purpose")

DIRECTIVE = re.compile(r"bb\s*:\s*([^\s:]*)(.*)", re.IGNORECASE)
DEPENDS = re.compile(r"depends\s*:(.*)", re.IGNORECASE)
COLON_FORGOTTEN = re.compile(rf"bb\s+({'|'.join(KNOWN)})\b.*", re.IGNORECASE)
HEADER = re.compile(rf"({'|'.join(HEADERS)})\s*:\s*(.*)", re.IGNORECASE)
DEPENDENCY = re.compile(r'[\s,]*(?:"([^"]+)"|([^\s,"]+))[\s,]*')
BECAUSE = re.compile(r"because\s+(\S.*)", re.IGNORECASE)


def is_directive(text: str) -> bool:
    """Return whether a comment is meant as a directive: it begins with ``bb:`` or ``depends:``.

    ``bb changes ...``, with the colon forgotten, is meant as one too; reading it is an error.
    """
    return any(form.fullmatch(text.strip()) for form in (DIRECTIVE, DEPENDS, COLON_FORGOTTEN))


def read_contract(lines: Lines) -> Contract:
    """Return the contract that comment lines (line number, text without marks) declare.

    Lines that are neither a directive nor a header are ignored; of a header given twice the first
    counts.

    Raises: ContractError for a directive that is unknown (naming the nearest known one), malformed,
    or contradicts another.
    """
    directives = tuple(_directives(lines))
    declared = [
        declaration
        for directive in directives
        if directive.verb in VERBS
        for declaration in VERBS[directive.verb](directive)
    ]
    return Contract(
        changes=_of_kind(Change, declared),
        inserts=_of_kind(Insert, declared),
        deletes=_of_kind(Delete, declared),
        drops=_of_kind(Drop, declared),
        renames=_of_kind(Rename, declared),
        alters=_of_kind(Alter, declared),
        altered_objects=_of_kind(AlterObject, declared),
        requires=_of_kind(Requirement, declared),
        derives=_of_kind(Derive, declared),
        irreversible=_irreversible(directives),
        foreign_keys=_foreign_keys(directives),
        no_transaction=_is_declared("no_transaction", directives),
        script=_is_declared("script", directives),
        depends=tuple(_dependencies(directives)),
        headers=_headers(lines),
    )


def _of_kind(kind: type[Kind], declared: Sequence[Declaration]) -> tuple[Kind, ...]:
    return tuple(item for item in declared if isinstance(item, kind))


def _directives(lines: Lines) -> Iterator[Directive]:
    """Yield the directives among comment lines; that of ``depends:`` is the verb 'depends'."""
    for line, text in lines:
        content = text.strip()
        if match := DEPENDS.fullmatch(content):
            yield Directive(line, "depends", match[1].strip())
        elif match := DIRECTIVE.fullmatch(content):
            yield _checked_verb(Directive(line, fold_name(match[1]), match[2].strip()))
        elif COLON_FORGOTTEN.fullmatch(content):
            raise ContractError(
                line, "'bb' without its colon", f"write `bb: {content[2:].strip()}`"
            )


def _checked_verb(directive: Directive) -> Directive:
    """Return ``directive``. Raises: ContractError when its verb is none that follows ``bb:``."""
    verb = directive.verb
    if verb in VERBS or verb in SETTINGS:
        if directive.rest.startswith(":"):
            raise directive.error(
                f"a colon after '{verb}'", f"write `bb: {verb} {directive.rest[1:].strip()}`"
            )
        return directive
    if not verb:
        raise directive.error(
            "'bb:' says nothing", f"write one of {', '.join(KNOWN[:-1])} after it"
        )
    nearest = similar_to(verb, KNOWN, least=0.5)
    if nearest == "depends":
        rest = directive.rest.removeprefix(":").strip()
        raise directive.error(
            f"'bb: {verb}' is not a directive", f"write `depends: {rest}`, without `bb:`"
        )
    remedy = (
        f"write `bb: {nearest} {directive.rest}`, if that is what you mean"
        if nearest
        else f"write one of {', '.join(KNOWN[:-1])}"
    )
    raise directive.error(f"'bb: {verb}' is not a directive", remedy)


def _irreversible(directives: Sequence[Directive]) -> str | None:
    """Return the reason of ``irreversible``, '' without one, None when it is not declared."""
    given = [directive for directive in directives if directive.verb == "irreversible"]
    if not given:
        return None
    if len(given) > 1:
        raise given[1].error(
            f"'irreversible' was said before, on line {given[0].line}", "leave one of them out"
        )
    if not given[0].rest:
        return ""
    match = BECAUSE.fullmatch(given[0].rest)
    if match is None:
        reason = given[0].rest.removeprefix("because").strip()
        remedy = f"write `bb: irreversible because {reason}`"
        raise given[0].error(
            f"'irreversible {given[0].rest}' is not understood",
            remedy if reason else "write the reason behind it, or leave 'because' out",
        )
    return match[1]


def _foreign_keys(directives: Sequence[Directive]) -> bool | None:
    """Return what ``foreign_keys`` declares, None when it is not declared."""
    lines: dict[bool, int] = {}
    for directive in directives:
        if directive.verb != "foreign_keys":
            continue
        word = fold_name(directive.rest)
        if word not in ("on", "off"):
            raise directive.error(
                f"'foreign_keys {directive.rest}' is not understood",
                "write `bb: foreign_keys on` or `bb: foreign_keys off`",
            )
        lines.setdefault(word == "on", directive.line)
        if len(lines) > 1:
            other = lines[word != "on"]
            raise directive.error(
                f"'foreign_keys {word}' contradicts line {other}", "leave one of them out"
            )
    return next(iter(lines), None)


def _is_declared(verb: str, directives: Sequence[Directive]) -> bool:
    """Return whether there is a directive ``verb``, which takes nothing after it."""
    given = [directive for directive in directives if directive.verb == verb]
    for directive in given:
        if directive.rest:
            raise directive.error(f"'{verb}' takes nothing after it", f"write `bb: {verb}`")
    return bool(given)


def _dependencies(directives: Sequence[Directive]) -> Iterator[str]:
    """Yield the names that ``depends:`` lines give, as written but for their quotes.

    There may be none: ``yoyo new`` writes such a line into the first migration as well.
    """
    for directive in directives:
        if directive.verb != "depends":
            continue
        position = 0
        while match := DEPENDENCY.match(directive.rest, position):
            yield match[1] or match[2]
            position = match.end()
        if position < len(directive.rest):
            raise directive.error(
                f"'depends: {directive.rest}' does not name migrations",
                'write `depends: NAME NAME`, and "NAME" in quotes where it holds blanks',
            )


def _headers(lines: Lines) -> dict[str, str]:
    """Return the headers that are not empty, by their names in HEADERS."""
    headers: dict[str, str] = {}
    for _, text in lines:
        match = HEADER.fullmatch(text.strip())
        if match and match[2]:
            headers.setdefault(match[1].capitalize(), match[2])
    return headers

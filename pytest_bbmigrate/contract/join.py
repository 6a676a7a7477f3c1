"""The contract that a migration's own lines and those outside its file declare together."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.contract.model import Contract, ContractError
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_bbmigrate.contract.model import Declaration

PLACE = ("line", "path")
SQL = ("where", "expression")
KINDS = (
    *("changes", "inserts", "deletes", "drops", "renames", "alters", "altered_objects"),
    *("requires", "derives"),
)


def placed(contract: Contract, path: Path) -> Contract:
    """Return ``contract``, each declaration of which stands in the file ``path``."""
    moved: dict[str, Any] = {
        kind: tuple(replace(declaration, path=path) for declaration in getattr(contract, kind))
        for kind in KINDS
    }
    return replace(contract, **moved)


def join_contracts(own: Contract, outside: Contract, lines: Mapping[str, int]) -> Contract:
    """Return what both declare; the same said in both is one.

    ``lines`` are those of the directives outside that are no declarations, by their verbs.

    Raises: ContractError, with the line outside, when the two contradict each other.
    """
    if own.irreversible and outside.irreversible and own.irreversible != outside.irreversible:
        raise ContractError(
            lines["irreversible"],
            "'irreversible' is said in the migration itself, for another reason",
            "leave one of them out",
        )
    if None not in (own.foreign_keys, outside.foreign_keys) and (
        own.foreign_keys != outside.foreign_keys
    ):
        said = "on" if outside.foreign_keys else "off"
        raise ContractError(
            lines["foreign_keys"],
            f"'foreign_keys {said}' contradicts the migration itself",
            "leave one of them out",
        )
    reasons = [each for each in (own.irreversible, outside.irreversible) if each is not None]
    joined: dict[str, Any] = {
        kind: distinct((*getattr(own, kind), *getattr(outside, kind))) for kind in KINDS
    }
    return replace(
        own,
        **joined,
        irreversible=max(reasons, default=None),  # '' is before every reason
        foreign_keys=outside.foreign_keys if own.foreign_keys is None else own.foreign_keys,
        no_transaction=own.no_transaction or outside.no_transaction,
        depends=tuple(dict.fromkeys((*own.depends, *outside.depends))),
    )


def distinct(declarations: tuple[Declaration, ...]) -> tuple[Declaration, ...]:
    """Return ``declarations`` without those that say again what one before them says."""
    found: dict[object, Declaration] = {}
    for declaration in declarations:
        found.setdefault((type(declaration), meaning(declaration)), declaration)
    return tuple(found.values())


def meaning(declaration: Declaration) -> tuple[object, ...]:
    """Return what ``declaration`` says, wherever it stands; names compared as SQLite does."""
    said = {f.name: getattr(declaration, f.name) for f in fields(declaration)}
    return tuple(
        fold_name(value) if isinstance(value, str) and name not in SQL else value
        for name, value in said.items()
        if name not in PLACE
    )

"""A Python script: ``migrate()``, or a ``__main__`` block and the line ``# bb: script``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.model import Migration, ScriptPart
from pytest_bbmigrate.catalogue.python.contract import python_contract
from pytest_bbmigrate.catalogue.python.facts import python_facts
from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    import ast

    from pytest_bbmigrate.catalogue.files import FolderEntry


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is Python; managed files are asked about before."""
    return entry.ending == ".py"


def read(entry: FolderEntry) -> Migration:
    """Return the migration. Raises: CatalogueError."""
    source = entry.source
    contract = python_contract(source)
    functions = source.functions("migrate")
    if not functions and not (contract.script and source.has_main_block):
        raise fault(
            entry.path, *_nothing_to_run(script=contract.script, main=source.has_main_block)
        )
    if functions and not source.has_main_block and _required(functions[-1].args):
        raise fault(
            entry.path,
            "nothing calls migrate(), and it cannot be called without arguments",
            "write def up(db): if it takes the database, or def migrate(): if it opens it",
            functions[-1].lineno,
        )
    facts = python_facts(source.tree, None)
    return Migration(
        name=entry.name,
        path=entry.path,
        number=entry.number,
        up=ScriptPart(entry.path, entry.sources.texts),
        down=None,
        contract=contract,
        **facts.by_field(),
    )


def _nothing_to_run(*, script: bool, main: bool) -> tuple[str, str]:
    """Return the message and the remedy for a file without an entry point."""
    if main:
        return (
            "a program, and nothing says that it is a migration",
            "write `# bb: script` at its top if it is one, or move it out of the folder",
        )
    if script:
        return (
            "the line `bb: script`, and nothing to run",
            'write def migrate():, or an `if __name__ == "__main__":` block',
        )
    return (
        "it has none of the functions that a migration has",
        "write def up(db): and def down(db):, or def migrate(): if it opens the database by itself",
    )


def _required(arguments: ast.arguments) -> bool:
    """Return whether a function cannot be called without arguments."""
    positional = len(arguments.posonlyargs) + len(arguments.args)
    return positional > len(arguments.defaults) or None in arguments.kw_defaults

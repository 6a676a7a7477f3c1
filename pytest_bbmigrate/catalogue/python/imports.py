"""The dotted names that a Python file imports, by which the tool that it is written for is told."""

from __future__ import annotations

import ast


def dotted_imports(tree: ast.Module) -> frozenset[str]:
    """Return the dotted names that a file imports: modules, and names from modules."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update((f"{node.module}", *(f"{node.module}.{each.name}" for each in node.names)))
    return frozenset(names)

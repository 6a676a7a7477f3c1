"""The runner profiles, held against the tools that they are of.

``python -m tests.runners`` runs each of the folders by each tool, and by our runner with the tool's
profile, on equal databases, and prints what became of it: the same content, both refuse, or what
differs, with which it exits with 1. The tools come from PyPI and npm, of one version each, and are
kept in ``.runners``.
"""

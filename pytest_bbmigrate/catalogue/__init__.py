"""A folder of files into ordered migrations; the only place that reads migration files."""

from __future__ import annotations

from pytest_bbmigrate.catalogue.asked_values import result_literals
from pytest_bbmigrate.catalogue.column_reads import ASKED_OF_ROWS, ColumnRead
from pytest_bbmigrate.catalogue.fingerprint import Fingerprint, fingerprint
from pytest_bbmigrate.catalogue.folder import read_catalogue
from pytest_bbmigrate.catalogue.joined_texts import JoinedText
from pytest_bbmigrate.catalogue.model import (
    Catalogue,
    Migration,
    Part,
    PythonPart,
    ScriptPart,
    SqlPart,
)
from pytest_bbmigrate.catalogue.python.imported import Importing, importing_of, path_by
from pytest_bbmigrate.catalogue.rules import NO_RULES, ReadingRules

__all__ = [
    "ASKED_OF_ROWS",
    "NO_RULES",
    "Catalogue",
    "ColumnRead",
    "Fingerprint",
    "Importing",
    "JoinedText",
    "Migration",
    "Part",
    "PythonPart",
    "ReadingRules",
    "ScriptPart",
    "SqlPart",
    "fingerprint",
    "importing_of",
    "path_by",
    "read_catalogue",
    "result_literals",
]

"""A folder of files into ordered migrations; the only place that reads migration files."""

from __future__ import annotations

from pytest_bbmigrate.catalogue.fingerprint import Fingerprint, fingerprint
from pytest_bbmigrate.catalogue.folder import read_catalogue
from pytest_bbmigrate.catalogue.model import (
    Catalogue,
    Migration,
    Part,
    PythonPart,
    ScriptPart,
    SqlPart,
)
from pytest_bbmigrate.catalogue.python.imported import Importing, importing_of, path_by

__all__ = [
    "Catalogue",
    "Fingerprint",
    "Importing",
    "Migration",
    "Part",
    "PythonPart",
    "ScriptPart",
    "SqlPart",
    "fingerprint",
    "importing_of",
    "path_by",
    "read_catalogue",
]

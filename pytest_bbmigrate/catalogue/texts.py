"""The texts of the files of migrations, comments included."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue.model import Catalogue


def texts_of(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the text of each file of the catalogue's migrations, and of their contracts.

    Not of what they import.
    """
    parts = (part for m in catalogue.migrations for part in (m.up, m.down) if part is not None)
    paths = dict.fromkeys(os.path.realpath(part.path) for part in parts)
    if catalogue.contracts_file is not None:
        paths[os.path.realpath(catalogue.contracts_file)] = None
    texts = catalogue.texts
    return tuple(texts[path].decode("utf-8", "replace") for path in paths if path in texts)

"""The text of the files that a session which changes a database rests on, as it first read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import Catalogue, Fingerprint, fingerprint
from pytest_bbmigrate.plugin.options import writes_database
from pytest_bbmigrate.plugin.session import project_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_bbmigrate.report.summary import Properties
    from pytest_bbmigrate.settings import Settings

TEXT_PROPERTY = "bb_text"  # property of a check: a key of the text that it judged

_FIXED = pytest.StashKey[Fingerprint]()


def freeze_text(config: pytest.Config) -> Fingerprint:
    """Return the fingerprint of every file that counts, as the first call of the session took it.

    Raises: pytest.UsageError when a setting is wrong.
    """
    if _FIXED not in config.stash:
        project = project_of(config)
        texts = project.reading.texts if isinstance(project.reading, Catalogue) else {}
        config.stash[_FIXED] = fingerprint(
            project.settings.migrations,
            texts,
            other_files(config, project.settings),
            database=project.settings.database,
        )
    return config.stash[_FIXED]


def other_files(config: pytest.Config, settings: Settings) -> Iterator[Path]:
    """Yield the files beside the migrations that a verdict rests on."""
    if config.inipath is not None:
        yield config.inipath
    beside = (
        *(settings.base, settings.order_file),
        *(settings.contracts_file, settings.steps_file),
    )
    yield from (path for path in beside if path is not None)
    if settings.rows_from is not None:
        yield from (path for path in settings.rows_from.iterdir() if path.is_file())


def text_properties(config: pytest.Config) -> Properties:
    """Return the property of a check's report that identifies the text it judged."""
    return [(TEXT_PROPERTY, freeze_text(config).key)] if writes_database(config) else []

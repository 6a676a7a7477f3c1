"""The names of the settings that a session's configuration gives, known to pytest or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import iniconfig

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def configured_names(config: pytest.Config) -> set[str]:
    """Return the names that the configuration file and ``-o NAME=VALUE`` give.

    pytest has read the file before, so it can be read.
    """
    given = {each.partition("=")[0].strip() for each in config.getoption("override_ini") or ()}
    return given if config.inipath is None else given | names_in(config.inipath)


def names_in(path: Path) -> set[str]:
    """Return the names in a configuration file of pytest's.

    See https://docs.pytest.org/en/stable/reference/customize.html#configuration-file-formats.
    """
    if path.suffix == ".toml":
        import tomllib

        content = tomllib.loads(path.read_text(encoding="utf-8"))
        tables = [content.get("pytest"), content.get("tool", {}).get("pytest")]
        tables += [table.get("ini_options") for table in tables if isinstance(table, dict)]
        return {name for table in tables if isinstance(table, dict) for name in table}
    section = "tool:pytest" if path.suffix == ".cfg" else "pytest"
    read = iniconfig.IniConfig(str(path))
    return set(read[section]) if section in read else set()

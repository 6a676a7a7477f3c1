"""--bb-draft-contracts: after a check run, write the contract lines that the folder needs."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue.contract_draft import DraftedLine, add_lines
from pytest_bbmigrate.catalogue.contract_file import as_comment
from pytest_bbmigrate.catalogue.text import exact_text
from pytest_bbmigrate.contract import read_contract
from pytest_bbmigrate.counting import counted
from pytest_bbmigrate.errors import CatalogueError
from pytest_bbmigrate.history.status import describe_contract
from pytest_bbmigrate.plugin.options import settings_of, usage_error
from pytest_bbmigrate.report.summary import TOLD
from pytest_bbmigrate.report.told import from_plain, sort_out
from pytest_bbmigrate.sqlite_files.durable import flush
from pytest_bbmigrate.visible import visible_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.report.told import Declared, Told

DEFAULT_FILE = "bb_contracts.toml"
OPTION = "--bb-draft-contracts"
NAME = "bbmigrate_drafting"


@dataclass(frozen=True)
class Drafted:
    """What a draft has written, in lines for the terminal; ``failed`` where it could not."""

    lines: tuple[str, ...]
    failed: bool = False


class Drafting:
    """Collects what the checks of a session find, in the process that all reports come to."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self._config = config
        self._path = path
        self._told: list[Told] = []
        self.drafted = Drafted(())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a check has found."""
        plain = getattr(report, TOLD, None)
        if plain is not None:
            self._told.append(from_plain(plain))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Write the lines."""
        try:
            self.drafted = Drafted(tuple(self._write()))
        except (CatalogueError, OSError) as error:
            self.drafted = Drafted(
                (f"nothing was drafted: {visible_line(str(error))}",), failed=True
            )

    def _write(self) -> Iterator[str]:
        settings, path = settings_of(self._config), self._path
        is_read = settings.contracts_file is not None
        text = exact_text(path) if path.exists() else ""
        if is_read and text != settings.contracts:
            yield f"nothing was drafted: {self._shown} was written meanwhile; run again"
            return
        _, declared = sort_out(self._told)
        unneeded = {
            name: told.unneeded
            for told in self._told
            if told.unneeded is not None and is_read
            for name in (told.migration, told.file)
        }

        def is_needed(name: str, line: str) -> bool | None:
            said = set(declarations_in(line))
            return not said <= set(unneeded[name]) if said and name in unneeded else None

        draft = add_lines(path, text, lines_of(declared), is_needed)
        if draft.text != text and (text or draft.added):
            write_safely(path, draft.text)
        added = f"{counted(draft.added, 'line')} added, for"
        names = counted(draft.migrations, "migration")
        yield f"{self._shown}: {f'{added} {names}' if draft.added else 'nothing to add'}"
        if draft.marked:
            yield f"{counted(draft.marked, 'line')} marked there that nothing needs any more"
        if path.exists():
            yield from self._what_to_do(is_read=is_read, adds=bool(draft.added))

    def _what_to_do(self, *, is_read: bool, adds: bool) -> Iterator[str]:
        if not is_read:
            yield f"have them read: {self._setting()}"
        if adds:
            yield "read each line: accept it, change it, or mend the migration; then run again"

    @property
    def _shown(self) -> str:
        return visible_line(os.path.relpath(self._path, self._config.invocation_params.dir))

    def _setting(self) -> str:
        """Return what to write, and where, for the file to be read."""
        config = self._config
        value = Path(os.path.relpath(self._path, config.rootpath)).as_posix()
        file = config.inipath
        if file is not None and file.suffix == ".toml":
            section = "[pytest]" if "pytest.toml" in file.name else "[tool.pytest.ini_options]"
            return f'bb_contracts = "{value}" below {section} in {file.name}'
        section = "[tool:pytest]" if file is not None and file.suffix == ".cfg" else "[pytest]"
        name = file.name if file is not None else "pytest.ini"
        return f"bb_contracts = {value} below {section} in {name}"


def prepare_drafting(config: pytest.Config) -> None:
    """Have this session write the lines when it ends, if it was asked to.

    Raises: pytest.UsageError when the file cannot be written.
    """
    if config.getoption("bb_draft_contracts") is None or hasattr(config, "workerinput"):
        return
    config.pluginmanager.register(Drafting(config, file_to_write(config)), NAME)


def file_to_write(config: pytest.Config) -> Path:
    """Return the file that is to get the lines. Raises: pytest.UsageError."""
    given, read = config.getoption("bb_draft_contracts"), settings_of(config).contracts_file
    path = read or config.rootpath / DEFAULT_FILE
    if given:
        path = Path(os.path.abspath(config.invocation_params.dir / given))  # noqa: PTH100 - as all paths
    if read is not None and not (path.exists() and path.samefile(read)):
        raise usage_error(
            f"{OPTION}={given}: bb_contracts names {read}, which is what gets the lines; leave the "
            "value out"
        )
    if path.is_dir() or not path.parent.is_dir():
        fault = "this is a folder" if path.is_dir() else "its folder is not there"
        raise usage_error(f"{OPTION}={given}: {fault} ({path})")
    return path


def lines_of(declared: list[Declared]) -> dict[str, list[DraftedLine]]:
    """Return the lines to add, by the migration's key."""
    lines: dict[str, list[DraftedLine]] = {}
    for each in declared:
        seen = [f"{found.headline} ({found.place})" for found in each.found]
        seen += [f"to prove where it went: {f.proves}" for f in each.found if f.proves]
        shown = tuple(visible_line(one) for one in dict.fromkeys(seen))
        lines.setdefault(each.told.key, []).append(DraftedLine(each.line, shown))
    return lines


def declarations_in(line: str) -> tuple[str, ...]:
    """Return the declarations of one contract line, each as it is told that nothing needed it."""
    return describe_contract(read_contract(((1, as_comment(line)),)))


def write_safely(path: Path, text: str) -> None:
    """Write ``text`` into the file at ``path``, which is either as it was or has all of it."""
    real = Path(os.path.realpath(path))
    descriptor, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            flush(file.fileno())
        temporary.chmod(stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o644)
        temporary.replace(real)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_draft_summary(reporter: pytest.TerminalReporter) -> None:
    """Say what was drafted."""
    drafting = reporter.config.pluginmanager.get_plugin(NAME)
    if drafting is None:
        return
    reporter.write_sep("=", "contracts")
    for line in drafting.drafted.lines:
        reporter.write_line(line, red=drafting.drafted.failed)

"""A hook of the app that pytest's own Python imports when it needs it, and not before."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.runner.connection_hook import (
    LateHook,
    called_if_possible,
    late_connection_hook,
)

if TYPE_CHECKING:
    from pathlib import Path

HOOK = "def prepare(db):\n    db.create_function('seven', 0, lambda: 7)\n"


def test_the_module_is_imported_at_the_first_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "late_hook", raising=False)
    (tmp_path / "late_hook.py").write_text(HOOK)
    hook = late_connection_hook("late_hook:prepare", tmp_path)

    assert hook is not None
    assert "late_hook" not in sys.modules
    with closing(sqlite3.connect(":memory:")) as db:
        hook(db)
        assert db.execute("SELECT seven()").fetchone() == (7,)


def test_what_cannot_be_imported_is_told_with_the_way_out(tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as db,
        pytest.raises(
            SettingsError, match="in pytest's own Python, which needs the module as well"
        ),
    ):
        LateHook("nowhere_to_be_found:prepare", tmp_path)(db)


def test_where_it_is_called_if_possible_only_its_fault_is_kept(tmp_path: Path) -> None:
    hook = LateHook("nowhere_to_be_found:prepare", tmp_path)
    prepare = called_if_possible(hook)

    assert prepare is not None
    with closing(sqlite3.connect(":memory:")) as db:
        assert prepare(db) is None
    assert hook.fault.startswith("; bb_connection = nowhere_to_be_found:prepare: ")


def test_without_a_name_there_is_none(tmp_path: Path) -> None:
    assert late_connection_hook("", tmp_path) is None
    assert called_if_possible(None) is None
    assert called_if_possible(print) is print

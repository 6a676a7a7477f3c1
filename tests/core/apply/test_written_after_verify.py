"""Programs that write to the database when it was verified, and is still locked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.lock.client import LockClient
from pytest_bbmigrate.errors import StepFailed
from tests.core.real_databases import MODES, make, make_work, note_in

if TYPE_CHECKING:
    from pathlib import Path


def verify(client: LockClient, tmp_path: Path) -> None:
    """Publish and verify, up to what is looked at last."""
    work, digest = make_work(tmp_path / "work.db")
    client.lock()
    client.back_up(tmp_path / "backup")
    client.publish(work, digest)
    client.verify(work, tmp_path / "backup", tmp_path / "failed")


@pytest.mark.parametrize("mode", MODES)
def test_what_is_written_to_after_it_was_verified_is_told(tmp_path: Path, mode: str) -> None:
    real = make(tmp_path / "real.db", "old", mode=mode)
    with pytest.raises(StepFailed, match="is not as it was: something else wrote to it while"):  # noqa: PT012, SIM117
        with LockClient(real) as client:
            verify(client, tmp_path)
            with real.open("r+b") as file:
                os.pwrite(file.fileno(), b"garbled", 8000)
            client.restore_file()

    assert note_in(tmp_path / "backup") == "old"


@pytest.mark.parametrize("mode", MODES)
def test_what_nobody_writes_to_is_what_was_verified(tmp_path: Path, mode: str) -> None:
    real = make(tmp_path / "real.db", "old", mode=mode)

    with LockClient(real) as client:
        verify(client, tmp_path)
        told = client.restore_file()

    assert told == ""
    assert note_in(real) == "new"

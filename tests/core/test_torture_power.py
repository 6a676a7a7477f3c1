"""A short form of ``tests/torture_power.py``, and what shows that it would see a fault."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.depth import in_full
from tests.recording import why_not
from tests.torture_power import (
    FORMS,
    PUBLISHES,
    PowerCutHarms,
    publish_recorded,
    torture_power,
    without_syncs,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_power_cut_leaves_one_content_or_the_other(tmp_path: Path, mode: str) -> None:
    published = publish_recorded(tmp_path, mode, FORMS[0])
    samples = in_full(20, quick=2)

    cuts = list(torture_power(published, tmp_path, samples, random.Random(20260101)))

    assert {cut.content for cut in cuts if cut.mark == PUBLISHES} == {"old", "new"}
    assert len(cuts) >= 100


def test_a_publish_that_syncs_nothing_does_not_outlive_a_power_cut(tmp_path: Path) -> None:
    published = publish_recorded(tmp_path, "delete", FORMS[0])

    with pytest.raises(PowerCutHarms):
        list(torture_power(without_syncs(published), tmp_path, 20, random.Random(20260101)))

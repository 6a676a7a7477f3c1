"""Mask verdicts on somebody's rows: only what is known to be no value is left in them."""

from __future__ import annotations

from pytest_bbmigrate.masking.findings import (
    known_names,
    mask_unnamed,
    mask_verdict,
    mask_verdict_examples,
    safe_part_message,
)
from pytest_bbmigrate.masking.own_rows import mask_own_rows

__all__ = [
    "known_names",
    "mask_own_rows",
    "mask_unnamed",
    "mask_verdict",
    "mask_verdict_examples",
    "safe_part_message",
]

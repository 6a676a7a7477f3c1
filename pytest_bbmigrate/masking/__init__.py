"""Verdicts on somebody's rows, with nothing in them but what is known to be no value."""

from __future__ import annotations

from pytest_bbmigrate.masking.findings import (
    mask_examples,
    mask_examples_of,
    mask_verdict,
    names_in,
    said_of,
)
from pytest_bbmigrate.masking.own_rows import mask_own_rows

__all__ = [
    "mask_examples",
    "mask_examples_of",
    "mask_own_rows",
    "mask_verdict",
    "names_in",
    "said_of",
]

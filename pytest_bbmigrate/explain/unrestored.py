"""What is said of rows and values that down does not give back. Data: reports need no more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unrestored:
    """What ``mends`` a way back, and why there may be none: ``because``, with {what} it is about.

    ``because`` is '' where a way back is there to be had.
    """

    mends: str
    because: str = ""


UNRESTORED: dict[str, Unrestored] = {
    "values not kept": Unrestored(
        "have up keep the old values, in a column or a table of its own, and down put them back",
        "the old values of {what} are kept nowhere",
    ),
    "values spoilt": Unrestored("up leaves these values as they are: down must do so too"),
    "rows not kept": Unrestored(
        "have up keep the rows that it takes, in a table of its own, and down put them back",
        "the rows that it takes from {what} are kept nowhere",
    ),
    "rows spoilt": Unrestored("up leaves these rows where they are: down must do so too"),
    "rows not told apart": Unrestored(
        "down must delete the rows that up puts in, by their keys",
        "the rows that it adds to {what} cannot be told from others",
    ),
    "rows put in": Unrestored("down must put in no row that was not there before up"),
}

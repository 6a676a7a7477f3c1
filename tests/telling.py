"""What the commands of the tests show, line by line."""

from __future__ import annotations

import sys


def tell(*lines: str) -> None:
    """Show ``lines`` at once."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

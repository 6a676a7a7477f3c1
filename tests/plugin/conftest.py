"""What the sessions that pytester runs in this process import, imported once for all of them.

Each of them forgets its own imports when it ends.
"""

from __future__ import annotations

import pytest_bbmigrate.applying
import pytest_bbmigrate.collect
import pytest_bbmigrate.commands
import pytest_bbmigrate.terminal
import pytest_bbmigrate.testing  # noqa: F401

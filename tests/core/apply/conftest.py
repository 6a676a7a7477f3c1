"""What the tests of an apply share: this process forks their rehearsals and watches."""

from __future__ import annotations

import pytest_bbmigrate.apply.rehearsal.server  # noqa: F401 - once for all that are forked
from tests.forks import fork_what_is_started  # noqa: F401 - of all tests here

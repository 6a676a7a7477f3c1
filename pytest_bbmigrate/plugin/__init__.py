"""Everything that knows pytest, and nothing else does: from its hooks to our core and back."""

from pytest_bbmigrate.plugin.plain_loading import load_plainly

load_plainly()

"""Everything that knows pytest, and nothing else does: from its hooks to our core and back."""

"""The smoke tests: ``launch`` starts a pytest for them, ``child_plugin`` is what runs in there."""

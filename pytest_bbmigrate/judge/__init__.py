"""The judge: the process that makes the states and experiments, and reaches the verdicts.

pytest's process (``client``) starts a supervisor, which starts the judge (``server``), confined to
a folder of its own, and ends with it everything that a migration has left. ``judge`` is the work
itself, which ``--bb-in-process`` has done in pytest's own process.
"""

"""Running migrations on a copy of the real database: ``client`` asks, in pytest's process.

``server`` and ``worker``, and what they use, run in the process of the rehearsal; ``witness`` in
one that has run no migration, and ``check_verdicts`` and ``check_copy`` compare what the two say.
"""

"""The tests on every Python of this machine, with the pytests and SQLites that people have.

``python -m tests.matrix`` runs everything but torture, ``--quick`` some tests of each room on fewer
pairs. It prints one table; a row that failed, or ran nothing, makes it exit with 1. Environments
and logs are kept in ``.matrix``, and everything in them comes from pip.
"""

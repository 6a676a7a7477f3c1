"""What lies in the folder of a judge, the only one that it and its parts may write to."""

from __future__ import annotations

OWNER = "owner"  # locked while the judge's supervisor lives
ERRORS = "errors"  # what the judge writes to its standard error
IMAGES = "images"  # the folder for databases that are asked for or given
PARTS = "parts"  # the folder in which the processes of Python parts work
TEMPORARY = "tmp"

"""What is kept between runs: passed verdicts, and states, by a key of all that they rest on.

``entries`` are the files, ``keys`` the keys, ``surroundings`` what they rest on beside the project,
``certainty`` how far they can be relied on; ``verdicts`` and ``states`` are what entries hold.
"""

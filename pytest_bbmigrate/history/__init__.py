"""Which migrations a database has, which are to run or to be rolled back, and which database it is."""

"""Fill a database with data that looks like a household's and breaks migrations that are wrong."""

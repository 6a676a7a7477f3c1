"""A database's schema as values: from its pragmas, and from CREATE for what no pragma tells."""

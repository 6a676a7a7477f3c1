"""The values of a column: what its name means, what it usually holds, what breaks migrations."""

"""Rows in a database: drawn column by column, written, connected by foreign keys."""

"""Rows in a database: drawn column by column, written, and connected by foreign keys."""

"""Named questions put to the evidence on a migration; each answers with a verdict."""

PRAGMA legacy_alter_table = ON;
ALTER TABLE trips RENAME TO journeys;
PRAGMA legacy_alter_table = OFF;

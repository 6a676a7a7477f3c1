ALTER TABLE trips RENAME TO journeys;

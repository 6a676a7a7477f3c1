ALTER TABLE trips RENAME TO journeys;
INSERT INTO costs VALUES (4, 1, 3);

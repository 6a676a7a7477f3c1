PRAGMA foreign_keys = OFF;
CREATE TABLE trips_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL, days INTEGER);
INSERT INTO trips_new (id, name) SELECT id, name FROM trips;
DROP TABLE trips;
ALTER TABLE trips_new RENAME TO trips;
PRAGMA foreign_keys = ON;

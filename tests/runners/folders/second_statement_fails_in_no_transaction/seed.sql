CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE costs (
  id INTEGER PRIMARY KEY,
  trip_id INTEGER REFERENCES trips (id) ON DELETE CASCADE,
  amount REAL
);
INSERT INTO trips VALUES (1, 'Oslo'), (2, 'Rome');
INSERT INTO costs VALUES (1, 1, 12.5), (2, 2, 40), (3, 2, 7.25);

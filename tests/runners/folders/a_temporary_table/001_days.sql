CREATE TEMP TABLE kept AS SELECT id, name FROM trips;
UPDATE trips SET name = (SELECT upper(name) FROM kept WHERE kept.id = trips.id);
DROP TABLE kept;

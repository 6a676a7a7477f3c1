CREATE TEMP TABLE kept AS SELECT id, name FROM trips;

CREATE TABLE log (trip_id INTEGER, was TEXT);
CREATE TRIGGER trips_log AFTER UPDATE ON trips
WHEN CASE WHEN old.name IS NULL THEN 0 ELSE 1 END
BEGIN
  INSERT INTO log VALUES (old.id, CASE WHEN old.id > 1 THEN 'big' ELSE 'small' END);
END;
UPDATE trips SET name = 'Bergen';

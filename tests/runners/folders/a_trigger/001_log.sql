CREATE TABLE log (trip_id INTEGER, was TEXT);
CREATE TRIGGER trips_log AFTER UPDATE ON trips BEGIN
  INSERT INTO log VALUES (old.id, old.name);
  UPDATE log SET was = upper(was);
END;
UPDATE trips SET name = 'Bergen' WHERE id = 1;

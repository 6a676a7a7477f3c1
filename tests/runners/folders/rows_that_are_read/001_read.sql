SELECT * FROM trips;
PRAGMA foreign_key_check;
INSERT INTO trips VALUES (3, 'Bonn') RETURNING id;
UPDATE trips SET name = 'Kiel' WHERE id = 3;

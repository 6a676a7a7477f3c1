CREATE TABLE notes (
  id INTEGER PRIMARY KEY, -- the id
  text TEXT
);
INSERT INTO notes VALUES (1, 'a
b');

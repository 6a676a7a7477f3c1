CREATE TABLE notes (id INTEGER PRIMARY KEY);
UPDATE trips SET name = household_name(name);

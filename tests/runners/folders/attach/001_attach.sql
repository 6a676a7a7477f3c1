ATTACH ':memory:' AS side;
CREATE TABLE side.notes (id INTEGER);
DETACH side;

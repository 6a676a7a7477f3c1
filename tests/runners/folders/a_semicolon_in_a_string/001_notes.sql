CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT); -- one; two
INSERT INTO notes VALUES (1, 'a;b'), (2, 'it''s -- no comment'), (3, '/* nor this; */');
/* a comment; of two
lines */ INSERT INTO notes VALUES (4, 'end');

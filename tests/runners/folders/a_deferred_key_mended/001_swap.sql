INSERT INTO costs VALUES (4, 3, 1);
INSERT INTO trips VALUES (3, 'Turin');

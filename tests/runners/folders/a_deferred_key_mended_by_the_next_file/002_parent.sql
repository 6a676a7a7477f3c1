INSERT INTO trips VALUES (3, 'Turin');

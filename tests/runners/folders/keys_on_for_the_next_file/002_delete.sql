DELETE FROM trips WHERE id = 2;

UPDATE trips SET name = 'Oslo';
CREATE UNIQUE INDEX trips_name ON trips (name);

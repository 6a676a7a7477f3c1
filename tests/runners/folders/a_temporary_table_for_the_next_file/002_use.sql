UPDATE trips SET name = (SELECT upper(name) FROM kept WHERE kept.id = trips.id);

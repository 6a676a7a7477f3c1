PRAGMA user_version = 3;
CREATE TABLE seen AS SELECT * FROM pragma_user_version;

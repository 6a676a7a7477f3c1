-- Purpose: Takes Buddy's weekly reflections away; the index goes with its table.

DROP TABLE weekly_reflections;

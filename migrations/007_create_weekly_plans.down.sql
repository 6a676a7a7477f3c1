-- Purpose: Takes the weekly plans away; both indexes go with their table.

DROP TABLE weekly_plans;

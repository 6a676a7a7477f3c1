// Migrates the database argv[2] with the folder argv[3], as an app does it at its start.
import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { migrate } from "drizzle-orm/libsql/migrator";

const client = createClient({ url: `file:${process.argv[2]}` });
await migrate(drizzle(client), { migrationsFolder: process.argv[3] });

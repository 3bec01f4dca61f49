import type { TableName } from "./config/resources.ts";
import type { Settings } from "./config/settings.ts";
import type { Queues } from "./contacts/ports.ts";
import type { Log } from "./log.ts";
import type { Db } from "./store/db.ts";

/** What control-plane code is given from outside: I/O, the clock, randomness, names and settings. */
export interface Deps {
	db: Db;
	tables: Record<TableName, string>;
	/** Milliseconds since 1970. */
	now: () => number;
	/** 0 ≤ x < 1. */
	random: () => number;
	log: Log;
	settings: Settings;
	/** A function sends only to those that it was given names for. */
	queues: Queues;
}

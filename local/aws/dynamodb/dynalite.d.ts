declare module "dynalite" {
	import type { Server } from "node:http";
	export default function dynalite(options?: {
		/** Folder of a LevelDB; in memory without. */
		path?: string;
		createTableMs?: number;
		deleteTableMs?: number;
		updateTableMs?: number;
	}): Server;
}

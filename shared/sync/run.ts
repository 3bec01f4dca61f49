import type { SyncRequest } from "../contract/host.ts";
import type { Deps } from "../deps.ts";
import type { HostItem } from "../store/items.ts";
import type { World } from "./world.ts";

/** One execution of one sync: what it knows and has done so far. */
export interface Run {
	deps: Deps;
	request: SyncRequest;
	host: HostItem;
	world: World;
	/** `hostId#epoch#seq`: the lease of what this sync claims. */
	me: string;
	startedAt: number;
	/** Trunks whose carrier does not answer the host: what this request says, else what the host said last. */
	deadTrunks: string[] | undefined;
}

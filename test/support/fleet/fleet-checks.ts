import { type HostState, mayFollow } from "../../../shared/fleet/life.ts";
import { FLEET_STATE_ID, type FleetItem, type HostItem, type Intent } from "../../../shared/store/items.ts";
import type { MemoryDynamo } from "../memory-dynamo.ts";
import { TENANT } from "../virtual/world.ts";

export type FleetViolationKind =
	| "illegalTransition"
	| "stoppedWithCalls"
	| "tooManyInstances"
	| "unintendedStart"
	| "moreThanWanted"
	| "neverSettles";

/** A rule of the fleet does not hold. */
export class FleetViolation extends Error {
	override readonly name = "FleetViolation";
	readonly kind: FleetViolationKind;
	constructor(kind: FleetViolationKind, message: string) {
		super(`${kind}: ${message}`);
		this.kind = kind;
	}
}

const intended = (intent: Intent): number => (intent.kind === "launch" ? intent.count : intent.hosts.length);

/** Follows the tables from statement to statement: states of hosts, and what the fleet's runs intend. */
export class FleetBooks {
	readonly #dynamo: MemoryDynamo;
	readonly #states = new Map<string, HostState>();
	/** Every intent that there ever was. */
	readonly intents = new Map<string, Intent>();
	/** Transitions, counted by what they lead to. */
	readonly transitions: Record<string, number> = {};
	/** Drains that were taken back. */
	undrains = 0;
	/** The moment after which a host's calls are ended: of its last drain, by its id. */
	readonly drainUntil = new Map<string, number>();
	#version = -1;
	readonly #now: () => number;
	readonly #lostAfterMs: number;
	/** Statements seen so far; the one that wrote the fleet's state; and since which one each host is, or becomes, capacity. */
	#statement = 0;
	#writtenAt = 0;
	readonly #upSince = new Map<string, number>();

	constructor(dynamo: MemoryDynamo, now: () => number, lostAfterSec: number) {
		this.#dynamo = dynamo;
		this.#now = now;
		this.#lostAfterMs = lostAfterSec * 1_000;
	}

	get state(): FleetItem | undefined {
		return this.#dynamo.peek<FleetItem>("fleet", { tenant: TENANT, id: FLEET_STATE_ID });
	}

	/** After a statement. @param hostIds all hosts there may be */
	check(hostIds: Iterable<string>): void {
		this.#statement++;
		for (const hostId of hostIds) {
			const item = this.#dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId });
			if (!item || !this.#isUp(item)) this.#upSince.delete(hostId);
			else if (!this.#upSince.has(hostId)) this.#upSince.set(hostId, this.#statement);
			if (!item) continue;
			const before = this.#states.get(hostId);
			if (item.drainUntil !== undefined) this.drainUntil.set(hostId, item.drainUntil);
			else if (item.state === "active" || item.state === "draining") this.drainUntil.delete(hostId);
			if (before === item.state) continue;
			if (item.state === "active" && (before === "draining" || before === "drained")) this.undrains++;
			if (before === undefined ? item.tier === "burst" && item.state !== "launching" : !mayFollow(before, item.state))
				throw new FleetViolation("illegalTransition", `${hostId}: ${before ?? "nothing"} → ${item.state}`);
			this.#states.set(hostId, item.state);
			this.transitions[item.state] = (this.transitions[item.state] ?? 0) + 1;
		}
		this.#checkIntents();
	}

	/** Whether it is, or becomes, capacity that nobody doubts. */
	#isUp({ inst, state, health, drainWanted, deadTrunks, lastSeenAt }: HostItem): boolean {
		if (!inst || inst.failure !== undefined || drainWanted) return false;
		if (state === "launching" || state === "booting") return true;
		const isHeard = this.#now() - lastSeenAt <= this.#lostAfterMs;
		return state === "active" && isHeard && (health ?? "up") === "up" && (deadTrunks ?? []).length === 0;
	}

	/** How many hosts of an intent are not there yet. */
	#toCome(id: string, intent: Intent): number {
		const hosts = [...this.#states.keys()].flatMap((hostId) => {
			const item = this.#dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId });
			return item ? [item] : [];
		});
		return intent.kind === "launch"
			? Math.max(0, intent.count - hosts.filter(({ inst }) => inst?.launchId === id).length)
			: hosts.filter(({ hostId, state }) => intent.hosts.includes(hostId) && state === "stopped").length;
	}

	/**
	 * An intent is written only where it and all that is, or becomes, capacity stay within what is wanted. Who writes it has read the hosts after the state
	 * before was written: what was up then and is up still was seen.
	 */
	#checkIntents(): void {
		const { state } = this;
		if (!state || state.version === this.#version) return;
		this.#version = state.version;
		const readAfter = this.#writtenAt;
		this.#writtenAt = this.#statement;
		let added = 0;
		for (const [id, intent] of Object.entries(state.intents)) {
			const before = this.intents.get(id);
			if (before && intended(before) < intended(intent))
				throw new FleetViolation("unintendedStart", `intent ${id} grew: ${JSON.stringify([before, intent])}`);
			if (!before) added += intended(intent);
			this.intents.set(id, intent);
		}
		const { decision } = state;
		if (added === 0 || !decision) return;
		const up = [...this.#upSince].flatMap(([hostId, since]) => (since <= readAfter ? [hostId] : []));
		const intents = Object.entries(state.intents).reduce((n, [id, intent]) => n + this.#toCome(id, intent), 0);
		const wanted = decision.wanted.onDemand + decision.wanted.spot;
		if (up.length + intents > wanted)
			throw new FleetViolation(
				"moreThanWanted",
				`${intents} to come with ${up.join(" ") || "none"} up, ${wanted} wanted: ${JSON.stringify(state)}`,
			);
	}
}

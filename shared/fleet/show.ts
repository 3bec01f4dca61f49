import { type BurstSettings, PUBLIC_IPV4_USD_PER_HOUR } from "../config/burst-settings.ts";
import type { Deps } from "../deps.ts";
import { readHosts } from "../hosts/hosts.ts";
import type { FleetItem, HostItem, Intent } from "../store/items.ts";
import { type BurstHost, burstHosts, costOf, sumOf } from "./counting.ts";
import type { Decision, Marginal } from "./decision.ts";
import { type FleetRoom, readFleetRoom } from "./state.ts";

/** The part of `GET /v1/fleet` that is about the burst. Times are ISO 8601. */
export interface ShownBurst {
	/** Whether burst hosts can be started at all, and whether the fleet only reports. */
	enabled: boolean;
	dryRun: boolean;
	/** Burst hosts wanted and up, as the last look decided; null before the first. */
	wanted: Decision["wanted"] | null;
	up: Decision["up"] | null;
	/** The last decision with its reason, limits and figures. */
	decision:
		| (Omit<Decision, "at" | "wanted" | "up" | "marginal"> & { at: string; marginal: ShownMarginal | null })
		| null;
	/** What stands in the way now, in words, with what to do about it where there is something. */
	trouble: string[];
	/** EC2 is being asked for it. */
	intents: { id: string; kind: Intent["kind"]; what: string; count: number; since: string }[];
	/** Seconds from the start to the first hello: of the last starts. */
	bootSec: { last: number[]; median: number | null };
	floor: { min: number; until: string } | null;
	schedules: string[];
	limits: { maxHosts: number; maxUsdPerHour: number; maxStartsPerMin: number; warmHosts: number };
	/** US dollars an hour of the instances that run now and their addresses; disks and traffic are not in it. */
	usdPerHour: number;
	/** Elastic IPs; null where none are needed or set. */
	addresses: { pool: number; free: number; missing: number } | null;
	hosts: ShownBurstHost[];
}
/** Start another host, or finish later: what was weighed. */
export type ShownMarginal = Omit<Marginal, "doneAt" | "doneAtWithout"> & {
	doneAt: string;
	doneAtWithout: string | null;
};
export interface ShownBurstHost {
	hostId: string;
	state: HostItem["state"];
	/** In its state for this reason, where there is one. */
	why: string | null;
	capacity: number;
	live: number;
	held: number;
	instanceId: string;
	type: string;
	subnet: string;
	market: "on-demand" | "spot";
	usdPerHour: number;
	/** Its last start, and the first hello after it. */
	startedAt: string;
	readyAt: string | null;
	/** After this its calls are ended; null: it is not draining, or there is no deadline. */
	drainUntil: string | null;
	publicAddress: string | null;
	/** Trunks whose carrier does not answer it. */
	deadTrunks: string[];
}

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | undefined): string | null => (ms === undefined ? null : iso(ms));
/** To a hundredth of a cent. */
const usd = (value: number): number => Math.round(value * 10_000) / 10_000;

const DRAINED_BY = {
	operator: "an operator drains it",
	fleet: "it is not needed any more",
	spot: "spot interruption: EC2 takes it away",
	fault: "it is of no use",
} as const;

const whyOf = (host: BurstHost): string | null => {
	const { state, inst, drainBy } = host;
	const ended = inst.stopReason ?? null;
	switch (state) {
		case "draining":
		case "drained": {
			const why = DRAINED_BY[drainBy ?? "operator"];
			return [why, inst.failure, inst.stopAt === undefined ? undefined : ended].filter(Boolean).join("; ");
		}
		case "stopping":
		case "stopped":
		case "terminated":
			return inst.failure ?? ended;
		case "lost":
		case "recovered":
			return "silence, or its instance is gone";
		default:
			return inst.failure ?? null;
	}
};

const showBurstHost = (host: BurstHost): ShownBurstHost => ({
	hostId: host.hostId,
	state: host.state,
	why: whyOf(host),
	capacity: host.cap,
	live: host.live,
	held: sumOf(host.held),
	instanceId: host.inst.instanceId,
	type: host.inst.type,
	subnet: host.inst.subnet,
	market: host.inst.market,
	usdPerHour: host.inst.usdPerHour,
	startedAt: iso(host.inst.startedAt),
	readyAt: isoOrNull(host.inst.readyAt),
	drainUntil: isoOrNull(host.drainUntil),
	publicAddress: host.inst.publicAddress ?? null,
	deadTrunks: host.deadTrunks ?? [],
});

/** What stands in the way, in words. */
const troubleOf = (fleet: FleetItem, settings: BurstSettings, now: number): string[] => {
	const trouble: string[] = [];
	const { halted, failed, throttledUntil, noCapacity, addresses, decision } = fleet;
	if (!settings.launchTemplate)
		trouble.push("No launch template is set (BURST_LAUNCH_TEMPLATE): nothing can be started.");
	if (settings.dryRun) trouble.push("Dry run (BURST_DRY_RUN): decisions are reported, nothing is done.");
	if (decision?.held) trouble.push(`Held: ${decision.held}`);
	if (halted && halted.until > now)
		trouble.push(`Halted until ${iso(halted.until)}, for a person must mend it: ${halted.reason}`);
	if (failed.count > 0)
		trouble.push(
			`${failed.count === 1 ? "The last start" : `The last ${failed.count} rounds of starts`} failed: ${failed.reason}${
				failed.notBefore > now ? `; none before ${iso(failed.notBefore)}` : ""
			}`,
		);
	if (throttledUntil > now)
		trouble.push(`EC2 asked to slow down: nothing is asked of it before ${iso(throttledUntil)}.`);
	for (const [offering, until] of Object.entries(noCapacity))
		if (until > now) trouble.push(`EC2 is out of capacity for ${offering}: asked again after ${iso(until)}.`);
	if (addresses && addresses.missing > 0)
		trouble.push(
			`The pool's ${addresses.pool} Elastic IPs are too few: ${addresses.missing} running hosts have none and cannot use trunks with known addresses. Enlarge BURST_ADDRESS_POOL.`,
		);
	for (const [instanceId, since] of Object.entries(fleet.strangers))
		trouble.push(
			`Instance ${instanceId} carries our tag and runs, and nobody here started it: seen since ${iso(since)}; it is stopped.`,
		);
	for (const [hostId, since] of Object.entries(fleet.ghosts))
		trouble.push(`EC2 does not list the instance of ${hostId} since ${iso(since)}.`);
	return trouble;
};

const median = (values: number[]): number | null => {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	if (sorted.length === 0) return null;
	return sorted.length % 2 === 1
		? (sorted[middle] as number)
		: ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
};

const showIntent = ([id, intent]: [string, Intent]): ShownBurst["intents"][number] => ({
	id,
	kind: intent.kind,
	what: intent.kind === "launch" ? intent.offering : intent.hosts.join(", "),
	count: intent.kind === "launch" ? intent.count : intent.hosts.length,
	since: iso(intent.at),
});

const showMarginal = (marginal: Marginal | undefined): ShownMarginal | null =>
	marginal
		? {
				...marginal,
				doneAt: iso(marginal.doneAt),
				doneAtWithout: isoOrNull(marginal.doneAtWithout ?? undefined),
			}
		: null;

const showDecision = (decision: Decision | undefined): ShownBurst["decision"] => {
	if (!decision) return null;
	const { at, wanted: _wanted, up: _up, marginal, ...rest } = decision;
	return { ...rest, at: iso(at), marginal: showMarginal(marginal) };
};

/** Pure. */
export const showBurst = (room: FleetRoom, hosts: HostItem[], settings: BurstSettings, now: number): ShownBurst => {
	const { fleet, floor, schedules } = room;
	const burst = burstHosts(hosts);
	// A stopped host keeps its Elastic IP, and that is paid for.
	const kept = burst.filter(({ state, inst }) => state === "stopped" && inst.addressId !== undefined).length;
	return {
		enabled: settings.launchTemplate !== "",
		dryRun: settings.dryRun,
		wanted: fleet.decision?.wanted ?? null,
		up: fleet.decision?.up ?? null,
		decision: showDecision(fleet.decision),
		trouble: troubleOf(fleet, settings, now),
		intents: Object.entries(fleet.intents).map(showIntent),
		bootSec: { last: fleet.boots, median: median(fleet.boots) },
		floor: floor && floor.min > 0 && floor.until > now ? { min: floor.min, until: iso(floor.until) } : null,
		schedules: schedules.map(({ name }) => name).sort(),
		limits: {
			maxHosts: settings.maxHosts,
			maxUsdPerHour: settings.maxUsdPerHour,
			maxStartsPerMin: settings.maxStartsPerMin,
			warmHosts: settings.warmHosts,
		},
		usdPerHour: usd(costOf(burst, { intents: {} }, settings).usdPerHour + kept * PUBLIC_IPV4_USD_PER_HOUR),
		addresses: fleet.addresses ?? null,
		hosts: burst.sort((a, b) => (a.hostId < b.hostId ? -1 : 1)).map(showBurstHost),
	};
};

/** What there is to say of the burst now. */
export const describeFleet = async (deps: Deps & { burst: BurstSettings }, tenant: string): Promise<ShownBurst> => {
	const room = await readFleetRoom(deps, tenant);
	return showBurst(room, await readHosts(deps, tenant), deps.burst, deps.now());
};

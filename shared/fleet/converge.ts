import { type BurstSettings, offeringsOf } from "../config/burst-settings.ts";
import type { FleetItem, HostItem, Intent } from "../store/items.ts";
import { fieldOf, MARKETS, type Market } from "./capacity.ts";
import {
	type BurstHost,
	burstHosts,
	costOf,
	hostsBeingStarted,
	offeringKeyOf,
	openLaunches,
	priceOf,
	sumOf,
} from "./counting.ts";
import type { Decision } from "./decision.ts";
import type { Ec2Instance } from "./ec2.ts";
import { whyNoStart } from "./failures.ts";
import { isDraining } from "./life.ts";
import { offeringKey } from "./offerings.ts";

export interface ConvergeInput {
	decision: Decision;
	hosts: HostItem[];
	fleet: FleetItem;
	/** EC2's list; undefined: it could not be read. */
	instances: Ec2Instance[] | undefined;
	now: number;
	settings: BurstSettings;
	/** 0 ≤ x < 1; names the intents. */
	random: () => number;
}

export interface Ending {
	host: BurstHost;
	end: "stop" | "terminate";
	why: string;
}
/** What brings the fleet to what is wanted. Hangups after a drain's deadline are the sync's. */
export interface Plan {
	undrain: BurstHost[];
	drain: { host: BurstHost; why: string }[];
	/** Nothing is held there: the row moves to stopping, then EC2 is asked. */
	stop: Ending[];
	/**
	 * Past their deadline and still not drained: only EC2 is asked. When it says that they are stopped they are lost, and what they held is recovered:
	 * a row that went to stopping with calls would keep their contacts for ever.
	 */
	force: Ending[];
	/** By id, in the order in which they are to be carried out. */
	intents: Record<string, Intent>;
	/** Hosts that the intents start. */
	starting: number;
	/** Why less is done than was wanted, in words. */
	short: string[];
}

/** EC2 bills a start for at least so long: a host that is still booting may as well be there in case. */
const MIN_BILLED_MS = 60_000;
const MINUTE_MS = 60_000;
/** Asking again to stop a host that was asked before. */
const REPEAT_FORCE_MS = 30_000;

const loadOf = (host: BurstHost): number => host.live + sumOf(host.held);
/** The emptiest first; of equals the youngest, whose minute is paid already. */
const emptiestFirst = (a: BurstHost, b: BurstHost): number =>
	loadOf(a) - loadOf(b) || b.inst.startedAt - a.inst.startedAt || (a.hostId < b.hostId ? -1 : 1);

/** Ids of an intent: unique in the stack, for the version is; random, for a table that was lost begins anew. */
const intentId = (input: ConvergeInput, n: number): string =>
	`${input.now.toString(36)}-${input.fleet.version}-${n}-${Math.floor(input.random() * 2 ** 32).toString(36)}`;

const emptyPlan = (): Plan => ({ undrain: [], drain: [], stop: [], force: [], intents: {}, starting: 0, short: [] });

/** Hosts that are off by our books and run all the same, as EC2 says (its list had forgotten them, a person started them): until they end they cost. */
const runningUnawares = (hosts: HostItem[], fleet: FleetItem, instances: Ec2Instance[]): BurstHost[] => {
	const running = new Set(
		instances.flatMap(({ instanceId, state }) => (state === "pending" || state === "running" ? [instanceId] : [])),
	);
	const starting = hostsBeingStarted(hosts, fleet);
	return burstHosts(hosts).filter(
		({ hostId, state, inst }) =>
			(state === "stopped" || state === "terminated") && !starting.has(hostId) && running.has(inst.instanceId),
	);
};

/** How many starts the limits leave: of a minute, of hosts, of spend. Decide keeps to them too; this is the fence before EC2. */
class Allowance {
	readonly #settings: BurstSettings;
	#perMinute: number;
	#hosts: number;
	#usd: number;
	readonly short: Set<string> = new Set();

	constructor({ fleet, hosts, settings, now, instances = [] }: ConvergeInput) {
		const cost = costOf(hosts, fleet, settings);
		for (const { inst } of runningUnawares(hosts, fleet, instances)) {
			cost.hosts++;
			cost.usdPerHour += inst.usdPerHour;
		}
		this.#settings = settings;
		this.#perMinute = settings.maxStartsPerMin - fleet.starts.filter((at) => at > now - MINUTE_MS).length;
		this.#hosts = settings.maxHosts - cost.hosts;
		this.#usd = settings.maxUsdPerHour - cost.usdPerHour;
	}
	/** Up to `wanted` hosts at this price; takes them. */
	take(wanted: number, usdPerHour: number): number {
		// A hair of tolerance: sums of prices are not exact.
		const bySpend = Math.floor(this.#usd / usdPerHour + 1e-9);
		const allowed = Math.max(0, Math.min(wanted, this.#perMinute, this.#hosts, bySpend));
		if (allowed < wanted) {
			if (this.#perMinute === allowed) this.short.add(`at most ${this.#settings.maxStartsPerMin} starts a minute`);
			if (this.#hosts <= allowed) this.short.add(`at most ${this.#settings.maxHosts} hosts`);
			if (bySpend <= allowed) this.short.add(`at most ${this.#settings.maxUsdPerHour} USD an hour`);
		}
		this.#perMinute -= allowed;
		this.#hosts -= allowed;
		this.#usd -= allowed * usdPerHour;
		return allowed;
	}
}

/** Plans how the fleet becomes what was decided. Pure; the two markets are planned apart. */
export const converge = (input: ConvergeInput): Plan => {
	const plan = emptyPlan();
	const { decision, fleet, instances, now } = input;
	if (decision.held !== undefined || !instances) {
		plan.short.push(decision.held ?? "EC2's list could not be read: nothing is started or stopped");
		return plan;
	}
	const allowance = new Allowance(input);
	const planned = new Set<string>();
	for (const market of MARKETS) {
		const field = fieldOf(market);
		const missing = decision.wanted[field] - decision.up[field];
		if (missing > 0) {
			const left = missing - undrain(input, plan, planned, market, missing);
			if (left > 0) start(input, plan, planned, market, left, allowance);
		} else if (missing < 0) letGo(input, plan, planned, market, -missing);
	}
	plan.short.push(...allowance.short);
	// While EC2 wants us to slow down nothing is asked of it.
	if (fleet.throttledUntil <= now) endThose(input, plan, planned);
	return plan;
};

/** Takes drains of the fleet back, the fullest first. @returns how many */
const undrain = (input: ConvergeInput, plan: Plan, planned: Set<string>, market: Market, count: number): number => {
	const { now } = input;
	const back = burstHosts(input.hosts)
		.filter((host) => {
			const { inst, drainUntil = Number.POSITIVE_INFINITY } = host;
			const ours = isDraining(host.state) && host.drainBy === "fleet" && !host.drainWanted && drainUntil > now;
			const sound = inst.failure === undefined && inst.stopAt === undefined && host.health !== "stopping";
			return inst.market === market && ours && sound;
		})
		.sort((a, b) => emptiestFirst(b, a))
		.slice(0, count);
	for (const host of back) planned.add(host.hostId);
	plan.undrain.push(...back);
	return back.length;
};

/** Stopped hosts first, one call for those of a type and zone; then a launch in the first offering that is not out of capacity. */
const start = (
	input: ConvergeInput,
	plan: Plan,
	planned: Set<string>,
	market: Market,
	count: number,
	allowance: Allowance,
): void => {
	const { fleet, now, settings, hosts } = input;
	const why = whyNoStart(fleet, now);
	if (why) {
		plan.short.push(why);
		return;
	}
	if (!settings.launchTemplate) {
		plan.short.push("no launch template is set: nothing can be started");
		return;
	}
	const short = (key: string): boolean => (fleet.noCapacity[key] ?? 0) > now;
	const offerings = offeringsOf(settings).filter((offering) => offering.market === market);
	let left = count;
	const add = (intent: Intent, n: number): void => {
		plan.intents[intentId(input, Object.keys(plan.intents).length)] = intent;
		plan.starting += n;
		left -= n;
	};

	const starting = hostsBeingStarted(hosts, fleet);
	const stoppedInstances = new Set(
		(input.instances ?? []).flatMap(({ instanceId, state }) => (state === "stopped" ? [instanceId] : [])),
	);
	const groups = new Map<string, BurstHost[]>();
	for (const host of burstHosts(hosts)) {
		const key = offeringKeyOf(host.inst);
		const ready = host.state === "stopped" && !starting.has(host.hostId) && stoppedInstances.has(host.inst.instanceId);
		if (!ready || host.inst.market !== market || isSpent(host, settings) || short(key)) continue;
		groups.set(key, [...(groups.get(key) ?? []), host]);
	}
	for (const group of groups.values()) {
		if (left <= 0) return;
		const n = allowance.take(Math.min(left, group.length), priceOf(settings, group[0]?.inst.type ?? ""));
		if (n === 0) return;
		const some = group.slice(0, n);
		for (const host of some) planned.add(host.hostId);
		const startId = `${intentId(input, Object.keys(plan.intents).length)}-s`;
		add({ kind: "start", hosts: some.map((host) => host.hostId), startId, at: now }, n);
	}
	if (left <= 0) return;
	// An offering that is being asked already has its answer to come: what is missing beyond it may come from there as well.
	const offering = offerings.find((each) => !short(offeringKey(each)));
	if (!offering) {
		plan.short.push(
			`EC2 is out of capacity in all ${offerings.length} types and zones (${market}): ${left} hosts short`,
		);
		return;
	}
	const n = allowance.take(left, offering.usdPerHour);
	if (n > 0) add({ kind: "launch", offering: offeringKey(offering), count: n, at: now }, n);
};

/** A stopped host that is not to be started again. */
const isSpent = (host: BurstHost, { image }: BurstSettings): boolean =>
	(image !== "" && host.inst.imageId !== image) ||
	host.inst.market === "spot" ||
	host.inst.failure !== undefined ||
	host.inst.end === "terminate" ||
	host.drainWanted === true;

/** More than wanted: those that boot are ended, the emptiest of the others drained. */
const letGo = (input: ConvergeInput, plan: Plan, planned: Set<string>, market: Market, surplus: number): void => {
	const { now, hosts, fleet } = input;
	// What is still to come is surplus too, but cannot be called back: it is ended when it is there.
	const toCome = openLaunches(hosts, fleet).reduce((n, { intent, toCome }) => {
		return n + (intent.offering.startsWith(`${market}/`) ? toCome : 0);
	}, 0);
	const starting = hostsBeingStarted(hosts, fleet);
	const mine = burstHosts(hosts).filter(({ inst }) => inst.market === market);
	const free = Math.max(0, surplus - toCome - mine.filter(({ hostId }) => starting.has(hostId)).length);
	const booting = mine
		.filter(({ hostId, state }) => (state === "launching" || state === "booting") && !starting.has(hostId))
		.sort(emptiestFirst)
		.slice(0, free);
	for (const host of booting) {
		// It takes its place among the surplus in any case: no host at work is drained for it.
		planned.add(host.hostId);
		if (now - host.inst.startedAt >= MIN_BILLED_MS && fleet.throttledUntil <= now)
			plan.stop.push({ host, end: "terminate", why: "it is not needed any more" });
	}
	const drained = mine
		.filter(({ state }) => state === "active")
		.sort(emptiestFirst)
		.slice(0, free - booting.length);
	for (const host of drained) {
		planned.add(host.hostId);
		plan.drain.push({ host, why: input.decision.reason });
	}
};

/** Hosts that have nothing to do any more, or are past their deadline. */
const endThose = (input: ConvergeInput, plan: Plan, planned: Set<string>): void => {
	const { hosts, fleet, now, settings } = input;
	const starting = hostsBeingStarted(hosts, fleet);
	const burst = burstHosts(hosts).filter(({ hostId }) => !planned.has(hostId) && !starting.has(hostId));
	const kept = burst.filter((host) => {
		const stays = host.state === "stopped" || (host.state === "stopping" && host.inst.end === "stop");
		return stays && !isSpent(host, settings);
	});
	// The longest stopped go first: the younger ones are of the newer image and type.
	const surplus = kept
		.filter(({ state }) => state === "stopped")
		.sort((a, b) => (a.inst.stopAt ?? 0) - (b.inst.stopAt ?? 0) || (a.hostId < b.hostId ? -1 : 1))
		.slice(0, Math.max(0, kept.length - settings.warmHosts));
	const surplusIds = new Set(surplus.map(({ hostId }) => hostId));
	let warm = kept.length;
	for (const host of burst) {
		const { state, inst } = host;
		if (state === "drained") {
			const warmable = !isSpent(host, settings) && host.drainBy === "fleet" && warm < settings.warmHosts;
			if (warmable) warm++;
			plan.stop.push({ host, end: warmable ? "stop" : "terminate", why: `drained (by ${host.drainBy ?? "operator"})` });
		} else if (state === "recovered") {
			plan.stop.push({ host, end: "terminate", why: "lost; what it held was recovered" });
		} else if (state === "stopped" && (isSpent(host, settings) || surplusIds.has(host.hostId))) {
			const why = isSpent(host, settings)
				? (inst.failure ?? "not to be started again")
				: `more than ${settings.warmHosts} stopped`;
			plan.stop.push({ host, end: "terminate", why });
		} else if (state === "draining" && host.drainUntil !== undefined) {
			const over = now > host.drainUntil + settings.drainGraceSec * 1_000;
			const asked = inst.stopAt !== undefined && now - inst.stopAt < REPEAT_FORCE_MS;
			if (over && !asked) plan.force.push({ host, end: "terminate", why: "drain deadline passed" });
		}
	}
};

import { readHosts } from "../hosts/hosts.ts";
import type { BudgetStops } from "../ledger/keep-budgets.ts";
import type { FleetItem, HostItem, TrunkItem } from "../store/items.ts";
import { readTrunks } from "../sync/world.ts";
import { giveAddresses } from "./addresses.ts";
import { asEc2Error } from "./ask-ec2.ts";
import { audit } from "./audit.ts";
import { askForMoreLooks, isUnderWay } from "./awake.ts";
import { carryAudit } from "./carry-audit.ts";
import { carryIntents, carryOut, startsOf } from "./carry-out.ts";
import { converge, type Plan } from "./converge.ts";
import { burstHosts } from "./counting.ts";
import { type Decided, decide } from "./decide.ts";
import { bootSecOf } from "./decide-campaigns.ts";
import type { Demand } from "./demand.ts";
import type { FleetDeps } from "./deps.ts";
import type { Ec2Instance } from "./ec2.ts";
import { idleIntents, leased } from "./intents.ts";
import { keepBook, keepWithin } from "./look-ledger.ts";
import { readDemand } from "./read-demand.ts";
import { changeFleet, type FleetChange, type FleetRoom, readFleetRoom } from "./state.ts";

export { drainForInterruption } from "./interruption.ts";

/**
 * One look at the fleet: what is there is read, compared with EC2's list (audit), what is wanted is decided, and the difference is brought about
 * (converge). Any number of looks may run at once and each may die anywhere: what is started is entered in the fleet's state first, by
 * compare-and-set; who loses looks again.
 */

/** Beyond one for each offering that is out of capacity: rounds lost to other looks. */
const EXTRA_ROUNDS = 12;

export interface LookOptions {
	/** One of a chain of looks: it asks for no more. */
	chain?: boolean;
}

/** The tables as they stand. The fleet's state is read before the hosts: what was started under an older state is among them. */
interface Seen extends FleetRoom {
	/** When they began to be read: a look may be held up, and what it saw is of then. */
	at: number;
	hosts: HostItem[];
	trunks: TrunkItem[];
}

interface Look {
	deps: FleetDeps;
	tenant: string;
	why: string;
	chain: boolean;
	/** Undefined: EC2's list could not be read, nothing is stopped or started. */
	instances: Ec2Instance[] | undefined;
	/** When that list was asked for: what was started since is not in it. */
	listedAt: number;
	demand: Demand | undefined;
	/** What failed and is to be tried again by the next look. */
	failures: unknown[];
}

const readSeen = async (deps: FleetDeps, tenant: string): Promise<Seen> => {
	const at = deps.now();
	const room = await readFleetRoom(deps, tenant);
	const [hosts, { trunks }] = await Promise.all([readHosts(deps, tenant), readTrunks(deps, tenant)]);
	return { ...room, at, hosts, trunks: [...trunks.values()] };
};

const readInstances = async (deps: FleetDeps): Promise<Ec2Instance[] | undefined> => {
	try {
		return await deps.ec2.describe();
	} catch (cause) {
		const error = asEc2Error(cause);
		deps.log.warn("fleet.ec2Unread", { kind: error.kind, code: error.code, error });
		return undefined;
	}
};

const readDemandIfPossible = async (
	deps: FleetDeps,
	tenant: string,
	seen: Seen,
	stops: BudgetStops,
): Promise<Demand | undefined> => {
	try {
		const { burst } = deps;
		return await readDemand(deps, tenant, {
			hosts: seen.hosts,
			bootSec: bootSecOf(seen.fleet.boots, burst),
			burst,
			hasAddressPool: burst.addressPool.length > 0,
			stops,
		});
	} catch (error) {
		deps.log.error("fleet.demandUnread", { error });
		return undefined;
	}
};

/** Where it was said that the burst is off: once in each process is enough. */
const saidOff = new WeakSet<object>();

/** Looks at the fleet and brings it to what is wanted. Harmless to run at any time and any number of times at once. */
export const lookAtFleet = async (
	deps: FleetDeps,
	tenant: string,
	why: string,
	options: LookOptions = {},
): Promise<void> => {
	const seen = await readSeen(deps, tenant);
	const failures: unknown[] = [];
	const stops = await keepWithin(deps, tenant, seen, failures);
	// What an open intent may have launched is not among the hosts yet.
	const nothingLeft = burstHosts(seen.hosts).length === 0 && Object.keys(seen.fleet.intents).length === 0;
	if (!deps.burst.launchTemplate && nothingLeft) {
		await lookAway(deps, seen);
		await keepBook(deps, tenant, seen.hosts, undefined, failures);
		return throwThose(failures);
	}
	const listedAt = deps.now();
	const [instances, demand] = await Promise.all([
		readInstances(deps),
		stops ? readDemandIfPossible(deps, tenant, seen, stops) : undefined,
	]);
	const look: Look = { deps, tenant, why, chain: options.chain ?? false, instances, listedAt, demand, failures };
	try {
		await settle(look, seen);
	} finally {
		await keepBook(deps, tenant, seen.hosts, instances, failures);
	}
	throwThose(failures);
};

const throwThose = (failures: unknown[]): void => {
	if (failures.length > 0)
		throw new AggregateError(failures, `${failures.length} thing(s) of a look at the fleet could not be done yet`);
};

/** No burst is set up, and there is no burst host left of another time. */
const lookAway = async (deps: FleetDeps, { fleet }: Seen): Promise<void> => {
	if (!saidOff.has(deps.log)) {
		saidOff.add(deps.log);
		deps.log.info("fleet.off", { why: "no launch template is set (BURST_LAUNCH_TEMPLATE): there are no burst hosts" });
	}
	if (fleet.awake) await changeFleet(deps, fleet, { awake: false });
};

/** Rounds until the plan stands and nothing more can be had at once. */
const settle = async (look: Look, first: Seen): Promise<void> => {
	const { deps, tenant, instances } = look;
	const acts = instances !== undefined && !deps.burst.dryRun;
	const rounds = EXTRA_ROUNDS + deps.burst.types.length * deps.burst.subnets.length * 2;
	let seen: Seen | undefined = first;
	let [resumed, audited, told] = [!acts, !acts, false];
	for (let round = 0; round < rounds; round++) {
		seen ??= await readSeen(deps, tenant);
		const standing: Seen = seen;
		seen = undefined;
		if (!resumed) {
			const went = await resume(look, standing);
			if (went === "lost") continue;
			resumed = true;
			if (went === "resumed") continue;
		}
		if (!audited) {
			const went = await compare(look, standing);
			if (went === "lost") continue;
			audited = true;
			if (went === "changed") continue;
		}
		const went = await decideAndAct(look, standing, told);
		if (went === "lost") continue;
		told = true;
		if (went === "done") return;
	}
	deps.log.warn("fleet.lookGivenUp", { rounds, why: look.why });
};

/** Goes on with intents of looks that died, or that EC2 put off. */
const resume = async (look: Look, { fleet }: Seen): Promise<"nothing" | "resumed" | "lost"> => {
	const { deps, tenant, instances } = look;
	const now = deps.now();
	const idle = idleIntents(fleet, now);
	if (idle.length === 0 || fleet.throttledUntil > now) return "nothing";
	const mine = idle.map(([id, intent]) => [id, leased(intent, now)] as [string, typeof intent]);
	const written = await changeFleet(deps, fleet, { intents: { ...fleet.intents, ...Object.fromEntries(mine) } });
	if (!written) return "lost";
	deps.log.info("fleet.resumed", { intents: Object.fromEntries(mine) });
	await carryIntents(deps, tenant, mine, instances);
	return "resumed";
};

const changes = (fleet: FleetItem, change: FleetChange): boolean =>
	Object.entries(change).some(([name, value]) => JSON.stringify(fleet[name] ?? {}) !== JSON.stringify(value));

/** EC2's list against ours. What is remembered is written before anything is done: a failed start is counted once. */
const compare = async (look: Look, seen: Seen): Promise<"nothing" | "changed" | "lost"> => {
	const { deps, tenant, instances = [] } = look;
	const { hosts, trunks } = seen;
	const { actions, memory } = audit({
		hosts,
		trunks,
		instances,
		fleet: seen.fleet,
		now: look.listedAt,
		settings: deps.burst,
	});
	const addresses = await giveAddresses(deps, hosts, instances, trunks);
	const change: FleetChange = { ...memory, ...(addresses ? { addresses } : {}) };
	const remembers = changes(seen.fleet, change);
	if (remembers && !(await changeFleet(deps, seen.fleet, change))) return "lost";
	if (actions.length === 0) return remembers ? "changed" : "nothing";
	look.failures.push(...(await carryAudit(deps, tenant, actions, trunks)));
	return "changed";
};

/** Enters the plan in the fleet's state, then carries it out. */
const decideAndAct = async (look: Look, seen: Seen, told: boolean): Promise<"done" | "again" | "lost"> => {
	const { deps, tenant, instances } = look;
	const { fleet, hosts } = seen;
	const now = deps.now();
	const { decision, recent } = decideFrom(look, seen);
	const { burst } = deps;
	const bare = converge({ decision, hosts, fleet, instances, now, settings: burst, random: deps.random });
	const intents = Object.fromEntries(Object.entries(bare.intents).map(([id, intent]) => [id, leased(intent, now)]));
	const plan: Plan = { ...bare, intents };
	const next = burst.dryRun ? fleet.intents : { ...fleet.intents, ...intents };
	const awake = isUnderWay(hosts, next, decision);
	const written = await changeFleet(deps, fleet, {
		decision,
		recent,
		awake,
		intents: next,
		starts: burst.dryRun ? fleet.starts : startsOf(fleet, plan, now),
		noCapacity: Object.fromEntries(Object.entries(fleet.noCapacity).filter(([, until]) => until > now)),
		...(fleet.halted && fleet.halted.until <= now ? { halted: undefined } : {}),
	});
	if (!written) return "lost";
	deps.log.info(told ? "fleet.plannedAgain" : "fleet.decision", {
		why: look.why,
		...decision,
		plan: tellPlan(plan),
		...(burst.dryRun ? { dryRun: "nothing of it is done" } : {}),
	});
	if (awake && !fleet.awake && !look.chain) await askForMoreLooks(deps, tenant, look.why);
	if (burst.dryRun) return "done";
	return (await carryOut(deps, tenant, plan, instances)) ? "again" : "done";
};

const decideFrom = (look: Look, { at, fleet, hosts, floor, schedules }: Seen): Decided => {
	const { burst, settings } = look.deps;
	const decided = decide({
		now: at,
		demand: look.demand,
		hosts,
		fleet,
		floor,
		schedules,
		settings: burst,
		lostAfterSec: settings.lostAfterSec,
		...(burst.addressPool.length > 0 ? { addresses: { total: burst.addressPool.length } } : {}),
	});
	if (look.instances || decided.decision.held !== undefined) return decided;
	return { ...decided, decision: { ...decided.decision, held: "EC2's list of instances could not be read." } };
};

/** The plan as it is told in the log. */
const tellPlan = (plan: Plan): Record<string, unknown> => ({
	undrain: plan.undrain.map(({ hostId }) => hostId),
	drain: plan.drain.map(({ host }) => host.hostId),
	stop: plan.stop.map(({ host, end, why }) => ({ hostId: host.hostId, end, why })),
	force: plan.force.map(({ host, end, why }) => ({ hostId: host.hostId, end, why })),
	intents: plan.intents,
	short: plan.short,
});

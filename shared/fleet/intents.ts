import { findOffering } from "../config/burst-settings.ts";
import { batchGet } from "../store/db.ts";
import type { FleetItem, HostItem, Intent, LaunchIntent, StartIntent } from "../store/items.ts";
import { askEc2, noteThrottled } from "./ask-ec2.ts";
import { type BurstHost, burstHosts, offeringKeyOf, priceOf } from "./counting.ts";
import type { FleetDeps } from "./deps.ts";
import type { Ec2Error, Ec2Instance } from "./ec2.ts";
import { halted, withFailures } from "./failures.ts";
import { markHost, moveHost, NO_DRAIN } from "./moves.ts";
import { putNewHost } from "./new-host.ts";
import { type FleetChange, noteInFleet } from "./state.ts";

/**
 * Carries an intent out, or goes on where a look died: at every place it may be begun again. It is removed last, when its hosts stand in the table,
 * or when EC2 refused in a way that will not change.
 * @returns `again`: less was started than intended, and another offering may have it; `waits`: it stays, for the next look
 */
export type Carried = "done" | "again" | "waits";

/**
 * A look that carries an intent out has it to itself for so long; only afterwards another goes on with it. Two at once would ask EC2 for nothing
 * twice, but one could be refused and plan elsewhere what the other was given.
 */
const LEASE_MS = 45_000;
/** The lease must last beyond the answer to what is asked of EC2 under it: two tries of some 11 s each (shared/aws/clients.ts). */
const LEASE_MARGIN_MS = 24_000;

export const leased = <T extends Intent>(intent: T, now: number): T => ({ ...intent, lease: now + LEASE_MS });

/** Intents that no look is carrying out: those who had them died, or wait. */
export const idleIntents = (fleet: FleetItem, now: number): [string, Intent][] =>
	Object.entries(fleet.intents).filter(([, { lease }]) => lease === undefined || lease <= now);

/** So long a launch or start of which nobody knows whether it was carried out is asked again. EC2 keeps a ClientToken for longer. */
const GIVE_UP_MS = 600_000;

export const carryIntent = async (
	deps: FleetDeps,
	tenant: string,
	id: string,
	intent: Intent,
	instances: Ec2Instance[] | undefined,
): Promise<Carried> => {
	if ((intent.lease ?? 0) < deps.now() + LEASE_MARGIN_MS) return "waits";
	const carried =
		intent.kind === "launch"
			? await carryLaunch(deps, tenant, id, intent, instances)
			: await carryStart(deps, tenant, id, intent, instances);
	if (carried === "waits") await noteInFleet(deps, tenant, (fleet) => laidDown(fleet, id, intent));
	return carried;
};

/** The next look may go on with it at once. */
const laidDown = (fleet: FleetItem, id: string, { lease }: Intent): FleetChange | undefined => {
	const standing = fleet.intents[id];
	if (!standing || standing.lease !== lease) return undefined;
	const { lease: _, ...rest } = standing;
	return { intents: { ...fleet.intents, [id]: rest } };
};

/** The state without the intent. `notStarted` of its starts did not take place: they do not count for the minute. */
const without = (
	fleet: FleetItem,
	id: string,
	notStarted: number,
	change: (fleet: FleetItem) => FleetChange = () => ({}),
): FleetChange | undefined => {
	const { [id]: intent, ...intents } = fleet.intents;
	// Another look that went on with it was faster, and has said what there was to say.
	if (!intent) return undefined;
	let left = notStarted;
	const starts = fleet.starts.filter((at) => !(at === intent.at && left-- > 0));
	return { intents, starts, ...change(fleet) };
};

const noCapacity =
	(deps: FleetDeps, offering: string) =>
	(fleet: FleetItem): FleetChange => ({
		noCapacity: { ...fleet.noCapacity, [offering]: deps.now() + deps.burst.noCapacitySec * 1_000 },
	});
const SPEED_AGAIN: FleetChange = { throttles: undefined };

const haltFor = (deps: FleetDeps, error: Ec2Error): FleetChange => {
	const reason = error.kind === "quota" ? `a quota of the account is used up: ${error.message}` : error.message;
	deps.log.error("fleet.halted", { reason, kind: error.kind, code: error.code, haltSec: deps.burst.haltSec });
	return halted(reason, deps.now(), deps.burst);
};

const carryLaunch = async (
	deps: FleetDeps,
	tenant: string,
	id: string,
	intent: LaunchIntent,
	instances: Ec2Instance[] | undefined,
): Promise<Carried> => {
	const { count } = intent;
	const offering = findOffering(deps.burst, intent.offering);
	const remove = (notStarted: number, change?: (fleet: FleetItem) => FleetChange): Promise<FleetItem> =>
		noteInFleet(deps, tenant, (fleet) => without(fleet, id, notStarted, change));
	if (!offering) {
		// The settings were changed since. What was launched already is adopted by the audit as long as the intent is there.
		if (deps.now() - intent.at < GIVE_UP_MS) return "waits";
		await remove(0);
		return "done";
	}
	const fields = { intent: id, offering: intent.offering, count };
	const startedAt = deps.now();
	const answer = await askEc2(deps, "launch", fields, () => deps.ec2.launch({ clientToken: id, offering, count }));
	if (answer.ok) {
		for (const instance of answer.value) {
			// The answer to a repeat is about instances that were launched before.
			await putNewHost(deps, tenant, instance, id, Math.min(startedAt, instance.launchedAt || startedAt));
		}
		const short = count - answer.value.length;
		await remove(Math.max(0, short), (fleet) => ({
			...SPEED_AGAIN,
			// EC2 gave what it had.
			...(short > 0 ? noCapacity(deps, intent.offering)(fleet) : {}),
		}));
		return short > 0 ? "again" : "done";
	}
	const { error } = answer;
	switch (error.kind) {
		case "noCapacity":
			await remove(count, noCapacity(deps, intent.offering));
			return "again";
		case "throttled":
			await noteThrottled(deps, tenant);
			return "waits";
		case "quota":
		case "configuration":
		case "notFound": {
			// A repeat can be refused though the first try was carried out; without the intent what it launched would be a stranger's.
			const here = await adoptLaunched(deps, tenant, id, instances);
			if (here === undefined) return "waits";
			if (error.kind === "notFound") await remove(0);
			else await remove(count - here, () => haltFor(deps, error));
			return "done";
		}
		case "unknown": {
			const here = instances?.some((instance) => instance.launchId === id) ?? true;
			if (here || deps.now() - intent.at < GIVE_UP_MS) return "waits";
			const reason = `a launch of ${count} (${intent.offering}) had no clear answer for ${GIVE_UP_MS / 60_000} min: ${error.message}`;
			deps.log.error("fleet.launchGivenUp", { ...fields, error });
			await remove(count, (fleet) => ({
				failed: withFailures(fleet.failed, [{ start: `launch/${id}`, reason }], deps.now()),
			}));
			return "done";
		}
	}
};

/** Makes items of what an earlier try of a launch has launched. @returns how many there are; undefined where EC2's list could not be read */
const adoptLaunched = async (
	deps: FleetDeps,
	tenant: string,
	id: string,
	instances: Ec2Instance[] | undefined,
): Promise<number | undefined> => {
	if (!instances) return undefined;
	const mine = instances.filter(({ launchId, state }) => launchId === id && state !== "terminated");
	for (const instance of mine) await putNewHost(deps, tenant, instance, id, instance.launchedAt);
	return mine.length;
};

/** @returns the host, if this start is what it is about */
const beginStart = async (
	deps: FleetDeps,
	host: BurstHost,
	startId: string,
	isOff: boolean,
): Promise<HostItem | undefined> => {
	if (host.state === "stopped") return launchAgain(deps, host, startId);
	if (host.state !== "launching" || host.inst.startId !== startId) return undefined;
	// A look that died, or that EC2 put off, began it. If EC2 has not started it yet, it is now that it does.
	return isOff ? markHost(deps, host, { inst: { startedAt: deps.now() } }) : host;
};

/** A stopped host begins anew: what was of its last start is gone. */
const launchAgain = (deps: FleetDeps, host: BurstHost, startId: string): Promise<HostItem | undefined> =>
	moveHost(
		deps,
		host,
		"launching",
		{
			...NO_DRAIN,
			cap: deps.burst.channelsPerHost,
			health: undefined,
			deadTrunks: undefined,
			inst: {
				startId,
				startedAt: deps.now(),
				usdPerHour: priceOf(deps.burst, host.inst.type),
				readyAt: undefined,
				enrolledStart: undefined,
				enrolledBy: undefined,
				stopAt: undefined,
				stopReason: undefined,
				end: undefined,
				failure: undefined,
			},
		},
		"the fleet starts it again",
	);

const carryStart = async (
	deps: FleetDeps,
	tenant: string,
	id: string,
	intent: StartIntent,
	instances: Ec2Instance[] | undefined,
): Promise<Carried> => {
	const stopped = new Set(instances?.flatMap(({ instanceId, state }) => (state === "stopped" ? [instanceId] : [])));
	const keys = intent.hosts.map((hostId) => ({ tenant, hostId }));
	const read = burstHosts(await batchGet<HostItem>(deps.db, deps.tables.hosts, keys));
	const mine: BurstHost[] = [];
	for (const host of read) {
		const next = await beginStart(deps, host, intent.startId, stopped.has(host.inst.instanceId));
		mine.push(...burstHosts(next ? [next] : []));
	}
	const remove = (notStarted: number, change?: (fleet: FleetItem) => FleetChange): Promise<FleetItem> =>
		noteInFleet(deps, tenant, (fleet) => without(fleet, id, notStarted, change));
	if (mine.length === 0) {
		await remove(0);
		return "done";
	}
	const ids = mine.map((host) => host.inst.instanceId);
	const answer = await askEc2(deps, "start", { intent: id, instances: ids }, () => deps.ec2.start(ids));
	if (answer.ok) {
		await remove(0, () => SPEED_AGAIN);
		return "done";
	}
	const { error } = answer;
	if (error.kind === "throttled") {
		await noteThrottled(deps, tenant);
		return "waits";
	}
	if (error.kind === "unknown" && deps.now() - intent.at < GIVE_UP_MS) return "waits";
	// Which of them run all the same only EC2 knows; what it says is stopped did not start.
	const put = await putBack(deps, mine, error);
	if (put === undefined) return "waits";
	const offering = mine[0] ? offeringKeyOf(mine[0].inst) : "";
	await remove(put, (fleet) => {
		if (error.kind === "noCapacity") return noCapacity(deps, offering)(fleet);
		if (error.kind === "quota" || error.kind === "configuration") return haltFor(deps, error);
		if (error.kind === "unknown")
			return { failed: withFailures(fleet.failed, [{ start: `start/${id}`, reason: error.message }], deps.now()) };
		return {};
	});
	return error.kind === "noCapacity" || error.kind === "notFound" ? "again" : "done";
};

/** @returns how many are stopped again; undefined where EC2's list could not be read */
const putBack = async (deps: FleetDeps, hosts: BurstHost[], error: Ec2Error): Promise<number | undefined> => {
	const answer = await askEc2(deps, "lookAgain", { after: error.code }, () => deps.ec2.describe());
	if (!answer.ok) return undefined;
	const stopped = new Set(answer.value.flatMap(({ instanceId, state }) => (state === "stopped" ? [instanceId] : [])));
	let count = 0;
	for (const host of hosts) {
		if (!stopped.has(host.inst.instanceId)) continue;
		const stopAt = deps.now();
		// Refused for good: to be started again after the pause, and be refused again, it would keep anything else from being started.
		const failure = error.kind === "configuration" ? { failure: error.message } : {};
		if (await moveHost(deps, host, "stopped", { inst: { stopAt, ...failure } }, `EC2 says stopped: ${error.code}`))
			count++;
	}
	return count;
};

import type { BurstSettings } from "../config/burst-settings.ts";
import type { FleetItem, HostItem, TrunkItem } from "../store/items.ts";
import { mayDial, mayUse } from "../sync/world.ts";
import { type BurstHost, burstHosts, hostsBeingStarted, startOf, sumOf } from "./counting.ts";
import { type Ec2Instance, hostIdOf } from "./ec2.ts";
import { type Failure, withFailures, withoutFailures } from "./failures.ts";
import type { HostState } from "./life.ts";

export interface AuditInput {
	hosts: HostItem[];
	/** EC2's list: all instances with our tag. */
	instances: Ec2Instance[];
	fleet: FleetItem;
	trunks: TrunkItem[];
	now: number;
	settings: BurstSettings;
}

/** What is to be done because EC2's list and ours differ. */
export type AuditAction =
	/** An instance that we launched has no host. */
	| { kind: "adopt"; instance: Ec2Instance }
	| { kind: "move"; host: BurstHost; to: HostState; why: string; failure?: string; end?: "stop" | "terminate" }
	/** Its instance is gone, and it may hold calls. */
	| { kind: "lost"; host: BurstHost; why: string }
	/** It is of no use: it is to finish what it has. */
	| { kind: "drain"; host: BurstHost; failure: string }
	/** EC2 was asked before, or is asked for a row that is final: the instance is still there. */
	| { kind: "stopAgain"; host: BurstHost; end: "stop" | "terminate" }
	| { kind: "stopStranger"; instance: Ec2Instance }
	/** Its instance does not run: no channel of an earlier epoch is up. */
	| { kind: "release"; host: BurstHost }
	| { kind: "revoke"; host: BurstHost }
	/** It was terminated long ago. */
	| { kind: "remove"; host: BurstHost };

/** What the fleet remembers after this look. */
export type AuditMemory = Required<Pick<FleetItem, "strangers" | "ghosts" | "noTrunk" | "boots" | "booted" | "failed">>;
export interface Audit {
	actions: AuditAction[];
	memory: AuditMemory;
}

/** EC2 is asked again to stop what it was asked to stop before. */
export const REPEAT_STOP_MS = 10_000;
/** Items of terminated hosts are kept so long: no sync of theirs can still be under way, and people see what became of them. */
export const KEEP_TERMINATED_MS = 3_600_000;
/** Starts that the boot time is reckoned from. */
const MAX_BOOTS = 20;

const RUNS: readonly string[] = ["pending", "running"];
const ENDS: readonly string[] = ["shutting-down", "terminated"];

/** Compares EC2's list with ours, both ways. Pure; without EC2's list there is no audit. */
export const audit = (input: AuditInput): Audit => {
	const { fleet, now, settings } = input;
	const sightingMs = settings.sightingSec * 1_000;
	const byId = new Map(input.instances.map((instance) => [instance.instanceId, instance]));
	const starting = hostsBeingStarted(input.hosts, fleet);
	const actions: AuditAction[] = [];
	const failures: Failure[] = [];
	const memory = { strangers: {}, ghosts: {}, noTrunk: {} } as Pick<AuditMemory, "strangers" | "ghosts" | "noTrunk">;

	/** Notes a sighting; whether it is the second, long enough after the first. */
	const seenTwice = (where: "strangers" | "ghosts", id: string): boolean => {
		const first = fleet[where][id] ?? now;
		memory[where][id] = first;
		return now - first >= sightingMs;
	};
	const failStart = (host: BurstHost, to: HostState, why: string): AuditAction => {
		failures.push({ start: startOf(host), reason: why });
		return { kind: "move", host, to, why, failure: why, end: "terminate" };
	};
	const move = (host: BurstHost, to: HostState, why: string): AuditAction => ({ kind: "move", host, to, why });

	/** EC2's lists lag: right after a start they may know nothing of it. That an instance was terminated is final. */
	const listKnows = (host: BurstHost): boolean => now - host.inst.startedAt >= sightingMs && !starting.has(host.hostId);
	const isStopped = (host: BurstHost, ec2: string | undefined): boolean => ec2 === "stopped" && listKnows(host);
	const isGone = (host: BurstHost, ec2: string | undefined): boolean =>
		ec2 === undefined && now - host.inst.startedAt >= sightingMs && seenTwice("ghosts", host.hostId);

	const lookAtStart = (host: BurstHost, ec2: string | undefined): AuditAction | undefined => {
		const { inst } = host;
		if (ec2 === "terminated") return failStart(host, "terminated", "EC2 ended the instance while it was starting");
		if (isGone(host, ec2)) return failStart(host, "terminated", "EC2 does not know the instance that was starting");
		if (isStopped(host, ec2)) return failStart(host, "stopped", "the instance stopped while it was starting");
		if (inst.failure) return failStart(host, "stopping", inst.failure);
		// One that EC2 was not brought to start yet has not begun to boot.
		if (!starting.has(host.hostId) && now - inst.startedAt > settings.bootDeadlineSec * 1_000) {
			const said = `(EC2: ${ec2 ?? "unknown"})`;
			return failStart(host, "stopping", `not at work ${settings.bootDeadlineSec} s after its start ${said}`);
		}
		return host.state === "launching" && ec2 === "running" ? move(host, "booting", "EC2 says running") : undefined;
	};

	const drain = (host: BurstHost, failure: string, trunks?: string[]): AuditAction => {
		failures.push({ start: startOf(host), reason: failure, ...(trunks ? { trunks } : {}) });
		return { kind: "drain", host, failure };
	};
	/** A host that can carry no call is not among those that are up: nothing else would end it. */
	const lookAtUse = (host: BurstHost): AuditAction | undefined => {
		// With Asterisk down it can say nothing of its calls, so they keep nothing from being done.
		const isDown = host.health === "asteriskDown";
		const usable = input.trunks.filter((trunk) => mayUse(trunk, host)).map((trunk) => trunk.trunkId);
		const isCutOff = usable.length > 0 && usable.every((trunkId) => host.deadTrunks?.includes(trunkId));
		const isIdle = host.live === 0 && sumOf(host.held) === 0;
		if (!isDown && !(isCutOff && isIdle)) return undefined;
		const since = fleet.noTrunk?.[host.hostId] ?? now;
		memory.noTrunk[host.hostId] = since;
		if (now - since < settings.noTrunkSec * 1_000) return undefined;
		if (isDown) return drain(host, `its Asterisk was down for ${settings.noTrunkSec} s`);
		return drain(host, `no trunk answered it for ${settings.noTrunkSec} s: ${usable.join(", ")}`, usable);
	};

	const lookAtWork = (host: BurstHost, ec2: string | undefined): AuditAction | undefined => {
		const off = ENDS.includes(ec2 ?? "") || isStopped(host, ec2);
		if (off || isGone(host, ec2))
			return { kind: "lost", host, why: ec2 ? `EC2 says ${ec2}` : "EC2 does not know its instance" };
		if (host.state !== "active") return undefined;
		if (host.inst.failure) return drain(host, host.inst.failure);
		return host.inst.readyAt === undefined ? undefined : lookAtUse(host);
	};

	/** Nothing is held there: what EC2 says is so. */
	const lookAtRest = (host: BurstHost, ec2: string | undefined): AuditAction | undefined => {
		const { inst, state } = host;
		if (ec2 === "terminated") return move(host, "terminated", "EC2 says terminated");
		if (isGone(host, ec2)) return move(host, "terminated", "EC2 does not know its instance");
		if (state === "drained" && isStopped(host, ec2)) return move(host, "stopped", "EC2 says stopped");
		if (state === "stopping") {
			const end = inst.end ?? "terminate";
			if (end === "stop" && isStopped(host, ec2)) return move(host, "stopped", "EC2 says stopped");
			const asked = end === "stop" ? RUNS : [...RUNS, "stopping", "stopped"];
			const due = now - (inst.stopAt ?? 0) >= REPEAT_STOP_MS;
			return ec2 && asked.includes(ec2) && due ? { kind: "stopAgain", host, end } : undefined;
		}
		const byHand = state === "stopped" && ec2 && RUNS.includes(ec2) && !starting.has(host.hostId);
		if (!byHand || !seenTwice("strangers", inst.instanceId)) return undefined;
		return { kind: "move", host, to: "stopping", why: "it runs though nobody started it", end: "stop" };
	};

	const lookAtFinal = (host: BurstHost, ec2: string | undefined): AuditAction | undefined => {
		const { stopAt, startedAt } = host.inst;
		if (ec2 === undefined || ENDS.includes(ec2))
			return now - (stopAt ?? startedAt) >= KEEP_TERMINATED_MS ? { kind: "remove", host } : undefined;
		// A ghost that came back, or a list that lags: nobody would stop it any more.
		return now - (stopAt ?? 0) >= REPEAT_STOP_MS ? { kind: "stopAgain", host, end: "terminate" } : undefined;
	};

	const lookAtHost = (host: BurstHost, ec2: string | undefined): AuditAction | undefined => {
		switch (host.state) {
			case "launching":
			case "booting":
				return lookAtStart(host, ec2);
			case "active":
			case "draining":
				return lookAtWork(host, ec2);
			case "terminated":
				return lookAtFinal(host, ec2);
			// A lost host is the recovery's; no burst host is new.
			case "lost":
			case "new":
				return undefined;
			default:
				return lookAtRest(host, ec2);
		}
	};

	/** What is left to be done for a host that is off, or about to be. */
	const lookAtRemains = (host: BurstHost, ec2: string | undefined): void => {
		const { state } = host;
		const off = state === "stopped" || state === "terminated";
		const known = (state === "recovered" || state === "stopping") && (ec2 === "terminated" || isStopped(host, ec2));
		const losses = input.trunks.some((trunk) => Object.keys(trunk.z).some((key) => key.startsWith(`${host.hostId}#`)));
		if ((off || known) && losses) actions.push({ kind: "release", host });
		if ((off || state === "stopping") && host.inst.tokenHash) actions.push({ kind: "revoke", host });
	};

	const burst = burstHosts(input.hosts);
	for (const host of burst) {
		const ec2 = byId.get(host.inst.instanceId)?.state;
		const action = lookAtHost(host, ec2);
		if (action) actions.push(action);
		lookAtRemains(host, ec2);
	}

	const known = new Set(burst.map((host) => host.hostId));
	const launches = new Set([
		...burst.map((host) => host.inst.launchId),
		...Object.entries(fleet.intents).flatMap(([id, intent]) => (intent.kind === "launch" ? [id] : [])),
	]);
	for (const instance of input.instances) {
		if (known.has(hostIdOf(instance.instanceId)) || ENDS.includes(instance.state)) continue;
		if (instance.launchId !== undefined && launches.has(instance.launchId)) actions.push({ kind: "adopt", instance });
		else if (RUNS.includes(instance.state) && seenTwice("strangers", instance.instanceId))
			actions.push({ kind: "stopStranger", instance });
	}

	return { actions, memory: { ...memory, ...bootsOf(burst, fleet), failed: failedOf(input, burst, failures) } };
};

/** How long starts take, each counted once. */
const bootsOf = (hosts: BurstHost[], fleet: FleetItem): Pick<AuditMemory, "boots" | "booted"> => {
	const ready = hosts.filter((host) => host.inst.readyAt !== undefined);
	const fresh = ready.filter((host) => !fleet.booted?.includes(startOf(host)));
	const seconds = fresh.map(({ inst }) => Math.max(0, ((inst.readyAt ?? inst.startedAt) - inst.startedAt) / 1_000));
	return { boots: [...fleet.boots, ...seconds].slice(-MAX_BOOTS), booted: ready.map(startOf).sort() };
};

/** Steady hosts at work that may use a trunk: what they say of its carrier is not the fault of a start. */
const steadyOn = (trunk: TrunkItem, { hosts }: AuditInput): HostItem[] =>
	hosts.filter((host) => host.tier === "steady" && host.state === "active" && mayUse(trunk, host));

/** Of these trunks those that answer no steady host either. */
const deadForSteady = (input: AuditInput, trunkIds: string[]): string[] =>
	input.trunks.flatMap((trunk) => {
		const steady = trunkIds.includes(trunk.trunkId) ? steadyOn(trunk, input) : [];
		const isDead = steady.length > 0 && steady.every((host) => host.deadTrunks?.includes(trunk.trunkId));
		return isDead ? [trunk.trunkId] : [];
	});

const failedOf = (input: AuditInput, hosts: BurstHost[], failures: Failure[]): FleetItem["failed"] => {
	const { fleet, trunks, now, settings } = input;
	const { failed } = fleet;
	// Right after its hello a host has not said yet how Asterisk and its trunks are: one that is well after the time it is given for that is of use.
	const ofUse = hosts.some((host) => {
		const readyAt = host.inst.readyAt ?? 0;
		const isProved = readyAt > (failed.at ?? 0) && now - readyAt >= settings.noTrunkSec * 1_000;
		const isWell = host.state === "active" && !host.inst.failure && (host.health ?? "up") === "up";
		return isProved && isWell && trunks.some((trunk) => mayDial(trunk, host));
	});
	// What the starts failed for was the carrier's fault, and that has passed.
	const isBack = trunks.some(
		(trunk) => failed.trunks?.includes(trunk.trunkId) && steadyOn(trunk, input).some((host) => mayDial(trunk, host)),
	);
	const fresh = failures.map(({ trunks: cut, ...failure }) => {
		const theirs = cut ? deadForSteady(input, cut) : [];
		return { ...failure, ...(theirs.length > 0 ? { trunks: theirs } : {}) };
	});
	return withFailures((ofUse || isBack) && failed.count > 0 ? withoutFailures(failed) : failed, fresh, now);
};

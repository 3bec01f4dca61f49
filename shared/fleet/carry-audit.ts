import { fenceHost } from "../recovery/recover-host.ts";
import type { TrunkItem } from "../store/items.ts";
import { shrinkLoss } from "../sync/release-earlier.ts";
import type { AuditAction } from "./audit.ts";
import type { BurstHost } from "./counting.ts";
import type { FleetDeps } from "./deps.ts";
import { endInstances } from "./end-hosts.ts";
import { markHost, moveHost } from "./moves.ts";
import { putNewHost } from "./new-host.ts";
import { removeHost } from "./remove-host.ts";
import { revokeHostToken } from "./revoke.ts";

/**
 * Does what the audit found. One thing that fails keeps nothing else from being done.
 * @returns what failed
 */
export const carryAudit = async (
	deps: FleetDeps,
	tenant: string,
	actions: AuditAction[],
	trunks: TrunkItem[],
): Promise<unknown[]> => {
	const failures: unknown[] = [];
	const ends: Record<"stop" | "terminate", string[]> = { stop: [], terminate: [] };
	let lost = false;
	const attempt = async (action: AuditAction): Promise<void> => {
		switch (action.kind) {
			case "adopt": {
				const { instance } = action;
				const { instanceId, launchId = "", launchedAt } = instance;
				deps.log.warn("fleet.adopted", { instanceId, launchId, state: instance.state });
				await putNewHost(deps, tenant, instance, launchId, launchedAt);
				return;
			}
			case "move":
				if (await applyMove(deps, action)) ends[action.end ?? "terminate"].push(action.host.inst.instanceId);
				return;
			case "lost": {
				deps.log.warn("fleet.hostGone", { hostId: action.host.hostId, why: action.why });
				// Where the host was heard of meanwhile, it is looked at again.
				if (await fenceHost(deps, action.host)) lost = true;
				return;
			}
			case "drain":
				await drainFaulty(deps, action.host, action.failure);
				return;
			case "stopAgain":
				await markHost(deps, action.host, { inst: { stopAt: deps.now(), end: action.end } });
				ends[action.end].push(action.host.inst.instanceId);
				return;
			case "stopStranger": {
				const { instanceId, launchId, type, subnet, state } = action.instance;
				deps.log.error("fleet.stranger", {
					...{ instanceId, launchId, type, subnet, state },
					why: "it carries our tag, and no launch or host of ours knows it: it is stopped; remove the tag if it is yours",
				});
				// A spot instance that is bought once cannot be stopped.
				ends[action.instance.market === "spot" ? "terminate" : "stop"].push(instanceId);
				return;
			}
			case "release":
				await releaseLosses(deps, action.host, trunks);
				return;
			case "revoke":
				await revokeHostToken(deps, action.host);
				return;
			case "remove":
				await removeHost(deps, action.host, trunks);
		}
	};
	for (const action of actions) {
		try {
			await attempt(action);
		} catch (error) {
			failures.push(error);
			const subject = "host" in action ? action.host.hostId : action.instance.instanceId;
			deps.log.error("fleet.auditFailed", { action: action.kind, subject, error });
		}
	}
	for (const end of ["stop", "terminate"] as const) await endInstances(deps, tenant, end, ends[end]);
	// The recovery's next run would do it too; what the host held need not wait for that.
	if (lost) await deps.queues.send("recovery", [{ body: { tenant } }]);
	return failures;
};

/** @returns whether EC2 is to be asked to end the instance now */
const applyMove = async (deps: FleetDeps, action: Extract<AuditAction, { kind: "move" }>): Promise<boolean> => {
	const { host, to, why, failure, end } = action;
	const off = to === "stopped" || to === "terminated";
	const known = { ...(failure ? { failure } : {}), ...(end ? { end } : {}) };
	const inst =
		to === "stopping"
			? { ...known, stopAt: deps.now(), stopReason: why }
			: off
				? // When it came to be off; why it was stopped stays, where somebody asked for it.
					{ ...known, stopAt: deps.now(), stopReason: host.inst.stopReason ?? why }
				: known;
	if (failure) deps.log.warn("host.startFailed", { hostId: host.hostId, startId: host.inst.startId, failure });
	const moved = await moveHost(deps, host, to, { inst }, why);
	if (moved && (off || to === "stopping")) await revokeHostToken(deps, { ...moved, inst: moved.inst ?? host.inst });
	return moved !== undefined && to === "stopping";
};

/** A host that is of no use finishes what it has, if anything, and is stopped. */
const drainFaulty = async (deps: FleetDeps, host: BurstHost, failure: string): Promise<void> => {
	deps.log.warn("host.startFailed", { hostId: host.hostId, startId: host.inst.startId, failure });
	const now = deps.now();
	await moveHost(
		deps,
		host,
		"draining",
		{
			drainAt: now,
			drainBy: "fault",
			drainUntil: now + deps.burst.drainDeadlineSec * 1_000,
			quiet: undefined,
			inst: { failure },
		},
		failure,
	);
};

/** No call of an instance that does not run is up: channels that were set aside for it go back. */
const releaseLosses = async (deps: FleetDeps, host: BurstHost, trunks: TrunkItem[]): Promise<void> => {
	for (const trunk of trunks) {
		for (const [lossKey, loss] of Object.entries(trunk.z)) {
			if (lossKey.startsWith(`${host.hostId}#`)) await shrinkLoss(deps, trunk, lossKey, loss.n, {});
		}
	}
};

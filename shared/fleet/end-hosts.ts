import { askEc2, noteThrottled } from "./ask-ec2.ts";
import type { Ending } from "./converge.ts";
import { type BurstHost, burstHosts } from "./counting.ts";
import type { FleetDeps } from "./deps.ts";
import { markHost, moveHost } from "./moves.ts";
import { revokeHostToken } from "./revoke.ts";

/** Asks EC2 to stop or terminate instances; what it refuses the audit asks again. */
export const endInstances = async (
	deps: FleetDeps,
	tenant: string,
	end: "stop" | "terminate",
	instanceIds: string[],
): Promise<void> => {
	if (instanceIds.length === 0) return;
	const answer = await askEc2(deps, end, { instances: instanceIds }, () => deps.ec2[end](instanceIds));
	if (!answer.ok && answer.error.kind === "throttled") await noteThrottled(deps, tenant);
};

/** Moves hosts that hold nothing to stopping, then asks EC2. A look that dies between both is made good by the audit. */
export const stopHosts = async (deps: FleetDeps, tenant: string, endings: Ending[]): Promise<void> => {
	const moved: { host: BurstHost; end: Ending["end"] }[] = [];
	for (const { host, end, why } of endings) {
		const inst = { stopAt: deps.now(), stopReason: why, end };
		const next = await moveHost(deps, host, "stopping", { inst }, why);
		moved.push(...burstHosts(next ? [next] : []).map((each) => ({ host: each, end })));
	}
	await endMarked(deps, tenant, moved);
	for (const { host } of moved) await revokeHostToken(deps, host);
};

/** Asks EC2 to end hosts that may still hold something: their rows follow when EC2 says that they are off, by way of the recovery. */
export const forceHosts = async (deps: FleetDeps, tenant: string, endings: Ending[]): Promise<void> => {
	const marked: { host: BurstHost; end: Ending["end"] }[] = [];
	for (const { host, end, why } of endings) {
		const next = await markHost(deps, host, { inst: { stopAt: deps.now(), stopReason: why, end } });
		if (next) deps.log.warn("host.forced", { hostId: host.hostId, why, end, live: host.live, held: host.held });
		marked.push(...burstHosts(next ? [next] : []).map((each) => ({ host: each, end })));
	}
	await endMarked(deps, tenant, marked);
};

const endMarked = async (
	deps: FleetDeps,
	tenant: string,
	marked: { host: BurstHost; end: Ending["end"] }[],
): Promise<void> => {
	for (const end of ["stop", "terminate"] as const) {
		const ids = marked.filter((each) => each.end === end).map(({ host }) => host.inst.instanceId);
		await endInstances(deps, tenant, end, ids);
	}
};

import { type BurstSettings, PUBLIC_IPV4_USD_PER_HOUR } from "../config/burst-settings.ts";
import type { FleetItem, HostItem, Instance, LaunchIntent, StartIntent } from "../store/items.ts";
import { COSTS } from "./life.ts";
import { offeringKey } from "./offerings.ts";

/** A host that has an instance. */
export type BurstHost = HostItem & { inst: Instance };

export const burstHosts = (hosts: HostItem[]): BurstHost[] =>
	hosts.filter((host): host is BurstHost => host.tier === "burst" && host.inst !== undefined);

/** One start of one host. */
export const startOf = (host: BurstHost): string => `${host.hostId}/${host.inst.startId}`;

/** Launches whose answer is not in the table of hosts yet, with how many hosts are still to come of each. */
export const openLaunches = (
	hosts: HostItem[],
	fleet: Pick<FleetItem, "intents">,
): { id: string; intent: LaunchIntent; toCome: number }[] =>
	Object.entries(fleet.intents).flatMap(([id, intent]) => {
		if (intent.kind !== "launch") return [];
		const here = hosts.filter((host) => host.inst?.launchId === id).length;
		return [{ id, intent, toCome: Math.max(0, intent.count - here) }];
	});

/** Hosts that an open intent starts and that are still, or again, without a running instance. */
export const hostsBeingStarted = (hosts: HostItem[], fleet: Pick<FleetItem, "intents">): Set<string> => {
	const starting = new Set<string>();
	for (const intent of Object.values(fleet.intents)) {
		if (intent.kind !== "start") continue;
		for (const hostId of intent.hosts) {
			const host = hosts.find((other) => other.hostId === hostId);
			if (host && isBeingStarted(host, intent)) starting.add(hostId);
		}
	}
	return starting;
};
const isBeingStarted = (host: HostItem, intent: StartIntent): boolean =>
	host.state === "stopped" || (host.state === "launching" && host.inst?.startId === intent.startId);

export const priceOf = (settings: Pick<BurstSettings, "types">, type: string): number => {
	const known = settings.types.find((each) => each.type === type)?.usdPerHour;
	// A type that is not asked for any more: count it as the dearest, so that the limit holds.
	const usdPerHour = known ?? Math.max(0, ...settings.types.map((each) => each.usdPerHour));
	return usdPerHour + PUBLIC_IPV4_USD_PER_HOUR;
};

/** Burst hosts that cost, or are about to, with what they cost an hour. One that is stopping is billed no more. */
export const costOf = (
	hosts: HostItem[],
	fleet: Pick<FleetItem, "intents">,
	settings: Pick<BurstSettings, "types">,
): { hosts: number; usdPerHour: number } => {
	const starting = hostsBeingStarted(hosts, fleet);
	const costing = burstHosts(hosts).filter(
		(host) => (COSTS.includes(host.state) && host.state !== "stopping") || starting.has(host.hostId),
	);
	let count = costing.length;
	let usdPerHour = costing.reduce((usd, host) => usd + host.inst.usdPerHour, 0);
	for (const { intent, toCome } of openLaunches(hosts, fleet)) {
		count += toCome;
		usdPerHour += toCome * priceOf(settings, intent.offering.split("/")[1] ?? "");
	}
	return { hosts: count, usdPerHour };
};

export const offeringKeyOf = (inst: Instance): string => offeringKey(inst);
export const sumOf = (values: Record<string, number>): number => Object.values(values).reduce((a, b) => a + b, 0);

import type { FleetItem, HostItem, TrunkItem } from "../store/items.ts";
import { askEc2 } from "./ask-ec2.ts";
import { type BurstHost, burstHosts } from "./counting.ts";
import type { FleetDeps } from "./deps.ts";
import type { Ec2Address, Ec2Instance } from "./ec2.ts";
import { markHost } from "./moves.ts";

/**
 * Elastic IPs of the pool for trunks whose carrier must know where a call comes from. What EC2 says of the addresses is so; a host's item only
 * repeats it.
 */
export type AddressFigures = NonNullable<FleetItem["addresses"]>;

export interface AddressPlan {
	/** To be associated. */
	give: { host: BurstHost; address: Ec2Address }[];
	/** Hosts whose items say something else than EC2; without an address: it has none. */
	note: { host: BurstHost; address?: Ec2Address }[];
	figures: AddressFigures;
}

/** Whether any trunk needs known addresses. */
export const needAddresses = (trunks: TrunkItem[]): boolean => trunks.some(({ trunk }) => trunk.addresses === "known");

/** Which host gets which address. Pure. The oldest start is served first. */
export const planAddresses = (hosts: HostItem[], instances: Ec2Instance[], addresses: Ec2Address[]): AddressPlan => {
	const running = new Set(instances.flatMap(({ instanceId, state }) => (state === "running" ? [instanceId] : [])));
	const plan: AddressPlan = { give: [], note: [], figures: { pool: addresses.length, free: 0, missing: 0 } };
	const free = addresses.filter(({ instanceId }) => instanceId === undefined);
	const served = burstHosts(hosts)
		.filter(({ state, inst }) => running.has(inst.instanceId) && state !== "stopping" && state !== "terminated")
		.sort((a, b) => a.inst.startedAt - b.inst.startedAt || (a.hostId < b.hostId ? -1 : 1));
	for (const host of served) {
		const own = addresses.find(({ instanceId }) => instanceId === host.inst.instanceId);
		if (own) {
			const same = host.inst.addressId === own.allocationId && host.inst.publicAddress === own.publicAddress;
			if (!same) plan.note.push({ host, address: own });
			continue;
		}
		const address = free.shift();
		if (address) plan.give.push({ host, address });
		else {
			plan.figures.missing++;
			if (host.inst.addressId !== undefined) plan.note.push({ host });
		}
	}
	plan.figures.free = free.length;
	return plan;
};

/** @returns the pool's figures; undefined where no address is needed or EC2 did not say */
export const giveAddresses = async (
	deps: FleetDeps,
	hosts: HostItem[],
	instances: Ec2Instance[],
	trunks: TrunkItem[],
): Promise<AddressFigures | undefined> => {
	if (deps.burst.addressPool.length === 0 || !needAddresses(trunks)) return undefined;
	const answer = await askEc2(deps, "readAddresses", {}, () => deps.ec2.addresses());
	if (!answer.ok) return undefined;
	const { give, note, figures } = planAddresses(hosts, instances, answer.value);
	for (const { host, address } of note) await noteAddress(deps, host, address);
	for (const { host, address } of give) {
		const { allocationId } = address;
		const given = await askEc2(deps, "giveAddress", { hostId: host.hostId, allocationId }, () =>
			deps.ec2.associate(allocationId, host.inst.instanceId),
		);
		// Refused: the next look sees who has it.
		if (given.ok) await noteAddress(deps, host, address);
		else figures.missing++;
	}
	if (figures.missing > 0) deps.log.warn("fleet.addressesShort", { ...figures });
	return figures;
};

const noteAddress = async (deps: FleetDeps, host: BurstHost, address: Ec2Address | undefined): Promise<void> => {
	await markHost(deps, host, {
		inst: { addressId: address?.allocationId, publicAddress: address?.publicAddress },
	});
};

import { parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import { type Decided, type DecideInput, decide } from "../../../shared/fleet/decide.ts";
import type { CampaignDemand, TrunkDemand } from "../../../shared/fleet/demand.ts";
import type { HostItem, Instance } from "../../../shared/store/items.ts";
import { newHost, TENANT } from "../../support/items.ts";

/** What a decision is made of, as a test would have it. */

/** A Monday, 10:00 UTC. */
export const NOW = Date.parse("2026-11-02T10:00:00Z");

export const SETTINGS = parseBurstSettings({
	BURST_STACK: "burst-dialer-test",
	BURST_LAUNCH_TEMPLATE: "lt-1",
	BURST_SUBNETS: "subnet-a",
	BURST_TYPES: "c7g.large=0.0725",
	BURST_MAX_HOSTS: "50",
	BURST_MAX_USD_PER_HOUR: "10",
	BURST_MAX_STARTS_PER_MIN: "100",
});
/** Of one host: the type and its address. */
export const HOST_USD = 0.0775;

export const steady = (over: Partial<HostItem> = {}): HostItem => ({
	...newHost(over.hostId ?? "steady-1", 120, NOW),
	state: "active",
	epoch: 1,
	health: "up",
	...over,
});

export const burst = (n: number, over: Partial<HostItem> = {}, inst: Partial<Instance> = {}): HostItem => ({
	...newHost(`burst-${n}`, 120, NOW - 300_000),
	tier: "burst",
	state: "active",
	epoch: 1,
	health: "up",
	lastSeenAt: NOW,
	inst: {
		instanceId: `i-${n}`,
		launchId: `launch-${n}`,
		type: "c7g.large",
		subnet: "subnet-a",
		market: "on-demand",
		usdPerHour: HOST_USD,
		imageId: "ami-1",
		account: "1",
		startId: `start-${n}`,
		startedAt: NOW - 300_000,
		readyAt: NOW - 240_000,
		...inst,
	},
	...over,
});
export const bursts = (count: number, over: Partial<HostItem> = {}, inst: Partial<Instance> = {}): HostItem[] =>
	Array.from({ length: count }, (_, i) => burst(i + 1, over, inst));

/** A campaign that has work for a long time. */
export const campaign = (over: Partial<CampaignDemand> = {}): CampaignDemand => ({
	campaignId: over.name ?? "storm",
	name: "storm",
	trunkId: "carrier-a",
	cap: 1_000,
	due: 1_000_000,
	dueIsBound: true,
	inProgress: 0,
	holdSec: 31,
	holdMeasured: true,
	allowDroppedCalls: false,
	...over,
});
export const trunk = (over: Partial<TrunkDemand> = {}): TrunkDemand => ({
	trunkId: "carrier-a",
	cap: 10_000,
	maxCps: 1_000,
	hosts: "all",
	addresses: "any",
	...over,
});

export type InputOver = Partial<Omit<DecideInput, "fleet">> & {
	fleet?: Partial<DecideInput["fleet"]>;
	campaigns?: CampaignDemand[];
	trunks?: TrunkDemand[];
};

export const input = ({ fleet, campaigns, trunks, ...over }: InputOver = {}): DecideInput => ({
	now: NOW,
	demand: { campaigns: campaigns ?? [campaign()], trunks: trunks ?? [trunk()] },
	hosts: [steady()],
	floor: undefined,
	schedules: [],
	settings: SETTINGS,
	lostAfterSec: 30,
	...over,
	fleet: {
		recent: [],
		boots: [],
		intents: {},
		failed: { count: 0, notBefore: 0, reason: "" },
		starts: [],
		throttledUntil: 0,
		...fleet,
	},
});

export const decided = (over: InputOver = {}): Decided => decide(input(over));
export const wanted = (over: InputOver = {}): number => {
	const { onDemand, spot } = decided(over).decision.wanted;
	return onDemand + spot;
};
export { TENANT };

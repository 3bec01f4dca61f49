import type { AgentSettings } from "../../../host/agent/settings.ts";
import { type BurstSettings, parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import type { Settings } from "../../../shared/config/settings.ts";
import type { Ec2 } from "../../../shared/fleet/ec2.ts";
import type { Mutation } from "../virtual/control-plane.ts";
import { campaignIdOf, type WorldConfig } from "../virtual/world.ts";

/** Relative chances of faults; 0 leaves a kind out. */
export interface FleetFaults {
	/** Messages between hosts and control plane lost, doubled, held up. */
	network: number;
	/** Looks and other handlers that die, stall or are throttled by the tables. */
	handlers: number;
	/** Agents and Asterisks killed, hosts cut off. */
	hosts: number;
	/** EC2: answers lost, throttled, out of capacity, old lists. */
	ec2: number;
	/** Instances that never boot, are lost, forgotten, or strangers. */
	instances: number;
	/** Drains, undrains, floors. */
	people: number;
	/** Whether indexes lag by seconds. */
	staleIndex: number;
}

export interface FleetWalkConfig {
	seed: number;
	/** Capacities of the steady hosts. */
	steady: number[];
	trunks: { maxChannels: number; maxCps: number }[];
	campaigns: { cap: number; contacts: number; allowDroppedCalls: boolean }[];
	burst: {
		maxHosts: number;
		channelsPerHost: number;
		warmHosts: number;
		spot: boolean;
		offerings: number;
		drainDeadlineSec: number;
	};
	faults: FleetFaults;
	/** Virtual time with faults, ms. */
	faultyMs: number;
	/** Longest call, s. */
	maxCallSec: number;
	mutation?: Mutation;
	/** EC2 ignores ClientTokens: to see what they are for. */
	forgetsTokens?: boolean;
	/** Changes EC2 as the control plane has it: to take a rule away. */
	changeEc2?: (ec2: Ec2) => Ec2;
}

/** The shipped times, five to twenty times faster. */
export const FLEET_WALK_SETTINGS: Partial<Settings> = {
	fenceSec: 3,
	lostAfterSec: 6,
	maxSyncIntervalMs: 400,
	peekIntervalMs: 500,
	peekWriteSec: 3,
	recoveryPeriodSec: 4,
	statsEverySyncs: 3,
};
export const FLEET_AGENT_SETTINGS: Partial<AgentSettings> = {
	requestTimeoutMs: 1_000,
	retryMinMs: 50,
	retryMaxMs: 500,
	refusedRetryMs: 1_000,
	holdLimitMs: 4_000,
	reconcileGraceMs: 600,
	reconcileIntervalMs: 6_000,
	originateTimeoutMs: 1_000,
	callLimitGraceMs: 400,
};
export const burstSettingsOf = ({ burst }: FleetWalkConfig): BurstSettings => ({
	...parseBurstSettings({
		BURST_STACK: "walk",
		BURST_LAUNCH_TEMPLATE: "lt-1",
		BURST_SUBNETS: "subnet-a,subnet-b".slice(0, burst.offerings > 1 ? undefined : 8),
		BURST_TYPES: burst.offerings > 2 ? "c7g.large=0.07,m7g.large=0.08" : "c7g.large=0.07",
	}),
	spot: burst.spot,
	channelsPerHost: burst.channelsPerHost,
	maxHosts: burst.maxHosts,
	maxUsdPerHour: 100,
	maxStartsPerMin: 30,
	warmHosts: burst.warmHosts,
	idleSec: 2,
	minUseSec: 0.5,
	maxOverheadUsdPerWorkHour: 1_000,
	bootSec: 2,
	bootDeadlineSec: 12,
	noTrunkSec: 5,
	drainDeadlineSec: burst.drainDeadlineSec,
	drainGraceSec: 2,
	lookSec: 1,
	noCapacitySec: 4,
	haltSec: 6,
	sightingSec: 3,
});

const LETTERS = "abcdef";

/** The world before the first burst host; those of burst hosts are added as their instances come. */
export const worldOf = (config: FleetWalkConfig): WorldConfig => ({
	hosts: config.steady.map((cap, i) => ({ id: `h${i + 1}`, cap })),
	trunks: config.trunks.map((trunk, i) => ({ id: `carrier-${i + 1}`, ...trunk })),
	campaigns: config.campaigns.map(({ cap, contacts }, i) => ({
		letter: LETTERS[i] as string,
		trunk: `carrier-${(i % config.trunks.length) + 1}`,
		contacts,
		cap,
		shards: 1,
		maxCallSec: config.maxCallSec,
		ringTimeoutSec: 2,
		retry: { busy: { afterSec: 1, max: 1 }, hostLost: { afterSec: 1, max: 1 } },
	})),
});
/** The campaign of that index in the configuration. */
export const letterOf = (i: number): string => LETTERS[i] as string;
export const campaignOf = (i: number): string => campaignIdOf(letterOf(i));

import { expect, test } from "@jest/globals";
import { FleetViolation, type FleetViolationKind } from "../support/fleet/fleet-checks.ts";
import type { FleetWalkConfig } from "../support/fleet/fleet-config.ts";
import { FLEET_MUTATIONS } from "../support/fleet/fleet-mutations.ts";
import { FleetWalk } from "../support/fleet/fleet-walk.ts";
import { Violation } from "../support/virtual/checks.ts";

/** What the walk of a fleet is worth: with a rule taken away it finds that something is wrong, within so many schedules. */
const MOST_SCHEDULES = 60;

const config: Omit<FleetWalkConfig, "seed"> = {
	steady: [1],
	trunks: [{ maxChannels: 14, maxCps: 500 }],
	campaigns: [{ cap: 12, contacts: 20, allowDroppedCalls: false }],
	burst: { maxHosts: 4, channelsPerHost: 2, warmHosts: 1, spot: false, offerings: 2, drainDeadlineSec: 30 },
	faults: { network: 1, handlers: 3, hosts: 0.3, ec2: 1, instances: 0.3, people: 1, staleIndex: 0 },
	faultyMs: 40_000,
	maxCallSec: 4,
};

const found = async (
	change: () => Partial<FleetWalkConfig>,
): Promise<{ kind: FleetViolationKind | Violation["kind"]; schedules: number }> => {
	for (let seed = 0; seed < MOST_SCHEDULES; seed++) {
		try {
			await new FleetWalk({ ...config, ...change(), seed }).run();
		} catch (error) {
			if (!(error instanceof FleetViolation || error instanceof Violation)) throw error;
			return { kind: error.kind, schedules: seed + 1 };
		}
	}
	throw new Error(`not found in ${MOST_SCHEDULES} schedules`);
};

test.each(FLEET_MUTATIONS)(
	"$name: found",
	async ({ name, change, kinds }) => {
		const { kind, schedules } = await found(change);
		process.stderr.write(`${name}: ${kind} after ${schedules} schedule(s)\n`);
		expect(kinds).toContain(kind);
	},
	120_000,
);

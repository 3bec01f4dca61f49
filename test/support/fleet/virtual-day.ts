import type { BurstSettings } from "../../../shared/config/burst-settings.ts";
import { type Plan, planDay } from "./planner.ts";
import type { Profile } from "./profile.ts";
import { VirtualFleet } from "./virtual-fleet.ts";

export interface DayResult {
	/** Host-seconds that EC2 bills: running, and at least a minute for each start. */
	hostSeconds: number;
	/** What somebody pays who knew the day: with calls that stay where they are, and, a lower bound, as if they could be moved. */
	planned: Plan["fixed"];
	ideal: Plan["movable"];
	/** Of `hostSeconds`: before the host's first sync, at work, and from the moment it was told to drain. */
	parts: { boot: number; work: number; drain: number };
	starts: number;
	mostHosts: number;
	looks: number;
	/** By how much later bursts ended than with hosts there at once, seconds. */
	late: { mean: number; max: number };
	/** Instances that still run at the end. */
	stillRunning: number;
	/** Contacts that were not called. */
	undone: number;
}

/** A day of the fleet in virtual time, and what somebody would have paid who knew it. */
export class VirtualDay {
	readonly #profile: Profile;
	readonly fleet: VirtualFleet;

	constructor(profile: Profile, over: Partial<BurstSettings> = {}) {
		this.#profile = profile;
		this.fleet = new VirtualFleet(profile, over);
	}

	async run(): Promise<DayResult> {
		const { fleet } = this;
		await fleet.run();
		const plan = planDay(this.#profile);
		const bursts = fleet.load.campaigns.filter(({ id }) => id !== "base");
		const late = bursts.map(({ id, lastEndSec }) => lastEndSec - (plan.endSec[id] ?? 0));
		return {
			parts: fleet.parts,
			mostHosts: fleet.mostHosts,
			looks: fleet.looks,
			hostSeconds: Math.round(fleet.cloud.billedSec()),
			starts: fleet.cloud.starts(),
			planned: plan.fixed,
			ideal: plan.movable,
			late: { mean: late.reduce((a, b) => a + b, 0) / late.length, max: Math.max(...late) },
			stillRunning: fleet.stillRunning,
			undone: bursts.reduce((n, { due, live }) => n + due + live, 0),
		};
	}
}

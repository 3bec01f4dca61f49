import { type Ec2Instance, hostIdOf } from "../../../shared/fleet/ec2.ts";
import type { DayHost } from "./day-load.ts";
import type { DayCall } from "./profile.ts";

/** An instance from `running` to the state in which it was not billed any more. One entry for each start. */
export interface InstanceRun {
	hostId: string;
	instanceId: string;
	type: string;
	market: Ec2Instance["market"];
	/** ms since 1970. */
	fromMs: number;
	/** Absent: it still runs. */
	toMs?: number;
}
/** An instance's volume, from its launch until it is terminated. */
export interface VolumeLife {
	hostId: string;
	fromMs: number;
	toMs?: number;
}
/** Calls of one campaign on one host. */
export interface CallsUsed {
	hostId: string;
	tier: DayHost["tier"];
	campaignId: string;
	attempts: number;
	answered: number;
	talkMs: number;
	channelMs: number;
}

/** What was used, written down as the cloud and the calls have it; nothing of it was counted by the code under test. */
export class Usage {
	readonly runs: InstanceRun[] = [];
	readonly volumes: VolumeLife[] = [];
	/** EC2's states in their order. */
	readonly states: { instanceId: string; hostId: string; state: Ec2Instance["state"]; atMs: number }[] = [];
	readonly #running = new Map<string, InstanceRun>();
	readonly #volumes = new Map<string, VolumeLife>();
	readonly #calls = new Map<string, Map<string, CallsUsed>>();

	onState({ instanceId, type, market, state }: Ec2Instance, atMs: number): void {
		const hostId = hostIdOf(instanceId);
		this.states.push({ instanceId, hostId, state, atMs });
		if (state === "pending" && !this.#volumes.has(instanceId)) {
			const volume = { hostId, fromMs: atMs };
			this.#volumes.set(instanceId, volume);
			this.volumes.push(volume);
		}
		if (state === "running") {
			const run = { hostId, instanceId, type, market, fromMs: atMs };
			this.#running.set(instanceId, run);
			this.runs.push(run);
		} else if (state !== "pending") {
			const run = this.#running.get(instanceId);
			if (run) run.toMs = atMs;
			this.#running.delete(instanceId);
		}
		const volume = this.#volumes.get(instanceId);
		if (state === "terminated" && volume) volume.toMs = atMs;
	}

	onCall({ hostId, tier }: DayHost, campaignId: string, { holdSec, talkSec }: DayCall): void {
		const byCampaign = this.#calls.get(hostId) ?? new Map<string, CallsUsed>();
		this.#calls.set(hostId, byCampaign);
		let used = byCampaign.get(campaignId);
		if (!used) {
			used = { hostId, tier, campaignId, attempts: 0, answered: 0, talkMs: 0, channelMs: 0 };
			byCampaign.set(campaignId, used);
		}
		used.attempts++;
		if (talkSec > 0) used.answered++;
		used.talkMs += talkSec * 1_000;
		used.channelMs += holdSec * 1_000;
	}

	/** By host and campaign. */
	get calls(): CallsUsed[] {
		return [...this.#calls.values()].flatMap((byCampaign) => [...byCampaign.values()]);
	}
}

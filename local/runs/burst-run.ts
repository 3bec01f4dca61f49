import { setTimeout as delay } from "node:timers/promises";
import { hostIdOf } from "../../shared/fleet/ec2.ts";
import type { Stack } from "../stack/stack.ts";
import type { CarrierCall } from "../voice/types.ts";
import { type HostUse, peakByAddress, useOf } from "./host-use.ts";
import { type CampaignRun, runCampaign } from "./run-campaign.ts";
import { type Moment, momentLine, TIMELINE_HEAD } from "./timeline.ts";

/** Between two looks at the fleet. */
const SAMPLE_MS = 500;
/** A line of the timeline so often. */
const LINE_EVERY_MS = 2_000;
/** The base load is up before the peak comes. */
const BASE_BEFORE_PEAK_MS = 3_000;
/** Burst hosts that have not stopped so long after the idle time are reported as running. */
const STOP_LIMIT_MS = 60_000;
/** States of a burst host whose instance does not run. */
const AT_REST = new Set(["stopped", "terminated"]);
const COMING = new Set(["launching", "booting"]);
const DRAINING = new Set(["draining", "drained", "stopping"]);

interface ShownHost {
	hostId: string;
	tier: "steady" | "burst";
	state: string;
	live: number;
}

/** One list that is dialed. */
export interface Load {
	numbers: readonly string[];
	campaign: Record<string, unknown>;
}

/** What the burst did. Seconds. */
export interface BurstFigures {
	hosts: { steady: number; burstStarted: number; burstStopped: number; stillRunning: number };
	/** From the peak's POST until each burst host was first seen active; null where none was. */
	readySec: { p50: number; max: number } | null;
	/** From the end of the last call on a burst host until none ran; null where one still runs. */
	stoppedAfterSec: number | null;
	burstHostSeconds: number;
	idleHostSeconds: number;
	costUsd: number;
	/** The most calls on one host at once, by the carrier. */
	peakPerHost: number;
}

export interface BurstRun {
	base: CampaignRun;
	peak: CampaignRun;
	figures: BurstFigures;
	timeline: Moment[];
}

const median = (sorted: readonly number[]): number => sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** Follows the hosts while a run goes on. */
class Watch {
	readonly timeline: Moment[] = [];
	/** When each burst host was first seen active, and when none ran any more. */
	readonly activeAt = new Map<string, number>();
	atRestAt: number | undefined;
	sampledAt = 0;
	/** Loopback addresses by host: machines that are off have none any more. */
	readonly #addresses = new Map<string, string>();
	readonly #stack: Stack;
	readonly #usdPerHour: number;
	readonly #beganAt = Date.now();
	#lineAt = 0;
	constructor(stack: Stack, usdPerHour: number) {
		this.#stack = stack;
		this.#usdPerHour = usdPerHour;
	}

	addressOf(hostId: string): string | undefined {
		return this.#addresses.get(hostId);
	}

	async sample(cap: number, say: (line: string) => void): Promise<void> {
		const { status, body } = await this.#stack.client.request<{ items?: ShownHost[] }>("GET", "/v1/hosts");
		// A busy control plane answers 503: the next sample is not far.
		if (status !== 200) return;
		const now = Date.now();
		const hosts = body.items ?? [];
		for (const host of this.#stack.burstHosts()) this.#addresses.set(host.hostId, host.address);
		const burst = hosts.filter((host) => host.tier === "burst");
		const steady = hosts.filter((host) => host.tier === "steady");
		for (const { hostId, state } of burst) {
			if (state === "active" && !this.activeAt.has(hostId)) this.activeAt.set(hostId, now);
		}
		const running = burst.filter(({ state }) => !AT_REST.has(state));
		this.atRestAt = running.length > 0 ? undefined : (this.atRestAt ?? now);
		this.sampledAt = now;
		const live = (of: ShownHost[]): number => of.reduce((sum, host) => sum + host.live, 0);
		const moment: Moment = {
			atSec: (now - this.#beganAt) / 1_000,
			steady: steady.length,
			coming: burst.filter(({ state }) => COMING.has(state)).length,
			active: burst.filter(({ state }) => state === "active").length,
			draining: burst.filter(({ state }) => DRAINING.has(state)).length,
			steadyLive: live(steady),
			burstLive: live(burst),
			costUsd: this.billed(now).reduce((sum, use) => sum + use.costUsd, 0),
		};
		this.timeline.push(moment);
		if (now - this.#lineAt < LINE_EVERY_MS) return;
		if (this.#lineAt === 0) say(TIMELINE_HEAD);
		this.#lineAt = now;
		say(momentLine(moment, cap));
	}

	/** What the instances were paid and used for. */
	billed(now: number, calls: readonly CarrierCall[] = []): HostUse[] {
		return (this.#stack.ec2?.history() ?? []).map((history) => {
			const hostId = hostIdOf(history.instanceId);
			const address = this.addressOf(hostId);
			const own = calls.filter((call) => call.from === address);
			return useOf(history, { hostId, usdPerHour: this.#usdPerHour }, own, now);
		});
	}
}

/**
 * Dials a base load, and then a peak that steady hosts cannot carry; waits until every burst host has been stopped again.
 * @param usdPerHour what one burst host costs
 */
export const runBurst = async (
	stack: Stack,
	options: {
		base: Load;
		peak: Load;
		cap: number;
		idleSec: number;
		usdPerHour: number;
		say: (line: string) => void;
		signal: AbortSignal;
	},
): Promise<BurstRun> => {
	const { base, peak, cap, say, signal } = options;
	const watch = new Watch(stack, options.usdPerHour);
	const done = new AbortController();
	const sampling = (async () => {
		while (!done.signal.aborted) {
			await watch.sample(cap, say);
			await delay(SAMPLE_MS, undefined, { signal: AbortSignal.any([done.signal, signal]) }).catch(() => undefined);
			if (signal.aborted) return;
		}
	})();
	try {
		const baseRun = runCampaign(stack, base.numbers, base.campaign, { signal });
		baseRun.catch(() => undefined);
		await delay(BASE_BEFORE_PEAK_MS, undefined, { signal });
		const peakRun = await runCampaign(stack, peak.numbers, peak.campaign, { signal });
		const runs = { base: await baseRun, peak: peakRun };
		const calls = (await stack.carrier?.calls()) ?? [];
		const onBurst = new Set([...watch.activeAt.keys()].map((hostId) => watch.addressOf(hostId)));
		const ends = calls.filter((call) => onBurst.has(call.from)).map((call) => call.endedAt ?? Date.now());
		const lastEnd = Math.max(0, ...ends);
		const limit = Date.now() + options.idleSec * 1_000 + STOP_LIMIT_MS;
		const askedAt = Date.now();
		while (Date.now() < limit && (watch.atRestAt === undefined || watch.sampledAt < askedAt)) {
			await delay(SAMPLE_MS, undefined, { signal });
		}
		const now = Date.now();
		const used = watch.billed(now, calls);
		const ready = [...watch.activeAt.values()].map((at) => (at - peakRun.submittedAt) / 1_000).sort((a, b) => a - b);
		const running = (stack.ec2?.history() ?? []).filter(({ billed }) => billed.at(-1) && !billed.at(-1)?.toMs).length;
		const total = (of: (use: HostUse) => number): number => used.reduce((sum, use) => sum + of(use), 0);
		return {
			...runs,
			timeline: watch.timeline,
			figures: {
				hosts: {
					steady: stack.hosts.length,
					burstStarted: used.length,
					burstStopped: used.length - running,
					stillRunning: running,
				},
				readySec: ready.length === 0 ? null : { p50: round(median(ready)), max: round(ready.at(-1) ?? 0) },
				stoppedAfterSec: watch.atRestAt && running === 0 ? round(Math.max(0, watch.atRestAt - lastEnd) / 1_000) : null,
				burstHostSeconds: round(total(({ billedSec }) => billedSec)),
				idleHostSeconds: round(total(({ idleSec }) => idleSec)),
				costUsd: round(
					total(({ costUsd }) => costUsd),
					6,
				),
				peakPerHost: Math.max(0, ...peakByAddress(calls, now).values()),
			},
		};
	} finally {
		done.abort();
		await sampling;
	}
};

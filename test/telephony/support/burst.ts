import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { expect } from "@jest/globals";
import type { EmulatedEc2, InstanceHistory } from "../../../local/ec2/types.ts";
import { compareWithCarrier } from "../../../local/runs/compare.ts";
import { awaitCampaign, type CampaignRun, setTrunk, submitCampaign } from "../../../local/runs/run-campaign.ts";
import type { BurstOptions } from "../../../local/stack/options.ts";
import { type Stack, startStack } from "../../../local/stack/stack.ts";
import { type Behaviour, behaviourOf, privateNumber } from "../../../local/voice/carrier/numbers.ts";
import { peakChannels } from "../../../local/voice/carrier/record.ts";
import type { CarrierCall } from "../../../local/voice/types.ts";
import type { TrunkItem } from "../../../shared/store/items.ts";
import { eventually } from "../../support/local-toy/eventually.ts";
import { FAST, FAST_TICK_SEC, overdialed } from "./fleet.ts";

/** Far above what a step takes here; a machine with all cores busy needs longer. */
export const STEP_MS = 60_000;
export const TEST_MS = 4 * STEP_MS;
const WATCH_MS = 100;
/** A call ends some milliseconds after its callee's time, not before; the carrier's clock is read in its own process. */
const TALK_SLACK_MS = 100;
/** The carrier notes the end of a call in its own time. */
const STOP_SLACK_MS = 50;
const AT_REST = ["stopped", "terminated"];

export interface Host {
	hostId: string;
	tier: string;
	state: string;
	live: number;
}
export interface Logged extends Record<string, unknown> {
	/** When the line was written, ms since 1970. */
	at: number;
	event: string;
}

/** Settings of the burst at times that a test can wait for. */
const QUICK: Record<string, string> = {
	BURST_IDLE_SEC: "2",
	BURST_MIN_USE_SEC: "1",
	BURST_MAX_OVERHEAD_USD_PER_WORK_HOUR: "100",
	BURST_LOOK_SEC: "1",
	BURST_WARM_HOSTS: "1",
	BURST_SIGHTING_SEC: "2",
	BURST_NO_CAPACITY_SEC: "4",
	BURST_MAX_STARTS_PER_MIN: "100",
};

/** A stack with burst hosts of real Asterisk, and what its carrier, EC2 and log say of them. */
export class BurstStack {
	readonly stack: Stack;
	readonly #log: Logged[];
	readonly #watch: NodeJS.Timeout;
	readonly #capacities: { steady: number; burst: number };
	/** Addresses of instances: those that are off have none any more, and another may get it later. */
	readonly #addresses = new Map<string, string>();
	#serial = 0;
	#mark = 0;

	constructor(stack: Stack, log: Logged[], capacities: { steady: number; burst: number }) {
		this.stack = stack;
		this.#log = log;
		this.#capacities = capacities;
		this.#watch = setInterval(() => {
			for (const { instanceId, address } of stack.burstHosts()) this.#addresses.set(instanceId, address);
		}, WATCH_MS);
	}

	async stop(): Promise<void> {
		clearInterval(this.#watch);
		await this.stack.stop();
	}

	/** What the log says from here on is what {@link events} gives. */
	begin(): void {
		this.#mark = this.#log.length;
	}
	events(event: string): Logged[] {
		return this.#log.slice(this.#mark).filter((line) => line.event === event);
	}
	/** Moves of hosts between states. */
	moves(from: string, to: string): Logged[] {
		return this.events("host.moved").filter((line) => line["from"] === from && line["to"] === to);
	}

	get ec2(): EmulatedEc2 {
		if (!this.stack.ec2) throw new Error("The stack has no EC2.");
		return this.stack.ec2;
	}
	instance(instanceId: string): InstanceHistory | undefined {
		return this.ec2.history().find((each) => each.instanceId === instanceId);
	}
	instanceOf(hostId: string): string {
		const found = this.stack.burstHosts().find((host) => host.hostId === hostId);
		if (!found) throw new Error(`${hostId} is not on.`);
		return found.instanceId;
	}
	addressOf(instanceId: string): string {
		return this.#addresses.get(instanceId) ?? "never on";
	}
	get steadyAddress(): string {
		return this.stack.hosts[0]?.address ?? "";
	}

	async burstHosts(): Promise<Host[]> {
		const { body } = await this.stack.client.request<{ items: Host[] }>("GET", "/v1/hosts");
		return body.items.filter(({ tier }) => tier === "burst");
	}
	async inState(state: string): Promise<Host[]> {
		return (await this.burstHosts()).filter((host) => host.state === state);
	}
	/** Waits until so many are active. */
	untilAtWork(count: number): Promise<void> {
		return eventually(async () => expect(await this.inState("active")).toHaveLength(count), STEP_MS);
	}
	/** A floor of burst hosts by hand. */
	async scale(min: number): Promise<void> {
		const until = new Date(Date.now() + 600_000).toISOString();
		expect((await this.stack.client.request("POST", "/v1/fleet/scale", { min, until })).status).toBe(200);
	}
	async command(hostId: string, verb: "drain" | "undrain"): Promise<void> {
		expect((await this.stack.client.request("POST", `/v1/hosts/${hostId}/${verb}`)).status).toBe(200);
	}

	numbers(count: number, behaviour: Behaviour): string[] {
		return Array.from({ length: count }, () => privateNumber(behaviour, this.#serial++));
	}
	/** Numbers that ring and talk for so long; every tenth is busy. */
	list(count: number, talkMs: number, ringMs = 300): string[] {
		const busy = Math.floor(count / 10);
		return [...this.numbers(count - busy, { kind: "answer", ringMs, talkMs }), ...this.numbers(busy, { kind: "busy" })];
	}
	submit(numbers: readonly string[], campaign: Record<string, unknown> = {}): Promise<string> {
		return submitCampaign(this.stack, numbers, {
			name: "burst",
			then: { wait: 100 },
			ringTimeoutSec: 5,
			maxCallSec: 120,
			...campaign,
		});
	}

	/** The carrier's calls of a list. */
	async carried(numbers: readonly string[]): Promise<CarrierCall[]> {
		const wanted = new Set(numbers);
		return ((await this.stack.carrier?.calls()) ?? []).filter(({ number }) => wanted.has(number));
	}
	/** Calls that are up at an instance's address, by the carrier. */
	async up(instanceId: string, numbers: readonly string[]): Promise<CarrierCall[]> {
		const address = this.addressOf(instanceId);
		return (await this.carried(numbers)).filter((call) => call.from === address && call.endedAt === undefined);
	}

	/** Waits for the campaign's end, and judges what must be so whatever happened. */
	async finish(campaignId: string, numbers: readonly string[]): Promise<CampaignRun> {
		const run = { submittedAt: 0, ...(await awaitCampaign(this.stack, campaignId, numbers)) };
		expect(run.state).toBe("completed");
		expect(run.done).toBe(numbers.length);
		expect(compareWithCarrier(numbers, run.done, run.records, run.carrier).findings).toEqual([]);
		expect(overdialed(run)).toEqual([]);
		const last = new Map<string, { attempt: number; outcome: string }>();
		for (const record of run.records) {
			if (record.attempt > (last.get(record.number)?.attempt ?? -1)) last.set(record.number, record);
		}
		const recount: Record<string, number> = {};
		for (const { outcome } of last.values()) recount[outcome] = (recount[outcome] ?? 0) + 1;
		expect(run.outcomes).toEqual(recount);
		for (const address of new Set(run.carrier.map(({ from }) => from))) {
			const most = address === this.steadyAddress ? this.#capacities.steady : this.#capacities.burst;
			expect(peakChannels(run.carrier.filter(({ from }) => from === address))).toBeLessThanOrEqual(most);
		}
		return run;
	}

	/** Every answered call lasted as long as its callee talked. */
	notCut(calls: readonly CarrierCall[]): void {
		const cut = calls.filter(({ number, answeredAt, endedAt }) => {
			const behaviour = behaviourOf(number);
			if (answeredAt === undefined || behaviour.kind !== "answer") return false;
			return endedAt === undefined || endedAt - answeredAt < behaviour.talkMs - TALK_SLACK_MS;
		});
		expect(cut).toEqual([]);
	}

	/** No instance stopped to run before the carrier saw the final end of its last call, those `except`ed apart. */
	stoppedAfterTheirCalls(calls: readonly CarrierCall[], except: readonly string[] = []): void {
		const early: unknown[] = [];
		for (const { instanceId, billed } of this.ec2.history()) {
			if (except.includes(instanceId)) continue;
			const address = this.addressOf(instanceId);
			for (const { fromMs, toMs } of billed) {
				if (toMs === undefined) continue;
				const own = calls.filter((call) => call.from === address && call.invitedAt >= fromMs && call.invitedAt <= toMs);
				const live = own.filter(({ endedAt }) => (endedAt ?? Number.POSITIVE_INFINITY) > toMs + STOP_SLACK_MS);
				if (live.length > 0) early.push({ instanceId, toMs, live });
			}
		}
		expect(early).toEqual([]);
	}

	/** No instance runs or is paid for, no host of ours is up, and every channel is free. */
	async untilAllAtRest(): Promise<void> {
		await eventually(async () => {
			expect((await this.burstHosts()).filter(({ state }) => !AT_REST.includes(state))).toEqual([]);
			expect(this.ec2.history().filter(({ state }) => !AT_REST.includes(state))).toEqual([]);
			const { free, cap, z } = await this.trunk();
			expect({ free, z }).toEqual({ free: cap, z: {} });
		}, STEP_MS);
		const paid = this.ec2.history().filter(({ billed }) => billed.some(({ toMs }) => toMs === undefined));
		expect(paid).toEqual([]);
		expect(this.stack.burstHosts()).toEqual([]);
		expect(this.events("fleet.auditFailed")).toEqual([]);
		expect(this.events("fleet.lookGivenUp")).toEqual([]);
	}

	async trunk(): Promise<TrunkItem> {
		const db = DynamoDBDocumentClient.from(this.stack.aws.clients.dynamo);
		const Key = { tenant: "default", trunkId: "carrier" };
		const TableName = this.stack.tables["TrunksTable"];
		return (await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item as TrunkItem;
	}
}

export const startBurst = async (options: {
	steadyCapacity: number;
	burst: Omit<BurstOptions, "capacity"> & { capacity: number };
	maxChannels: number;
}): Promise<BurstStack> => {
	const { steadyCapacity, burst, maxChannels } = options;
	const log: Logged[] = [];
	let rest = "";
	const stack = await startStack({
		asterisk: "real",
		settings: FAST,
		tickSec: FAST_TICK_SEC,
		steady: 1,
		capacity: steadyCapacity,
		burst: { ...burst, settings: { ...QUICK, ...burst.settings } },
		onOutput: (text) => {
			const lines = (rest + text).split("\n");
			rest = lines.pop() ?? "";
			for (const line of lines) {
				try {
					log.push({ ...JSON.parse(line.slice(line.indexOf("{"))), at: Date.now() });
				} catch {
					// Not a line of the log.
				}
			}
		},
	});
	await setTrunk(stack, { maxChannels, maxCps: 500 });
	return new BurstStack(stack, log, { steady: steadyCapacity, burst: burst.capacity });
};

import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { type BurstSettings, parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import type { QueueName } from "../../../shared/config/resources.ts";
import type { QueueMessage } from "../../../shared/contacts/ports.ts";
import type { FleetDeps } from "../../../shared/fleet/deps.ts";
import type { Ec2Instance } from "../../../shared/fleet/ec2.ts";
import { hostIdOf } from "../../../shared/fleet/ec2.ts";
import { type HostState, mayFollow } from "../../../shared/fleet/life.ts";
import { lookAtFleet } from "../../../shared/fleet/look.ts";
import { emptyFleet } from "../../../shared/fleet/state.ts";
import type { Log } from "../../../shared/log.ts";
import { FLEET_FLOOR_ID, FLEET_STATE_ID, type FleetItem, type HostItem } from "../../../shared/store/items.ts";
import { testDeps } from "../../support/control-plane.ts";
import { newTrunk, TENANT } from "../../support/items.ts";
import { type Hooks, MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";
import { MemoryEc2, type MemoryEc2Options } from "../../support/memory-ec2.ts";

/** The fleet's own code on tables and an EC2 in memory, with a clock of the test. What is wanted comes from a floor by hand. */

export { TENANT };
export const START = 1_700_000_000_000;
export const SUBNETS = ["subnet-a", "subnet-b"];
export const TYPES = ["c7g.large", "c8g.large"];

export const burstSettings = (over: Partial<BurstSettings> = {}): BurstSettings => ({
	...parseBurstSettings({
		BURST_STACK: "test",
		BURST_LAUNCH_TEMPLATE: "lt-1",
		BURST_SUBNETS: SUBNETS.join(),
		BURST_TYPES: "c7g.large=0.07,c8g.large=0.08",
		BURST_MAX_USD_PER_HOUR: "100",
		BURST_MAX_HOSTS: "50",
		BURST_IDLE_SEC: "0",
	}),
	...over,
});

export interface Told {
	level: string;
	event: string;
	fields: Record<string, unknown>;
}
export interface SentMessage extends QueueMessage {
	queue: QueueName;
}

export interface Bench {
	dynamo: MemoryDynamo;
	ec2: MemoryEc2;
	deps: FleetDeps;
	/** Others on the same tables and EC2: a look of its own. */
	depsWith(hooks: Hooks, ec2?: FleetDeps["ec2"]): FleetDeps;
	now(): number;
	/** Moves the clock on. */
	pass(sec: number): void;
	look(): Promise<void>;
	/** Looks every `everySec` for so long. */
	looks(sec: number, everySec?: number): Promise<void>;
	told: Told[];
	toldOf(event: string): Told[];
	sent: SentMessage[];
	/** Transitions of hosts that LIFE does not have, whoever wrote them. */
	illegal: string[];
	hosts(): HostItem[];
	host(hostId: string): HostItem;
	fleet(): FleetItem;
	floor(min: number): Promise<void>;
	put(table: string, item: Record<string, unknown>): Promise<void>;
	change(hostId: string, change: Partial<HostItem>): Promise<void>;
	/** Hosts that boot say hello by themselves once their instance runs for so long; default: at once. */
	greet(bootSec?: number): Promise<void>;
	states(): Record<string, number>;
}

export interface BenchOptions {
	burst?: Partial<BurstSettings>;
	ec2?: Omit<MemoryEc2Options, "now">;
}

export const makeBench = async ({ burst = {}, ec2: ec2Options = {} }: BenchOptions = {}): Promise<Bench> => {
	let time = START;
	const now = (): number => time;
	const dynamo = new MemoryDynamo(PROJECT_TABLES, { now });
	const ec2 = new MemoryEc2({ now, ...ec2Options });
	const told: Told[] = [];
	const sent: SentMessage[] = [];
	const illegal: string[] = [];
	let seed = 1;
	const random = (): number => {
		seed = (seed * 48_271) % 2_147_483_647;
		return seed / 2_147_483_647;
	};
	const tell =
		(level: string): Log["info"] =>
		(event, fields = {}) => {
			told.push({ level, event, fields });
		};
	const log: Log = { info: tell("info"), warn: tell("warn"), error: tell("error") };

	// Every write to a host is compared with what stood there before.
	const stateOf = (hostId: unknown): HostState | undefined =>
		dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId: String(hostId) })?.state;
	const watched = (hooks: Hooks): Hooks => ({
		...hooks,
		rewrite: (statement) => {
			const { input, name } = statement;
			const isHost = input["TableName"] === "hosts" && (name === "Update" || name === "Put");
			const hostId = input["Key"]?.hostId ?? input["Item"]?.hostId;
			if (!isHost || String(hostId).includes("#")) return hooks.rewrite?.(statement) ?? statement;
			const before = stateOf(hostId);
			const result = dynamo.perform(statement);
			const after = stateOf(hostId);
			if (result.ok && before && after && before !== after && !mayFollow(before, after))
				illegal.push(`${String(hostId)}: ${before} → ${after}`);
			return { instead: result };
		},
	});
	const queues = {
		send: async (queue: QueueName, messages: QueueMessage[]): Promise<void> => {
			sent.push(...messages.map((message) => ({ queue, ...message })));
		},
	};
	const depsWith = (hooks: Hooks, other: FleetDeps["ec2"] = ec2): FleetDeps => ({
		...testDeps(dynamo.client(watched(hooks)), now, { log, random, queues }),
		objects: {} as FleetDeps["objects"],
		burst: burstSettings(burst),
		ec2: other,
	});
	const deps = depsWith({});
	const put = async (table: string, item: Record<string, unknown>): Promise<void> => {
		await deps.db.send(new PutCommand({ TableName: table, Item: item }));
	};
	const host = (hostId: string): HostItem => {
		const found = dynamo.items<HostItem>("hosts").find((item) => item.hostId === hostId);
		if (!found) throw new Error(`there is no host ${hostId}`);
		return found;
	};
	// Not through the watched client: what a test makes of a host is its own affair.
	const direct = dynamo.client();
	const change = async (hostId: string, over: Partial<HostItem>): Promise<void> => {
		const item = Object.fromEntries(
			Object.entries({ ...host(hostId), ...over }).filter(([, value]) => value !== undefined),
		);
		await direct.send(new PutCommand({ TableName: "hosts", Item: item }));
	};
	const hosts = (): HostItem[] => dynamo.items<HostItem>("hosts").filter(({ hostId }) => !hostId.includes("#"));
	await put("trunks", newTrunk("t1", { maxChannels: 10_000, maxCps: 100, numbering: "private" }));
	const look = (): Promise<void> => lookAtFleet(deps, TENANT, "test");
	const bench: Bench = {
		dynamo,
		ec2,
		deps,
		depsWith,
		now,
		pass: (sec) => {
			time += sec * 1_000;
			ec2.settle();
		},
		look,
		looks: async (sec, everySec = 5) => {
			for (let passed = 0; passed < sec; passed += everySec) {
				bench.pass(everySec);
				await look();
			}
		},
		told,
		toldOf: (event) => told.filter((each) => each.event === event),
		sent,
		illegal,
		hosts,
		host,
		fleet: () => dynamo.peek<FleetItem>("fleet", { tenant: TENANT, id: FLEET_STATE_ID }) ?? emptyFleet(TENANT),
		floor: (min) =>
			put("fleet", { tenant: TENANT, id: FLEET_FLOOR_ID, min, until: time + 86_400_000, setAt: time, tokenId: "t-1" }),
		put,
		change,
		greet: async (bootSec = 0) => {
			for (const item of hosts()) {
				const { inst, state } = item;
				if (!inst || state !== "booting" || time - inst.startedAt < bootSec * 1_000) continue;
				await change(item.hostId, {
					state: "active",
					epoch: item.epoch + 1,
					seq: 0,
					held: {},
					lastSeenAt: time,
					deadTrunks: [],
					inst: { ...inst, readyAt: time, tokenHash: `hash-${item.hostId}-${item.epoch}` },
				});
			}
			for (const item of hosts())
				if (["active", "draining", "drained"].includes(item.state)) await change(item.hostId, { lastSeenAt: time });
		},
		states: () => {
			const counts: Record<string, number> = {};
			for (const { state } of hosts()) counts[state] = (counts[state] ?? 0) + 1;
			return counts;
		},
	};
	return bench;
};

/** A fleet with so many burst hosts at work. */
export const atWork = async (bench: Bench, count: number): Promise<HostItem[]> => {
	await bench.floor(count);
	await bench.look();
	bench.pass(10);
	await bench.look();
	await bench.greet();
	bench.pass(60);
	await bench.greet();
	await bench.look();
	return bench.hosts().filter(({ state }) => state === "active");
};

/** A draining host has had its two quiet syncs. */
export const drainAll = async (bench: Bench): Promise<void> => {
	for (const { hostId, state } of bench.hosts())
		if (state === "draining") await bench.change(hostId, { state: "drained" });
};

export const hostOf = (instance: Ec2Instance): string => hostIdOf(instance.instanceId);

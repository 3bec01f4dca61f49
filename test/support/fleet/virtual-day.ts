import { tick } from "../../../shared/campaigns/tick.ts";
import { type BurstSettings, parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import { parseSettings } from "../../../shared/config/settings.ts";
import type { QueueMessage } from "../../../shared/contacts/ports.ts";
import type { FleetDeps } from "../../../shared/fleet/deps.ts";
import { type Ec2Instance, hostIdOf } from "../../../shared/fleet/ec2.ts";
import { lookAtFleet } from "../../../shared/fleet/look.ts";
import { nudgeFleet } from "../../../shared/fleet/nudge.ts";
import { enrolInstance } from "../../../shared/hosts/enrol-instance.ts";
import { FLEET_STATE_ID, type FleetItem, type HostItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { newHost, TENANT } from "../items.ts";
import { type Attributes, MemoryDynamo, PROJECT_TABLE_NAMES, PROJECT_TABLES } from "../memory-dynamo.ts";
import { MemoryEc2 } from "../memory-ec2.ts";
import { Random } from "../virtual/random.ts";
import { type DayHost, DayLoad, isOver } from "./day-load.ts";
import { DayTables } from "./day-tables.ts";
import { identity, identityOf } from "./identity.ts";
import { type Plan, planDay } from "./planner.ts";
import type { Profile } from "./profile.ts";

/** A midnight. */
const START_MS = Date.UTC(2026, 10, 23);
/** From the call to `stopped` or `terminated`, which EC2 does not bill. */
const STOPPING_SEC = 20;
/** After the day's end the last hosts are stopped. */
const AFTER_SEC = 1_800;
/** A draining host whose last call ended is drained after so many syncs, one a second. */
const QUIET_SYNCS = 2;

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

/** A burst host's machine. */
interface Machine {
	host: DayHost;
	instance: Ec2Instance;
	/** First second in which its agent asks to be enrolled. */
	readySec: number;
	/** It was enrolled and has said hello. */
	isUp: boolean;
	/** Begin of billing, of work, of the drain. */
	runningSec: number;
	upSec?: number;
	drainSec?: number;
}

const settingsFor = (profile: Profile, over: Partial<BurstSettings>): BurstSettings => ({
	...parseBurstSettings({
		BURST_STACK: "day",
		BURST_LAUNCH_TEMPLATE: "lt-1",
		BURST_SUBNETS: "subnet-a,subnet-b",
		// Limits are for accidents: none is to bind in this day.
		BURST_MAX_HOSTS: "60",
		BURST_MAX_USD_PER_HOUR: "100",
		BURST_MAX_STARTS_PER_MIN: "60",
		BURST_CHANNELS_PER_HOST: String(profile.burst.channelsPerHost),
	}),
	...over,
});

/**
 * A day of the fleet in virtual time, second by second. Real are the look (reading the demand, deciding, auditing, converging, intents and all that is
 * written), the tick, enrolment and hello, on tables in memory and EC2 in memory. A model are the calls: figures by host and campaign (see {@link DayLoad}),
 * written into the tables as the hosts' syncs would have, before every look.
 */
export class VirtualDay {
	readonly #profile: Profile;
	readonly #dynamo = new MemoryDynamo(PROJECT_TABLES);
	readonly #random: Random;
	readonly #load: DayLoad;
	readonly #tables: DayTables;
	readonly #cloud: MemoryEc2;
	readonly #deps: FleetDeps;
	readonly #steady: DayHost[];
	readonly #machines = new Map<string, Machine>();
	#messages: { at: number; body: Record<string, unknown> }[] = [];
	#second = 0;
	readonly #result: Pick<DayResult, "parts" | "mostHosts" | "looks"> = {
		parts: { boot: 0, work: 0, drain: 0 },
		mostHosts: 0,
		looks: 0,
	};
	/** One line for every decision that differs from the one before. */
	readonly story: string[] = [];

	constructor(profile: Profile, over: Partial<BurstSettings> = {}) {
		this.#profile = profile;
		this.#random = new Random(profile.seed);
		this.#load = new DayLoad(profile);
		const now = (): number => START_MS + this.#second * 1_000;
		this.#cloud = new MemoryEc2({
			now,
			pendingSec: profile.pendingSec,
			stoppingSec: STOPPING_SEC,
			terminatingSec: STOPPING_SEC,
		});
		this.#tables = new DayTables(this.#dynamo, profile, this.#load, now);
		const quiet = (): void => {};
		this.#deps = {
			db: this.#dynamo.client(this.#tables.hooks),
			tables: PROJECT_TABLE_NAMES,
			now,
			random: this.#random.next,
			log: {
				info: quiet,
				warn: quiet,
				error: (event, fields) => this.story.push(`${this.#second} ${event} ${JSON.stringify(fields)}`),
			},
			settings: parseSettings({}),
			objects: {} as FleetDeps["objects"],
			burst: settingsFor(profile, over),
			ec2: this.#cloud,
			queues: {
				send: async (queue, messages) => {
					if (queue === "fleet") this.#messages.push(...messages.map((message) => this.#later(message)));
				},
			},
		};
		this.#steady = Array.from({ length: profile.steady.hosts }, (_, i) => ({
			hostId: `steady-${i + 1}`,
			tier: "steady",
			channels: profile.steady.channelsPerHost,
			live: 0,
			byCampaign: new Map(),
			quiet: 0,
		}));
		for (const { hostId, channels } of this.#steady)
			this.#put("hosts", { ...newHost(hostId, channels, START_MS), state: "active", epoch: 1 });
		this.#tables.setUp();
	}

	#later({ body, delaySec = 0 }: QueueMessage): { at: number; body: Record<string, unknown> } {
		return { at: this.#second + Math.max(1, delaySec), body };
	}
	#put(table: string, item: object): void {
		const result = this.#dynamo.perform({ name: "Put", input: { TableName: table, Item: item as Attributes } });
		if (!result.ok) throw result.error;
	}
	#item(hostId: string): HostItem | undefined {
		return this.#dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId });
	}

	async run(): Promise<DayResult> {
		const { daySec } = this.#profile;
		for (this.#second = 0; this.#second < daySec + AFTER_SEC; this.#second++) await this.#step();
		const plan = planDay(this.#profile);
		const bursts = this.#load.campaigns.filter(({ id }) => id !== "base");
		const late = bursts.map(({ id, lastEndSec }) => lastEndSec - (plan.endSec[id] ?? 0));
		return {
			...this.#result,
			hostSeconds: Math.round(this.#cloud.billedSec()),
			starts: this.#cloud.starts(),
			planned: plan.fixed,
			ideal: plan.movable,
			late: { mean: late.reduce((a, b) => a + b, 0) / late.length, max: Math.max(...late) },
			stillRunning: this.#cloud.all().filter(({ state }) => state === "running" || state === "pending").length,
			undone: bursts.reduce((n, { due, live }) => n + due + live, 0),
		};
	}

	async #step(): Promise<void> {
		await this.#runMachines();
		const granted = [
			...this.#steady,
			...[...this.#machines.values()].filter((each) => this.#isActive(each)).map((each) => each.host),
		];
		const { began, finished } = this.#load.step(this.#second, granted);
		for (const { id } of began) await nudgeFleet(this.#deps, TENANT, `campaign ${id} started`);
		for (const { id } of finished) await nudgeFleet(this.#deps, TENANT, `campaign ${id} completed`);
		await this.#drainHosts();
		if (this.#second % 60 === 0) await tick(this.#deps, () => this.#deps.burst.lookSec);
		const due = this.#messages.filter(({ at }) => at <= this.#second);
		if (due.length === 0) return;
		this.#messages = this.#messages.filter(({ at }) => at > this.#second);
		this.#write();
		this.#result.looks++;
		const chain = due.every(({ body }) => body["chain"] === true);
		await lookAtFleet(this.#deps, TENANT, due.map(({ body }) => body["why"]).join("; "), { chain });
		this.#tell();
	}
	#tell(): void {
		const fleet = this.#dynamo.peek<FleetItem>("fleet", { tenant: TENANT, id: FLEET_STATE_ID });
		const line = `${JSON.stringify(fleet?.decision?.wanted)} ${fleet?.decision?.reason}`;
		if (!this.story.at(-1)?.endsWith(line)) this.story.push(`${this.#second} ${line}`);
	}

	#isActive({ isUp, host }: Machine): boolean {
		return isUp && this.#item(host.hostId)?.state === "active";
	}

	/** Instances that run, boot and are stopped, as EC2 has them. */
	async #runMachines(): Promise<void> {
		const { boot, burst, pendingSec } = this.#profile;
		let running = 0;
		for (const instance of this.#cloud.all()) {
			const machine = this.#machines.get(instance.instanceId);
			if (instance.state === "running") {
				running++;
				if (machine) continue;
				const bootSec = boot.meanSec + (2 * this.#random.next() - 1) * boot.jitterSec;
				this.#machines.set(instance.instanceId, {
					instance,
					host: {
						hostId: hostIdOf(instance.instanceId),
						tier: "burst",
						channels: burst.channelsPerHost,
						live: 0,
						byCampaign: new Map(),
						quiet: 0,
					},
					readySec: this.#second + Math.max(1, Math.round(bootSec - pendingSec)),
					runningSec: this.#second,
					isUp: false,
				});
			} else if (machine) {
				this.#bill(machine);
				this.#machines.delete(instance.instanceId);
			}
		}
		this.#result.mostHosts = Math.max(this.#result.mostHosts, running);
		for (const machine of this.#machines.values())
			if (!machine.isUp && machine.readySec <= this.#second) await this.#boot(machine);
	}
	async #boot(machine: Machine): Promise<void> {
		const { hostId } = machine.host;
		const nonce = `nonce-of-${hostId}-${machine.runningSec}`;
		await enrolInstance({ ...this.#deps, identity }, TENANT, { ...identityOf(machine.instance), nonce });
		await hello(this.#deps, { tenant: TENANT, hostId }, { nonce });
		machine.isUp = true;
		machine.upSec = this.#second;
	}
	#bill({ host, runningSec, upSec, drainSec }: Machine): void {
		if (host.live > 0) throw new Error(`${host.hostId} was stopped with ${host.live} calls at second ${this.#second}`);
		const { parts } = this.#result;
		const up = upSec ?? this.#second;
		const drain = drainSec ?? this.#second;
		parts.boot += up - runningSec;
		parts.work += drain - up;
		parts.drain += this.#second - drain;
	}

	/** Draining hosts become drained by their own syncs, and say so. */
	async #drainHosts(): Promise<void> {
		for (const machine of this.#machines.values()) {
			const { host } = machine;
			const item = this.#item(host.hostId);
			if (item?.state !== "draining") {
				host.quiet = 0;
				if (item?.state === "active") delete machine.drainSec;
				continue;
			}
			machine.drainSec ??= this.#second;
			host.quiet = host.live === 0 ? host.quiet + 1 : 0;
			if (host.quiet < QUIET_SYNCS) continue;
			this.#put("hosts", { ...this.#tables.synced(item, host), state: "drained" });
			await nudgeFleet(this.#deps, TENANT, `${host.hostId} is drained`);
		}
	}

	/** What the hosts' syncs have written by now. */
	#write(): void {
		const hosts = [...this.#steady, ...[...this.#machines.values()].filter(({ isUp }) => isUp).map(({ host }) => host)];
		for (const host of hosts) {
			const item = this.#item(host.hostId);
			if (item) this.#put("hosts", this.#tables.synced(item, host));
		}
		this.#tables.write(
			this.#second,
			this.#load.campaigns.filter((campaign) => this.#second >= campaign.startSec && !isOver(campaign)),
		);
	}
}

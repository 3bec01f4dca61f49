import { make } from "../../../functions/scale-fleet/handler.ts";
import { tick } from "../../../shared/campaigns/tick.ts";
import { type BurstSettings, parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import { parseSettings } from "../../../shared/config/settings.ts";
import type { FleetDeps } from "../../../shared/fleet/deps.ts";
import { type Ec2Instance, hostIdOf } from "../../../shared/fleet/ec2.ts";
import { nudgeFleet } from "../../../shared/fleet/nudge.ts";
import { enrolInstance } from "../../../shared/hosts/enrol-instance.ts";
import { isCampaignBooked } from "../../../shared/ledger/book-use.ts";
import { dayOf } from "../../../shared/ledger/days.ts";
import { FLEET_STATE_ID, type FleetItem, type HostItem } from "../../../shared/store/items.ts";
import { copyStats } from "../../../shared/sync/counters.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { newHost, TENANT } from "../items.ts";
import { type Attributes, MemoryDynamo, PROJECT_TABLE_NAMES, PROJECT_TABLES } from "../memory-dynamo.ts";
import { MemoryEc2 } from "../memory-ec2.ts";
import { Random } from "../virtual/random.ts";
import { type DayHost, DayLoad, isOver, newDayHost } from "./day-load.ts";
import { DayTables } from "./day-tables.ts";
import { fleetRecord, stateChange } from "./fleet-records.ts";
import { identity, identityOf } from "./identity.ts";
import type { Profile } from "./profile.ts";
import { Usage } from "./usage.ts";

/** A Monday's midnight. */
export const START_MS = Date.UTC(2026, 10, 23);
/** From the call to `stopped` or `terminated`, which EC2 does not bill. */
const STOPPING_SEC = 20;
/** After its end the last hosts are stopped. */
const AFTER_SEC = 1_800;
/** A draining host whose last call ended is drained after so many syncs, one a second. */
const QUIET_SYNCS = 2;
const MINUTE_SEC = 60;

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
		// Limits are for accidents: none is to bind here.
		BURST_MAX_HOSTS: "60",
		BURST_MAX_USD_PER_HOUR: "100",
		BURST_MAX_STARTS_PER_MIN: "60",
		BURST_CHANNELS_PER_HOST: String(profile.burst.channelsPerHost),
	}),
	...over,
});

/**
 * A day or a week of the fleet in virtual time, second by second where anything goes on. Real are the fleet's function with all that it does (reading the
 * demand, deciding, auditing, converging, intents), the tick, enrolment, hello and the counting of attempts, on tables in memory and EC2 in memory, whose events
 * come by the queue. A model are the calls: figures by host and campaign (see {@link DayLoad}), written into the tables as the hosts' syncs would have, before
 * every look.
 */
export class VirtualFleet {
	readonly dynamo = new MemoryDynamo(PROJECT_TABLES);
	readonly deps: FleetDeps;
	readonly load: DayLoad;
	readonly cloud: MemoryEc2;
	/** What was used, as the cloud and the calls have it. */
	readonly usage: Usage;
	readonly steady: DayHost[];
	/** Seconds of burst hosts before their first sync, at work, and from the moment they were told to drain. */
	readonly parts = { boot: 0, work: 0, drain: 0 };
	mostHosts = 0;
	looks = 0;
	/** Errors that were logged, and messages that could not be dealt with. */
	failures = 0;
	/** One line for every decision that differs from the one before. */
	readonly story: string[] = [];
	readonly #profile: Profile;
	readonly #random: Random;
	readonly #tables: DayTables;
	readonly #handle: ReturnType<typeof make>;
	readonly #machines = new Map<string, Machine>();
	#messages: { at: number; body: Record<string, unknown> }[] = [];
	/** Campaigns that ended and that hosts may still have counters of. */
	readonly #ended = new Set<string>();
	#count = 0;
	#second = 0;

	constructor(profile: Profile, over: Partial<BurstSettings> = {}) {
		this.#profile = profile;
		this.#random = new Random(profile.seed);
		this.usage = new Usage();
		this.load = new DayLoad(profile, { onEnd: (host, { id }, call) => this.usage.onCall(host, id, call) });
		const now = (): number => START_MS + this.#second * 1_000;
		this.cloud = new MemoryEc2({
			now,
			pendingSec: profile.pendingSec,
			stoppingSec: STOPPING_SEC,
			terminatingSec: STOPPING_SEC,
			onState: (instance, at) => this.#onState(instance, at),
		});
		this.#tables = new DayTables(this.dynamo, profile, this.load, now, START_MS);
		const quiet = (): void => {};
		this.deps = {
			db: this.dynamo.client(this.#tables.hooks),
			tables: PROJECT_TABLE_NAMES,
			now,
			random: this.#random.next,
			log: {
				info: quiet,
				warn: quiet,
				error: (event, fields) => {
					this.failures++;
					this.story.push(`${this.#second} ${event} ${JSON.stringify(fields)}`);
				},
			},
			settings: parseSettings({}),
			objects: {} as FleetDeps["objects"],
			burst: settingsFor(profile, over),
			ec2: this.cloud,
			queues: {
				send: async (queue, messages) => {
					if (queue !== "fleet") return;
					for (const { body, delaySec = 0 } of messages) this.#send(body, delaySec);
				},
			},
		};
		this.#handle = make(() => this.deps);
		this.steady = Array.from({ length: profile.steady.hosts }, (_, i) =>
			newDayHost(`steady-${i + 1}`, "steady", profile.steady.channelsPerHost),
		);
		for (const { hostId, channels } of this.steady)
			this.#put({ ...newHost(hostId, channels, START_MS), state: "active", epoch: 1 });
		this.#tables.setUp();
	}

	/** Now, seconds since the begin. */
	get second(): number {
		return this.#second;
	}
	#send(body: Record<string, unknown>, delaySec: number): void {
		this.#messages.push({ at: this.#second + Math.max(1, delaySec), body });
	}
	#put(item: HostItem): void {
		const result = this.dynamo.perform({ name: "Put", input: { TableName: "hosts", Item: item as Attributes } });
		if (!result.ok) throw result.error;
	}
	#item(hostId: string): HostItem | undefined {
		return this.dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId });
	}

	/** @param onSecond after each second that was looked at: not all are, where nothing goes on */
	async run(onSecond?: (second: number) => void): Promise<void> {
		const endSec = this.#profile.daySec + AFTER_SEC;
		while (this.#second < endSec) {
			await this.#step();
			onSecond?.(this.#second);
			this.#second = Math.min(endSec, this.#nextSecond());
		}
		this.cloud.settle();
	}
	/** Instances that run now, or are about to. */
	get stillRunning(): number {
		return this.cloud.running().length;
	}

	/** The next one in which something can happen. */
	#nextSecond(): number {
		const next = this.#second + 1;
		if (this.load.open.length > 0 || this.#machines.size > 0) return next;
		const tickSec = (Math.floor(this.#second / MINUTE_SEC) + 1) * MINUTE_SEC;
		const change = this.cloud.nextChangeAt();
		const ahead = [
			tickSec,
			this.load.nextStartSec,
			...this.#messages.map(({ at }) => at),
			...(change === undefined ? [] : [Math.ceil((change - START_MS) / 1_000)]),
		];
		return Math.max(next, Math.min(...ahead));
	}

	async #step(): Promise<void> {
		this.cloud.settle();
		for (const machine of this.#machines.values())
			if (!machine.isUp && machine.readySec <= this.#second) await this.#boot(machine);
		const granted = [
			...this.steady,
			...[...this.#machines.values()].filter((each) => this.#isActive(each)).map((each) => each.host),
		];
		const { began, finished } = this.load.step(this.#second, granted);
		for (const { id } of began) await nudgeFleet(this.deps, TENANT, `campaign ${id} started`);
		for (const { id } of finished) {
			this.#ended.add(id);
			await nudgeFleet(this.deps, TENANT, `campaign ${id} completed`);
		}
		await this.#drainHosts();
		if (this.#second % MINUTE_SEC === 0) await tick(this.deps, () => this.deps.burst.lookSec);
		const due = this.#messages.filter(({ at }) => at <= this.#second);
		if (due.length === 0) return;
		this.#messages = this.#messages.filter(({ at }) => at > this.#second);
		await this.#sync();
		this.looks++;
		const records = due.map(({ body }) => fleetRecord(`message-${++this.#count}`, body, this.deps.now()));
		const { batchItemFailures } = await this.#handle({ Records: records });
		this.failures += batchItemFailures.length;
		this.#tell();
	}
	#tell(): void {
		const fleet = this.dynamo.peek<FleetItem>("fleet", { tenant: TENANT, id: FLEET_STATE_ID });
		const line = `${JSON.stringify(fleet?.decision?.wanted)} ${fleet?.decision?.reason}`;
		if (!this.story.at(-1)?.endsWith(line)) this.story.push(`${this.#second} ${line}`);
	}
	#isActive({ isUp, host }: Machine): boolean {
		return isUp && this.#item(host.hostId)?.state === "active";
	}

	/** EC2's word on an instance: it is billed by it, its machine follows it, and the fleet hears of it by the queue. */
	#onState(instance: Ec2Instance, at: number): void {
		this.usage.onState(instance, at);
		this.#send(stateChange(instance, at), 1);
		const machine = this.#machines.get(instance.instanceId);
		if (instance.state === "running") {
			const { boot, burst, pendingSec } = this.#profile;
			const bootSec = boot.meanSec + (2 * this.#random.next() - 1) * boot.jitterSec;
			this.#machines.set(instance.instanceId, {
				instance,
				host: newDayHost(hostIdOf(instance.instanceId), "burst", burst.channelsPerHost),
				readySec: this.#second + Math.max(1, Math.round(bootSec - pendingSec)),
				runningSec: this.#second,
				isUp: false,
			});
			this.mostHosts = Math.max(this.mostHosts, this.#machines.size);
		} else if (machine) {
			this.#addParts(machine);
			this.#machines.delete(instance.instanceId);
		}
	}
	async #boot(machine: Machine): Promise<void> {
		const { hostId } = machine.host;
		const nonce = `nonce-of-${hostId}-${machine.runningSec}`;
		await enrolInstance({ ...this.deps, identity }, TENANT, { ...identityOf(machine.instance), nonce });
		await hello(this.deps, { tenant: TENANT, hostId }, { nonce });
		machine.isUp = true;
		machine.upSec = this.#second;
	}
	#addParts({ host, runningSec, upSec, drainSec }: Machine): void {
		if (host.live > 0) throw new Error(`${host.hostId} was stopped with ${host.live} calls at second ${this.#second}`);
		const up = upSec ?? this.#second;
		const drain = drainSec ?? this.#second;
		this.parts.boot += up - runningSec;
		this.parts.work += drain - up;
		this.parts.drain += this.#second - drain;
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
			this.#put({ ...this.#tables.synced(item, host), state: "drained" });
			await nudgeFleet(this.deps, TENANT, `${host.hostId} is drained`);
		}
	}

	/** What the hosts' syncs have written by now. Counters of campaigns that are over move to their copies, as syncs do it. */
	async #sync(): Promise<void> {
		const hosts = [...this.steady, ...[...this.#machines.values()].filter(({ isUp }) => isUp).map(({ host }) => host)];
		for (const host of hosts) {
			const item = this.#item(host.hostId);
			if (!item) continue;
			const next = this.#tables.synced(item, host);
			const acc = { ...next.acc };
			for (const campaignId of this.#ended) {
				const counts = acc[campaignId];
				if (!counts) continue;
				await copyStats(this.deps, next, campaignId, counts);
				const day = dayOf(this.deps.now());
				if (await isCampaignBooked(this.deps, next, campaignId, counts, day)) delete acc[campaignId];
			}
			this.#put({ ...next, acc });
		}
		this.#tables.write(
			this.#second,
			this.load.open.filter((campaign) => !isOver(campaign)),
		);
	}
}

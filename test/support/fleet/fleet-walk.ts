import type { BurstSettings } from "../../../shared/config/burst-settings.ts";
import type { ApiDeps } from "../../../shared/contacts/ports.ts";
import type { Deps } from "../../../shared/deps.ts";
import type { FleetDeps } from "../../../shared/fleet/deps.ts";
import { type Ec2, Ec2Error, hostIdOf } from "../../../shared/fleet/ec2.ts";
import { lookAtFleet } from "../../../shared/fleet/look.ts";
import { setDrain } from "../../../shared/hosts/hosts.ts";
import { recoverHosts } from "../../../shared/recovery/recover-hosts.ts";
import { FLEET_FLOOR_ID, type HostItem } from "../../../shared/store/items.ts";
import type { Attributes } from "../memory-dynamo.ts";
import { MemoryEc2 } from "../memory-ec2.ts";
import type { CallScript } from "../virtual/asterisk.ts";
import {
	Answers,
	Carrier,
	checkAllDone,
	checkChannelSums,
	checkChannelsFree,
	checkCounters,
	checkOutcomes,
	Violation,
} from "../virtual/checks.ts";
import { type Execution, type StatementDetail, VirtualControlPlane } from "../virtual/control-plane.ts";
import { VirtualHost } from "../virtual/host.ts";
import { type MessageDetail, VirtualNetwork } from "../virtual/network.ts";
import { Random } from "../virtual/random.ts";
import { Scheduler, type Waiting } from "../virtual/scheduler.ts";
import {
	addContacts,
	campaignIdOf,
	campaignsOf,
	contactsOf,
	hostOf,
	setUp,
	TENANT,
	trunkOf,
	type WorldConfig,
} from "../virtual/world.ts";
import { CloudJudge, ForgetfulEc2 } from "./cloud-judge.ts";
import { type CloudDetail, CloudPorts, noAnswer, throttled } from "./cloud-port.ts";
import { FleetBooks, FleetViolation } from "./fleet-checks.ts";
import {
	burstSettingsOf,
	FLEET_AGENT_SETTINGS,
	FLEET_WALK_SETTINGS,
	type FleetFaults,
	type FleetWalkConfig,
	letterOf,
	worldOf,
} from "./fleet-config.ts";
import { Machines } from "./machines.ts";

/** Index entries are at most so old, ms. */
const INDEX_LAG_MS = 2_000;
/** With faults over, everything must have ended after so long, ms. */
const SETTLE_MS = 900_000;
/** EC2's client gives up after so long, ms. */
const MAX_EC2_MS = 10_000;
/** Looks and recoveries that may be under way at once. */
const MAX_LOOKS = 3;
const MAX_RECOVERIES = 2;

export interface FleetWalkResult {
	steps: number;
	virtualMs: number;
	dials: number;
	looks: number;
	started: number;
	stopped: number;
	drained: number;
	undrained: number;
	lost: number;
	cutAtDeadline: number;
}

/** One random schedule of a fleet: the real looks, syncs, recoveries and agents; EC2, machines, network and people in the hands of a seed. */
export class FleetWalk {
	readonly scheduler: Scheduler;
	readonly random: Random;
	readonly plane: VirtualControlPlane;
	readonly network: VirtualNetwork;
	readonly carrier: Carrier;
	readonly answers = new Answers();
	readonly books: FleetBooks;
	readonly cloud: MemoryEc2;
	readonly steady: VirtualHost[];
	readonly machines: Machines;
	readonly #config: FleetWalkConfig;
	readonly #world: WorldConfig;
	readonly #burst: BurstSettings;
	readonly #ports: CloudPorts;
	readonly #judgeOfCloud: CloudJudge;
	#faulty = true;
	readonly #durable = new Map<string, { hostId: string; outcome: string }>();
	/** Offerings out of capacity, as `type/subnet`. */
	readonly #out = new Set<string>();
	#nextLook: number;
	#nextRecovery: number;
	readonly #added = new Map<string, number>();
	readonly #burstIds = new Set<string>();
	#quietSince = 0;
	#looks = 0;

	/** @param tells whether the story is kept, for a run that is known to fail */
	constructor(config: FleetWalkConfig, tells = false) {
		this.#config = config;
		this.#burst = burstSettingsOf(config);
		const scheduler = new Scheduler(tells);
		const random = new Random(config.seed);
		this.scheduler = scheduler;
		this.random = random;
		this.plane = new VirtualControlPlane(scheduler, random, {
			settings: FLEET_WALK_SETTINGS,
			latency: () => (this.#isFault("handlers", 0.004) ? undefined : random.int(0, 4)),
			holdResult: () => this.#faulty && random.chance(0.1),
			...(config.mutation ? { mutation: config.mutation } : {}),
		});
		this.#world = worldOf(config);
		this.carrier = new Carrier(this.#world, campaignIdOf);
		setUp(this.plane.dynamo, this.#world, scheduler.now);
		config.campaigns.forEach(({ allowDroppedCalls, contacts }, i) => {
			const letter = letterOf(i);
			this.#added.set(letter, contacts);
			// An import stays open while contacts are added, so that the campaign is not completed meanwhile.
			this.#changeCampaign(letter, { openImports: 1, ...(allowDroppedCalls ? { allowDroppedCalls } : {}) });
		});
		this.books = new FleetBooks(this.plane.dynamo, () => scheduler.now, FLEET_WALK_SETTINGS.lostAfterSec as number);
		this.network = new VirtualNetwork({
			scheduler,
			plane: this.plane,
			carrier: this.carrier,
			answers: this.answers,
			options: {
				latency: () => (this.#isFault("network", 0.02) ? undefined : random.int(1, 8)),
				timeout: () => random.int(0, 1_500),
			},
		});
		const times = { pendingSec: 0.3, stoppingSec: 0.4, terminatingSec: 0.4 };
		this.cloud = new (config.forgetsTokens ? ForgetfulEc2 : MemoryEc2)({ now: () => scheduler.now, ...times });
		this.#ports = new CloudPorts(scheduler, this.cloud, {
			latency: () => random.int(1, this.#isFault("ec2", 0.02) ? MAX_EC2_MS : 60),
			isStale: () => this.#isFault("ec2", 0.1),
			onCall: (call) => this.#judgeOfCloud.onCall(call),
		});
		this.machines = new Machines({
			scheduler,
			random,
			plane: this.plane,
			newHost: (hostId) => {
				this.#world.hosts.push({ id: hostId, cap: config.burst.channelsPerHost });
				return this.#newHost(hostId);
			},
			neverBoots: () => this.#isFault("instances", 0.1),
			isLost: (hostId) => this.network.away || this.network.cut.has(hostId) || this.#isFault("network", 0.05),
			onPowerOff: ({ host }, excused) => {
				if (excused) this.#forgetOutcomes(host.hostId);
			},
		});
		this.#judgeOfCloud = new CloudJudge({
			cloud: this.cloud,
			machines: this.machines,
			books: this.books,
			burst: this.#burst,
			dynamo: this.plane.dynamo,
			scheduler,
		});
		this.steady = this.#world.hosts.map(({ id }) => this.#newHost(id));
		this.#nextRecovery = scheduler.now + 1_000;
		this.#nextLook = scheduler.now;
	}

	#newHost(hostId: string): VirtualHost {
		return new VirtualHost({
			scheduler: this.scheduler,
			random: this.random,
			carrier: this.carrier,
			hostId,
			settings: FLEET_AGENT_SETTINGS,
			script: () => this.#script(),
			skewMs: this.random.int(-20_000, 20_000),
			send: this.network.send,
			onDurableOutcome: (callId, outcome) => this.#durable.set(callId, { hostId, outcome }),
		});
	}
	#put(table: string, item: object): void {
		const result = this.plane.dynamo.perform({ name: "Put", input: { TableName: table, Item: item as Attributes } });
		if (!result.ok) throw result.error;
	}
	#changeCampaign(letter: string, change: object): void {
		const item = campaignsOf(this.plane.dynamo).find(({ campaignId }) => campaignId === campaignIdOf(letter));
		this.#put("campaigns", { ...item, ...change });
	}

	#isFault(kind: keyof FleetFaults, chance: number): boolean {
		return this.#faulty && this.random.chance(chance * this.#config.faults[kind]);
	}

	#script(): CallScript {
		const { random } = this;
		const ringAfterMs = random.int(20, 200);
		const kind = random.next();
		if (kind < 0.2) return { endAfterMs: ringAfterMs + random.int(10, 500), status: random.pick([486, 404, 503]) };
		if (kind < 0.25) return { ringAfterMs };
		const answerAfterMs = ringAfterMs + random.int(50, 800);
		if (kind < 0.35) return { ringAfterMs, answerAfterMs };
		const talkMs = random.chance(0.15) ? random.int(1_000, this.#config.maxCallSec * 1_000) : random.int(100, 2_500);
		return { ringAfterMs, answerAfterMs, endAfterMs: answerAfterMs + talkMs };
	}

	/** Runs the whole schedule; throws the first violation. */
	async run(): Promise<FleetWalkResult> {
		const from = this.scheduler.now;
		for (const host of this.steady) host.startAgent();
		await this.scheduler.settle();
		while (this.scheduler.now < from + this.#config.faultyMs) {
			await this.#step();
			if (this.random.chance(0.01)) await this.#fault();
		}
		await this.#faultsEnd();
		this.#quietSince = this.scheduler.now;
		for (let i = 0; ; i++) {
			await this.#step();
			if (i % 40 === 0 && (await this.#unfinished()) === undefined) break;
			if (i % 1_000 === 0) await this.#undrainAll();
			if (this.scheduler.now > this.#quietSince + SETTLE_MS) break;
		}
		await this.#finalChecks();
		const { transitions } = this.books;
		return {
			steps: this.scheduler.steps,
			virtualMs: this.scheduler.now - from,
			dials: this.carrier.dialed.size,
			looks: this.#looks,
			started: transitions["launching"] ?? 0,
			stopped: (transitions["stopped"] ?? 0) + (transitions["terminated"] ?? 0),
			drained: transitions["drained"] ?? 0,
			undrained: this.books.undrains,
			lost: transitions["lost"] ?? 0,
			cutAtDeadline: this.#judgeOfCloud.cutAtDeadline,
		};
	}

	/** What has no deadline is stalled: it goes on some time, perhaps long after. */
	#weight({ deadline }: Waiting): number {
		if (deadline !== undefined) return 10;
		return this.#faulty ? 0.005 : 5;
	}

	/** One step: something that waits goes on, or time does. */
	async #step(): Promise<void> {
		const { scheduler, random } = this;
		const ready: Waiting[] = [];
		let weights = 0;
		for (const waiting of scheduler.waiting) {
			if (waiting.notBefore > scheduler.now) continue;
			ready.push(waiting);
			weights += this.#weight(waiting);
		}
		const { now, limit } = scheduler;
		const horizon = Math.min(
			limit,
			scheduler.nextTimer,
			this.#nextRecovery,
			this.#nextLook,
			this.machines.nextBoot,
			now + 1_000,
		);
		const mayWait = horizon > now && limit > now;
		if (mayWait && random.next() * (weights + 12) < 12) {
			scheduler.moveTo(random.chance(0.7) ? horizon : now + Math.ceil((horizon - now) * random.next()));
			const lag = this.#config.faults.staleIndex > 0 && this.#faulty ? INDEX_LAG_MS : 0;
			this.plane.dynamo.applyIndexUpdates(scheduler.now - lag);
			await this.#onTime();
			this.#judge();
			return;
		}
		if (ready.length === 0) {
			if (mayWait) return;
			// Something by the clock is due now.
			scheduler.moveTo(Math.min(limit, now + 1));
			await this.#onTime();
			return;
		}
		let rest = random.next() * weights;
		const waiting = ready.find((each) => {
			rest -= this.#weight(each);
			return rest <= 0;
		});
		if (!waiting) return;
		await this.#goOn(waiting);
		if (waiting.kind === "db") this.books.check(this.#hostIds());
		this.#judge();
	}
	/** Of all hosts that there may be an item of; instances that EC2 forgot are among them. */
	#hostIds(): Set<string> {
		for (const { instanceId } of this.cloud.all()) this.#burstIds.add(hostIdOf(instanceId));
		return new Set([...this.steady.map(({ hostId }) => hostId), ...this.#burstIds]);
	}
	#judge(): void {
		const violation = this.#judgeOfCloud.violation ?? this.carrier.violation ?? this.answers.violation;
		if (violation) throw violation;
		for (const host of [...this.steady, ...this.machines.all.map((machine) => machine.host)])
			if (host.faults.length > 0) throw new Violation("agentFault", `${host.hostId}: ${describeError(host.faults[0])}`);
		const fault = this.plane.faults.find(({ error }) => !isPassing(error));
		if (fault) throw new Violation("handlerFault", `${fault.execution.id}: ${describeError(fault.error)}`);
	}

	async #goOn(waiting: Waiting): Promise<void> {
		const { scheduler } = this;
		if (waiting.kind === "db") {
			const detail = waiting.detail as StatementDetail;
			if (this.#isFault("handlers", 0.004)) {
				scheduler.tell(`dies: ${waiting.label}`);
				this.#kill(detail.execution);
				return;
			}
			if (this.#isFault("handlers", 0.004)) {
				scheduler.tell(`throttled: ${waiting.label}`);
				detail.throttle();
				await scheduler.settle();
				return;
			}
			if (detail.phase === "before" && this.#isFault("handlers", 0.01)) {
				// The client had no answer in time and sends the statement again.
				scheduler.tell(`sent twice: ${waiting.label}`);
				this.plane.dynamo.perform(detail.statement);
				this.books.check(this.#hostIds());
			}
		}
		if (waiting.kind === "ec2") {
			const detail = waiting.detail as CloudDetail;
			const error = this.#cloudFault(detail);
			if (error === "dies") {
				scheduler.tell(`dies: ${waiting.label}`);
				this.#kill(detail.execution);
				return;
			}
			if (error) {
				scheduler.tell(`${error.kind}: ${waiting.label}`);
				detail.fail(error);
				await scheduler.settle();
				return;
			}
		}
		if (waiting.kind === "request" || waiting.kind === "answer") {
			const detail = waiting.detail as MessageDetail;
			if (this.#isFault("network", 0.03)) {
				detail.drop();
				return;
			}
			if (this.#isFault("network", 0.03)) detail.duplicate?.();
		}
		await scheduler.run(waiting);
	}

	#kill(execution: Execution): void {
		this.plane.kill(execution);
		this.machines.onKilled(execution);
	}
	/** What becomes of a call to EC2, or of its answer. */
	#cloudFault({ call, phase }: CloudDetail): Ec2Error | "dies" | undefined {
		const { random } = this;
		if (this.#isFault("handlers", 0.03)) return "dies";
		if (this.#isFault("ec2", 0.06)) return noAnswer(call.name);
		if (phase === "after") return undefined;
		if (this.#isFault("ec2", 0.05)) return throttled(call.name);
		// A launch that was carried out before is answered again, whatever EC2 has left.
		if (call.name === "launch" && this.#judgeOfCloud.isRepeat(call.clientToken)) return undefined;
		if (call.name === "launch" && this.#out.has(call.offering))
			return new Ec2Error("noCapacity", "InsufficientInstanceCapacity", `no ${call.offering}`);
		if (call.name === "start" && this.#out.size > 0 && random.chance(0.5))
			return new Ec2Error("noCapacity", "InsufficientInstanceCapacity", "no capacity to start again");
		if ((call.name === "launch" || call.name === "start") && this.#isFault("ec2", 0.02))
			return random.chance(0.5)
				? new Ec2Error("quota", "VcpuLimitExceeded", "more vCPUs than the account may have")
				: new Ec2Error("configuration", "InvalidLaunchTemplateId.NotFound", "no such launch template");
		return undefined;
	}

	/** Of a disk that is lost: nobody can be blamed. */
	#forgetOutcomes(hostId: string): void {
		for (const [callId, durable] of this.#durable) if (durable.hostId === hostId) this.#durable.delete(callId);
	}

	/** What happens by the clock: looks, recoveries, machines that boot. */
	async #onTime(): Promise<void> {
		const { now } = this.scheduler;
		await this.#ports.remember();
		if (now >= this.#nextRecovery) {
			this.#nextRecovery = now + (FLEET_WALK_SETTINGS.recoveryPeriodSec as number) * 1_000;
			if (!this.network.away) this.#recover();
		}
		if (now >= this.#nextLook) {
			this.#nextLook = now + this.#burst.lookSec * 1_000;
			if (!this.network.away) this.#look("tick");
		}
		this.machines.follow(this.cloud.all());
		this.#judgeOfCloud.checkLaunches();
	}
	#recover(): void {
		const running = [...this.plane.executions.values()].filter((execution) => execution.id.startsWith("recovery"));
		if (running.length < MAX_RECOVERIES) this.plane.start("recovery", (deps) => recoverHosts(deps, TENANT));
	}
	#look(why: string): void {
		const running = [...this.plane.executions.values()].filter((execution) => execution.id.startsWith("look"));
		if (running.length >= MAX_LOOKS) return;
		this.#looks++;
		const execution: Execution = this.plane.start("look", (deps) => {
			const ec2 = this.#ports.port(() => execution);
			return lookAtFleet(this.#fleetDeps(deps, this.#config.changeEc2?.(ec2) ?? ec2), TENANT, why, { chain: false });
		});
	}
	#fleetDeps(deps: Deps, ec2: Ec2): FleetDeps {
		return {
			...deps,
			objects: {} as ApiDeps["objects"],
			burst: this.#burst,
			ec2,
			queues: {
				send: async (queue) => {
					if (this.random.chance(0.8) && queue === "recovery") this.#recover();
				},
			},
		};
	}

	/** One fault of a kind, by weight. */
	async #fault(): Promise<void> {
		const { random, scheduler, network } = this;
		const { faults } = this.#config;
		const up = [...this.steady, ...this.machines.all.filter(({ powered }) => powered).map(({ host }) => host)];
		const host = random.pick(up);
		const item = this.plane.dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId: host.hostId });
		const running = this.cloud.all().filter(({ state }) => state === "running" || state === "pending");
		const victim = running.length > 0 ? random.pick(running) : undefined;
		const stopped = this.cloud.all().find(({ state }) => state === "stopped");
		const offering = `${random.pick(this.#burst.types).type}/${random.pick(this.#burst.subnets)}`;
		const options: { weight: number; what: string; run: () => void }[] = [
			{ weight: 6, what: "contacts are added", run: () => this.#addContacts() },
			{ weight: 4, what: "one more look", run: () => this.#look("an event of EC2, late or twice") },
			{ weight: faults.handlers, what: "one more recovery", run: () => this.#recover() },
			{ weight: faults.hosts * 2, what: `${host.hostId}: agent killed`, run: () => host.killAgent() },
			{ weight: faults.hosts * 0.7, what: `${host.hostId}: Asterisk killed`, run: () => host.asterisk.kill() },
			{
				weight: faults.hosts * (network.cut.has(host.hostId) ? 4 : 0.7),
				what: `${host.hostId}: ${network.cut.has(host.hostId) ? "back on the network" : "cut off"}`,
				run: () => {
					if (!network.cut.delete(host.hostId)) network.cut.add(host.hostId);
				},
			},
			{
				weight: faults.hosts * (network.away ? 6 : 0.1),
				what: `control plane ${network.away ? "back" : "away"}`,
				run: () => {
					network.away = !network.away;
				},
			},
			{ weight: 2 + faults.hosts * 4, what: "agents and Asterisks start again", run: () => this.#startAll() },
			{
				weight: faults.ec2 * (this.#out.size > 0 ? 3 : 1),
				what: `capacity of ${offering}`,
				run: () => {
					if (!this.#out.delete(offering)) this.#out.add(offering);
				},
			},
			{
				weight: victim ? faults.instances : 0,
				what: `EC2 loses ${victim?.instanceId}`,
				run: () => this.cloud.die(victim?.instanceId ?? ""),
			},
			{
				weight: victim ? faults.instances * 0.5 : 0,
				what: `EC2 forgets ${victim?.instanceId}`,
				run: () => this.cloud.lose(victim?.instanceId ?? ""),
			},
			{
				weight: victim ? faults.instances * 0.3 : 0,
				what: `EC2 leaves ${victim?.instanceId} out of its lists`,
				run: () => {
					this.cloud.hide(victim?.instanceId ?? "");
					this.#judgeOfCloud.hidden.add(victim?.instanceId ?? "");
				},
			},
			{
				weight: this.#judgeOfCloud.hidden.size > 0 ? faults.instances * 3 : 0,
				what: "EC2 shows all again",
				run: () => this.#showAll(),
			},
			{
				weight: stopped ? faults.instances * 0.3 : 0,
				what: `somebody starts ${stopped?.instanceId} by hand`,
				run: () => this.cloud.startByHand(stopped?.instanceId ?? ""),
			},
			{
				weight: faults.instances * 0.3,
				what: "a stranger with our tag",
				run: () => {
					this.#judgeOfCloud.strangers.add(this.cloud.addStranger().instanceId);
				},
			},
			{
				weight: item ? faults.people : 0,
				what: `${host.hostId}: drain or not`,
				run: () => {
					const drain = item?.drainWanted !== true;
					this.plane.start(`${drain ? "drain" : "undrain"} ${host.hostId}`, (deps) =>
						setDrain(deps, TENANT, host.hostId, drain),
					);
				},
			},
			{
				weight: faults.people,
				what: "a floor",
				run: () =>
					this.#put("fleet", {
						tenant: TENANT,
						id: FLEET_FLOOR_ID,
						min: random.int(0, this.#burst.maxHosts + 1),
						until: scheduler.now + random.int(500, 8_000),
						setAt: scheduler.now,
						tokenId: "walk",
					}),
			},
		];
		const chosen = random.weighted(options.filter(({ weight }) => weight > 0));
		scheduler.tell(`FAULT ${chosen.what}`);
		chosen.run();
		await scheduler.settle();
	}
	#showAll(): void {
		for (const instanceId of this.#judgeOfCloud.hidden) this.cloud.hide(instanceId, false);
		this.#judgeOfCloud.hidden.clear();
	}
	#addContacts(): void {
		const letter = this.random.pick(this.#world.campaigns).letter;
		const from = this.#added.get(letter) ?? 0;
		const count = this.random.pick([1, 4, 12]);
		this.#added.set(letter, from + count);
		addContacts(this.plane.dynamo, letter, from, count, this.scheduler.now);
	}
	#startAll(): void {
		const agents = [...this.steady, ...this.machines.workers];
		for (const host of agents) {
			if (!host.asterisk.up && this.random.chance(0.7)) host.asterisk.restart();
			if (!host.agent && this.random.chance(0.7)) host.startAgent();
		}
	}

	/** Everything works again, and what stood still goes on. */
	async #faultsEnd(): Promise<void> {
		this.#faulty = false;
		this.scheduler.tell("FAULTS END");
		this.network.cut.clear();
		this.network.away = false;
		this.#out.clear();
		this.#showAll();
		for (const letter of this.#added.keys()) this.#changeCampaign(letter, { openImports: 0 });
		const agents = [...this.steady, ...this.machines.workers];
		for (const host of agents) {
			if (!host.asterisk.up) host.asterisk.restart();
			host.startAgent();
		}
		await this.#undrainAll();
	}

	/** Operators take their drains back; they look again, for a drain that stood still may come through after that. */
	async #undrainAll(): Promise<void> {
		for (const { hostId } of [...this.steady, ...this.machines.workers])
			if (this.plane.dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId })?.drainWanted)
				this.plane.start(`undrain ${hostId}`, (deps) => setDrain(deps, TENANT, hostId, false));
		await this.scheduler.settle();
	}

	/** What has not ended yet; undefined if all has. */
	async #unfinished(): Promise<string | undefined> {
		const { dynamo } = this.plane;
		const open = contactsOf(dynamo).find((contact) => contact.state !== "done");
		if (open) return `contact ${open.contactId} is ${open.state}`;
		for (const { id } of this.#world.trunks) {
			const trunk = trunkOf(dynamo, id);
			if (trunk.free !== trunk.cap) return `trunk ${id} has ${trunk.free} of ${trunk.cap} channels free`;
		}
		for (const host of this.steady) {
			const { state, epoch } = hostOf(dynamo, host.hostId);
			const journal = host.agent?.journal.state;
			if (state !== "active" || !journal) return `${host.hostId} is ${state}${journal ? "" : " and has no agent"}`;
			const calls = Object.keys(journal.calls);
			if (calls.length > 0) return `${host.hostId} still has ${calls.join(" ")}`;
			if (journal.outstanding) return `${host.hostId} has no answer to ${journal.outstanding.body}`;
			if (journal.epoch !== epoch) return `${host.hostId} has epoch ${journal.epoch}, the control plane ${epoch}`;
		}
		const running = this.cloud.all().find(({ state }) => !["stopped", "terminated"].includes(state));
		const hostItem = (id: string): HostItem | undefined =>
			dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId: hostIdOf(id) });
		if (running) return `${running.instanceId} is ${running.state}: ${JSON.stringify(hostItem(running.instanceId))}`;
		for (const { instanceId } of this.cloud.all()) {
			const item = hostItem(instanceId);
			if (item && item.state !== "stopped" && item.state !== "terminated") return `${item.hostId} is ${item.state}`;
		}
		for (const { hostId } of dynamo.items<HostItem>("hosts").filter((item) => item.tier === "burst")) {
			const item = dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId });
			if (item?.state !== "stopped" && item?.state !== "terminated") return `${hostId} is ${item?.state}`;
		}
		// A stranger is stopped and no more: it may be somebody's.
		const kept = this.cloud
			.all()
			.filter(({ state, instanceId }) => state === "stopped" && !this.#judgeOfCloud.strangers.has(instanceId));
		if (kept.length > this.#burst.warmHosts) return `${kept.length} stopped instances are kept`;
		const intents = Object.keys(this.books.state?.intents ?? {});
		if (intents.length > 0) return `intents ${intents.join(" ")} are still there`;
		return undefined;
	}

	async #finalChecks(): Promise<void> {
		const { dynamo } = this.plane;
		const unfinished = await this.#unfinished();
		if (unfinished) throw new FleetViolation("neverSettles", unfinished);
		checkAllDone(dynamo);
		checkChannelSums(dynamo);
		checkChannelsFree(dynamo);
		checkOutcomes(dynamo, new Map([...this.#durable].map(([callId, { outcome }]) => [callId, outcome])));
		await checkCounters(dynamo, this.plane.directDeps);
	}
}

/** Errors after which a message comes again: the tables were busy, EC2 was. */
const isPassing = (error: unknown): boolean =>
	error instanceof AggregateError
		? error.errors.every(isPassing)
		: error instanceof Ec2Error ||
			(error instanceof Error &&
				(["ProvisionedThroughputExceededException", "TimeoutError", "ShareMoved"].includes(error.name) ||
					(error.cause !== undefined && isPassing(error.cause))));
const describeError = (error: unknown): string =>
	error instanceof Error ? (error.stack ?? error.message) : String(error);

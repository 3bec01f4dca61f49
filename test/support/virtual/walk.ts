import type { AgentPorts } from "../../../host/agent/ports.ts";
import type { AgentSettings } from "../../../host/agent/settings.ts";
import { changeState, patchCampaign } from "../../../shared/campaigns/change.ts";
import { changeCampaignCap, followCampaignCap } from "../../../shared/campaigns/registration.ts";
import { sweepCampaign } from "../../../shared/campaigns/sweep.ts";
import type { Settings } from "../../../shared/config/settings.ts";
import type { Deps } from "../../../shared/deps.ts";
import { isUp } from "../../../shared/fleet/life.ts";
import { setDrain } from "../../../shared/hosts/hosts.ts";
import { recoverHosts } from "../../../shared/recovery/recover-hosts.ts";
import { getItem } from "../../../shared/store/db.ts";
import { type CampaignItem, campaignKey } from "../../../shared/store/items.ts";
import { optOut } from "../../../shared/suppression/numbers.ts";
import { readCampaigns } from "../../../shared/sync/world.ts";
import type { CallScript } from "./asterisk.ts";
import {
	Answers,
	Carrier,
	checkAllDone,
	checkChannelSums,
	checkChannelsFree,
	checkCounters,
	checkOutcomes,
	Violation,
} from "./checks.ts";
import { type Mutation, type StatementDetail, VirtualControlPlane } from "./control-plane.ts";
import { type HostRequest, VirtualHost } from "./host.ts";
import { type MessageDetail, VirtualNetwork } from "./network.ts";
import { Random } from "./random.ts";
import { Scheduler, type Waiting } from "./scheduler.ts";
import { campaignIdOf, campaignsOf, contactsOf, hostOf, setUp, TENANT, trunkOf, type WorldConfig } from "./world.ts";

/** Relative chances of faults; 0 leaves a kind out. */
export interface FaultWeights {
	/** Messages lost, doubled, held up for seconds. */
	network: number;
	/** Handlers that die, stall, are throttled, or whose statement is repeated after a time-out. */
	handlers: number;
	/** Agents killed; machines that stop; disks full or new; hosts gone for good. */
	hosts: number;
	/** Asterisk killed, refusing, or answering nothing. */
	asterisk: number;
	/** Hosts cut off, and the control plane away. */
	partitions: number;
	/** Pause, resume, cancel; drain. */
	people: number;
	/** Whether indexes lag by seconds. */
	staleIndex: number;
}

export interface WalkConfig {
	seed: number;
	world: WorldConfig;
	faults: FaultWeights;
	/** Virtual time with faults, ms. */
	faultyMs: number;
	/** Most attempts of a call that was busy or lost. */
	retries: number;
	/** Longest call, s: above `lostAfterSec` calls outlive the loss of their host. */
	maxCallSec: number;
	/** Whether Asterisk keeps events for an agent that is away. */
	keepsEvents: boolean;
	mutation?: Mutation;
	changePorts?: (ports: AgentPorts) => AgentPorts;
	changeAnswer?: (hostId: string, kind: HostRequest["kind"], body: unknown) => unknown;
}

/** The shipped times, five times faster. */
export const WALK_SETTINGS: Partial<Settings> = {
	fenceSec: 3,
	lostAfterSec: 6,
	maxSyncIntervalMs: 400,
	peekIntervalMs: 500,
	peekWriteSec: 3,
	recoveryPeriodSec: 4,
	statsEverySyncs: 3,
};
export const WALK_AGENT_SETTINGS: Partial<AgentSettings> = {
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

/** What the minute's tick does for a campaign that goes through several trunks. */
const followOnAll = async (deps: Deps, campaignId: string): Promise<void> => {
	const campaign = await getItem<CampaignItem>(deps.db, deps.tables.campaigns, campaignKey(TENANT, campaignId));
	if (campaign?.trunks) await followCampaignCap(deps, TENANT, campaignId);
};

/** Index entries are at most so old, ms. */
const INDEX_LAG_MS = 2_000;
/** With faults over, everything must have ended after so long, ms: retries, held channels and cut off hosts included. */
const SETTLE_MS = 600_000;
/** Longest time of one sweep of a cancelled campaign, ms. */
const SWEEP_MS = 30_000;
/** Runs of the recovery that may be under way at once. */
const MAX_RECOVERIES = 3;

export interface WalkResult {
	steps: number;
	virtualMs: number;
	dials: number;
	lost: number;
	late: number;
	/** Times that a host came to be drained. */
	drained: number;
}

/** One random schedule of the whole system: the real control plane, real agents, everything between them in the hands of a seed. */
export class Walk {
	readonly scheduler: Scheduler;
	readonly random: Random;
	readonly plane: VirtualControlPlane;
	readonly network: VirtualNetwork;
	readonly carrier: Carrier;
	readonly answers = new Answers();
	readonly hosts: VirtualHost[];
	readonly #config: WalkConfig;
	#faulty = true;
	/** Outcomes that were on a disk, by callId; of disks that were lost they are taken out. */
	readonly #durable = new Map<string, { hostId: string; outcome: string }>();
	#nextRecovery: number;
	#nextSweep = 0;
	/** Hosts that were drained when last looked at. */
	readonly #drained = new Set<string>();
	/** Times that a host came to be drained. */
	#drains = 0;
	/** When each host fell silent for good, for the bound of the recovery. */
	#quietSince = 0;

	/** @param tells whether the story is kept, for a run that is known to fail */
	constructor(config: WalkConfig, tells = false) {
		this.scheduler = new Scheduler(tells);
		this.#config = config;
		const random = new Random(config.seed);
		this.random = random;
		const scheduler = this.scheduler;
		this.plane = new VirtualControlPlane(scheduler, random, {
			settings: WALK_SETTINGS,
			latency: () => (this.#isFault("handlers", 0.004) ? undefined : random.int(0, 4)),
			holdResult: () => this.#faulty && random.chance(0.1),
			...(config.mutation ? { mutation: config.mutation } : {}),
		});
		const retry =
			config.retries > 0
				? { busy: { afterSec: 1, max: config.retries }, hostLost: { afterSec: 1, max: config.retries } }
				: {};
		const world: WorldConfig = {
			...config.world,
			campaigns: config.world.campaigns.map((campaign) => ({
				maxCallSec: config.maxCallSec,
				ringTimeoutSec: 2,
				retry,
				...campaign,
			})),
		};
		this.carrier = new Carrier(world, campaignIdOf);
		setUp(this.plane.dynamo, world, scheduler.now);
		this.network = new VirtualNetwork({
			scheduler,
			plane: this.plane,
			carrier: this.carrier,
			answers: this.answers,
			options: {
				latency: () => (this.#isFault("network", 0.02) ? undefined : random.int(1, 8)),
				timeout: () => random.int(0, 1_500),
				...(config.changeAnswer ? { changeAnswer: config.changeAnswer } : {}),
			},
		});
		this.hosts = world.hosts.map(({ id }) => {
			const host = new VirtualHost({
				scheduler,
				random,
				carrier: this.carrier,
				hostId: id,
				settings: WALK_AGENT_SETTINGS,
				script: () => this.#script(),
				skewMs: random.int(-20_000, 20_000),
				send: this.network.send,
				onDurableOutcome: (callId, outcome) => this.#durable.set(callId, { hostId: id, outcome }),
				...(config.changePorts ? { changePorts: config.changePorts } : {}),
			});
			host.asterisk.keepsEvents = config.keepsEvents;
			return host;
		});
		this.#nextRecovery = scheduler.now + 1_000;
	}

	#isFault(kind: keyof FaultWeights, chance: number): boolean {
		return this.#faulty && this.random.chance(chance * this.#config.faults[kind]);
	}

	#script(): CallScript {
		const { random } = this;
		const ringAfterMs = random.int(20, 200);
		const kind = random.next();
		if (kind < 0.25)
			return { endAfterMs: ringAfterMs + random.int(10, 500), status: random.pick([486, 486, 404, 503, 603]) };
		if (kind < 0.29) return { ringAfterMs };
		if (kind < 0.31) return {};
		const answerAfterMs = ringAfterMs + random.int(50, 800);
		if (kind < 0.43) return { ringAfterMs, answerAfterMs };
		const talkMs = random.chance(0.1) ? random.int(1_000, this.#config.maxCallSec * 1_000) : random.int(100, 1_500);
		return { ringAfterMs, answerAfterMs, endAfterMs: answerAfterMs + talkMs };
	}

	/** Runs the whole schedule; throws the first {@link Violation}. */
	async run(): Promise<WalkResult> {
		const from = this.scheduler.now;
		for (const host of this.hosts) host.startAgent();
		await this.scheduler.settle();
		while (this.scheduler.now < from + this.#config.faultyMs) {
			await this.#step();
			if (this.random.chance(0.02)) await this.#fault();
		}
		await this.#faultsEnd();
		this.#quietSince = this.scheduler.now;
		for (let i = 0; ; i++) {
			await this.#step();
			if (i % 40 === 0 && this.#unfinished() === undefined) break;
			if (this.scheduler.now > this.#quietSince + SETTLE_MS) break;
		}
		await this.#finalChecks();
		const contacts = contactsOf(this.plane.dynamo);
		const entries = contacts.flatMap((contact) => Object.values(contact.hist ?? {}));
		return {
			steps: this.scheduler.steps,
			virtualMs: this.scheduler.now - from,
			dials: this.carrier.dialed.size,
			lost: this.hosts.filter((host) => hostOf(this.plane.dynamo, host.hostId).lostE !== undefined).length,
			late: entries.filter((entry) => entry.late !== undefined).length,
			drained: this.#drains,
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
		const horizon = Math.min(limit, scheduler.nextTimer, this.#nextRecovery, now + 1_000);
		const mayWait = horizon > now && limit > now;
		if (mayWait && random.next() * (weights + 12) < 12) {
			scheduler.moveTo(random.chance(0.7) ? horizon : now + Math.ceil((horizon - now) * random.next()));
			this.plane.dynamo.applyIndexUpdates(
				scheduler.now - (this.#config.faults.staleIndex > 0 && this.#faulty ? INDEX_LAG_MS : 0),
			);
			this.#onTime();
			return;
		}
		const { dynamo } = this.plane;
		const lagging = dynamo.pendingIndexUpdates("contacts");
		if (lagging > 0 && random.chance(this.#config.faults.staleIndex > 0 && this.#faulty ? 0.1 : 0.8))
			dynamo.applyIndexUpdate("contacts", random.int(0, lagging - 1));
		if (ready.length === 0) {
			if (!mayWait) scheduler.moveTo(limit);
			return;
		}
		let rest = random.next() * weights;
		const waiting = ready.find((each) => {
			rest -= this.#weight(each);
			return rest <= 0;
		});
		if (!waiting) return;
		await this.#goOn(waiting);
		const violation = this.carrier.violation ?? this.answers.violation;
		if (violation) throw violation;
		for (const host of this.hosts) this.#checkDrained(host.hostId);
		for (const host of this.hosts)
			if (host.faults.length > 0) throw new Violation("agentFault", `${host.hostId}: ${describeError(host.faults[0])}`);
		const fault = this.plane.faults.find(({ error }) => !isPassing(error));
		if (fault) throw new Violation("handlerFault", `${fault.execution.id}: ${describeError(fault.error)}`);
	}

	/** A host that has just become drained may be stopped at once: it has no call, and nothing is claimed for it. */
	#checkDrained(hostId: string): void {
		const { dynamo } = this.plane;
		if (hostOf(dynamo, hostId).state !== "drained") {
			this.#drained.delete(hostId);
			return;
		}
		if (this.#drained.has(hostId)) return;
		this.#drained.add(hostId);
		this.#drains++;
		const claimed = contactsOf(dynamo).filter((contact) => contact.lease?.startsWith(`${hostId}#`));
		if (claimed.length > 0)
			throw new Violation("contactLost", `${hostId} is drained and holds ${JSON.stringify(claimed)}`);
		const live = [...this.carrier.live.values()].filter((call) => call.host === hostId);
		if (live.length > 0) throw new Violation("drainedLive", `${hostId} is drained with ${JSON.stringify(live)}`);
	}

	async #goOn(waiting: Waiting): Promise<void> {
		const { scheduler } = this;
		if (waiting.kind === "db") {
			const detail = waiting.detail as StatementDetail;
			if (this.#isFault("handlers", 0.004)) {
				scheduler.tell(`dies: ${waiting.label}`);
				this.#die(detail);
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
	#die({ execution }: StatementDetail): void {
		this.plane.kill(execution);
	}

	/** What happens by the clock: the recovery's runs, sweeps of cancelled campaigns. */
	#onTime(): void {
		const { now } = this.scheduler;
		if (now >= this.#nextRecovery) {
			this.#nextRecovery = now + (WALK_SETTINGS.recoveryPeriodSec as number) * 1_000;
			if (!this.network.away) this.#recover();
		}
		if (now >= this.#nextSweep) {
			this.#nextSweep = now + 3_000;
			for (const { campaignId, state, sweptAt } of campaignsOf(this.plane.dynamo)) {
				if (state === "cancelled" && sweptAt === undefined) this.#sweep(campaignId);
				if (state === "paused" && !this.#faulty) this.#change(campaignId, "resume");
				if (state === "running" && this.#config.world.campaigns.some(({ onAll }) => onAll))
					this.plane.start(`tend ${campaignId}`, (deps) => followOnAll(deps, campaignId));
			}
			if (!this.#faulty)
				for (const host of this.hosts)
					if (hostOf(this.plane.dynamo, host.hostId).drainWanted) this.#drain(host.hostId, false);
		}
	}
	#sweep(campaignId: string): void {
		this.plane.start(`sweep ${campaignId}`, async (deps) => {
			const campaign = (await readCampaigns(deps, TENANT, [campaignId])).get(campaignId);
			return campaign && sweepCampaign(deps, campaign, deps.now() + SWEEP_MS);
		});
	}
	#recover(): void {
		const running = [...this.plane.executions.values()].filter((execution) => execution.id.startsWith("recovery"));
		if (running.length < MAX_RECOVERIES) this.plane.start("recovery", (deps) => recoverHosts(deps, TENANT));
	}

	/** One fault of a kind, by weight. */
	async #fault(): Promise<void> {
		const { random, scheduler, network } = this;
		const { faults } = this.#config;
		const host = random.pick(this.hosts);
		const others = this.hosts.filter((each) => each !== host && !each.dead);
		const options: { weight: number; what: string; run: () => void }[] = [
			{ weight: faults.hosts * 4, what: `${host.hostId}: agent killed`, run: () => host.killAgent() },
			{ weight: faults.hosts * 0.5, what: `${host.hostId}: power off`, run: () => host.powerOff() },
			{ weight: faults.hosts * 0.2, what: `${host.hostId}: disk new`, run: () => this.#wipe(host, random.chance(0.5)) },
			{
				weight: others.length > 0 ? faults.hosts * 0.1 : 0,
				what: `${host.hostId}: gone for good`,
				run: () => {
					host.powerOff();
					host.dead = true;
					this.#forget(host);
				},
			},
			{
				weight: faults.hosts * (host.diskFull ? 8 : 0.5),
				what: `${host.hostId}: disk ${host.diskFull ? "has room" : "full"}`,
				run: () => {
					host.diskFull = !host.diskFull;
				},
			},
			{ weight: faults.asterisk, what: `${host.hostId}: Asterisk killed`, run: () => host.asterisk.kill() },
			{
				weight: faults.asterisk * 3,
				what: `${host.hostId}: originate in trouble`,
				run: () => {
					host.asterisk.trouble = random.pick(["refuse", "lose", "loseAnswer"] as const);
				},
			},
			{
				weight: faults.partitions * (network.cut.has(host.hostId) ? 6 : 1),
				what: `${host.hostId}: ${network.cut.has(host.hostId) ? "back on the network" : "cut off"}`,
				run: () => {
					if (!network.cut.delete(host.hostId)) network.cut.add(host.hostId);
				},
			},
			{
				weight: faults.partitions * (network.away ? 12 : 0.2),
				what: `control plane ${network.away ? "back" : "away"}`,
				run: () => {
					network.away = !network.away;
				},
			},
			{ weight: faults.handlers, what: "one more recovery", run: () => this.#recover() },
			{ weight: faults.people, what: "a campaign is changed", run: () => this.#changeSome() },
			{ weight: faults.people, what: "a campaign's cap is changed", run: () => this.#changeCap() },
			{ weight: faults.people / 2, what: "somebody opts out", run: () => this.#optOut() },
			{
				weight: faults.people,
				what: `${host.hostId}: drain or not`,
				run: () => this.#drain(host.hostId, hostOf(this.plane.dynamo, host.hostId).drainWanted !== true),
			},
			{
				weight: 3 + (faults.hosts + faults.asterisk) * 6,
				what: "agents and Asterisks start again",
				run: () => this.#startAll(),
			},
		];
		const chosen = random.weighted(options.filter((option) => option.weight > 0));
		scheduler.tell(`FAULT ${chosen.what}`);
		chosen.run();
		await scheduler.settle();
	}
	#startAll(): void {
		for (const host of this.hosts) {
			if (host.dead) continue;
			if (!host.asterisk.up && this.random.chance(0.7)) host.asterisk.restart();
			if (!host.agent && this.random.chance(0.7)) host.startAgent();
		}
	}
	#wipe(host: VirtualHost, asteriskToo: boolean): void {
		host.wipe(asteriskToo);
		this.#forget(host);
	}
	/** What its disk had is lost, and nobody can be blamed. */
	#forget(host: VirtualHost): void {
		for (const [callId, { hostId }] of this.#durable) if (hostId === host.hostId) this.#durable.delete(callId);
	}
	#change(campaignId: string, change: "pause" | "resume" | "cancel"): void {
		this.plane.start(`${change} ${campaignId}`, (deps) =>
			changeState(deps as Parameters<typeof changeState>[0], TENANT, campaignId, change),
		);
	}
	#drain(hostId: string, drain: boolean): void {
		this.plane.start(`${drain ? "drain" : "undrain"} ${hostId}`, (deps) => setDrain(deps, TENANT, hostId, drain));
	}
	/** Another channel cap for a campaign, never above that which the carrier holds it to. */
	#changeCap(): void {
		const { letter, trunk, cap, onAll } = this.random.pick(this.#config.world.campaigns);
		const next = this.random.int(1, cap);
		if (onAll) {
			this.plane.start(`cap ${letter} ${next}`, (deps) =>
				patchCampaign(deps as Parameters<typeof patchCampaign>[0], TENANT, campaignIdOf(letter), { maxChannels: next }),
			);
			return;
		}
		this.plane.start(`cap ${letter} ${next}`, (deps) =>
			changeCampaignCap(deps, TENANT, trunk, campaignIdOf(letter), next),
		);
	}
	#optOut(): void {
		const { number } = this.random.pick(contactsOf(this.plane.dynamo));
		this.plane.start(`opt-out ${number}`, (deps) => optOut(deps, TENANT, "token", { number }));
	}
	#changeSome(): void {
		const { campaignId, state } = this.random.pick(campaignsOf(this.plane.dynamo));
		this.#change(campaignId, state === "paused" ? "resume" : this.random.chance(0.1) ? "cancel" : "pause");
	}

	/** Everything works again, and what stood still goes on. */
	async #faultsEnd(): Promise<void> {
		this.#faulty = false;
		this.scheduler.tell("FAULTS END");
		this.network.cut.clear();
		this.network.away = false;
		for (const host of this.hosts) {
			host.diskFull = false;
			host.asterisk.trouble = undefined;
			if (host.dead) continue;
			if (!host.asterisk.up) host.asterisk.restart();
			host.startAgent();
		}
		await this.scheduler.settle();
	}

	/** What has not ended yet; undefined if all has. */
	#unfinished(): string | undefined {
		const { dynamo } = this.plane;
		const open = contactsOf(dynamo).find((contact) => contact.state !== "done");
		if (open) return `contact ${open.contactId} is ${open.state}`;
		const paused = campaignsOf(dynamo).find((campaign) => campaign.state === "paused");
		if (paused) return `${paused.campaignId} is paused`;
		for (const { id } of this.#config.world.trunks) {
			const trunk = trunkOf(dynamo, id);
			if (trunk.free !== trunk.cap) return `trunk ${id} has ${trunk.free} of ${trunk.cap} channels free`;
		}
		for (const host of this.hosts) {
			const { state, epoch, lastSeenAt } = hostOf(dynamo, host.hostId);
			if (host.dead) {
				if (state === "recovered" || state === "new") continue;
				return `${host.hostId} is gone and ${state}, silent for ${this.scheduler.now - lastSeenAt} ms`;
			}
			const journal = host.agent?.journal.state;
			if (!journal) return `${host.hostId} has no agent`;
			if (!isUp(state)) return `${host.hostId} is ${state}`;
			const calls = Object.entries(journal.calls);
			if (calls.length > 0) return `${host.hostId} still has ${JSON.stringify(calls)}`;
			if (journal.outstanding) return `${host.hostId} has no answer to ${journal.outstanding.body}`;
			if (journal.epoch !== epoch) return `${host.hostId} has epoch ${journal.epoch}, the control plane ${epoch}`;
		}
		return undefined;
	}

	async #finalChecks(): Promise<void> {
		const { dynamo } = this.plane;
		checkAllDone(dynamo);
		checkChannelSums(dynamo);
		checkChannelsFree(dynamo);
		checkOutcomes(dynamo, new Map([...this.#durable].map(([callId, { outcome }]) => [callId, outcome])));
		await checkCounters(dynamo, this.plane.directDeps);
		const unfinished = this.#unfinished();
		if (unfinished) throw new Violation("slowRecovery", unfinished);
	}
}

/** Errors that a caller is told to repeat: the tables were busy. */
const isPassing = (error: unknown): boolean =>
	error instanceof AggregateError
		? error.errors.every(isPassing)
		: error instanceof Error &&
			["ProvisionedThroughputExceededException", "TimeoutError", "ShareMoved"].includes(error.name);
const describeError = (error: unknown): string =>
	error instanceof Error ? (error.stack ?? error.message) : String(error);

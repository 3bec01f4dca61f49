import type { AgentPorts } from "../../../host/agent/ports.ts";
import type { AgentSettings } from "../../../host/agent/settings.ts";
import type { Settings } from "../../../shared/config/settings.ts";
import { recoverHosts } from "../../../shared/recovery/recover-hosts.ts";
import type { CallScript } from "./asterisk.ts";
import { Answers, Carrier, checkAllDone, checkChannelSums, checkCounters, checkOutcomes } from "./checks.ts";
import { type Mutation, VirtualControlPlane } from "./control-plane.ts";
import { type HostRequest, VirtualHost } from "./host.ts";
import { VirtualNetwork } from "./network.ts";
import { Random } from "./random.ts";
import { Scheduler, START_MS, type Waiting } from "./scheduler.ts";
import { WALK_AGENT_SETTINGS, WALK_SETTINGS } from "./walk.ts";
import { campaignIdOf, setUp, TENANT, type WorldConfig } from "./world.ts";

export interface AgentBenchOptions {
	settings?: Partial<Settings>;
	agentSettings?: Partial<AgentSettings>;
	script?: (callId: string) => CallScript;
	changePorts?: (ports: AgentPorts) => AgentPorts;
	changeAnswer?: (hostId: string, kind: HostRequest["kind"], body: unknown) => unknown;
	mutation?: Mutation;
}

/** An answered call that the far end ends. */
const SHORT_CALL: CallScript = { ringAfterMs: 20, answerAfterMs: 40, endAfterMs: 300 };

/** Real agents and the real control plane without chance: everything happens in the order of time, and a test holds back what it wants. */
export class AgentBench {
	readonly scheduler = new Scheduler();
	readonly plane: VirtualControlPlane;
	readonly network: VirtualNetwork;
	readonly carrier: Carrier;
	readonly answers = new Answers();
	readonly hosts: Map<string, VirtualHost>;
	/** What may not go on for now. */
	hold: (waiting: Waiting) => boolean = () => false;
	/** Outcomes that reached a disk. */
	readonly outcomes = new Map<string, string>();
	readonly #recoveryMs: number;
	#nextRecovery: number;

	constructor(world: WorldConfig, options: AgentBenchOptions = {}) {
		const { scheduler } = this;
		const random = new Random(1);
		const settings = { ...WALK_SETTINGS, ...options.settings };
		this.plane = new VirtualControlPlane(scheduler, random, {
			settings,
			latency: () => 0,
			...(options.mutation ? { mutation: options.mutation } : {}),
		});
		this.carrier = new Carrier(world, campaignIdOf);
		setUp(this.plane.dynamo, world, scheduler.now);
		this.network = new VirtualNetwork({
			scheduler,
			plane: this.plane,
			carrier: this.carrier,
			answers: this.answers,
			options: {
				latency: () => 2,
				timeout: () => 100,
				...(options.changeAnswer ? { changeAnswer: options.changeAnswer } : {}),
			},
		});
		this.hosts = new Map(
			world.hosts.map(({ id }) => [
				id,
				new VirtualHost({
					scheduler,
					random,
					carrier: this.carrier,
					hostId: id,
					settings: { ...WALK_AGENT_SETTINGS, ...options.agentSettings },
					script: options.script ?? (() => SHORT_CALL),
					skewMs: 0,
					send: this.network.send,
					onDurableOutcome: (callId, outcome) => this.outcomes.set(callId, outcome),
					...(options.changePorts ? { changePorts: options.changePorts } : {}),
				}),
			]),
		);
		this.#recoveryMs = (settings.recoveryPeriodSec ?? 4) * 1_000;
		this.#nextRecovery = scheduler.now + 1_000;
	}

	host(hostId: string): VirtualHost {
		const host = this.hosts.get(hostId);
		if (!host) throw new Error(`no host ${hostId}`);
		return host;
	}
	/** Time since the beginning, ms. */
	get elapsedMs(): number {
		return this.scheduler.now - START_MS;
	}

	/** Lets everything happen until the condition holds; fails after `withinMs`. */
	async until(what: string, condition: () => boolean, withinMs = 120_000): Promise<void> {
		const end = this.scheduler.now + withinMs;
		while (!condition()) {
			if (this.scheduler.now >= end) throw new Error(`did not happen within ${withinMs} ms: ${what}`);
			await this.#step(end);
		}
	}
	async pass(ms: number): Promise<void> {
		const end = this.scheduler.now + ms;
		while (this.scheduler.now < end) await this.#step(end);
	}

	async #step(end: number): Promise<void> {
		const { scheduler } = this;
		await scheduler.settle();
		let next: Waiting | undefined;
		let at = Number.POSITIVE_INFINITY;
		for (const waiting of scheduler.waiting) {
			if (this.hold(waiting)) continue;
			const due = Math.max(
				waiting.notBefore,
				waiting.kind === "request" || waiting.kind === "answer" ? (waiting.deadline ?? 0) : 0,
				scheduler.now,
			);
			if (due < at) {
				at = due;
				next = waiting;
			}
		}
		if (this.#nextRecovery < Math.min(at, end)) {
			scheduler.jumpTo(this.#nextRecovery);
			this.#nextRecovery += this.#recoveryMs;
			this.plane.start("recovery", (deps) => recoverHosts(deps, TENANT));
			return;
		}
		if (!next || at > end) {
			scheduler.jumpTo(end);
			return;
		}
		scheduler.jumpTo(at);
		this.plane.dynamo.applyIndexUpdates();
		await scheduler.run(next);
		const violation = this.carrier.violation ?? this.answers.violation;
		if (violation) throw violation;
		const fault = this.plane.faults[0]?.error ?? [...this.hosts.values()].flatMap((host) => host.faults)[0];
		if (fault) throw fault;
	}

	/** After all is over. */
	async check(): Promise<void> {
		checkAllDone(this.plane.dynamo);
		checkChannelSums(this.plane.dynamo);
		checkOutcomes(this.plane.dynamo, this.outcomes);
		await checkCounters(this.plane.dynamo, this.plane.directDeps);
	}
}

/** Gives the agent's own object of its outstanding request to a test: to do to it what the agent never does. */
export const withOutstanding = (
	ports: AgentPorts,
	onSend: (request: Parameters<AgentPorts["journal"]["append"]>[0][number] & { t: "freeze" }, body: string) => string,
): AgentPorts => {
	let frozen: ({ t: "freeze" } & Parameters<AgentPorts["journal"]["append"]>[0][number]) | undefined;
	return {
		...ports,
		journal: {
			load: () => ports.journal.load(),
			append: (records) => {
				for (const record of records) if (record.t === "freeze") frozen = record;
				return ports.journal.append(records);
			},
			compact: (snapshot) => ports.journal.compact(snapshot),
			size: () => ports.journal.size(),
			compactAt: ports.journal.compactAt,
		},
		controlPlane: {
			...ports.controlPlane,
			sync: (body) => ports.controlPlane.sync(frozen ? onSend(frozen, body) : body),
		},
	};
};

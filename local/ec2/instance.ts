import type { Log } from "../../shared/log.ts";
import { OwnTimers, type Timers } from "./timers.ts";
import type { Ec2Event, InstanceHistory, Machine, MachineIdentity } from "./types.ts";

export type State = "pending" | "running" | "shutting-down" | "terminated" | "stopping" | "stopped";

/** What an instance is from its launch on. */
export interface InstanceFacts {
	instanceId: string;
	/** In the order of launches. */
	number: number;
	reservationId: string;
	type: string;
	subnet: string;
	zone: string;
	imageId: string;
	market: "on-demand" | "spot";
	clientToken?: string;
	tags: Record<string, string>;
	metadata: { httpTokens: string; hopLimit: number; httpEndpoint: string };
	shutdownBehavior: string;
}

/** An instance as EC2 shows it: a change is seen only after a while, where reports are late. */
export interface View {
	at: number;
	state: State;
	/** Of the last start. */
	launchedAt: number;
}

/** What an instance needs of the cloud around it. */
export interface Surroundings {
	timers: Timers;
	/** From the request to power on. */
	bootMs: number;
	/** From the request to `running`. */
	runningMs: number;
	/** From the request to `stopped` or `terminated`, at least. */
	stopMs: number;
	identity(facts: InstanceFacts, pendingAt: number): MachineIdentity;
	/** Whether the next to boot does: called once for each start. */
	boots(): boolean;
	tell(event: Ec2Event): void;
	log: Log;
}

/** One instance: its states, its machine, and what it costs. */
export class Instance {
	readonly facts: InstanceFacts;
	state: State = "pending";
	launchedAt = 0;
	/** EC2 does not stop an instance that has never run. */
	hasRun = false;
	/** EC2 knows nothing of it any more. */
	forgotten = false;
	terminatedAt: number | undefined;
	/** The identity that its machine was given at its last start. */
	identity: MachineIdentity | undefined;
	readonly #machine: Machine | undefined;
	readonly #around: Surroundings;
	readonly #views: View[] = [];
	readonly #billed: InstanceHistory["billed"] = [];
	/** Of the last command. */
	readonly #timers: OwnTimers;
	/** Until what was last asked of the machine is done. */
	#power: Promise<void> = Promise.resolve();
	/** Of the last command: what an earlier one has under way is void. */
	#command = 0;

	/** @param machine none for an instance on which nothing of ours runs */
	constructor(facts: InstanceFacts, machine: Machine | undefined, around: Surroundings) {
		this.facts = facts;
		this.#machine = machine;
		this.#around = around;
		this.#timers = new OwnTimers(around.timers);
	}

	/** As seen at `at`; undefined before it is seen at all. */
	viewAt(at: number): View | undefined {
		return this.#views.findLast((view) => view.at <= at);
	}

	history(): InstanceHistory {
		const { instanceId, type, subnet, market } = this.facts;
		const billed = this.#billed.map((stretch) => ({ ...stretch }));
		return { instanceId, type, subnet, market, state: this.state, billed };
	}

	/** Launched, or started again. */
	start(): void {
		const command = this.#supersede();
		this.launchedAt = this.#around.timers.now();
		const boots = this.#machine === undefined || this.#around.boots();
		this.identity = this.#around.identity(this.facts, this.launchedAt);
		const identity = this.identity;
		this.#become("pending");
		this.#timers.after(this.#around.runningMs, () => {
			this.hasRun = true;
			this.#billed.push({ fromMs: this.#around.timers.now() });
			this.#become("running");
		});
		if (!boots) {
			this.#around.log.warn("ec2.neverBoots", { instanceId: this.facts.instanceId });
			return;
		}
		this.#timers.after(this.#around.bootMs, () => {
			const on = async (): Promise<void> => {
				// Not if the power went in the meantime.
				if (command === this.#command) await this.#machine?.on(identity);
			};
			this.#power = this.#power.then(() => this.#watched("on", on));
		});
	}

	async stop(): Promise<void> {
		await this.#powerDown("stopping", "stopped");
	}

	async terminate(): Promise<void> {
		await this.#powerDown("shutting-down", "terminated");
	}

	/** Gone at once, without a word before. */
	async lose(forgotten: boolean): Promise<void> {
		this.#supersede();
		this.#endBilling();
		this.forgotten = forgotten;
		this.terminatedAt = this.#around.timers.now();
		if (forgotten) this.state = "terminated";
		else this.#become("terminated");
		await this.#powerOff(true);
	}

	/** Everything off, because the emulator ends; nothing is told. */
	async cut(): Promise<void> {
		this.#supersede();
		this.#endBilling();
		await this.#powerOff(false);
	}

	/** A timer that ends with the next command: a spot instance's notice. */
	later(ms: number, run: () => void): void {
		this.#timers.after(ms, run);
	}

	async #powerDown(through: "stopping" | "shutting-down", end: "stopped" | "terminated"): Promise<void> {
		const command = this.#supersede();
		this.#endBilling();
		this.#become(through);
		const waited = new Promise<void>((resolve) => this.#timers.after(this.#around.stopMs, resolve));
		await this.#powerOff(end === "terminated");
		await waited;
		if (command !== this.#command) return;
		if (end === "terminated") this.terminatedAt = this.#around.timers.now();
		this.#become(end);
	}

	#supersede(): number {
		this.#timers.clear();
		return ++this.#command;
	}

	/** At once, whatever is under way on the machine; what it does then is waited for. */
	#powerOff(forEver: boolean): Promise<void> {
		const machine = this.#machine;
		if (!machine) return Promise.resolve();
		const off = this.#watched("off", () => machine.off());
		this.#power = Promise.all([this.#power, off]).then(async () => {
			if (forEver) await this.#watched("destroy", () => machine.destroy());
		});
		return this.#power;
	}

	/** A machine that fails is said to, and EC2 goes on all the same: it knows nothing of what is inside. */
	async #watched(verb: string, run: () => Promise<void>): Promise<void> {
		try {
			await run();
		} catch (error) {
			this.#around.log.error("ec2.machineFailed", { instanceId: this.facts.instanceId, verb, error });
		}
	}

	#endBilling(): void {
		const last = this.#billed.at(-1);
		if (last && last.toMs === undefined) last.toMs = this.#around.timers.now();
	}

	#become(state: State): void {
		const at = this.#around.timers.now();
		this.#around.log.info("ec2.state", { instanceId: this.facts.instanceId, from: this.state, to: state });
		this.state = state;
		this.#views.push({ at, state, launchedAt: this.launchedAt });
		this.#around.tell({
			detailType: "EC2 Instance State-change Notification",
			at,
			instanceId: this.facts.instanceId,
			detail: { "instance-id": this.facts.instanceId, state },
		});
	}
}

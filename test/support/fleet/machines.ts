import { type Ec2Instance, hostIdOf } from "../../../shared/fleet/ec2.ts";
import { enrolInstance } from "../../../shared/hosts/enrol-instance.ts";
import type { Execution, VirtualControlPlane } from "../virtual/control-plane.ts";
import type { VirtualHost } from "../virtual/host.ts";
import type { Random } from "../virtual/random.ts";
import type { Scheduler } from "../virtual/scheduler.ts";
import { TENANT } from "../virtual/world.ts";
import { identity, identityOf } from "./identity.ts";

/** The machine behind an EC2 instance. */
export interface Machine {
	readonly instanceId: string;
	readonly host: VirtualHost;
	/** Its operating system runs, or will at `bootAt`. */
	powered: boolean;
	/** When it asks, next, to be enrolled. */
	bootAt: number | undefined;
	/** Its enrolment under way. */
	enrolling: Execution | undefined;
	/** Of this start. */
	nonce: string;
	neverBoots: boolean;
}

export interface MachineOptions {
	scheduler: Scheduler;
	random: Random;
	plane: VirtualControlPlane;
	newHost: (hostId: string) => VirtualHost;
	/** Whether a machine that is started now never comes up. */
	neverBoots: () => boolean;
	/** Whether a request of a machine does not reach the control plane, or its answer not the machine. */
	isLost: (hostId: string) => boolean;
	/** The machine is off. @param excused what its disk had need not come to light any more */
	onPowerOff: (machine: Machine, excused: boolean) => void;
}

/** From EC2's `running` to the agent, ms. */
const BOOT_MS = [200, 2_000] as const;
/** The agent asks again after so long, ms. */
const ASK_AGAIN_MS = [200, 800] as const;

/** Machines do what EC2 says of their instances: boot, enrol, run Asterisk and the real agent, stop. */
export class Machines {
	readonly #machines = new Map<string, Machine>();
	readonly #options: MachineOptions;

	constructor(options: MachineOptions) {
		this.#options = options;
	}

	get all(): Machine[] {
		return [...this.#machines.values()];
	}
	get(instanceId: string): Machine | undefined {
		return this.#machines.get(instanceId);
	}
	/** Machines whose agent may be started again where it was killed. */
	get workers(): VirtualHost[] {
		return this.all.filter(canWork).map(({ host }) => host);
	}
	/** When the next one wants to do something. */
	get nextBoot(): number {
		return this.all.reduce((next, { bootAt }) => Math.min(next, bootAt ?? next), Number.POSITIVE_INFINITY);
	}

	/** Brings the machines to what EC2 says now. */
	follow(instances: Iterable<Ec2Instance>): void {
		const { scheduler, random } = this.#options;
		const seen = new Set<string>();
		for (const instance of instances) {
			const { instanceId, state } = instance;
			seen.add(instanceId);
			const machine = this.#machines.get(instanceId) ?? this.#add(instanceId);
			if (state !== "running") {
				// EC2 took it away.
				if (machine.powered) this.powerOff(machine, true);
				continue;
			}
			if (!machine.powered) {
				machine.powered = true;
				machine.nonce = `nonce-${instanceId}-${scheduler.now}`;
				machine.neverBoots = this.#options.neverBoots();
				if (!machine.neverBoots) machine.bootAt = scheduler.now + random.int(...BOOT_MS);
			}
			if (machine.bootAt === undefined || machine.bootAt > scheduler.now) continue;
			machine.bootAt = undefined;
			if (!machine.host.asterisk.up) machine.host.asterisk.restart();
			this.#enrol(machine, instance);
		}
		for (const machine of this.all) if (machine.powered && !seen.has(machine.instanceId)) this.powerOff(machine, true);
	}
	#add(instanceId: string): Machine {
		const machine: Machine = {
			instanceId,
			host: this.#options.newHost(hostIdOf(instanceId)),
			powered: false,
			bootAt: undefined,
			enrolling: undefined,
			nonce: "",
			neverBoots: false,
		};
		this.#machines.set(instanceId, machine);
		return machine;
	}

	/** As the agent does at boot: it asks until it is let in, and works only then. */
	#enrol(machine: Machine, instance: Ec2Instance): void {
		const { plane, isLost } = this.#options;
		const { host, nonce } = machine;
		if (isLost(host.hostId)) {
			this.#askAgain(machine);
			return;
		}
		const enrolling = plane.start(
			`enrol ${host.hostId}`,
			(deps) => enrolInstance({ ...deps, identity }, TENANT, { ...identityOf(instance), nonce }),
			({ ended }) => {
				if (machine.enrolling !== enrolling) return;
				machine.enrolling = undefined;
				if (ended?.ok && !isLost(host.hostId)) host.startAgent();
				else this.#askAgain(machine);
			},
		);
		machine.enrolling = enrolling;
	}
	#askAgain(machine: Machine): void {
		machine.bootAt = this.#options.scheduler.now + this.#options.random.int(...ASK_AGAIN_MS);
	}
	/** A handler died: the answer to its caller never comes. */
	onKilled(execution: Execution): void {
		const machine = this.all.find(({ enrolling }) => enrolling === execution);
		if (!machine) return;
		machine.enrolling = undefined;
		this.#askAgain(machine);
	}

	powerOff(machine: Machine, excused: boolean): void {
		machine.powered = false;
		machine.bootAt = undefined;
		machine.enrolling = undefined;
		machine.host.powerOff();
		this.#options.onPowerOff(machine, excused);
	}
}

const canWork = ({ powered, neverBoots, bootAt, enrolling }: Machine): boolean =>
	powered && !neverBoots && bootAt === undefined && !enrolling;

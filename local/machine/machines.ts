import { rmSync } from "node:fs";
import { join } from "node:path";
import { hostIdOf } from "../../shared/fleet/ec2.ts";
import type { Machine, Machines } from "../ec2/types.ts";
import { StackError } from "../stack/options.ts";
import type { AddressPool } from "./addresses.ts";
import { LocalMachine, type MachineOptions } from "./machine.ts";
import type { HostProcesses } from "./processes.ts";

/** A burst host whose machine is on. */
export interface BurstHost extends Pick<HostProcesses, "address" | "voice" | "agent" | "asterisk"> {
	hostId: string;
	instanceId: string;
}

export interface MachinesOptions extends Omit<MachineOptions, "instanceId" | "dir" | "address"> {
	/** Of all disks. */
	dir: string;
	addresses: AddressPool;
}

/** The computers behind the emulated EC2's instances. */
export class LocalMachines implements Machines {
	readonly #machines = new Map<string, LocalMachine>();
	readonly #options: MachinesOptions;
	#image: LocalMachine | undefined;

	constructor(options: MachinesOptions) {
		this.#options = options;
		// Instances do not outlive the emulated EC2, nor do their disks.
		rmSync(options.dir, { recursive: true, force: true });
	}

	create(instanceId: string): Machine {
		if (this.#machines.has(instanceId)) throw new StackError(`There is a machine ${instanceId} already.`);
		const machine = new LocalMachine({
			...this.#options,
			instanceId,
			dir: join(this.#options.dir, instanceId),
			address: this.#options.addresses.take(),
		});
		this.#machines.set(instanceId, machine);
		return {
			on: (identity) => {
				if (this.#image && !machine.hasDisk) machine.copyStateFrom(this.#image);
				return machine.on(identity);
			},
			off: () => machine.off(),
			destroy: async () => {
				await machine.destroy();
				if (this.#machines.delete(instanceId)) this.#options.addresses.give(machine.address);
			},
		};
	}

	/** Hosts of machines that are on, in the order of their creation. */
	hosts(): BurstHost[] {
		return [...this.#machines.values()].flatMap((machine) => {
			const { processes, instanceId } = machine;
			if (!processes) return [];
			const { address, voice, agent, asterisk } = processes;
			return [{ hostId: hostIdOf(instanceId), instanceId, address, voice, agent, asterisk }];
		});
	}

	/** The disk of an instance that is off becomes a copy of another's. */
	cloneDisk(from: string, to: string): void {
		this.#of(to).copyStateFrom(this.#of(from));
	}

	/** Instances launched from now on begin with a copy of this one's disk; undefined: with a new one. */
	useAsImage(instanceId: string | undefined): void {
		this.#image = instanceId === undefined ? undefined : this.#of(instanceId);
	}

	async stop(): Promise<void> {
		await Promise.all([...this.#machines.values()].map((machine) => machine.off()));
	}

	#of(instanceId: string): LocalMachine {
		const machine = this.#machines.get(instanceId);
		if (!machine) throw new StackError(`There is no machine ${instanceId}.`);
		return machine;
	}
}

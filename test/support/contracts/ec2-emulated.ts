import { EC2Client } from "@aws-sdk/client-ec2";
import { type Ec2Options, startEc2 } from "../../../local/ec2/server.ts";
import type { Timers } from "../../../local/ec2/timers.ts";
import type { Ec2Event, Ec2Faults, EmulatedEc2, Machine, MachineIdentity } from "../../../local/ec2/types.ts";
import { ec2Adapter } from "../../../shared/aws/ec2.ts";
import { parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import { jsonLog } from "../../../shared/log.ts";
import { ADDRESSES, type Ec2Bench, SUBNETS, TYPES } from "./ec2.ts";

const BOOT_SEC = 30;
const STOP_MS = 5_000;
/** Longer than a boot, and than a stop. */
const SETTLED_MS = 60_000;
const START = Date.UTC(2026, 10, 20, 9);

/** Time that passes when the test says so. */
export class ManualTimers implements Timers {
	#now = START;
	#waiting: { at: number; run: () => void }[] = [];

	now(): number {
		return this.#now;
	}
	after(ms: number, run: () => void): () => void {
		const entry = { at: this.#now + ms, run };
		this.#waiting.push(entry);
		return () => {
			this.#waiting = this.#waiting.filter((other) => other !== entry);
		};
	}
	get idle(): boolean {
		return this.#waiting.length === 0;
	}
	/** What comes in the meantime happens at its time, with what follows from it. */
	async advance(ms: number): Promise<void> {
		const until = this.#now + ms;
		for (;;) {
			// Machines go on and off by promises.
			await new Promise(setImmediate);
			const next = this.#waiting.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
			if (!next) break;
			this.#waiting = this.#waiting.filter((other) => other !== next);
			this.#now = Math.max(this.#now, next.at);
			next.run();
		}
		this.#now = until;
	}
}

/** What was done with a machine, in order. */
export class RecordingMachine implements Machine {
	readonly did: string[] = [];
	identity: MachineIdentity | undefined;
	/** Fails, or waits, in the named step. */
	steps: Partial<Record<"on" | "off" | "destroy", () => Promise<void>>> = {};
	async on(identity: MachineIdentity): Promise<void> {
		this.identity = identity;
		await this.#do("on");
	}
	off(): Promise<void> {
		return this.#do("off");
	}
	destroy(): Promise<void> {
		return this.#do("destroy");
	}
	async #do(step: "on" | "off" | "destroy"): Promise<void> {
		this.did.push(step);
		await this.steps[step]?.();
	}
}

export interface EmulatedBench extends Ec2Bench {
	setFaults(faults: Partial<Ec2Faults>): void;
	emulated: EmulatedEc2;
	client: EC2Client;
	/** The emulator's time: it stands still unless the test moves it. */
	time: ManualTimers;
	machines: Map<string, RecordingMachine>;
	events: Ec2Event[];
	/** Lines of the log. */
	log: { level: string; event: string; [field: string]: unknown }[];
}

/** A client of the emulator's; `maxAttempts` 1: a test sees each refusal. */
export const clientOf = (endpoint: string): EC2Client =>
	new EC2Client({
		endpoint,
		region: "eu-central-1",
		credentials: { accessKeyId: "local", secretAccessKey: "local" },
		maxAttempts: 1,
	});

/** The adapter and the emulated EC2, over HTTP. */
export const openEmulated = async (options: Partial<Ec2Options> = {}): Promise<EmulatedBench> => {
	const time = new ManualTimers();
	const machines = new Map<string, RecordingMachine>();
	const events: Ec2Event[] = [];
	const log: EmulatedBench["log"] = [];
	const emulated = await startEc2({
		region: "eu-central-1",
		account: "123456789012",
		machines: {
			create: (instanceId) => {
				const machine = new RecordingMachine();
				machines.set(instanceId, machine);
				return machine;
			},
		},
		bootSec: BOOT_SEC,
		stopMs: STOP_MS,
		template: { id: "lt-0burst", imageId: "ami-0burst", userData: "api=https://api.example" },
		subnets: SUBNETS.map((id, at) => ({ id, zone: `eu-central-1${"ab"[at]}` })),
		types: [...TYPES],
		addresses: ADDRESSES,
		onEvent: (event) => events.push(event),
		log: jsonLog((line) => log.push(JSON.parse(line))),
		timers: time,
		...options,
	});
	const client = clientOf(emulated.endpoint);
	const settings = parseBurstSettings({
		BURST_STACK: "burst-dialer-test",
		BURST_LAUNCH_TEMPLATE: "lt-0burst",
		BURST_SUBNETS: SUBNETS.join(),
		BURST_ADDRESS_POOL: ADDRESSES.map(({ allocationId }) => allocationId).join(),
	});
	return {
		ec2: ec2Adapter(client, settings),
		stack: settings.stack,
		emulated,
		client,
		time,
		machines,
		events,
		log,
		setFaults: (faults) => emulated.setFaults(faults),
		throttleNext: () => emulated.setFaults({ throttle: 1 }),
		forbid: (action) => emulated.setFaults({ refuse: action === undefined ? [] : [action] }),
		lose: (instanceId, forgotten) => emulated.lose(instanceId, { forgotten }),
		addStranger: (tags) => emulated.addStranger(tags),
		settle: () => time.advance(SETTLED_MS),
		close: async () => {
			client.destroy();
			await emulated.stop();
		},
	};
};

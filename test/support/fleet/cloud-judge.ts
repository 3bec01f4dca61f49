import type { BurstSettings } from "../../../shared/config/burst-settings.ts";
import { type Ec2, type Ec2Instance, hostIdOf } from "../../../shared/fleet/ec2.ts";
import type { HostItem } from "../../../shared/store/items.ts";
import type { MemoryDynamo } from "../memory-dynamo.ts";
import { MemoryEc2 } from "../memory-ec2.ts";
import type { Scheduler } from "../virtual/scheduler.ts";
import { TENANT } from "../virtual/world.ts";
import { type CloudCall, describeCall } from "./cloud-port.ts";
import { type FleetBooks, FleetViolation, type FleetViolationKind } from "./fleet-checks.ts";
import type { Machines } from "./machines.ts";

export interface CloudJudgeParts {
	cloud: MemoryEc2;
	machines: Machines;
	books: FleetBooks;
	burst: BurstSettings;
	dynamo: MemoryDynamo;
	scheduler: Scheduler;
}

/** Judges what is asked of EC2, by what is true on the machines, not by what the tables say. */
export class CloudJudge {
	/** The first that was found: what throws it may be caught by the very code under test. */
	violation: FleetViolation | undefined;
	/** Hosts that were stopped with calls after their deadline. */
	cutAtDeadline = 0;
	/** Instances that EC2's lists leave out though they run, and those that nobody here launched. */
	readonly hidden = new Set<string>();
	readonly strangers = new Set<string>();
	readonly #parts: CloudJudgeParts;

	constructor(parts: CloudJudgeParts) {
		this.#parts = parts;
	}

	#condemn(kind: FleetViolationKind, message: string): void {
		this.violation ??= new FleetViolation(kind, message);
	}

	/** Whether a launch was carried out before: it starts nothing more. */
	isRepeat(clientToken: string): boolean {
		return this.#parts.cloud.all().some(({ launchId }) => launchId === clientToken);
	}

	/** A call reaches EC2. */
	onCall(call: CloudCall): void {
		switch (call.name) {
			case "launch":
			case "start":
				this.#checkStart(call);
				return;
			case "stop":
			case "terminate":
				for (const instanceId of call.instanceIds) this.#checkStop(call, instanceId);
		}
	}

	/** Never more than the limit, and nothing that was not intended. */
	#checkStart(call: CloudCall & { name: "launch" | "start" }): void {
		const { books, burst, cloud } = this.#parts;
		const running = new Set(cloud.running().map(({ instanceId }) => instanceId));
		const ours = [...running].filter((id) => !this.strangers.has(id) && !this.hidden.has(id)).length;
		let more: number;
		if (call.name === "launch") {
			more = this.isRepeat(call.clientToken) ? 0 : call.count;
			const intent = books.intents.get(call.clientToken);
			if (intent?.kind !== "launch" || intent.count < call.count)
				this.#condemn("unintendedStart", `${describeCall(call)}: ${JSON.stringify(intent)}`);
		} else {
			more = call.instanceIds.filter((id) => !running.has(id)).length;
			const named = new Set(
				[...books.intents.values()].flatMap((intent) => (intent.kind === "start" ? intent.hosts : [])),
			);
			const other = call.instanceIds.find((id) => !named.has(hostIdOf(id)));
			if (other) this.#condemn("unintendedStart", `${describeCall(call)}: nobody intended ${other}`);
		}
		if (ours + more > burst.maxHosts)
			this.#condemn("tooManyInstances", `${describeCall(call)} with ${ours} instances of ${burst.maxHosts}`);
	}

	/** Never with a live call, unless the host is lost by the rule or its drain deadline has passed. */
	#checkStop(call: CloudCall, instanceId: string): void {
		const { books, burst, cloud, dynamo, machines, scheduler } = this.#parts;
		const machine = machines.get(instanceId);
		if (!machine?.powered || !cloud.running().some((each) => each.instanceId === instanceId)) return;
		const { host } = machine;
		const item = dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId: host.hostId });
		const isLost = item?.lostE !== undefined && item.epoch === item.lostE + 1;
		const deadline = books.drainUntil.get(host.hostId) ?? Number.POSITIVE_INFINITY;
		const isLate = scheduler.now >= deadline + burst.drainGraceSec * 1_000;
		const live = host.asterisk.channels.size;
		if (live > 0 && !isLost && !isLate)
			this.#condemn("stoppedWithCalls", `${describeCall(call)}: ${live} calls on ${JSON.stringify(item)}`);
		if (live > 0 && !isLost && isLate) this.cutAtDeadline++;
		scheduler.tell(`${host.hostId} power off, ${live} calls`);
		machines.powerOff(machine, isLost || isLate);
	}

	/** Of every launch there are at most as many instances as were intended, however often it was asked for. */
	checkLaunches(): void {
		const launched = new Map<string, number>();
		for (const { launchId } of this.#parts.cloud.all())
			if (launchId !== undefined) launched.set(launchId, (launched.get(launchId) ?? 0) + 1);
		for (const [id, count] of launched) {
			const intent = this.#parts.books.intents.get(id);
			if (intent?.kind !== "launch" || count > intent.count)
				this.#condemn("unintendedStart", `${count} instances of launch ${id}: ${JSON.stringify(intent)}`);
		}
	}
}

/** An EC2 that ignores ClientTokens: to see what they are for. */
export class ForgetfulEc2 extends MemoryEc2 {
	#launches = 0;
	override async launch(request: Parameters<Ec2["launch"]>[0]): Promise<Ec2Instance[]> {
		const given = await super.launch({ ...request, clientToken: `${request.clientToken}~${++this.#launches}` });
		return given.map(asLaunched);
	}
	override async describe(): Promise<Ec2Instance[]> {
		return (await super.describe()).map(asLaunched);
	}
	override all(): Ec2Instance[] {
		return super.all().map(asLaunched);
	}
}
const asLaunched = (instance: Ec2Instance): Ec2Instance => {
	const launchId = instance.launchId?.replace(/~.*/, "");
	return launchId === undefined ? instance : { ...instance, launchId };
};

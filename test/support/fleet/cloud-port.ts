import { type Ec2, Ec2Error, type Ec2Instance } from "../../../shared/fleet/ec2.ts";
import type { Execution } from "../virtual/control-plane.ts";
import type { Scheduler, Waiting } from "../virtual/scheduler.ts";

/** What an execution asks of EC2, as the walk's checks see it just before it is carried out. */
export type CloudCall =
	| { name: "launch"; count: number; clientToken: string; offering: string }
	| { name: "start"; instanceIds: string[] }
	| { name: "stop"; instanceIds: string[] }
	| { name: "terminate"; instanceIds: string[] }
	| { name: "describe" | "addresses" | "associate" };

/** What the scheduler knows of a call to EC2 that waits. */
export interface CloudDetail {
	execution: Execution;
	call: CloudCall;
	phase: "before" | "after";
	/** Fails it; of phase `before` it is not carried out. */
	fail(error: Ec2Error): void;
}

export interface CloudPortOptions {
	/** How long each way of a call takes at most, ms. */
	latency: () => number;
	/** Whether the list is an older one: EC2's lists lag. */
	isStale: () => boolean;
	/** Just before a call is carried out. */
	onCall: (call: CloudCall, execution: Execution) => void;
}

/** Nobody knows whether it was carried out. */
export const noAnswer = (call: string): Ec2Error =>
	new Ec2Error("unknown", "RequestTimeout", `${call}: no answer in time`);
export const throttled = (call: string): Ec2Error =>
	new Ec2Error("throttled", "RequestLimitExceeded", `${call}: Request limit exceeded.`);

/** EC2's lists are at most so old, ms. */
const LIST_LAG_MS = 1_500;

/** EC2 for one execution of the control plane under the virtual clock: the way there and the way back of every call are steps of the scheduler. */
export class CloudPorts {
	readonly #scheduler: Scheduler;
	readonly #cloud: Ec2;
	readonly #options: CloudPortOptions;
	/** Lists lately given, the newest last. */
	readonly #lists: { at: number; list: Ec2Instance[] }[] = [];

	constructor(scheduler: Scheduler, cloud: Ec2, options: CloudPortOptions) {
		this.#scheduler = scheduler;
		this.#cloud = cloud;
		this.#options = options;
	}

	/** Remembers the list as it is, to be given later as an old one. */
	async remember(): Promise<void> {
		const { now } = this.#scheduler;
		const list = await this.#cloud.describe();
		while ((this.#lists[0]?.at ?? now) < now - LIST_LAG_MS) this.#lists.shift();
		this.#lists.push({ at: now, list });
	}

	port(execution: () => Execution): Ec2 {
		const ask = <T>(call: CloudCall, run: () => Promise<T>): Promise<T> => this.#ask(execution(), call, run);
		const cloud = this.#cloud;
		return {
			describe: () =>
				ask({ name: "describe" }, async () => {
					const { now } = this.#scheduler;
					const old = this.#lists.find(({ at }) => at >= now - LIST_LAG_MS);
					return old && this.#options.isStale() ? old.list : cloud.describe();
				}),
			launch: (request) =>
				ask(
					{
						name: "launch",
						count: request.count,
						clientToken: request.clientToken,
						offering: `${request.offering.type}/${request.offering.subnet}`,
					},
					() => cloud.launch(request),
				),
			start: (instanceIds) => ask({ name: "start", instanceIds }, () => cloud.start(instanceIds)),
			stop: (instanceIds) => ask({ name: "stop", instanceIds }, () => cloud.stop(instanceIds)),
			terminate: (instanceIds) => ask({ name: "terminate", instanceIds }, () => cloud.terminate(instanceIds)),
			addresses: () => ask({ name: "addresses" }, () => cloud.addresses()),
			associate: (allocationId, instanceId) =>
				ask({ name: "associate" }, () => cloud.associate(allocationId, instanceId)),
		};
	}

	#step(execution: Execution, call: CloudCall, phase: CloudDetail["phase"]): Promise<void> {
		if (execution.killed) return new Promise(() => {});
		return new Promise((resolve, reject) => {
			const deadline = this.#scheduler.now + this.#options.latency();
			const detail: CloudDetail = {
				execution,
				call,
				phase,
				fail: (error) => {
					this.#scheduler.remove(waiting);
					reject(error);
				},
			};
			const waiting: Waiting = this.#scheduler.add({
				kind: "ec2",
				owner: execution.id,
				label: `${execution.id}: ${phase === "after" ? "answer of " : ""}EC2 ${describeCall(call)}`,
				deadline,
				detail,
				run: resolve,
			});
		});
	}
	async #ask<T>(execution: Execution, call: CloudCall, run: () => Promise<T>): Promise<T> {
		await this.#step(execution, call, "before");
		this.#options.onCall(call, execution);
		const result = await run().then(
			(value) => ({ ok: true as const, value }),
			(error: unknown) => ({ ok: false as const, error }),
		);
		this.#scheduler.tell(
			() => `EC2 ${describeCall(call)}: ${result.ok ? brief(result.value) : String((result.error as Error).message)}`,
		);
		await this.#step(execution, call, "after");
		if (!result.ok) throw result.error;
		return result.value;
	}
}

const brief = (value: unknown): string =>
	Array.isArray(value)
		? value
				.map((each: Ec2Instance) => `${each.instanceId} ${each.state}${each.launchId ? ` of ${each.launchId}` : ""}`)
				.join(", ")
		: "";
export const describeCall = (call: CloudCall): string => {
	if ("instanceIds" in call) return `${call.name} ${call.instanceIds.join(" ")}`;
	return call.name === "launch" ? `launch ${call.count} ${call.offering} ${call.clientToken}` : call.name;
};

import type { Log } from "../../shared/log.ts";
import { type Address, AddressPool } from "./addresses.ts";
import { Catalog, type LaunchRequest } from "./catalog.ts";
import { Capacity, noFaults } from "./faults.ts";
import { newId } from "./ids.ts";
import { Instance, type InstanceFacts, type Surroundings, type View } from "./instance.ts";
import { Refusal } from "./refusal.ts";
import { Teller } from "./teller.ts";
import { realTimers, type Timers } from "./timers.ts";
import type { Ec2Event, Ec2Faults, InstanceHistory, MachineIdentity, Machines } from "./types.ts";

/** EC2 shows a terminated instance for about an hour. */
const TERMINATED_SHOWN_MS = 3_600_000;
/** A boot's third, at most: then EC2 says `running`, and the operating system is still at it. */
const RUNNING_AFTER_MS = 3_000;
/** EC2 takes longer; what runs on the machine is killed at once. */
const STOP_MS = 1_000;

export interface CloudOptions {
	region: string;
	/** Twelve digits. */
	account: string;
	/** What runs on the instances. */
	machines: Machines;
	/** From the request to {@link Machines power on}. */
	bootSec: number;
	/** From the request to `stopped` or `terminated`, at least; a second without it. */
	stopMs?: number;
	/** The one launch template there is. */
	template: { id: string; imageId: string; userData: string; tags?: Record<string, string> };
	subnets: { id: string; zone: string }[];
	/** Instance types there are. */
	types: string[];
	/** Elastic IPs of the account. */
	addresses?: { allocationId: string; publicAddress: string }[];
	/** How long terminated instances are shown, ms; an hour without it. */
	terminatedShownMs?: number;
	/** Told of every change, in order. */
	onEvent(event: Ec2Event): void;
	log: Log;
	now?: () => number;
	/** Instead of `now` and the process's own timers. */
	timers?: Timers;
}

const isUp = (instance: Instance): boolean => instance.state === "pending" || instance.state === "running";
const isOver = (instance: Instance): boolean => instance.state === "shutting-down" || instance.state === "terminated";

/** The account's EC2 in one region: what it has, and what it does when asked. It knows nothing of HTTP. */
export class Cloud {
	readonly faults: Ec2Faults = noFaults();
	readonly #options: CloudOptions;
	readonly #instances = new Map<string, Instance>();
	readonly #launches = new Map<string, { fingerprint: string; instances: Instance[] }>();
	readonly #addresses: AddressPool;
	readonly #catalog: Catalog;
	readonly #around: Surroundings;
	readonly #teller: Teller;
	#boots = 0;

	constructor(options: CloudOptions) {
		this.#options = options;
		this.#catalog = new Catalog(options, new Capacity(this.faults));
		this.#addresses = new AddressPool(options.addresses ?? []);
		const bootMs = options.bootSec * 1_000;
		const timers = options.timers ?? realTimers(options.now);
		this.#teller = new Teller(options, this.faults, timers);
		this.#around = {
			timers,
			bootMs,
			runningMs: Math.min(Math.round(bootMs / 3), RUNNING_AFTER_MS),
			stopMs: options.stopMs ?? STOP_MS,
			identity: (facts, pendingAt) => this.#identity(facts, pendingAt),
			boots: () => !this.faults.neverBoot.includes(++this.#boots),
			tell: (event) => this.#teller.tell(event),
			log: options.log,
		};
	}

	get region(): string {
		return this.#options.region;
	}
	get account(): string {
		return this.#options.account;
	}

	setFaults(faults: Partial<Ec2Faults>): void {
		// What is counted down is a copy: the caller's object is left as it is.
		Object.assign(this.faults, structuredClone(faults));
		// The next to boot is number 1 again.
		if (faults.neverBoot) this.#boots = 0;
	}

	/** @returns the token's instances, where it has been used before */
	run(request: LaunchRequest): Instance[] {
		const before = request.clientToken === undefined ? undefined : this.#launches.get(request.clientToken);
		if (before) return this.#repeated(before, request);
		this.#catalog.check(request);
		const left = this.#catalog.capacity.left(request.type, request.subnet);
		if (left < request.min) {
			const zone = this.#catalog.zone(request.subnet);
			throw new Refusal(
				"InsufficientInstanceCapacity",
				`We currently do not have sufficient ${request.type} capacity in the Availability Zone you requested (${zone}).`,
				500,
			);
		}
		const quota = this.#quotaLeft();
		if (quota < request.min) throw this.#overQuota();
		const count = Math.min(request.max, left, quota);
		this.#catalog.capacity.take(request.type, request.subnet, count);
		const reservationId = newId("r");
		const instances = Array.from({ length: count }, () =>
			this.#add({
				instanceId: newId("i"),
				number: this.#instances.size,
				reservationId,
				type: request.type,
				subnet: request.subnet,
				zone: this.#catalog.zone(request.subnet),
				imageId: this.#options.template.imageId,
				market: request.market,
				...(request.clientToken === undefined ? {} : { clientToken: request.clientToken }),
				tags: { ...this.#options.template.tags, ...request.tags },
				metadata: request.metadata,
				shutdownBehavior: request.shutdownBehavior,
			}),
		);
		if (request.clientToken !== undefined) {
			this.#launches.set(request.clientToken, { fingerprint: request.fingerprint, instances });
		}
		return instances;
	}

	/** All or none. */
	start(ids: string[]): { instance: Instance; before: string }[] {
		const instances = this.#named(ids);
		const wrong = instances.find((instance) => instance.state !== "stopped" && !isUp(instance));
		if (wrong) {
			throw new Refusal(
				"IncorrectInstanceState",
				`The instance '${wrong.facts.instanceId}' is not in a state from which it can be started.`,
			);
		}
		const starting = instances.filter((instance) => instance.state === "stopped");
		const groups = Map.groupBy(starting, ({ facts }) => `${facts.type}/${facts.subnet}`);
		for (const [offering, group] of groups) {
			const [type = "", subnet = ""] = offering.split("/");
			if (this.#catalog.capacity.left(type, subnet) >= group.length) continue;
			throw new Refusal("InsufficientInstanceCapacity", "Insufficient capacity.", 500);
		}
		if (this.#quotaLeft() < starting.length) throw this.#overQuota();
		for (const { facts } of starting) this.#catalog.capacity.take(facts.type, facts.subnet, 1);
		return this.#command(instances, (instance) => {
			if (instance.state === "stopped") instance.start();
		});
	}

	/** All or none. */
	stop(ids: string[]): { instance: Instance; before: string }[] {
		const instances = this.#named(ids);
		for (const instance of instances) {
			const { instanceId, market } = instance.facts;
			if (isOver(instance)) {
				const says = `This instance '${instanceId}' is not in a state from which it can be stopped.`;
				throw new Refusal("IncorrectInstanceState", says);
			}
			if (market === "spot") {
				const because = "it is associated with a one-time Spot Instance request";
				throw new Refusal(
					"UnsupportedOperation",
					`You can't stop the Spot Instance '${instanceId}' because ${because}.`,
				);
			}
			if (!instance.hasRun) {
				const says = `Instance '${instanceId}' cannot be stopped as it has never reached the 'running' state.`;
				throw new Refusal("IncorrectInstanceState", says);
			}
		}
		return this.#command(instances, (instance) => {
			if (isUp(instance)) void instance.stop();
		});
	}

	/** All or none. */
	terminate(ids: string[]): { instance: Instance; before: string }[] {
		return this.#command(this.#named(ids), (instance) => this.#terminate(instance));
	}

	/** In the order of their launch, as they are seen now. */
	describe(): { instance: Instance; view: View }[] {
		const now = this.#around.timers.now();
		const shownMs = this.#options.terminatedShownMs ?? TERMINATED_SHOWN_MS;
		return [...this.#instances.values()].flatMap((instance) => {
			const view = instance.forgotten ? undefined : instance.viewAt(now - this.faults.lateMs);
			const expired = view?.state === "terminated" && now - view.at > shownMs;
			return view && !expired ? [{ instance, view }] : [];
		});
	}

	addresses(ids: string[]): Address[] {
		return this.#addresses.list(ids);
	}

	associate(allocationId: string, instanceId: string, mayMove: boolean): string {
		const [instance] = this.#named([instanceId]) as [Instance];
		if (instance.state === "pending") {
			const says = `The pending instance '${instanceId}' is not in a valid state for this operation.`;
			throw new Refusal("InvalidInstanceID", says);
		}
		if (isOver(instance)) {
			const says = `The instance '${instanceId}' is not in a valid state for this operation.`;
			throw new Refusal("IncorrectInstanceState", says);
		}
		const address = this.#addresses.associate(allocationId, instanceId, mayMove);
		if (instance.identity) instance.identity.publicAddress = address.publicAddress;
		return address.associationId ?? "";
	}

	/** Something that happens to an instance from outside. @throws where there is none of that id */
	async lose(instanceId: string, forgotten: boolean): Promise<void> {
		const instance = this.#instance(instanceId);
		this.#addresses.release(instance.facts.instanceId);
		await instance.lose(forgotten);
	}

	interrupt(instanceId: string, noticeMs: number): void {
		const instance = this.#spot(instanceId);
		this.#teller.notice(instanceId, "EC2 Spot Instance Interruption Warning", { "instance-action": "terminate" });
		instance.later(noticeMs, () => this.#terminate(instance));
	}

	recommendRebalance(instanceId: string): void {
		this.#spot(instanceId);
		this.#teller.notice(instanceId, "EC2 Instance Rebalance Recommendation", {});
	}

	addStranger(tags: Record<string, string>): string {
		const [type = ""] = this.#options.types;
		const [subnet = { id: "", zone: "" }] = this.#options.subnets;
		const instance = this.#add(
			{
				instanceId: newId("i"),
				number: this.#instances.size,
				reservationId: newId("r"),
				type,
				subnet: subnet.id,
				zone: subnet.zone,
				imageId: newId("ami"),
				market: "on-demand",
				tags,
				metadata: { httpTokens: "optional", hopLimit: 1, httpEndpoint: "enabled" },
				shutdownBehavior: "stop",
			},
			true,
		);
		return instance.facts.instanceId;
	}

	history(): InstanceHistory[] {
		return [...this.#instances.values()].map((instance) => instance.history());
	}

	/** Everything off, nothing told any more. */
	async cut(): Promise<void> {
		this.#teller.hush();
		await Promise.all([...this.#instances.values()].map((instance) => instance.cut()));
	}

	#add(facts: InstanceFacts, stranger = false): Instance {
		const machine = stranger ? undefined : this.#options.machines.create(facts.instanceId);
		const instance = new Instance(facts, machine, this.#around);
		this.#instances.set(facts.instanceId, instance);
		instance.start();
		return instance;
	}

	#repeated(before: { fingerprint: string; instances: Instance[] }, request: LaunchRequest): Instance[] {
		if (before.fingerprint !== request.fingerprint) {
			const says = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).";
			throw new Refusal("IdempotentParameterMismatch", says);
		}
		if (before.instances.every(isOver)) {
			const says = "The client token was used for a launch whose instances have been terminated.";
			throw new Refusal("IdempotentInstanceTerminated", says);
		}
		return before.instances;
	}

	#quotaLeft(): number {
		return this.faults.quota - [...this.#instances.values()].filter((each) => isUp(each) && !each.forgotten).length;
	}

	#overQuota(): Refusal {
		const says = `You have requested more vCPU capacity than your current vCPU limit of ${this.faults.quota * 2} allows`;
		return new Refusal(
			"VcpuLimitExceeded",
			`${says} for the instance bucket that the specified instance type belongs to.`,
		);
	}

	/** @throws Refusal that names those that are not there */
	#named(ids: string[]): Instance[] {
		if (ids.length === 0) throw new Refusal("MissingParameter", "The request must contain the parameter InstanceId");
		const malformed = ids.find((id) => !/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id));
		if (malformed !== undefined) throw new Refusal("InvalidInstanceID.Malformed", `Invalid id: "${malformed}"`);
		const now = this.#around.timers.now();
		const shownMs = this.#options.terminatedShownMs ?? TERMINATED_SHOWN_MS;
		const known = (id: string): boolean => {
			const instance = this.#instances.get(id);
			if (!instance || instance.forgotten) return false;
			return instance.terminatedAt === undefined || now - instance.terminatedAt <= shownMs;
		};
		const unknown = ids.filter((id) => !known(id));
		if (unknown.length > 0) {
			const [noun, verb] = unknown.length === 1 ? ["ID", "does"] : ["IDs", "do"];
			throw new Refusal("InvalidInstanceID.NotFound", `The instance ${noun} '${unknown.join(", ")}' ${verb} not exist`);
		}
		return ids.map((id) => this.#instance(id));
	}

	#command(instances: Instance[], run: (instance: Instance) => void): { instance: Instance; before: string }[] {
		return instances.map((instance) => {
			const before = instance.state;
			run(instance);
			return { instance, before };
		});
	}

	#terminate(instance: Instance): void {
		if (isOver(instance)) return;
		this.#addresses.release(instance.facts.instanceId);
		void instance.terminate();
	}

	#instance(instanceId: string): Instance {
		const instance = this.#instances.get(instanceId);
		if (!instance) throw new Error(`The emulated EC2 has no instance ${instanceId}.`);
		return instance;
	}

	#spot(instanceId: string): Instance {
		const instance = this.#instance(instanceId);
		if (instance.facts.market === "spot" && !isOver(instance)) return instance;
		throw new Error(`${instanceId} is no spot instance that could be interrupted: ${instance.state}.`);
	}

	#identity(facts: InstanceFacts, pendingAt: number): MachineIdentity {
		const address = this.#addresses.of(facts.instanceId);
		return {
			instanceId: facts.instanceId,
			imageId: facts.imageId,
			instanceType: facts.type,
			account: this.#options.account,
			region: this.#options.region,
			zone: facts.zone,
			pendingAt,
			userData: this.#options.template.userData,
			...(address ? { publicAddress: address.publicAddress } : {}),
		};
	}
}

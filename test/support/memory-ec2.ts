import {
	type Ec2,
	type Ec2Address,
	Ec2Error,
	type Ec2ErrorKind,
	type Ec2Instance,
	type Ec2State,
} from "../../shared/fleet/ec2.ts";
import { type Offering, offeringKey } from "../../shared/fleet/offerings.ts";

/**
 * EC2 in memory, for tests that own the clock: instances live as EC2's do (pending, running, stopping…), pools run dry, ClientTokens are kept,
 * lists lag, calls are throttled, answers are lost, instances die or are forgotten. It acts only when it is asked or told ({@link MemoryEc2.settle}).
 */

export type Ec2Call = "describe" | "launch" | "start" | "stop" | "terminate" | "addresses" | "associate";

export interface MemoryEc2Options {
	/** ms since 1970. */
	now: () => number;
	/** From the start to running, from stop to stopped, from terminate to terminated; seconds. */
	pendingSec?: number;
	stoppingSec?: number;
	terminatingSec?: number;
	/** EC2 shows a terminated instance for so long. */
	forgetSec?: number;
	/** Lists show the state of so long ago. */
	lagSec?: number;
	account?: string;
	imageId?: string;
	/** Elastic IPs of the pool, by allocation id. */
	addresses?: Record<string, string>;
	/** An instance came to be running, or ceased to be; `at` is when. */
	onRunning?: (instance: Ec2Instance, at: number) => void;
	onOff?: (instance: Ec2Instance, at: number) => void;
	/** An instance entered a state: what EventBridge would be told. */
	onState?: (instance: Ec2Instance, at: number) => void;
	/** Before each call: a test holds it up here, or lets the caller die. */
	before?: (call: Ec2Call, argument: unknown) => Promise<void> | void;
	/** After it was carried out, before the answer. */
	after?: (call: Ec2Call, argument: unknown) => Promise<void> | void;
}

type Hook = "onRunning" | "onOff" | "onState" | "before" | "after";

/** Billed for at least so long after each start. */
const MIN_BILLED_SEC = 60;

interface Machine {
	instance: Ec2Instance;
	offering: string;
	/** Its states with the moments from which they held, oldest first; the last may lie ahead. */
	history: { at: number; state: Ec2State }[];
	/** How many of them have been told to the hooks. */
	told: number;
	/** Not in any list, and no id that EC2 knows. */
	forgotten: boolean;
	/** Moments at which it began and ceased to be billed. */
	bills: { from: number; to?: number }[];
}

interface Refusal {
	call: Ec2Call | undefined;
	kind: Ec2ErrorKind;
	code: string;
	left: number;
	/** The call is carried out all the same; only its answer is lost. */
	carriedOut: boolean;
}

const CODES: Record<Ec2ErrorKind, string> = {
	throttled: "RequestLimitExceeded",
	noCapacity: "InsufficientInstanceCapacity",
	quota: "VcpuLimitExceeded",
	configuration: "UnauthorizedOperation",
	notFound: "InvalidInstanceID.NotFound",
	unknown: "InternalError",
};
const RUNS: readonly Ec2State[] = ["pending", "running"];

export class MemoryEc2 implements Ec2 {
	readonly #options: Required<Omit<MemoryEc2Options, Hook>> & Pick<MemoryEc2Options, Hook>;
	readonly #machines = new Map<string, Machine>();
	/** Those with states that are not told yet: few of many. */
	readonly #moving = new Set<Machine>();
	/** By ClientToken: what was asked for, and what it gave. */
	readonly #launches = new Map<string, { asked: string; ids: string[] }>();
	readonly #pools = new Map<string, number>();
	readonly #refusals: Refusal[] = [];
	readonly #associated = new Map<string, string>();
	#count = 0;
	/** All calls that reached it, in order. */
	readonly calls: { call: Ec2Call; argument: unknown; at: number }[] = [];

	constructor(options: MemoryEc2Options) {
		this.#options = {
			pendingSec: 2,
			stoppingSec: 5,
			terminatingSec: 5,
			forgetSec: 3_600,
			lagSec: 0,
			account: "123456789012",
			imageId: "ami-0123456789abcdef0",
			addresses: {},
			...options,
		};
	}

	// ---- what a test does to it ----

	/** At most so many instances of an offering run at once; without a limit: any number. */
	capacity(offering: Omit<Offering, "usdPerHour">, instances: number): void {
		this.#pools.set(offeringKey(offering), instances);
	}
	/** The next calls are refused; of one sort, or of all that change something. */
	refuse(kind: Ec2ErrorKind, over: { call?: Ec2Call; times?: number; code?: string; carriedOut?: boolean } = {}): void {
		const { call, times = 1, code = CODES[kind], carriedOut = false } = over;
		this.#refusals.push({ call, kind, code, left: times, carriedOut });
	}
	set lagSec(value: number) {
		this.#options.lagSec = value;
	}
	/** EC2 knows it no more; whatever ran on it is gone. */
	lose(instanceId: string): void {
		this.die(instanceId, "terminated");
		this.#machine(instanceId).forgotten = true;
	}
	/** EC2 ends it by itself: at once stopped or terminated. */
	die(instanceId: string, state: "stopped" | "terminated" = "terminated"): void {
		this.settle();
		this.#enter(this.#machine(instanceId), [[0, state]]);
		this.settle();
	}
	/** Lists leave it out, while it runs on. */
	hide(instanceId: string, hidden = true): void {
		this.#machine(instanceId).forgotten = hidden;
	}
	/** Somebody starts a stopped instance by hand. */
	startByHand(instanceId: string): void {
		this.settle();
		this.#begin(this.#machine(instanceId));
	}
	/** An instance with our tag that nobody here launched. */
	addStranger(over: Partial<Ec2Instance> = {}): Ec2Instance {
		const offering = { type: "c7g.large", subnet: "subnet-a", market: "on-demand", usdPerHour: 1 } as const;
		const machine = this.#make(offering, over.launchId);
		Object.assign(machine.instance, over);
		return this.#shown(machine);
	}

	// ---- what a test asks ----

	/** Carries out all that is due by now, in order of time, and tells the hooks. */
	settle(): void {
		const now = this.#options.now();
		for (;;) {
			let next: { machine: Machine; at: number } | undefined;
			for (const machine of this.#moving) {
				const entry = machine.history[machine.told];
				if (entry && entry.at <= now && (!next || entry.at < next.at)) next = { machine, at: entry.at };
			}
			if (!next) return;
			this.#tell(next.machine);
		}
	}
	/** When something happens next by itself. */
	nextChangeAt(): number | undefined {
		const ahead = [...this.#moving].flatMap(({ history, told }) => history[told]?.at ?? []);
		return ahead.length > 0 ? Math.min(...ahead) : undefined;
	}
	/** Every instance that ever was, as it is now. */
	all(): Ec2Instance[] {
		this.settle();
		return [...this.#machines.values()].map((machine) => this.#shown(machine));
	}
	/** Those that run, or are about to. */
	running(): Ec2Instance[] {
		return this.all().filter(({ state }) => RUNS.includes(state));
	}
	get(instanceId: string): Ec2Instance {
		this.settle();
		return this.#shown(this.#machine(instanceId));
	}
	/** Seconds that were billed until now, the minimum of each start included. */
	billedSec(): number {
		this.settle();
		const now = this.#options.now();
		return [...this.#machines.values()]
			.flatMap(({ bills }) => bills)
			.reduce((sum, { from, to = now }) => sum + Math.max(MIN_BILLED_SEC, (to - from) / 1_000), 0);
	}
	/** Starts until now, launches included. */
	starts(): number {
		return [...this.#machines.values()].reduce((n, { history }) => n + history.filter(isStart).length, 0);
	}

	// ---- Ec2 ----

	describe(): Promise<Ec2Instance[]> {
		return this.#answer("describe", undefined, () => {
			const { now, lagSec, forgetSec } = this.#options;
			const at = now() - lagSec * 1_000;
			return [...this.#machines.values()].flatMap((machine) => {
				const entry = stateAt(machine, at);
				const old = entry?.state === "terminated" && now() - entry.at > forgetSec * 1_000;
				if (!entry || old || machine.forgotten) return [];
				return [{ ...machine.instance, state: entry.state }];
			});
		});
	}

	launch(request: { clientToken: string; offering: Offering; count: number }): Promise<Ec2Instance[]> {
		return this.#answer("launch", request, () => {
			const { clientToken, offering, count } = request;
			const asked = `${offeringKey(offering)} ${count}`;
			const before = this.#launches.get(clientToken);
			if (before) {
				if (before.asked !== asked) throw refusal("configuration", "IdempotentParameterMismatch");
				const given = before.ids.map((id) => this.#shown(this.#machine(id)));
				if (given.every(({ state }) => state === "terminated" || state === "shutting-down"))
					throw refusal("notFound", "IdempotentInstanceTerminated", clientToken);
				return given;
			}
			const given = Math.min(count, this.#room(offeringKey(offering)));
			if (given < 1) throw refusal("noCapacity", CODES.noCapacity);
			const made = Array.from({ length: given }, () => this.#make(offering, clientToken));
			this.#launches.set(clientToken, { asked, ids: made.map(({ instance }) => instance.instanceId) });
			return made.map((machine) => this.#shown(machine));
		});
	}

	start(instanceIds: string[]): Promise<void> {
		return this.#answer("start", instanceIds, () => {
			const machines = instanceIds.map((id) => this.#known(id));
			const gone = machines.find((machine) => ["terminated", "shutting-down"].includes(this.#state(machine)));
			if (gone) throw refusal("notFound", "IncorrectInstanceState", gone.instance.instanceId);
			const stopping = machines.find((machine) => this.#state(machine) === "stopping");
			if (stopping) throw refusal("unknown", "IncorrectInstanceState", stopping.instance.instanceId);
			const stopped = machines.filter((machine) => this.#state(machine) === "stopped");
			const byPool = new Map<string, number>();
			for (const { offering } of stopped) byPool.set(offering, (byPool.get(offering) ?? 0) + 1);
			for (const [offering, wanted] of byPool)
				if (this.#room(offering) < wanted) throw refusal("noCapacity", CODES.noCapacity);
			for (const machine of stopped) this.#begin(machine);
		});
	}

	stop(instanceIds: string[]): Promise<void> {
		return this.#answer("stop", instanceIds, () => {
			let young: Machine | undefined;
			for (const machine of this.#there(instanceIds)) {
				if (machine.instance.market === "spot") throw refusal("configuration", "UnsupportedOperation");
				if (!RUNS.includes(this.#state(machine))) continue;
				// EC2 does not stop what never ran.
				if (machine.bills.length === 0) {
					young ??= machine;
					continue;
				}
				this.#enter(machine, [
					[0, "stopping"],
					[this.#options.stoppingSec, "stopped"],
				]);
			}
			if (young) throw refusal("unknown", "IncorrectInstanceState", young.instance.instanceId);
		});
	}

	terminate(instanceIds: string[]): Promise<void> {
		return this.#answer("terminate", instanceIds, () => {
			for (const machine of this.#there(instanceIds)) {
				if (["shutting-down", "terminated"].includes(this.#state(machine))) continue;
				this.#enter(machine, [
					[0, "shutting-down"],
					[this.#options.terminatingSec, "terminated"],
				]);
			}
		});
	}

	addresses(): Promise<Ec2Address[]> {
		return this.#answer("addresses", undefined, () =>
			Object.entries(this.#options.addresses).map(([allocationId, publicAddress]) => {
				const instanceId = this.#associated.get(allocationId);
				return { allocationId, publicAddress, ...(instanceId ? { instanceId } : {}) };
			}),
		);
	}

	associate(allocationId: string, instanceId: string): Promise<void> {
		return this.#answer("associate", { allocationId, instanceId }, () => {
			if (!(allocationId in this.#options.addresses)) throw refusal("configuration", "InvalidAllocationID.NotFound");
			if (this.#state(this.#known(instanceId)) !== "running") throw refusal("unknown", "InvalidInstanceID", instanceId);
			const holder = this.#associated.get(allocationId);
			if (holder !== undefined && holder !== instanceId) throw refusal("noCapacity", "Resource.AlreadyAssociated");
			this.#associated.set(allocationId, instanceId);
		});
	}

	// ---- inside ----

	async #answer<T>(call: Ec2Call, argument: unknown, act: () => T): Promise<T> {
		await this.#options.before?.(call, argument);
		this.calls.push({ call, argument, at: this.#options.now() });
		this.settle();
		const changes = !["describe", "addresses"].includes(call);
		const refused = this.#refusals.find(
			(each) => each.left > 0 && (each.call === call || (each.call === undefined && changes)),
		);
		if (refused) {
			refused.left--;
			if (refused.carriedOut) act();
			throw refusal(refused.kind, refused.code);
		}
		const value = act();
		this.settle();
		await this.#options.after?.(call, argument);
		return value;
	}

	#machine(instanceId: string): Machine {
		const machine = this.#machines.get(instanceId);
		if (!machine) throw new Error(`MemoryEc2 has no instance ${instanceId}`);
		return machine;
	}
	/** As EC2 knows it. */
	#known(instanceId: string): Machine {
		const machine = this.#machines.get(instanceId);
		if (!machine || machine.forgotten) throw refusal("notFound", CODES.notFound, instanceId);
		return machine;
	}
	#there(instanceIds: string[]): Machine[] {
		return instanceIds.flatMap((id) => {
			const machine = this.#machines.get(id);
			return machine && !machine.forgotten ? [machine] : [];
		});
	}
	#state(machine: Machine): Ec2State {
		return stateAt(machine, this.#options.now())?.state ?? "pending";
	}
	#shown(machine: Machine): Ec2Instance {
		return { ...machine.instance, state: this.#state(machine) };
	}
	#room(offering: string): number {
		const most = this.#pools.get(offering);
		if (most === undefined) return Number.POSITIVE_INFINITY;
		const used = [...this.#machines.values()].filter(
			(machine) => machine.offering === offering && RUNS.includes(this.#state(machine)),
		).length;
		return most - used;
	}
	#make(offering: Offering, launchId: string | undefined): Machine {
		const instanceId = `i-${(++this.#count).toString(16).padStart(17, "0")}`;
		const { type, subnet, market } = offering;
		const { account, imageId } = this.#options;
		const tag = launchId === undefined ? {} : { launchId };
		const machine: Machine = {
			instance: { instanceId, state: "pending", type, subnet, market, account, imageId, launchedAt: 0, ...tag },
			offering: offeringKey(offering),
			history: [],
			told: 0,
			forgotten: false,
			bills: [],
		};
		this.#machines.set(instanceId, machine);
		this.#begin(machine);
		return machine;
	}
	#begin(machine: Machine): void {
		machine.instance.launchedAt = this.#options.now();
		this.#enter(machine, [
			[0, "pending"],
			[this.#options.pendingSec, "running"],
		]);
	}
	/** States from now on, each so many seconds after now; what lay ahead does not come. */
	#enter(machine: Machine, states: [number, Ec2State][]): void {
		const now = this.#options.now();
		machine.history.length = machine.told;
		for (const [sec, state] of states) machine.history.push({ at: now + sec * 1_000, state });
		this.#moving.add(machine);
	}
	#tell(machine: Machine): void {
		const { at, state } = machine.history[machine.told] as { at: number; state: Ec2State };
		machine.told++;
		if (machine.told === machine.history.length) this.#moving.delete(machine);
		const open = machine.bills.at(-1);
		if (state === "running") {
			machine.bills.push({ from: at });
			this.#options.onRunning?.(this.#shown(machine), at);
		} else if (state !== "pending" && open && open.to === undefined) {
			open.to = at;
			this.#options.onOff?.(this.#shown(machine), at);
		}
		this.#options.onState?.({ ...machine.instance, state }, at);
		// EC2 takes an address back from what is terminated.
		if (state === "terminated")
			for (const [allocationId, instanceId] of this.#associated)
				if (instanceId === machine.instance.instanceId) this.#associated.delete(allocationId);
	}
}

const isStart = ({ state }: { state: Ec2State }): boolean => state === "pending";
const stateAt = ({ history }: Machine, at: number): { at: number; state: Ec2State } | undefined =>
	history.findLast((entry) => entry.at <= at);
const refusal = (kind: Ec2ErrorKind, code: string, what = "the request"): Ec2Error =>
	new Ec2Error(kind, code, `${code}: ${what}`);

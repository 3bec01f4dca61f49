import { describe, expect, test } from "@jest/globals";
import type { FleetDeps } from "../../../shared/fleet/deps.ts";
import type { Ec2 } from "../../../shared/fleet/ec2.ts";
import { lookAtFleet } from "../../../shared/fleet/look.ts";
import { atWork, type Bench, drainAll, makeBench, SUBNETS, TENANT, TYPES } from "./fleet-bench.ts";

/** Looks at once, their statements and calls of EC2 in any order; and looks that die before, or after, any of them. */

class Died extends Error {}

/** An EC2 whose calls wait, or die, as the tables' statements do. */
const through = (ec2: Ec2, before: () => Promise<void> | void, after: () => Promise<void> | void): Ec2 => {
	const wrap =
		<A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
		async (...args: A): Promise<T> => {
			await before();
			const value = await call(...args);
			await after();
			return value;
		};
	return {
		describe: wrap(() => ec2.describe()),
		launch: wrap((request) => ec2.launch(request)),
		start: wrap((ids) => ec2.start(ids)),
		stop: wrap((ids) => ec2.stop(ids)),
		terminate: wrap((ids) => ec2.terminate(ids)),
		addresses: wrap(() => ec2.addresses()),
		associate: wrap((allocationId, instanceId) => ec2.associate(allocationId, instanceId)),
	};
};

const nothing = (): void => {};
const hang = (): Promise<never> => new Promise(() => {});

/** A look that goes one step at a time: a step is a statement or a call of EC2. */
class SteppedLook {
	readonly #gates: (() => void)[] = [];
	done = false;
	error: unknown;
	constructor(bench: Bench) {
		const gate = (): Promise<void> => new Promise((resolve) => void this.#gates.push(resolve));
		const deps = bench.depsWith({ before: gate }, through(bench.ec2, gate, nothing));
		lookAtFleet(deps, TENANT, "stepped").then(
			() => {
				this.done = true;
			},
			(error: unknown) => {
				this.done = true;
				this.error = error;
			},
		);
	}
	get waits(): boolean {
		return this.#gates.length > 0;
	}
	/** One of the steps that wait, by a number from 0 to 1. */
	step(random: number): void {
		const [gate] = this.#gates.splice(Math.floor(random * this.#gates.length), 1);
		gate?.();
	}
}

/** Lets everything run that waits for nothing but the turn of the loop. */
const settle = async (): Promise<void> => {
	for (let i = 0; i < 20; i++) await Promise.resolve();
	await new Promise<void>((resolve) => setImmediate(resolve));
};

const generator = (seed: number): (() => number) => {
	let state = seed * 2_654_435_761 + 1;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
};

const runTogether = async (looks: SteppedLook[], random: () => number): Promise<void> => {
	for (let i = 0; i < 5_000; i++) {
		await settle();
		if (looks.every(({ done }) => done)) break;
		const waiting = looks.filter(({ waits }) => waits);
		waiting[Math.floor(random() * waiting.length)]?.step(random());
	}
	for (const { done, error } of looks) {
		if (error) throw error;
		expect(done).toBe(true);
	}
};

const SEEDS = Array.from({ length: 25 }, (_, i) => i + 1);

test.each(SEEDS)("two looks at once never start more than wanted: launches (seed %i)", async (seed) => {
	const bench = await makeBench();
	const random = generator(seed);
	// Some of it runs dry on the way, so that both have to look elsewhere.
	bench.ec2.capacity({ type: TYPES[0] ?? "", subnet: SUBNETS[0] ?? "", market: "on-demand" }, 1 + (seed % 3));
	await bench.floor(5);
	await runTogether([new SteppedLook(bench), new SteppedLook(bench)], random);
	expect(bench.ec2.starts()).toBe(5);
	expect(bench.hosts()).toHaveLength(5);
	expect(bench.fleet().intents).toEqual({});
	expect(bench.fleet().starts).toHaveLength(5);
	expect(bench.illegal).toEqual([]);
});

test.each(SEEDS)(
	"three looks at once: drains taken back, stopped hosts and launches together (seed %i)",
	async (seed) => {
		const bench = await makeBench({ burst: { warmHosts: 2 } });
		await atWork(bench, 4);
		await bench.floor(2);
		await bench.greet();
		await bench.look();
		await drainAll(bench);
		await bench.look();
		bench.pass(10);
		await bench.greet();
		await bench.look();
		await bench.floor(1);
		await bench.greet();
		await bench.look();
		expect(bench.states()).toEqual({ active: 1, draining: 1, stopped: 2 });
		const starts = bench.ec2.starts();

		await bench.floor(6);
		const random = generator(seed);
		await runTogether([new SteppedLook(bench), new SteppedLook(bench), new SteppedLook(bench)], random);
		expect(bench.states()).toEqual({ active: 2, launching: 4 });
		expect(bench.ec2.starts() - starts).toBe(4);
		expect(bench.ec2.running()).toHaveLength(6);
		expect(bench.fleet().intents).toEqual({});
		expect(bench.illegal).toEqual([]);
	},
);

test.each(SEEDS)(
	"a look does not go on with what another is carrying out: refused to one, given to the other (seed %i)",
	async (seed) => {
		const bench = await makeBench();
		const random = generator(seed);
		await bench.floor(4);
		bench.ec2.refuse("noCapacity", { call: "launch" });
		const first = new SteppedLook(bench);
		for (let i = 0; Object.keys(bench.fleet().intents).length === 0; i++) {
			expect(i).toBeLessThan(100);
			await settle();
			first.step(random());
		}
		await runTogether([first, new SteppedLook(bench)], random);
		expect(bench.ec2.starts()).toBe(4);
		expect(bench.hosts()).toHaveLength(4);
		expect(bench.fleet().intents).toEqual({});
	},
);

/** More statements and calls than one look has. */
const DEEPEST = 80;

/** A client and an EC2 that die at the nth step; nothing done afterwards reaches anything. */
const dying = (bench: Bench, at: number, when: "before" | "after"): { deps: FleetDeps; death: Promise<never> } => {
	let count = 0;
	let die: (error: Error) => void = nothing;
	const death = new Promise<never>((_, reject) => {
		die = reject;
	});
	death.catch(nothing);
	const before = (): Promise<void> | void => {
		count++;
		if (count > at || (count === at && when === "before")) {
			die(new Died());
			return hang();
		}
	};
	const after = (): Promise<void> | void => {
		if (count < at) return;
		die(new Died());
		return hang();
	};
	return { deps: bench.depsWith({ before, after }, through(bench.ec2, before, after)), death };
};

/** Dies at the step; returns whether the look got so far. */
const lookAndDie = async (bench: Bench, at: number, when: "before" | "after"): Promise<boolean> => {
	const { deps, death } = dying(bench, at, when);
	try {
		await Promise.race([lookAtFleet(deps, TENANT, "dies"), death]);
		return false;
	} catch (error) {
		if (!(error instanceof Died)) throw error;
		return true;
	}
};

const goOn = async (bench: Bench, sec: number): Promise<void> => {
	for (let passed = 0; passed < sec; passed += 5) {
		bench.pass(5);
		await bench.greet();
		await bench.look();
		await drainAll(bench);
	}
};

describe.each(["before", "after"] as const)("a look that dies %s one of its steps", (when) => {
	test("while it starts: the next ones end with what is wanted, nothing twice, nothing left over", async () => {
		let deepest = 0;
		for (let at = 1; at <= DEEPEST; at++) {
			const bench = await makeBench({ burst: { warmHosts: 2 } });
			bench.ec2.capacity({ type: TYPES[0] ?? "", subnet: SUBNETS[0] ?? "", market: "on-demand" }, 3);
			await atWork(bench, 2);
			await bench.floor(0);
			await goOn(bench, 30);
			expect(bench.states()).toEqual({ stopped: 2 });
			const starts = bench.ec2.starts();
			await bench.floor(5);
			const died = await lookAndDie(bench, at, when);
			await goOn(bench, 90);
			expect({ at, started: bench.ec2.starts() - starts }).toEqual({ at, started: 5 });
			expect(bench.states()).toEqual({ active: 5 });
			expect(bench.ec2.running()).toHaveLength(5);
			expect(bench.fleet()).toMatchObject({ intents: {}, strangers: {}, failed: { count: 0 } });
			expect(bench.illegal).toEqual([]);
			if (!died) break;
			deepest = at;
		}
		expect(deepest).toBeGreaterThan(15);
		expect(deepest).toBeLessThan(DEEPEST);
	});

	test("while it stops: no instance is left, no token is good", async () => {
		let deepest = 0;
		for (let at = 1; at <= DEEPEST; at++) {
			const bench = await makeBench({ burst: { warmHosts: 1 } });
			await atWork(bench, 3);
			await bench.floor(0);
			await bench.greet();
			await bench.look();
			await drainAll(bench);
			const died = await lookAndDie(bench, at, when);
			await goOn(bench, 60);
			expect({ at, states: bench.states() }).toEqual({ at, states: { stopped: 1, terminated: 2 } });
			expect(bench.ec2.running()).toEqual([]);
			expect(bench.hosts().filter(({ inst }) => inst?.tokenHash)).toEqual([]);
			expect(bench.illegal).toEqual([]);
			if (!died) break;
			deepest = at;
		}
		expect(deepest).toBeGreaterThan(10);
		expect(deepest).toBeLessThan(DEEPEST);
	});
});

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Ec2Faults } from "../../../local/ec2/types.ts";
import { type Ec2, type Ec2Error, type Ec2ErrorKind, type Ec2Instance, STACK_TAG } from "../../../shared/fleet/ec2.ts";
import type { Offering } from "../../../shared/fleet/offerings.ts";

export type CapacityFaults = Pick<Ec2Faults, "noCapacity" | "room" | "notOffered" | "quota">;
export const ACTIONS = [
	"DescribeInstances",
	"RunInstances",
	"StartInstances",
	"StopInstances",
	"TerminateInstances",
	"DescribeAddresses",
	"AssociateAddress",
] as const;
export type Action = (typeof ACTIONS)[number];

/** An EC2 to try, and what can be done to it from outside. It has {@link TYPES}, {@link SUBNETS} and {@link ADDRESSES}. */
export interface Ec2Bench {
	ec2: Ec2;
	/** Value of the stack's tag. */
	stack: string;
	setFaults(faults: Partial<CapacityFaults>): void;
	/** The next call of this action is refused with RequestLimitExceeded. */
	throttleNext(action: Action): void;
	/** The next call of this action is refused with UnauthorizedOperation; undefined: none is any more. */
	forbid(action: Action | undefined): void;
	lose(instanceId: string, forgotten: boolean): Promise<void>;
	/** An instance of somebody else's with these tags. */
	addStranger(tags: Record<string, string>): Promise<string>;
	/** Until nothing is pending, stopping or shutting down. */
	settle(): Promise<void>;
	close(): Promise<void>;
}

export const TYPES = ["c7g.large", "m7g.large"] as const;
export const SUBNETS = ["subnet-0a", "subnet-0b"] as const;
export const ADDRESSES = [
	{ allocationId: "eipalloc-01", publicAddress: "203.0.113.1" },
	{ allocationId: "eipalloc-02", publicAddress: "203.0.113.2" },
];

const offering = (changes: Partial<Offering> = {}): Offering => ({
	type: TYPES[0],
	subnet: SUBNETS[0],
	market: "on-demand",
	usdPerHour: 0.0775,
	...changes,
});
/** Of the form of EC2's, and never one of its. */
const UNKNOWN_ID = "i-00000000000000bad";

const idsOf = (instances: Ec2Instance[]): string[] => instances.map(({ instanceId }) => instanceId);

const failure = async (asked: Promise<unknown>): Promise<Ec2Error> => {
	const error = await asked.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(error).toMatchObject({ name: "Ec2Error" });
	return error as Ec2Error;
};

/** What the fleet relies on, tried on one implementation. */
export const ec2Contract = (
	name: string,
	open: () => Promise<Ec2Bench>,
	/** What this one does not have: its cases are left out. */
	{ lacks = [] }: { lacks?: readonly "quota"[] } = {},
): void => {
	describe(`EC2 as the fleet knows it: ${name}`, () => {
		let bench: Ec2Bench;
		let ec2: Ec2;
		beforeEach(async () => {
			bench = await open();
			ec2 = bench.ec2;
		});
		afterEach(() => bench.close());

		const expectKind = async (asked: Promise<unknown>, kind: Ec2ErrorKind): Promise<Ec2Error> => {
			const error = await failure(asked);
			expect({ kind: error.kind, of: error.code }).toEqual({ kind, of: error.code });
			return error;
		};
		const states = async (): Promise<Record<string, string>> =>
			Object.fromEntries((await ec2.describe()).map(({ instanceId, state }) => [instanceId, state]));
		const stateOf = async (id: string | undefined): Promise<string | undefined> => (await states())[id ?? ""];
		const launched = async (token: string, count: number, changes: Partial<Offering> = {}): Promise<string[]> => {
			const instances = await ec2.launch({ clientToken: token, offering: offering(changes), count });
			await bench.settle();
			return idsOf(instances);
		};
		const stopped = async (token: string, count: number, changes: Partial<Offering> = {}): Promise<string[]> => {
			const ids = await launched(token, count, changes);
			await ec2.stop(ids);
			await bench.settle();
			return ids;
		};

		const testQuota = (title: string, run: () => Promise<void>): void => {
			if (!lacks.includes("quota")) test(title, run);
		};

		describe("launch", () => {
			test("gives what was asked for, and describe shows the same", async () => {
				const given = await ec2.launch({ clientToken: "t-1", offering: offering(), count: 3 });
				expect(new Set(idsOf(given)).size).toBe(3);
				for (const instance of given) {
					expect(instance).toMatchObject({
						instanceId: expect.stringMatching(/^i-[0-9a-f]{17}$/),
						state: "pending",
						type: "c7g.large",
						subnet: "subnet-0a",
						imageId: expect.stringMatching(/^ami-/),
						account: expect.stringMatching(/^\d{12}$/),
						launchId: "t-1",
						market: "on-demand",
					});
					expect(instance.launchedAt).toBeGreaterThan(0);
				}
				await bench.settle();
				expect(await ec2.describe()).toEqual(given.map((instance) => ({ ...instance, state: "running" })));
			});

			test("repeated with its token it gives the same instances and no more", async () => {
				const request = { clientToken: "t-1", offering: offering(), count: 2 };
				const first = await ec2.launch(request);
				await bench.settle();
				const again = await ec2.launch(request);
				expect(idsOf(again)).toEqual(idsOf(first));
				expect(await ec2.describe()).toHaveLength(2);
			});

			test("two at once with one token are one", async () => {
				const request = { clientToken: "t-1", offering: offering(), count: 2 };
				const [a, b] = await Promise.all([ec2.launch(request), ec2.launch(request)]);
				expect(idsOf(a)).toEqual(idsOf(b));
				expect(await ec2.describe()).toHaveLength(2);
			});

			test.each([
				{ what: "another number", changes: {}, count: 3 },
				{ what: "another type", changes: { type: TYPES[1] }, count: 2 },
				{ what: "another subnet", changes: { subnet: SUBNETS[1] }, count: 2 },
				{ what: "another way of buying", changes: { market: "spot" as const }, count: 2 },
			])("a used token with $what is refused", async ({ changes, count }) => {
				await ec2.launch({ clientToken: "t-1", offering: offering(), count: 2 });
				const again = ec2.launch({ clientToken: "t-1", offering: offering(changes), count });
				const error = await expectKind(again, "configuration");
				expect(error.code).toBe("IdempotentParameterMismatch");
				expect(await ec2.describe()).toHaveLength(2);
			});

			test("a token whose instances are terminated starts nothing", async () => {
				await ec2.terminate(await launched("t-1", 1));
				await bench.settle();
				await expectKind(ec2.launch({ clientToken: "t-1", offering: offering(), count: 1 }), "notFound");
				expect(await ec2.describe()).toHaveLength(1);
			});

			test("where fewer can be had it gives those", async () => {
				bench.setFaults({ room: { "c7g.large/subnet-0a": 2 } });
				expect(await launched("t-1", 5)).toHaveLength(2);
				await expectKind(ec2.launch({ clientToken: "t-2", offering: offering(), count: 1 }), "noCapacity");
				expect(await launched("t-3", 1, { subnet: SUBNETS[1] })).toHaveLength(1);
			});

			test.each([
				{ pattern: "c7g.large/subnet-0a", free: { type: TYPES[1] } },
				{ pattern: "c7g.large/*", free: { type: TYPES[1] } },
				{ pattern: "*/subnet-0a", free: { subnet: SUBNETS[1] } },
			])("$pattern out of capacity: another offering is not", async ({ pattern, free }) => {
				bench.setFaults({ noCapacity: [pattern] });
				await expectKind(ec2.launch({ clientToken: "t-1", offering: offering(), count: 1 }), "noCapacity");
				expect(await ec2.describe()).toEqual([]);
				expect(await launched("t-2", 1, free)).toHaveLength(1);
				bench.setFaults({ noCapacity: [] });
				// A refused launch has not used its token.
				expect(await launched("t-1", 1)).toHaveLength(1);
			});

			test("a type that the zone does not have is no capacity, not a mistake", async () => {
				bench.setFaults({ notOffered: ["c7g.large/*"] });
				await expectKind(ec2.launch({ clientToken: "t-1", offering: offering(), count: 1 }), "noCapacity");
			});

			testQuota("beyond the quota there is nothing, up to it there is", async () => {
				bench.setFaults({ quota: 2 });
				expect(await launched("t-1", 3)).toHaveLength(2);
				await expectKind(ec2.launch({ clientToken: "t-2", offering: offering(), count: 1 }), "quota");
			});

			test("spot is said to be spot, and cannot be stopped", async () => {
				const ids = await launched("t-1", 1, { market: "spot" });
				expect(await ec2.describe()).toMatchObject([{ market: "spot" }]);
				await expectKind(ec2.stop(ids), "configuration");
				await ec2.terminate(ids);
				await bench.settle();
				expect(await stateOf(ids[0])).toBe("terminated");
			});
		});

		describe("start", () => {
			test("starts stopped instances: the same ones, launched anew", async () => {
				const ids = await stopped("t-1", 2);
				const before = await ec2.describe();
				await ec2.start(ids);
				expect(Object.values(await states())).toEqual(["pending", "pending"]);
				await bench.settle();
				const after = await ec2.describe();
				expect(idsOf(after)).toEqual(ids);
				for (const [at, { state, launchedAt, launchId }] of after.entries()) {
					expect({ state, launchId }).toEqual({ state: "running", launchId: "t-1" });
					expect(launchedAt).toBeGreaterThan(before[at]?.launchedAt ?? Number.NaN);
				}
			});

			test("leaves alone what runs", async () => {
				const ids = await launched("t-1", 1);
				const before = await ec2.describe();
				await ec2.start(ids);
				expect(await ec2.describe()).toEqual(before);
			});

			test("nothing at all is nothing", async () => {
				await ec2.start([]);
				expect(await ec2.describe()).toEqual([]);
			});

			test("all or none: one that EC2 does not know", async () => {
				const ids = await stopped("t-1", 2);
				await expectKind(ec2.start([...ids, UNKNOWN_ID]), "notFound");
				expect(Object.values(await states())).toEqual(["stopped", "stopped"]);
			});

			test("all or none: one that is terminated", async () => {
				const [gone = "", ...rest] = await stopped("t-1", 3);
				await ec2.terminate([gone]);
				await bench.settle();
				await expectKind(ec2.start([gone, ...rest]), "notFound");
				for (const id of rest) expect(await stateOf(id)).toBe("stopped");
			});

			test("all or none: one that still stops", async () => {
				const [first = ""] = await stopped("t-1", 1);
				const [second = ""] = await launched("t-2", 1);
				await ec2.stop([second]);
				await expectKind(ec2.start([first, second]), "unknown");
				expect(await stateOf(first)).toBe("stopped");
				await bench.settle();
				await ec2.start([first, second]);
				expect(await stateOf(first)).toBe("pending");
			});

			test("all or none: capacity for some only", async () => {
				const ids = await stopped("t-1", 2);
				bench.setFaults({ room: { "c7g.large/subnet-0a": 1 } });
				await expectKind(ec2.start(ids), "noCapacity");
				expect(Object.values(await states())).toEqual(["stopped", "stopped"]);
				bench.setFaults({ room: {}, noCapacity: ["*/subnet-0a"] });
				await expectKind(ec2.start(ids), "noCapacity");
				bench.setFaults({ noCapacity: [] });
				await ec2.start(ids);
				expect(Object.values(await states())).toEqual(["pending", "pending"]);
			});

			testQuota("beyond the quota", async () => {
				const ids = await stopped("t-1", 2);
				bench.setFaults({ quota: 1 });
				await expectKind(ec2.start(ids), "quota");
				expect(Object.values(await states())).toEqual(["stopped", "stopped"]);
			});
		});

		describe("stop and terminate", () => {
			test("those that EC2 does not know are left out", async () => {
				const [a = "", b = ""] = await launched("t-1", 2);
				await ec2.stop([UNKNOWN_ID, a, "i-0bad0bad0bad0bad1"]);
				await ec2.terminate([UNKNOWN_ID, b, "nonsense"]);
				await bench.settle();
				expect(await states()).toEqual({ [a]: "stopped", [b]: "terminated" });
				await ec2.stop([UNKNOWN_ID]);
				await ec2.terminate([UNKNOWN_ID]);
			});

			test("nothing at all is nothing", async () => {
				await ec2.stop([]);
				await ec2.terminate([]);
			});

			test("one that is terminated does not keep the others from being stopped", async () => {
				const [gone = "", up = ""] = await launched("t-1", 2);
				await ec2.terminate([gone]);
				await bench.settle();
				await ec2.stop([gone, up]);
				await bench.settle();
				expect(await states()).toEqual({ [gone]: "terminated", [up]: "stopped" });
			});

			test("one that was never running cannot be stopped yet, the others are; it can be terminated", async () => {
				const [up = ""] = await launched("t-1", 1);
				const [young = ""] = idsOf(await ec2.launch({ clientToken: "t-2", offering: offering(), count: 1 }));
				const error = await expectKind(ec2.stop([young, up]), "unknown");
				expect(error.message).toContain(young);
				expect(await stateOf(up)).toBe("stopping");
				await ec2.terminate([young]);
				await bench.settle();
				expect(await states()).toEqual({ [up]: "stopped", [young]: "terminated" });
			});

			test("once more is harmless", async () => {
				const [a = "", b = ""] = await launched("t-1", 2);
				await ec2.stop([a, a]);
				await ec2.stop([a]);
				await ec2.terminate([b]);
				await ec2.terminate([b]);
				await bench.settle();
				await ec2.stop([a]);
				await ec2.terminate([b]);
				expect(await states()).toEqual({ [a]: "stopped", [b]: "terminated" });
			});

			test("a stopped one and one that stops can be terminated", async () => {
				const [a = ""] = await stopped("t-1", 1);
				const [b = ""] = await launched("t-2", 1);
				await ec2.stop([b]);
				await ec2.terminate([a, b]);
				await bench.settle();
				expect(await states()).toEqual({ [a]: "terminated", [b]: "terminated" });
			});

			test("a terminated one is still shown, with its launch", async () => {
				const [id = ""] = await launched("t-1", 1);
				await ec2.terminate([id]);
				expect(await stateOf(id)).toBe("shutting-down");
				await bench.settle();
				expect(await ec2.describe()).toMatchObject([{ instanceId: id, state: "terminated", launchId: "t-1" }]);
			});
		});

		describe("describe", () => {
			test("shows strangers with our tag, without a launch, and nothing of another stack", async () => {
				const stranger = await bench.addStranger({ [STACK_TAG]: bench.stack });
				await bench.addStranger({ [STACK_TAG]: `${bench.stack}-other` });
				await bench.addStranger({ Name: bench.stack });
				await bench.settle();
				const shown = await ec2.describe();
				expect(idsOf(shown)).toEqual([stranger]);
				expect(shown[0]).not.toHaveProperty("launchId");
				await ec2.terminate([stranger]);
				await bench.settle();
				expect(await stateOf(stranger)).toBe("terminated");
			});

			test("one that is lost is terminated, or not known at all", async () => {
				const [a = "", b = "", c = ""] = await launched("t-1", 3);
				await bench.lose(a, false);
				await bench.lose(b, true);
				expect(await states()).toEqual({ [a]: "terminated", [c]: "running" });
				await expectKind(ec2.start([b]), "notFound");
			});

			test("many", async () => {
				const ids = (await Promise.all([launched("t-1", 9), launched("t-2", 9), launched("t-3", 9)])).flat();
				const shown = idsOf(await ec2.describe());
				expect(shown).toHaveLength(27);
				expect(new Set(shown)).toEqual(new Set(ids));
			});
		});

		describe("addresses", () => {
			test("are free until an instance has one", async () => {
				expect(await ec2.addresses()).toEqual(ADDRESSES);
				const [id = ""] = await launched("t-1", 1);
				await ec2.associate("eipalloc-02", id);
				expect(await ec2.addresses()).toEqual([ADDRESSES[0], { ...ADDRESSES[1], instanceId: id }]);
			});

			test("one that is taken is not taken away; once more to the same instance is harmless", async () => {
				const [a = "", b = ""] = await launched("t-1", 2);
				await ec2.associate("eipalloc-01", a);
				await ec2.associate("eipalloc-01", a);
				await expectKind(ec2.associate("eipalloc-01", b), "noCapacity");
				expect(await ec2.addresses()).toMatchObject([{ instanceId: a }, ADDRESSES[1] ?? {}]);
			});

			test("an instance keeps its own while it is stopped and gives it back when it is terminated", async () => {
				const [id = ""] = await launched("t-1", 1);
				await ec2.associate("eipalloc-01", id);
				await ec2.stop([id]);
				await bench.settle();
				expect(await ec2.addresses()).toMatchObject([{ instanceId: id }, {}]);
				await ec2.terminate([id]);
				await bench.settle();
				expect(await ec2.addresses()).toEqual(ADDRESSES);
			});

			test("a pending instance cannot have one yet, an unknown one never", async () => {
				const [young = ""] = idsOf(await ec2.launch({ clientToken: "t-1", offering: offering(), count: 1 }));
				await expectKind(ec2.associate("eipalloc-01", young), "unknown");
				await expectKind(ec2.associate("eipalloc-01", UNKNOWN_ID), "notFound");
				await bench.settle();
				await ec2.associate("eipalloc-01", young);
				await expectKind(ec2.associate("eipalloc-0bad", young), "configuration");
			});
		});

		describe.each(ACTIONS)("%s refused", (action) => {
			const ask = (id: string): Promise<unknown> =>
				({
					DescribeInstances: () => ec2.describe(),
					RunInstances: () => ec2.launch({ clientToken: "t-9", offering: offering(), count: 1 }),
					StartInstances: () => ec2.start([id]),
					StopInstances: () => ec2.stop([id]),
					TerminateInstances: () => ec2.terminate([id]),
					DescribeAddresses: () => ec2.addresses(),
					AssociateAddress: () => ec2.associate("eipalloc-01", id),
				})[action]();

			test("throttled: nothing is done, and asked again it is", async () => {
				const [id = ""] = await launched("t-1", 1);
				bench.throttleNext(action);
				await expectKind(ask(id), "throttled");
				expect(await states()).toEqual({ [id]: "running" });
				expect(await ec2.addresses()).toEqual(ADDRESSES);
				await ask(id);
			});

			test("not allowed: a person must mend it, and nothing is done", async () => {
				const [id = ""] = await launched("t-1", 1);
				bench.forbid(action);
				const error = await expectKind(ask(id), "configuration");
				bench.forbid(undefined);
				expect(error.code).toBe("UnauthorizedOperation");
				expect(await states()).toEqual({ [id]: "running" });
				expect(await ec2.addresses()).toEqual(ADDRESSES);
				await ask(id);
			});
		});
	});
};

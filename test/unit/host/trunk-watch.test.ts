import { describe, expect, test } from "@jest/globals";
import { TrunkWatch } from "../../../host/agent/trunk-watch.ts";
import type { HostTrunk } from "../../../shared/contract/host.ts";
import { FakeControlPlane } from "../../support/agent/control-plane.ts";
import { VirtualMachine, VirtualTime } from "../../support/agent/virtual.ts";

const trunk = (id: string, over: Partial<HostTrunk> = {}): HostTrunk => ({
	id,
	type: "pjsip",
	host: "carrier.example",
	codecs: ["ulaw"],
	qualify: 30,
	callerIdIn: "from",
	...over,
});

/** A watch under virtual time; each try takes `takesMs`. */
const watching = (answer: (trunk: HostTrunk) => "up" | "down" | undefined | Error, takesMs = 2_000) => {
	const time = new VirtualTime();
	const tries: { id: string; at: number }[] = [];
	let changes = 0;
	const watch = new TrunkWatch(
		{
			clock: {
				bootId: "b",
				wallMs: () => time.now,
				monotonicMs: () => time.now,
				setTimer: (ms, fire) => time.after(ms, fire),
				clearTimer: (timer) => time.cancel(timer),
			},
			log: { info: () => undefined, warn: () => undefined, error: () => undefined },
			probe: (one) => {
				tries.push({ id: one.id, at: time.now });
				return new Promise((resolve, reject) => {
					time.after(takesMs, () => {
						const result = answer(one);
						if (result instanceof Error) reject(result);
						else resolve(result);
					});
				});
			},
		},
		() => changes++,
	);
	return { time, tries, watch, changes: () => changes };
};
const said = (watch: TrunkWatch) => {
	const health = watch.forRequest();
	watch.acknowledged();
	return health;
};

describe("whether trunks are up", () => {
	test("the first reply is enough, and is told once", async () => {
		const { time, tries, watch } = watching(() => "up", 5);
		watch.watch([trunk("a"), trunk("b")]);
		expect(watch.changed).toBe(false);
		await time.pass(10);
		expect(watch.changed).toBe(true);
		expect(said(watch)).toEqual({ a: "up", b: "up" });
		expect(watch.changed).toBe(false);
		expect(watch.forRequest()).toBeUndefined();
		// Again as often as the trunk says.
		await time.pass(29_000);
		expect(tries).toHaveLength(2);
		await time.pass(2_000);
		expect(tries).toHaveLength(4);
		expect(watch.changed).toBe(false);
	});

	test("three tries without a reply: down; then it is asked sooner, and one reply makes it up", async () => {
		let up = false;
		const { time, tries, watch } = watching(() => (up ? "up" : "down"));
		watch.watch([trunk("a")]);
		await time.pass(5_900);
		expect(watch.changed).toBe(false);
		await time.pass(200);
		expect(said(watch)).toEqual({ a: "down" });
		expect(tries.map(({ at }) => at - 1_000)).toEqual([0, 2_000, 4_000]);
		up = true;
		await time.pass(7_100);
		expect(said(watch)).toEqual({ a: "up" });
	});

	test("one lost packet means nothing", async () => {
		let n = 0;
		const { time, watch } = watching(() => (n++ === 1 ? "down" : "up"));
		watch.watch([trunk("a", { qualify: 1 })]);
		await time.pass(2_100);
		expect(said(watch)).toEqual({ a: "up" });
		await time.pass(60_000);
		expect(watch.changed).toBe(false);
		expect(n).toBeGreaterThan(5);
	});

	test("tries that fail at once are not made without a pause", async () => {
		const { time, tries, watch } = watching(() => "down", 0);
		watch.watch([trunk("a", { qualify: 1 })]);
		await time.pass(60_000);
		expect(tries.length).toBeLessThanOrEqual(31);
	});

	test("what nobody can say is left out, as are trunks that are not to be asked", async () => {
		const { time, tries, watch } = watching(({ id }) => (id === "a" ? undefined : new Error("broken")), 1);
		watch.watch([trunk("a"), trunk("b"), trunk("c", { qualify: "off" })]);
		await time.pass(100_000);
		expect(watch.changed).toBe(false);
		expect(new Set(tries.map(({ id }) => id))).toEqual(new Set(["a", "b"]));
	});

	test("another configuration: what is gone is not told any more, what was changed is asked anew, the rest stays", async () => {
		const { time, tries, watch } = watching(() => "up", 5);
		watch.watch([trunk("a"), trunk("b"), trunk("c")]);
		await time.pass(10);
		said(watch);
		watch.watch([trunk("a"), trunk("c", { host: "other.example" })]);
		expect(said(watch)).toEqual({ a: "up" });
		await time.pass(10);
		expect(said(watch)).toEqual({ a: "up", c: "up" });
		expect(tries.map(({ id }) => id)).toEqual(["a", "b", "c", "c"]);
		watch.watch([]);
		expect(said(watch)).toEqual({});
	});

	test("a reply of a trunk that was changed meanwhile counts for nothing", async () => {
		const { time, watch } = watching(({ host }) => (host === "old.example" ? "up" : undefined));
		watch.watch([trunk("a", { host: "old.example" })]);
		await time.pass(1_000);
		watch.watch([trunk("a", { host: "new.example" })]);
		await time.pass(60_000);
		expect(watch.changed).toBe(false);
	});

	test("a change that was not acknowledged is told again", async () => {
		const { time, watch } = watching(() => "up", 5);
		watch.watch([trunk("a")]);
		await time.pass(10);
		expect(watch.forRequest()).toEqual({ a: "up" });
		expect(watch.forRequest()).toEqual({ a: "up" });
		watch.acknowledged();
		expect(watch.forRequest()).toBeUndefined();
		// A new epoch was told nothing.
		expect(watch.forRequest(true)).toEqual({ a: "up" });
	});

	test("stopped, it asks nobody", async () => {
		const { time, tries, watch } = watching(() => "up", 5);
		watch.watch([trunk("a")]);
		watch.stop();
		await time.pass(100_000);
		watch.watch([trunk("b")]);
		await time.pass(100_000);
		expect(tries).toHaveLength(1);
	});
});

describe("the agent", () => {
	const world = (probe: (trunk: HostTrunk) => "up" | "down") => {
		const time = new VirtualTime();
		const trunks = [trunk("t1"), trunk("t2", { qualify: "off" })];
		const control = new FakeControlPlane({ capacity: 10, cap: 10, trunks });
		const machine = new VirtualMachine(time, control);
		machine.probe = async (one) => probe(one);
		return { time, control, machine };
	};

	test("tells an idle host's trunks at once, and changes when they come", async () => {
		let up = true;
		const { time, control, machine } = world(() => (up ? "up" : "down"));
		const told = () => control.syncs.flatMap(({ trunks }) => (trunks === undefined ? [] : [trunks]));
		await machine.start();
		await time.pass(500);
		expect(told()).toEqual([{ t1: "up" }]);
		// Asterisk read its new trunks meanwhile: that it is back is said too.
		expect(control.syncs.map(({ state }) => state)).toEqual(["asteriskDown", "up"]);
		await time.pass(20_000);
		expect(control.syncs).toHaveLength(2);
		up = false;
		await time.pass(30_000);
		expect(told()).toEqual([{ t1: "up" }, { t1: "down" }]);
		up = true;
		await time.pass(6_000);
		expect(told().at(-1)).toEqual({ t1: "up" });
		expect(control.problems).toEqual([]);
	});

	test("says it in the next epoch's hello", async () => {
		const { time, control, machine } = world(() => "up");
		await machine.start();
		await time.pass(500);
		expect(control.hellos.map(({ trunks }) => trunks)).toEqual([undefined]);
		control.disturb = (kind) => (kind === "peek" ? 409 : undefined);
		await time.until(() => control.hellos.length === 2, 10_000);
		expect(control.hellos[1]?.trunks).toEqual({ t1: "up" });
	});

	test("a sync whose answer was lost is repeated with the same bytes", async () => {
		let lose = true;
		const { time, control, machine } = world(() => "up");
		control.disturb = (kind) => {
			if (kind !== "sync" || !lose) return undefined;
			lose = false;
			return "lose";
		};
		await machine.start();
		await time.pass(20_000);
		expect(control.syncs.flatMap(({ trunks }) => (trunks ? [trunks] : []))).toEqual([{ t1: "up" }]);
		expect(control.problems).toEqual([]);
	});

	test("goes on while calls are up", async () => {
		const { time, control, machine } = world(() => "up");
		for (let i = 0; i < 5; i++) control.add({ number: String(1000 + i) });
		await machine.start();
		expect(await time.until(() => control.done, 60_000)).toBe(true);
		expect(control.problems).toEqual([]);
	});
});

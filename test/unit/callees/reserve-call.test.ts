import { marshall } from "@aws-sdk/util-dynamodb";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { itemBytes, type WireItem } from "../../../local/metering/item-size.ts";
import { type CalleeLimits, DIAL_DELAY_MS } from "../../../shared/callees/decide-call.ts";
import { callsOf, readCallee, releaseCall, reserveCall } from "../../../shared/callees/reserve-call.ts";
import type { Deps } from "../../../shared/deps.ts";
import { type CalleeItem, calleeKey } from "../../../shared/store/items.ts";
import { TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo, type Statement } from "../../support/memory-dynamo.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 23, 12);
/** The longest number of a private trunk. */
const NUMBER = "9".repeat(32);

let dynamo: MemoryDynamo;
let now: number;
let statements: Statement[];
let deps: Deps;
const item = (): CalleeItem | undefined => dynamo.peek<CalleeItem>("callees", calleeKey(TENANT, NUMBER));
const limit = (max: number, perHours: number): CalleeLimits => ({ limits: [{ max, perHours, rule: "r" }] });
const reserve = (tag: string, limits: CalleeLimits) => reserveCall(deps, TENANT, NUMBER, limits, tag);

beforeEach(() => {
	dynamo = new MemoryDynamo();
	now = START;
	statements = [];
	deps = testDeps(dynamo.client({ before: (statement) => void statements.push(statement) }), () => now);
});

describe("a call", () => {
	test("is one read and one write; one that is refused or repeated is a read", async () => {
		expect(await reserve("a", limit(1, 24))).toEqual({ ok: true });
		expect(statements.map(({ name }) => name)).toEqual(["Get", "Put"]);
		statements = [];
		expect(await reserve("a", limit(1, 24))).toEqual({ ok: true });
		now += HOUR;
		const waitUntil = START + 24 * HOUR + DIAL_DELAY_MS;
		expect(await reserve("b", limit(1, 24))).toEqual({ ok: false, waitUntil, rule: "r" });
		expect(statements.map(({ name }) => name)).toEqual(["Get", "Get"]);
		now = waitUntil;
		expect(await reserve("b", limit(1, 24))).toEqual({ ok: true });
	});

	test("that is released leaves its place to another; a release of what is not there does nothing", async () => {
		await reserve("a", limit(1, 24));
		await releaseCall(deps, TENANT, NUMBER, "a");
		const before = item();
		await releaseCall(deps, TENANT, NUMBER, "a");
		await releaseCall(deps, TENANT, "4711", "a");
		expect(item()).toEqual(before);
		expect(dynamo.items("callees")).toHaveLength(1);
		expect(await reserve("b", limit(1, 24))).toEqual({ ok: true });
		expect(await reserve("c", limit(1, 24))).toMatchObject({ ok: false });
	});

	test("counts for every limit, whichever it was placed by", async () => {
		await reserve("a", limit(10, 24));
		expect(await reserve("b", limit(1, 24))).toMatchObject({ ok: false });
	});

	test("is forgotten after 30 days", async () => {
		await reserve("a", limit(10, 720));
		expect(item()?.ttl).toBe(Math.ceil((START + 720 * HOUR + DIAL_DELAY_MS) / 1_000));
		now += 720 * HOUR + DIAL_DELAY_MS;
		await reserve("b", limit(1, 720));
		expect(callsOf(item())).toMatchObject([{ at: now }]);
	});
});

describe("the item", () => {
	test("takes one write unit, however often the longest number was called", async () => {
		for (let i = 0; i < 60; i++) {
			expect(await reserve(`tag ${i}`, limit(50, 1))).toMatchObject({ ok: true });
			now += 90_000;
		}
		expect(Object.keys(item()?.calls ?? {})).toHaveLength(50);
		expect(item()?.cut).toBe(START + 9 * 90_000);
		expect(itemBytes(marshall(item()) as WireItem)).toBeLessThan(1_024);
	});

	test("does not let calls be forgotten that were dropped before others were released", async () => {
		for (let i = 0; i < 52; i++) {
			await reserve(`tag ${i}`, limit(50, 1));
			now += 90_000;
		}
		// 52 in 48 hours; of the 50 that are known three are taken back: 49 are left, and 47 are known.
		for (const tag of ["tag 10", "tag 11", "tag 12"]) await releaseCall(deps, TENANT, NUMBER, tag);
		const cut = START + 90_000;
		const waitUntil = cut + 48 * HOUR + DIAL_DELAY_MS;
		expect(await reserve("late", limit(48, 48))).toEqual({ ok: false, waitUntil, rule: "r" });
		now = waitUntil;
		expect(await reserve("late", limit(48, 48))).toEqual({ ok: true });
	});
});

describe("at the same time", () => {
	test("of ten syncs with one number exactly as many get it as the limit allows", async () => {
		const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => reserve(`s${i}`, limit(3, 24))));
		expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
		expect(Object.keys(item()?.calls ?? {})).toHaveLength(3);
	});

	test("whoever loses every race waits a second, and nothing of it is left", async () => {
		let others = 0;
		const busy = testDeps(
			dynamo.client({
				before: async ({ name }) => {
					if (name === "Put") await reserveCall(deps, TENANT, NUMBER, limit(50, 1), `other ${others++}`);
				},
			}),
			() => now,
		);
		expect(await reserveCall(busy, TENANT, NUMBER, limit(50, 1), "mine")).toEqual({
			ok: false,
			waitUntil: now + 1_000,
			rule: "contended",
		});
		expect(Object.keys(item()?.calls ?? {})).toHaveLength(others);
		await expect(
			(async () => {
				await reserve("mine", limit(50, 1));
				await releaseCall(busy, TENANT, NUMBER, "mine");
			})(),
		).rejects.toMatchObject({ status: 503 });
	});

	test("two executions of one sync note one call", async () => {
		const answers = await Promise.all([reserve("same", limit(1, 24)), reserve("same", limit(1, 24))]);
		expect(answers).toEqual([{ ok: true }, { ok: true }]);
		expect(Object.keys(item()?.calls ?? {})).toHaveLength(1);
	});
});

test("what cannot be read is an error, never leave to call", async () => {
	const broken = testDeps(
		dynamo.client({
			before: () => {
				throw Object.assign(new Error("slow down"), { name: "ThrottlingException" });
			},
		}),
		() => now,
	);
	await expect(reserveCall(broken, TENANT, NUMBER, limit(3, 24), "a")).rejects.toThrow("slow down");
	expect(await readCallee(deps, TENANT, NUMBER)).toBeUndefined();
});

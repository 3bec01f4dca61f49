import { describe, expect, test } from "@jest/globals";
import { onListAttribute, type SuppressedItem } from "../../../shared/store/items.ts";
import {
	blockedByList,
	isInForce,
	isStale,
	type SuppressionList,
	suppressedBy,
} from "../../../shared/suppression/suppressed-by.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 23, 12);
const list = (name: string, over: Partial<SuppressionList> = {}): SuppressionList => ({
	name,
	id: `id-${name}`,
	scope: "all",
	kind: "own",
	count: 0,
	createdAt: 0,
	...over,
});
const on = (...names: string[]): SuppressedItem => ({
	callee: "default#1",
	...Object.fromEntries(names.map((name, i) => [onListAttribute(`id-${name}`), { at: 1_000 + i, by: "t" }])),
});

describe("a list binds", () => {
	test.each([
		["all", "all", { purpose: "emergency" }, true],
		["no campaign that does not name it", "named", { purpose: "marketing" }, false],
		["the campaigns that name it", "named", { purpose: "marketing", suppressionLists: ["x"] }, true],
		["the campaigns of its purposes", ["marketing", "informational"], { purpose: "informational" }, true],
		["none of another purpose", ["marketing"], { purpose: "informational" }, false],
		["those of another purpose that name it", ["marketing"], { purpose: "emergency", suppressionLists: ["x"] }, true],
		["those whose purpose is not known", ["marketing"], {}, true],
	] as const)("%s", (_what, scope, campaign, expected) => {
		const one = list("x", { scope: typeof scope === "string" ? scope : [...scope] });
		const asked = { ...campaign } as Parameters<typeof isInForce>[1];
		expect(isInForce(one, asked)).toBe(expected);
		expect(suppressedBy(on("x"), [one], asked) !== undefined).toBe(expected);
	});
});

describe("a number", () => {
	const lists = [list("a"), list("opt-outs"), list("b", { scope: "named" })];
	test("on no list, or never seen, is free", () => {
		expect(suppressedBy(undefined, lists, {})).toBeUndefined();
		expect(suppressedBy({ callee: "default#1" }, lists, {})).toBeUndefined();
	});
	test("is suppressed by its opt-out before any other list", () => {
		expect(suppressedBy(on("a", "opt-outs"), lists, {})).toEqual({ list: "opt-outs", since: 1_001 });
		expect(suppressedBy(on("a"), lists, {})).toEqual({ list: "a", since: 1_000 });
	});
	test("on a list that was deleted is free, also where another list has its name now", () => {
		expect(suppressedBy(on("gone"), lists, {})).toBeUndefined();
		expect(suppressedBy(on("a"), [list("a", { id: "another" })], {})).toBeUndefined();
	});
});

describe("a register", () => {
	const register = (updatedAt?: number): SuppressionList =>
		list("us", {
			scope: ["marketing"],
			kind: "register",
			maxAgeDays: 31,
			...(updatedAt === undefined ? {} : { updatedAt }),
		});
	test("is stale when it was never loaded, and after its days", () => {
		expect(isStale(register(), NOW)).toBe(true);
		expect(isStale(register(NOW - 31 * DAY), NOW)).toBe(false);
		expect(isStale(register(NOW - 31 * DAY - 1), NOW)).toBe(true);
		expect(isStale(list("own"), NOW)).toBe(false);
	});
	test("that is stale holds back whoever it binds, and nobody else", () => {
		const stale = { list: "us", reason: "stale" };
		expect(blockedByList([register()], { purpose: "marketing" }, NOW)).toEqual(stale);
		expect(blockedByList([register()], { purpose: "informational" }, NOW)).toBeUndefined();
		expect(blockedByList([register()], { purpose: "emergency", suppressionLists: ["us"] }, NOW)).toEqual(stale);
		expect(blockedByList([register(NOW)], { purpose: "marketing" }, NOW)).toBeUndefined();
	});
	test("that a campaign names and that is not there holds it back", () => {
		expect(blockedByList([], { purpose: "marketing", suppressionLists: ["us"] }, NOW)).toEqual({
			list: "us",
			reason: "missing",
		});
	});
});

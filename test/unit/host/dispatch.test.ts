import { describe, expect, test } from "@jest/globals";
import { type DispatchInput, dispatch } from "../../../host/agent/dispatch.ts";

const call = (n: number, trunk = "t", lane = "c") => ({ callId: `call${n}`, trunk, lane, slots: trunk });
const input = (change: Partial<DispatchInput>): DispatchInput => ({
	now: 1_000,
	held: [call(1), call(2), call(3)],
	slots: { t: { at: [1_000, 1_002, 1_004], validMs: 20 } },
	hostFree: 10,
	trunkFree: { t: 10, u: 10 },
	laneFree: { c: 10, d: 10 },
	leadMs: 0,
	marginMs: 5,
	...change,
});

describe("dispatch", () => {
	test("starts the oldest call in the first slot that is due, and says when the next one is", () => {
		const decision = dispatch(input({}));
		expect(decision.start).toEqual([{ callId: "call1", trunk: "t", dialAt: 1_000, until: 1_015 }]);
		expect(decision.wakeAt).toBe(1_002);
		expect(decision.slots["t"]?.at).toEqual([1_002, 1_004]);
	});

	test("takes a call early, to be journalled before its slot", () => {
		expect(dispatch(input({ leadMs: 3 })).start.map(({ dialAt }) => dialAt)).toEqual([1_000, 1_002]);
	});

	test("a slot is lost at the end of its validity, less the margin", () => {
		expect(dispatch(input({ now: 1_014.9 })).start).toHaveLength(3);
		expect(dispatch(input({ now: 1_015 })).start).toHaveLength(2);
		const late = dispatch(input({ now: 1_030 }));
		expect(late.start).toEqual([]);
		expect(late.slots["t"]?.at).toEqual([]);
		expect(late.lackSlot).toEqual({ t: 3 });
	});

	test.each([
		["host", { hostFree: 1 }],
		["trunk", { trunkFree: { t: 1 } }],
		["campaign", { laneFree: { c: 1 } }],
	])("no more calls than the %s has channels", (_, change) => {
		expect(dispatch(input({ now: 1_010, ...change })).start).toHaveLength(1);
	});

	test.each([
		["trunk", { trunkFree: {} }],
		["campaign", { laneFree: {} }],
	])("a %s without a share starts nothing", (_, change) => {
		const decision = dispatch(input({ now: 1_010, ...change }));
		expect(decision.start).toEqual([]);
		expect(decision.lackSlot).toEqual({});
	});

	test("a campaign without channels does not hold up another", () => {
		const decision = dispatch(input({ now: 1_010, held: [call(1), call(2, "t", "d")], laneFree: { c: 0, d: 1 } }));
		expect(decision.start.map(({ callId }) => callId)).toEqual(["call2"]);
	});

	test("a trunk without slots does not take channels from another", () => {
		const decision = dispatch(input({ now: 1_010, held: [call(1, "u"), call(2, "t")], hostFree: 1 }));
		expect(decision.start.map(({ callId }) => callId)).toEqual(["call2"]);
		expect(decision.lackSlot).toEqual({});
	});

	test("nothing that could start: no wake", () => {
		expect(dispatch(input({ held: [] })).wakeAt).toBeUndefined();
		expect(dispatch(input({ hostFree: 0 })).wakeAt).toBeUndefined();
	});
});

import { describe, expect, test } from "@jest/globals";
import { peakByAddress, useOf } from "../../../local/runs/host-use.ts";
import { momentLine } from "../../../local/runs/timeline.ts";
import type { CarrierCall } from "../../../local/voice/types.ts";

let id = 0;
const call = (from: string, invitedAt: number, endedAt?: number): CarrierCall => ({
	id: String(++id),
	number: "1",
	from,
	invitedAt,
	...(endedAt === undefined ? {} : { endedAt }),
});
const history = (...billed: { fromMs: number; toMs?: number }[]) => ({
	instanceId: "i-1",
	type: "c7g.large",
	subnet: "subnet-a",
	market: "on-demand" as const,
	state: "stopped",
	billed,
});
const host = { hostId: "burst-1", usdPerHour: 3.6 };

describe("what a burst host was paid and used for", () => {
	test("idle is the time that ran without a call; overlapping calls count once", () => {
		const calls = [call("a", 10_000, 40_000), call("a", 20_000, 50_000), call("a", 70_000, 80_000)];
		expect(useOf(history({ fromMs: 0, toMs: 100_000 }), host, calls, 200_000)).toEqual({
			hostId: "burst-1",
			billedSec: 100,
			idleSec: 50,
			costUsd: expect.closeTo(0.1),
		});
	});
	test("each start is paid for a minute at least", () => {
		const use = useOf(history({ fromMs: 0, toMs: 10_000 }, { fromMs: 90_000, toMs: 100_000 }), host, [], 200_000);
		expect(use).toMatchObject({ billedSec: 20, idleSec: 20, costUsd: expect.closeTo(0.12) });
	});
	test("one that still runs is paid for until now, and a call that still lasts keeps it busy", () => {
		const use = useOf(history({ fromMs: 0 }), host, [call("a", 60_000)], 120_000);
		expect(use).toMatchObject({ billedSec: 120, idleSec: 60, costUsd: expect.closeTo(0.12) });
	});
	test("calls outside of the paid stretch count for nothing", () => {
		const use = useOf(history({ fromMs: 50_000, toMs: 110_000 }), host, [call("a", 0, 60_000)], 120_000);
		expect(use).toMatchObject({ billedSec: 60, idleSec: 50 });
	});
});

test("the most calls of each address", () => {
	const calls = [call("a", 0, 10), call("a", 5, 20), call("a", 10, 30), call("b", 0)];
	expect([...peakByAddress(calls, 100)]).toEqual([
		["a", 2],
		["b", 1],
	]);
});

test("a moment of the timeline in one line, with all that is coming and going", () => {
	const line = momentLine(
		{ atSec: 125, steady: 1, coming: 2, active: 3, draining: 1, steadyLive: 100, burstLive: 300, costUsd: 0.01234 },
		800,
	);
	expect(line).toContain("02:05   400");
	expect(line).toContain(`${"█".repeat(5)}${"▒".repeat(15)}${"·".repeat(20)}`);
	expect(line).toContain("1 + 3  2 coming, 1 draining");
	expect(line).toContain("$0.0123");
});

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
	busyStretch,
	channelMsOverCap,
	firstReached,
	idealSec,
	invitesByNumber,
	msOverCap,
	peakChannels,
	peakCps,
	perSecond,
	utilisation,
} from "../../../local/voice/carrier/record.ts";
import type { CarrierCall } from "../../../local/voice/types.ts";

const call = (invitedAt: number, endedAt?: number, more: Partial<CarrierCall> = {}): CarrierCall => ({
	id: `${invitedAt}-${endedAt}`,
	number: "1",
	from: "127.0.0.1",
	invitedAt,
	...(endedAt === undefined ? {} : { endedAt }),
	...more,
});
const lists = fc
	.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 })), { maxLength: 25 })
	.map((pairs) => pairs.map(([start, length]) => call(start, start + length)));

describe("channels", () => {
	test("the peak counts live calls, and a channel freed at the moment it is taken again is one channel", () => {
		expect(peakChannels([])).toBe(0);
		expect(peakChannels([call(0, 10), call(10, 20)])).toBe(1);
		expect(peakChannels([call(0, 10), call(9, 20), call(9.5)])).toBe(3);
		expect(firstReached([call(0, 10), call(9, 20)], 2)).toBe(9);
		expect(firstReached([call(0, 10)], 2)).toBeUndefined();
	});

	test("over the cap: channel-milliseconds and milliseconds", () => {
		const calls = [call(0, 10), call(2, 10), call(4, 8), call(9)];
		expect(channelMsOverCap(calls, 1, 20)).toBe(8 + 4 + 1);
		expect(msOverCap(calls, 1, 20)).toBe(8);
		expect(channelMsOverCap(calls, 3, 20)).toBe(0);
	});

	test("peak and time over the cap are those found by looking at every moment", () => {
		fc.assert(
			fc.property(lists, fc.integer({ min: 1, max: 5 }), (calls, cap) => {
				const live = Array.from(
					{ length: 130 },
					(_, moment) => calls.filter(({ invitedAt, endedAt = 0 }) => invitedAt <= moment && moment < endedAt).length,
				);
				expect(peakChannels(calls, 130)).toBe(Math.max(...live));
				expect(channelMsOverCap(calls, cap, 130)).toBe(live.reduce((sum, each) => sum + Math.max(0, each - cap), 0));
				expect(msOverCap(calls, cap, 130)).toBe(live.filter((each) => each > cap).length);
				expect(utilisation(calls, cap, 0, 130)).toBeCloseTo(live.reduce((sum, each) => sum + each, 0) / (cap * 130));
			}),
		);
	});

	test("utilisation counts only what lies between the two moments", () => {
		expect(utilisation([call(0, 10), call(5)], 2, 4, 8)).toBeCloseTo((4 + 3) / 8);
		expect(utilisation([call(0, 10)], 2, 8, 8)).toBe(0);
	});

	test("the bench's stretch begins at 95 % of the cap and ends when fewer calls than the cap are left", () => {
		const calls = Array.from({ length: 10 }, (_, index) => call(index * 10, index * 10 + 35));
		expect(busyStretch(calls, 4, 10)).toEqual({ fromMs: 30, toMs: 60 });
		expect(busyStretch(calls, 9, 10)).toBeUndefined();
	});
});

describe("calls per second", () => {
	test("any rolling second, its end not included", () => {
		expect(peakCps([])).toBe(0);
		expect(peakCps([call(0), call(999.9), call(1_000), call(1_500)])).toBe(3);
		expect(peakCps([call(1_000), call(0)])).toBe(1);
	});

	test("is what counting from every call finds", () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 60 }), (starts) => {
				const most = starts.map((from) => starts.filter((at) => at >= from && at < from + 1_000).length);
				expect(peakCps(starts.map((start) => call(start)))).toBe(Math.max(0, ...most));
			}),
		);
	});

	test("the series by seconds", () => {
		const calls = [call(500, 1_700, { answeredAt: 1_600 }), call(600, 700), call(2_600)];
		expect(perSecond(calls, 3_400)).toEqual([
			{ atMs: 500, invites: 2, answers: 0, channels: 2 },
			{ atMs: 1_500, invites: 0, answers: 1, channels: 1 },
			{ atMs: 2_500, invites: 1, answers: 0, channels: 1 },
		]);
		expect(perSecond([], 0)).toEqual([]);
	});

	test("invites by number", () => {
		const calls = [call(0), call(1, 2, { number: "2" }), call(3)];
		expect([...invitesByNumber(calls)]).toEqual([
			["1", 2],
			["2", 1],
		]);
	});
});

describe("list scheduling", () => {
	test("examples", () => {
		expect(idealSec([], 3)).toBe(0);
		expect(idealSec([1, 2, 3], 10)).toBe(3);
		expect(idealSec([3, 1, 1, 1], 2)).toBe(3);
		expect(idealSec([1, 1, 1, 3], 2)).toBe(4);
		expect(() => idealSec([1], 0)).toThrow(RangeError);
	});

	test("takes as long as giving each call to the channel that is free first", () => {
		fc.assert(
			fc.property(
				fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 60 }),
				fc.integer({ min: 1, max: 12 }),
				(holds, channels) => {
					const free = new Array<number>(channels).fill(0);
					for (const hold of holds) {
						free.sort((a, b) => a - b);
						free[0] = (free[0] ?? 0) + hold;
					}
					expect(idealSec(holds, channels)).toBe(Math.max(0, ...free));
				},
			),
		);
	});
});

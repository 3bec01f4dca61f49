import { describe, expect, test } from "@jest/globals";
import { addCounted, talkMsOf } from "../../../shared/sync/counters.ts";

const LIMITS = { ringTimeoutSec: 30, maxCallSec: 120 };
const call = (ms: number, codec = "ulaw") => ({
	campaignId: "c",
	outcome: "answered",
	final: true,
	channelMs: ms + 5_000,
	talk: { ms, codec },
});

describe("talk", () => {
	test.each([
		["answered and ended", { t2: 1_000, t3: 31_500 }, 30_500],
		["never answered", { t3: 31_500 }, undefined],
		["its end is not known", { t2: 1_000 }, undefined],
		["a clock that jumped back", { t2: 5_000, t3: 1_000 }, 0],
		["a clock that jumped ahead", { t2: 0, t3: 10_000_000 }, 150_000],
	])("%s", (_, entry, ms) => {
		expect(talkMsOf(entry, LIMITS)).toBe(ms);
	});

	test("is counted by codec, and as carriers bill it: each call rounded up by itself", () => {
		const counts = addCounted({}, [call(1), call(6_001), call(60_000, "g729"), call(0)])["c"];
		expect(counts).toMatchObject({
			a: 4,
			n: 4,
			t_ulaw: 6_002,
			t_g729: 60_000,
			s: 1 + 7 + 60,
			s6: 6 + 12 + 60,
			s60: 180,
		});
	});

	test("a call that was not answered has none", () => {
		const counts = addCounted({}, [{ campaignId: "c", outcome: "busy", final: true, channelMs: 900 }])["c"];
		expect(counts).toEqual({ a: 1, f: 1, o_busy: 1, h: 900, m: 1 });
	});
});

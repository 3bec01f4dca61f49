import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type ByCampaign, callsWithinShare, decideShare, type ShareInput, sum } from "../../../shared/sync/shares.ts";

const input = (over: Partial<ShareInput>): ShareInput => ({
	trunkFree: 100,
	campaignFree: { a: 100, b: 100 },
	shareNow: {},
	base: {},
	candidates: {},
	hostRoom: 50,
	want: 50,
	prefetch: 0,
	...over,
});

describe("decideShare", () => {
	const rows: [string, Partial<ShareInput>, ByCampaign, ByCampaign][] = [
		["takes a channel for each candidate", { candidates: { a: 3 } }, { a: 3 }, { a: 3 }],
		["stops at the campaign's free channels", { candidates: { a: 9 }, campaignFree: { a: 4 } }, { a: 4 }, { a: 4 }],
		["stops at the trunk's free channels", { candidates: { a: 9 }, trunkFree: 2 }, { a: 2 }, { a: 2 }],
		["stops at the host's room", { candidates: { a: 9 }, hostRoom: 5 }, { a: 5 }, { a: 5 }],
		["stops at what the host wants", { candidates: { a: 9 }, want: 1 }, { a: 1 }, { a: 1 }],
		["lets campaigns take turns", { candidates: { a: 9, b: 9 }, trunkFree: 5 }, { a: 3, b: 2 }, { a: 3, b: 2 }],
		["gives back what has ended", { shareNow: { a: 10 }, base: { a: 4 }, want: 0 }, { a: 4 }, {}],
		[
			"uses what has ended for new calls at once",
			{ shareNow: { a: 10 }, base: { a: 4 }, candidates: { a: 20 }, trunkFree: 0, campaignFree: { a: 0 } },
			{ a: 10 },
			{ a: 6 },
		],
		[
			"grants calls ahead of channels",
			{ shareNow: { a: 10 }, base: { a: 8 }, candidates: { a: 20 }, trunkFree: 0, want: 6, prefetch: 4 },
			{ a: 10 },
			{ a: 6 },
		],
		[
			"counts calls that already wait for a channel as prefetched",
			{ shareNow: { a: 10 }, base: { a: 12 }, candidates: { a: 20 }, trunkFree: 0, want: 3, prefetch: 3 },
			{ a: 10 },
			{ a: 1 },
		],
		["prefetches nothing where the host has no channel", { candidates: { a: 9 }, trunkFree: 0, prefetch: 5 }, {}, {}],
		["raises the share for waiting calls first", { shareNow: { a: 2 }, base: { a: 5 }, want: 0 }, { a: 5 }, {}],
		["takes nothing while the cap is overdrawn", { trunkFree: -3, candidates: { a: 3 } }, {}, {}],
		["a campaign that is not on the trunk gets nothing", { candidates: { x: 3 } }, {}, {}],
	];
	test.each(rows)("%s", (_name, over, share, calls) => {
		expect(decideShare(input(over))).toEqual({ share, calls });
	});

	test("a full trunk's channels go to campaigns in proportion to their weights, whatever frees where", () => {
		// Three hosts of one trunk; in every round each gives back some calls of each campaign and takes what it may.
		const weights = { a: 3, b: 1 };
		const CAP = 40;
		const hosts = [
			{ a: 20, b: 0 },
			{ a: 10, b: 0 },
			{ a: 10, b: 0 },
		] as ByCampaign[];
		for (let round = 0; round < 200; round++) {
			for (const [i, shareNow] of hosts.entries()) {
				const all = (c: string): number => hosts.reduce((n, share) => n + (share[c] ?? 0), 0);
				const ends = (c: string): number => Math.min(shareNow[c] ?? 0, (round + i) % 3);
				const base = { a: (shareNow["a"] ?? 0) - ends("a"), b: (shareNow["b"] ?? 0) - ends("b") };
				const { share } = decideShare(
					input({
						trunkFree: CAP - all("a") - all("b"),
						campaignFree: { a: CAP, b: CAP },
						shareNow,
						base,
						candidates: { a: 50, b: 50 },
						weights,
						allocated: { a: all("a"), b: all("b") },
					}),
				);
				hosts[i] = share;
			}
		}
		const sums = ["a", "b"].map((c) => hosts.reduce((n, share) => n + (share[c] ?? 0), 0));
		expect(sums).toEqual([30, 10]);
	});
	test("a campaign that is ahead prefetches nothing while another waits for channels", () => {
		const ahead = {
			shareNow: { a: 20 },
			base: { a: 20 },
			candidates: { a: 9, b: 9 },
			trunkFree: 0,
			want: 9,
			prefetch: 9,
		};
		const weights = { a: 3, b: 1 };
		expect(decideShare(input({ ...ahead, weights, allocated: { a: 20 } })).calls).toEqual({});
		// It has what it is entitled to, and b is up on other hosts.
		expect(decideShare(input({ ...ahead, weights, allocated: { a: 20, b: 7 } })).calls).toEqual({ a: 9 });
		// The other has nothing to dial.
		expect(decideShare(input({ ...ahead, candidates: { a: 9 }, weights, allocated: { a: 20 } })).calls).toEqual({
			a: 9,
		});
	});

	const counts = (max: number) => fc.record({ a: fc.nat(max), b: fc.nat(max), c: fc.nat(max) });
	const arbitrary = fc
		.record({
			trunkFree: fc.integer({ min: -10, max: 30 }),
			campaignFree: fc.record({ a: fc.integer({ min: -5, max: 20 }), b: fc.nat(20), c: fc.nat(20) }),
			shareNow: counts(10),
			base: counts(14),
			candidates: counts(20),
			hostRoom: fc.nat(60),
			want: fc.nat(60),
			prefetch: fc.nat(20),
		})
		.map((value): ShareInput => value);

	test("never more than is free, never less than may have a channel, never more than is held", () => {
		fc.assert(
			fc.property(arbitrary, (value) => {
				const { share, calls } = decideShare(value);
				const rise = sum(share) - sum(value.shareNow);
				expect(rise <= 0 || rise <= value.trunkFree).toBe(true);
				for (const c of ["a", "b", "c"]) {
					const now = value.shareNow[c] ?? 0;
					const base = value.base[c] ?? 0;
					const next = share[c] ?? 0;
					const granted = calls[c] ?? 0;
					expect(next - now <= Math.max(0, value.campaignFree[c] ?? 0)).toBe(true);
					expect(next).toBeGreaterThanOrEqual(Math.min(base, now));
					expect(next).toBeLessThanOrEqual(base + granted);
					expect(granted).toBeLessThanOrEqual(value.candidates[c] ?? 0);
				}
				expect(sum(calls)).toBeLessThanOrEqual(value.want);
			}),
		);
	});

	test("a repeat within the reserved share grants what the first try granted", () => {
		fc.assert(
			fc.property(arbitrary, (value) => {
				const first = decideShare(value);
				const repeat = callsWithinShare(value, first.share);
				for (const c of ["a", "b", "c"]) {
					const base = value.base[c] ?? 0;
					const granted = repeat[c] ?? 0;
					expect(granted).toBeLessThanOrEqual(value.candidates[c] ?? 0);
					expect(base + granted).toBeLessThanOrEqual(Math.max(base, first.share[c] ?? 0) + value.prefetch);
				}
			}),
		);
	});
});

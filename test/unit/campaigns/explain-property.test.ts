import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { explain } from "../../../shared/campaigns/explain.ts";
import type { Wait } from "../../../shared/campaigns/explain-contacts.ts";
import type { ExplainInput } from "../../../shared/campaigns/explain-input.ts";
import { kindOf } from "../../../shared/campaigns/explain-words.ts";
import { CAMPAIGN_STATES } from "../../../shared/contract/campaign.ts";
import { HOST_STATES } from "../../../shared/fleet/life.ts";
import { newCampaign, newHost, newTrunk } from "../../support/items.ts";

const NOW = Date.UTC(2026, 10, 2, 10);
const ID = "01m8gt4n1dcac16k";
const WAITS: Wait[] = ["due", "outsideWindow", "retry", "calleeLimit", "nextNumber", "listOrder"];

/** Facts that need not even belong together: counters that moved, indexes that lag, entries that are missing. */
const anyInput = fc
	.record({
		state: fc.constantFrom(...CAMPAIGN_STATES),
		total: fc.nat(5_000_000),
		donePart: fc.double({ min: 0, max: 1, noNaN: true }),
		inProgress: fc.nat(3_000),
		claimed: fc.nat(3_000),
		groups: fc.array(fc.record({ wait: fc.constantFrom(...WAITS), contacts: fc.integer({ min: 1, max: 20_000 }) }), {
			maxLength: 6,
		}),
		whole: fc.boolean(),
		allPending: fc.boolean(),
		suppressed: fc.nat(50),
		maxCps: fc.constantFrom(undefined, 1, 2, 100),
		maxChannels: fc.constantFrom(undefined, 1, 50),
		hosts: fc.array(
			fc.record({
				state: fc.constantFrom(...HOST_STATES),
				silent: fc.boolean(),
				cap: fc.nat(50),
				live: fc.nat(60),
				held: fc.nat(60),
			}),
			{ maxLength: 3 },
		),
		trunks: fc.array(
			fc.record({
				weight: fc.integer({ min: 1, max: 100 }),
				there: fc.boolean(),
				entered: fc.boolean(),
				free: fc.integer({ min: -5, max: 60 }),
				aheadMs: fc.integer({ min: -5_000, max: 5_000 }),
				pace: fc.constantFrom(undefined, 0.01, 0.5),
				steady: fc.boolean(),
			}),
			{ minLength: 1, maxLength: 3 },
		),
	})
	.map((drawn): ExplainInput => {
		const trunks = drawn.trunks.map(({ free, aheadMs, pace, entered, steady }, i) => {
			const entry = { cap: 60, free, next: NOW + aheadMs };
			const item = newTrunk(
				`t${i}`,
				{ maxChannels: 60, maxCps: 10, numbering: "private" },
				entered ? { [ID]: entry } : {},
			);
			return {
				...item,
				free,
				nextDialAt: NOW + aheadMs,
				...(pace === undefined ? {} : { pace: { f: pace, at: NOW - 1_000 } }),
				trunk: { ...item.trunk, hosts: steady ? ("steady" as const) : ("all" as const) },
			};
		});
		const done = Math.floor(drawn.total * drawn.donePart);
		return {
			now: NOW,
			campaign: newCampaign(ID, NOW, {
				trunk: "t0",
				trunks: drawn.trunks.map(({ weight }, i) => ({ id: `t${i}`, weight })),
				state: drawn.state,
				...(drawn.maxCps === undefined ? {} : { maxCps: drawn.maxCps }),
				...(drawn.maxChannels === undefined ? {} : { maxChannels: drawn.maxChannels }),
			}),
			counts: {
				total: drawn.total,
				done,
				inProgress: drawn.inProgress,
				pending: Math.max(0, drawn.total - done - drawn.inProgress),
				outcomes: { suppressed: Math.min(done, 7), busy: 3, answered: 2 },
				attempts: done,
				channelMs: 0,
				timed: 0,
			},
			contacts: {
				looked: 100,
				claimed: drawn.claimed,
				groups: drawn.groups.map((group, i) => ({ ...group, detail: `d${i}`, from: NOW - 1_000, until: NOW + i })),
				suppressed: drawn.suppressed > 0 ? { why: drawn.suppressed } : {},
				whole: drawn.whole,
				allPending: drawn.allPending,
			},
			trunks: trunks.filter((_, i) => drawn.trunks[i]?.there),
			hosts: drawn.hosts.map(({ state, silent, cap, live, held }, i) => ({
				...newHost(`h${i}`, cap, silent ? NOW - 60_000 : NOW),
				state,
				live,
				held: { [ID]: held },
			})),
			inventories: new Map(),
			others: new Map(),
			lists: [],
			fleet: { intents: {}, boots: [] },
			burst: { bootSec: 60, launchTemplate: "" },
			lostAfterSec: 30,
		};
	});
const RUNS = { numRuns: 500, seed: 20_261_128 };
const sumOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe("of any facts", () => {
	test("the reasons add up, in whole contacts, and what is not exact says so", () => {
		fc.assert(
			fc.property(anyInput, (input) => {
				const found = explain(input);
				const { total, done, inProgress } = input.counts;
				expect(found.notDone).toBe(total - done);
				expect(sumOf(found.reasons.map(({ contacts }) => contacts))).toBe(found.notDone);
				for (const { contacts } of found.reasons) expect(Number.isInteger(contacts) && contacts > 0).toBe(true);
				expect(sumOf(Object.values(found.suppressed))).toBe(input.counts.outcomes["suppressed"]);
				expect(found.usedUp).toEqual({ busy: 3 });
				const { whole, allPending, claimed, groups } = input.contacts;
				const seen = sumOf(groups.map(({ contacts }) => contacts));
				if (["cancelled", "failed"].includes(input.campaign.state)) return;
				const fits = whole ? seen + claimed <= found.notDone : allPending && seen === found.notDone - inProgress;
				if (!fits && found.notDone > (whole ? claimed : inProgress)) expect(found.estimated).toBe(true);
			}),
			RUNS,
		);
	});
	test("what a person must mend, or that it is not to be dialed, is said before any limit", () => {
		fc.assert(
			fc.property(anyInput, (input) => {
				const { main, reasons } = explain(input);
				const kinds = reasons.map(({ reason }) => kindOf(reason));
				const first = kinds.includes("state") ? "state" : kinds.includes("blocked") ? "blocked" : undefined;
				if (first) expect(main && kindOf(main)).toBe(first);
				if (main && kindOf(main) === "going") expect(kinds.every((kind) => kind === "going")).toBe(true);
			}),
			RUNS,
		);
	});
});

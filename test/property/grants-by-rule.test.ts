import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { GrantedCall } from "../../shared/contract/call.ts";
import type { Deps } from "../../shared/deps.ts";
import type { CampaignItem, ContactItem, TrunkItem } from "../../shared/store/items.ts";
import { putCallingPolicy } from "../../shared/suppression/calling-policy.ts";
import { putList } from "../../shared/suppression/lists.ts";
import { optOut } from "../../shared/suppression/numbers.ts";
import type { Attributes } from "../support/memory-dynamo.ts";
import { Bench, type HandHost } from "../support/virtual/bench.ts";
import { campaignIdOf, campaignsOf, contactsOf, TENANT } from "../support/virtual/world.ts";

/** No call is granted outside a window, to a number on a list, or beyond what may be called in a time; and what may be called is. */

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

const putItem = (bench: Bench, table: string, item: object): void => {
	const result = bench.dynamo.perform({ name: "Put", input: { TableName: table, Item: item as Attributes } });
	if (!result.ok) throw result.error;
};
const changeCampaign = (bench: Bench, letter: string, change: Partial<CampaignItem>): void => {
	const item = campaignsOf(bench.dynamo).find(({ campaignId }) => campaignId === campaignIdOf(letter));
	putItem(bench, "campaigns", { ...item, ...change });
};
const changeContacts = (bench: Bench, change: (contact: ContactItem, i: number) => Partial<ContactItem>): void => {
	for (const [i, contact] of contactsOf(bench.dynamo).entries())
		putItem(bench, "contacts", { ...contact, ...change(contact, i) });
	bench.index();
};
const carryOut = (bench: Bench, what: string, run: (deps: Deps) => Promise<unknown>): Promise<unknown> =>
	bench.finish(bench.plane.start(what, run));
/** A sync of a host that has nothing up: it reports what it was granted before, and takes what it may. */
const turn = async (bench: Bench, host: HandHost): Promise<GrantedCall[]> => {
	const done = [...host.held.values()].map((call) => bench.ended(call, "noAnswer"));
	bench.index();
	const answer = await bench.sync(host, {
		want: 6,
		completed: done,
		slots: Object.fromEntries(bench.config.trunks.map(({ id }) => [id, 6])),
	});
	return answer.calls;
};

/** What a clock shows, by Intl and nothing of the project: `HH:MM` and the ISO weekday. */
const shown = (at: number, timeZone: string): { time: string; day: number } => {
	const parts = new Intl.DateTimeFormat("en-GB", {
		timeZone,
		hour: "2-digit",
		minute: "2-digit",
		hourCycle: "h23",
		weekday: "short",
	}).formatToParts(at);
	const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? "";
	return {
		time: `${of("hour")}:${of("minute")}`,
		day: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].indexOf(of("weekday")) + 1,
	};
};

const ZONES = ["America/New_York", "Europe/London", "Australia/Sydney", "America/Sao_Paulo", "Asia/Kolkata"];

describe("windows", () => {
	test("no grant is ever outside a window in the callee's own time, and every contact is called in the end", async () => {
		const schedule = fc.record({
			from: fc.integer({ min: 0, max: 20 }),
			hours: fc.integer({ min: 1, max: 4 }),
			days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 3, maxLength: 7 }),
			zones: fc.array(fc.constantFrom(...ZONES), { minLength: 1, maxLength: 8 }),
			jumps: fc.array(fc.integer({ min: 1, max: 10 * 60 }), { minLength: 5, maxLength: 30 }),
		});
		let grants = 0;
		let waits = 0;
		await fc.assert(
			fc.asyncProperty(schedule, async ({ from, hours, days, zones, jumps }) => {
				const bench = new Bench({
					hosts: [{ id: "h1", cap: 6 }],
					trunks: [{ id: "t", maxChannels: 10, maxCps: 500 }],
					campaigns: [{ letter: "a", trunk: "t", contacts: zones.length, cap: 10 }],
				});
				const time = (hour: number): string => `${String(hour % 24).padStart(2, "0")}:00`;
				const window = { from: time(from), to: time(from + hours), days, holidays: [] };
				changeCampaign(bench, "a", { window });
				changeContacts(bench, (_contact, i) => ({ tz: zones[i] ?? "" }));
				const host = await bench.hello("h1");
				const zoneOf = new Map(contactsOf(bench.dynamo).map(({ contactKey, tz }) => [contactKey, tz ?? ""]));
				let called = 0;
				const look = async (): Promise<void> => {
					for (const call of await turn(bench, host)) {
						const { time: clock, day } = shown(bench.scheduler.now, zoneOf.get(call.callId.split("-")[1] ?? "") ?? "");
						expect(clock >= window.from && (window.to === "00:00" || clock < window.to)).toBe(true);
						expect(days).toContain(day);
						called++;
					}
					bench.seen("h1");
				};
				for (const minutes of jumps) {
					bench.advance(minutes * MINUTE_MS);
					await look();
				}
				waits += contactsOf(bench.dynamo).filter(({ wait }) => wait?.for === "window").length;
				// A week later everybody's window has been open.
				for (let hour = 0; hour < 8 * 24 && called < zones.length; hour++) {
					bench.advance(HOUR_MS);
					await look();
					await look();
				}
				expect(called).toBe(zones.length);
				grants += called;
			}),
			{ numRuns: 25, seed: 20_261_128 },
		);
		expect(grants).toBeGreaterThan(25);
		expect(waits).toBeGreaterThan(10);
	}, 120_000);

	test("a contact that can never be called ends as suppressed, counted once, without an attempt", async () => {
		const bench = new Bench({
			hosts: [{ id: "h1", cap: 6 }],
			trunks: [{ id: "t", maxChannels: 10, maxCps: 500 }],
			campaigns: [{ letter: "a", trunk: "t", contacts: 3, cap: 10 }],
		});
		// Private numbers without a zone anywhere.
		changeCampaign(bench, "a", { window: { from: "08:00", to: "20:00", days: [1, 2, 3, 4, 5, 6, 7], holidays: [] } });
		const host = await bench.hello("h1");
		expect(await turn(bench, host)).toEqual([]);
		expect(
			contactsOf(bench.dynamo).map(({ state, outcome, sup, hist }) => ({ state, outcome, why: sup?.why, hist })),
		).toEqual(
			Array.from({ length: 3 }, () => ({
				state: "done",
				outcome: "suppressed",
				why: expect.stringContaining("time is unknown"),
				hist: undefined,
			})),
		);
		const acc = bench.dynamo.peek<{ acc: object }>("hosts", { tenant: TENANT, hostId: "h1" })?.acc;
		expect(acc).toEqual({ [campaignIdOf("a")]: { f: 3, o_suppressed: 3 } });
		expect(campaignsOf(bench.dynamo)[0]?.state).toBe("completed");
	});

	test("rules that do not hold for the purpose are recorded with the token, once", async () => {
		const bench = new Bench({
			hosts: [{ id: "h1", cap: 6 }],
			trunks: [{ id: "t", maxChannels: 10, maxCps: 500 }],
			campaigns: [{ letter: "a", trunk: "t", contacts: 2, cap: 10 }],
		});
		changeCampaign(bench, "a", { numbering: "e164", purpose: "emergency", tokenId: "tok-1", exemptions: {} });
		changeContacts(bench, (_contact, i) => ({ number: `+1305555010${i}` }));
		// Seven in the morning in Florida: closed to marketing.
		const host = await bench.hello("h1");
		expect(await turn(bench, host)).toHaveLength(2);
		const { exemptions } = campaignsOf(bench.dynamo)[0] as CampaignItem;
		expect(Object.keys(exemptions ?? {}).sort()).toEqual(["us-federal-hours", "us-fl-attempts", "us-fl-hours"]);
		for (const used of Object.values(exemptions ?? {})) expect(used.tokenId).toBe("tok-1");
	});
});

describe("calls to one number", () => {
	test("three campaigns, five caller ids, one callee, three in 24 hours: never more, and three in each", async () => {
		const bench = new Bench({
			hosts: [
				{ id: "h1", cap: 6 },
				{ id: "h2", cap: 6 },
			],
			trunks: [{ id: "t", maxChannels: 20, maxCps: 500 }],
			campaigns: ["a", "b", "c"].map((letter) => ({
				letter,
				trunk: "t",
				contacts: 1,
				cap: 10,
				retry: { noAnswer: { afterSec: 600, max: 9 } },
			})),
		});
		const trunk = bench.dynamo.peek<TrunkItem>("trunks", { tenant: TENANT, trunkId: "t" }) as TrunkItem;
		const callerIds = ["100", "101", "102", "103", "104"];
		putItem(bench, "trunks", { ...trunk, trunk: { ...trunk.trunk, numbering: "private", callerIds } });
		changeContacts(bench, () => ({ number: "7777777" }));
		await carryOut(bench, "policy", (deps) =>
			putCallingPolicy(deps, TENANT, "tok", { calleeLimit: { max: 3, perHours: 24 } }),
		);
		const hosts = [await bench.hello("h1"), await bench.hello("h2")];
		const calls: number[] = [];
		for (let step = 0; step < 60 * 6; step++) {
			bench.advance(10 * MINUTE_MS);
			for (const host of hosts) {
				bench.seen(host.hostId);
				for (const call of await turn(bench, host)) {
					expect(callerIds).toContain(call.callerId);
					calls.push(bench.scheduler.now);
				}
			}
		}
		const inDay = calls.map((from) => calls.filter((at) => at >= from && at < from + 24 * HOUR_MS).length);
		expect(Math.max(...inDay)).toBe(3);
		// Two and a half days: three calls in each of the first two.
		expect(calls.length).toBeGreaterThanOrEqual(8);
		expect(contactsOf(bench.dynamo).filter(({ wait }) => wait?.for === "calleeLimit").length).toBeGreaterThan(0);
	}, 60_000);

	test("the second of two calls waits for the least gap and does not vanish; a call that is given back does not count", async () => {
		const bench = new Bench({
			hosts: [{ id: "h1", cap: 6 }],
			trunks: [{ id: "t", maxChannels: 20, maxCps: 500 }],
			campaigns: [{ letter: "a", trunk: "t", contacts: 2, cap: 10 }],
		});
		changeCampaign(bench, "a", { calleeLimit: { minGapSec: 900 } });
		changeContacts(bench, () => ({ number: "7777777" }));
		const host = await bench.hello("h1");
		bench.advance(1_000);
		const [first, ...others] = await turn(bench, host);
		expect(others).toEqual([]);
		// Never dialed: the other is due a quarter of an hour after a call, and there was none.
		const back = await bench.sync(host, { want: 0, returned: [first?.callId ?? ""] });
		expect(back.calls).toEqual([]);
		bench.index();
		const [again] = await turn(bench, host);
		expect(again?.callId).toBeDefined();
		bench.advance(899_000);
		bench.seen("h1");
		expect(await turn(bench, host)).toEqual([]);
		bench.advance(40_000);
		bench.seen("h1");
		expect(await turn(bench, host)).toHaveLength(1);
	});
});

describe("lists", () => {
	test("an opt-out is in force for the next grant, and recalls what is granted and not dialed", async () => {
		const bench = new Bench({
			hosts: [
				{ id: "h1", cap: 3 },
				{ id: "h2", cap: 3 },
			],
			trunks: [{ id: "t", maxChannels: 20, maxCps: 500 }],
			campaigns: [{ letter: "a", trunk: "t", contacts: 12, cap: 10, retry: { noAnswer: { afterSec: 60, max: 3 } } }],
		});
		const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		const held = await turn(bench, h1);
		const numbers = new Map(contactsOf(bench.dynamo).map(({ contactKey, number }) => [contactKey, number]));
		const numberOf = (callId: string): string => numbers.get(callId.split("-")[1] ?? "") ?? "";
		const gone = numberOf(held[0]?.callId ?? "");
		const waiting = contactsOf(bench.dynamo).find(({ state }) => state === "pending")?.number ?? "";
		for (const number of [gone, waiting]) {
			await carryOut(bench, "opt-out", (deps) => optOut(deps, TENANT, "tok", { number }));
		}
		bench.advance(1_000);
		const answer = await bench.sync(h1, { want: 0, live: 2 });
		expect(answer.recall.map(numberOf)).toEqual([gone]);
		await bench.sync(h1, { want: 0, returned: answer.recall });
		const called: string[] = held.slice(1).map(({ callId }) => numberOf(callId));
		for (let i = 0; i < 10; i++) {
			bench.advance(61_000);
			for (const host of [h1, h2]) {
				bench.seen(host.hostId);
				called.push(...(await turn(bench, host)).map(({ callId }) => numberOf(callId)));
			}
		}
		expect(called.length).toBeGreaterThan(12);
		expect(called).not.toContain(gone);
		expect(called).not.toContain(waiting);
		const ends = contactsOf(bench.dynamo).filter(({ number }) => number === gone || number === waiting);
		expect(ends.map(({ outcome, sup }) => [outcome, sup?.why])).toEqual([
			["suppressed", "on the list opt-outs"],
			["suppressed", "on the list opt-outs"],
		]);
	});
	test("a number on a list: the contact's next number is called instead", async () => {
		const bench = new Bench({
			hosts: [{ id: "h1", cap: 3 }],
			trunks: [{ id: "t", maxChannels: 20, maxCps: 500 }],
			campaigns: [{ letter: "a", trunk: "t", contacts: 1, cap: 10, twoNumbers: true }],
		});
		const [contact] = contactsOf(bench.dynamo);
		await carryOut(bench, "opt-out", (deps) => optOut(deps, TENANT, "tok", { number: contact?.number ?? "" }));
		const host = await bench.hello("h1");
		expect(await turn(bench, host)).toEqual([]);
		bench.index();
		const [call] = await turn(bench, host);
		expect(`+${call?.number}`).toBe(contact?.nums?.[1]?.number);
	});
	test("nobody is called for a campaign whose register is too old; its contacts wait", async () => {
		const bench = new Bench({
			hosts: [{ id: "h1", cap: 3 }],
			trunks: [{ id: "t", maxChannels: 20, maxCps: 500 }],
			campaigns: [{ letter: "a", trunk: "t", contacts: 2, cap: 10 }],
		});
		await carryOut(bench, "list", (deps) => putList(deps, TENANT, "register", { scope: "all", kind: "register" }));
		const host = await bench.hello("h1");
		expect(await turn(bench, host)).toEqual([]);
		expect(contactsOf(bench.dynamo).map(({ state }) => state)).toEqual(["pending", "pending"]);
	});
});

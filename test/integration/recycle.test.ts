import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Outcome } from "../../shared/contract/outcome.ts";
import type { ContactItem } from "../../shared/store/items.ts";
import { contactsOf, endContact } from "../support/ended.ts";
import { MemoryDynamo, type Statement } from "../support/memory-dynamo.ts";
import { type Mortal, startMortal, tickThrough } from "../support/mortal.ts";
import { type Api, PRIVATE_TRUNK, startApi, US_TRUNK, usNumber } from "../unit/api/harness.ts";

/** A campaign made of the contacts of another one that ended with certain outcomes. */

const CAMPAIGN = { name: "n", trunk: "carrier-a", then: { wait: 5 } };
const OUTCOMES: Outcome[] = ["answered", "busy", "noAnswer", "cancelled", "suppressed"];

/** A campaign with a stored list. */
const campaignOf = async (api: Api, contacts: unknown[], trunk = "carrier-a"): Promise<string> => {
	const made = await api.call("POST", "/v1/campaigns", { body: { ...CAMPAIGN, trunk, contacts } });
	expect(made.status).toBe(201);
	await api.deliver("imports");
	return made.body.campaignId;
};
const recycle = (api: Api, campaignId: string, outcomes: Outcome[], more: Record<string, unknown> = {}) =>
	api.call("POST", "/v1/campaigns", { body: { ...CAMPAIGN, from: { campaignId, outcomes }, ...more } });
const view = async (api: Api, campaignId: string) => (await api.call("GET", `/v1/campaigns/${campaignId}`)).body;
const list = (rows: number) => Array.from({ length: rows }, (_, n) => ({ number: usNumber(n), id: `c-${n}` }));
const idsOf = (items: ContactItem[]): string[] => items.map((item) => item.contactId);

let dynamo: MemoryDynamo;
let api: Api;
/** Called before every statement. */
let before: ((statement: Statement) => unknown) | undefined;

beforeEach(async () => {
	dynamo = new MemoryDynamo();
	before = undefined;
	const client = dynamo.client({ before: async (statement) => void (await before?.(statement)) });
	api = await startApi(client, { importChunkRows: 100 });
	await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK });
});

describe("what is taken over", () => {
	test("of a finished campaign: id, all numbers from the first on, variables, zone and consent; nothing of its history", async () => {
		const contacts = [
			{ number: usNumber(1) },
			{
				id: "c-2",
				numbers: [{ number: usNumber(2), kind: "home" }, { number: usNumber(3) }],
				timeZone: "America/Chicago",
				consent: { at: "2026-03-01", kind: "oral" },
				vars: { name: "Ann" },
			},
			{ numbers: [{ number: usNumber(4), kind: "work" }] },
			{ number: usNumber(5) },
		];
		const old = await campaignOf(api, contacts);
		const outcomes: Outcome[] = ["answered", "busy", "noAnswer", "busy"];
		for (const [i, item] of contactsOf(dynamo, old).entries()) endContact(dynamo, item, outcomes[i] as Outcome);
		const before = contactsOf(dynamo, old);
		expect(before[1]).toMatchObject({ number: usNumber(3), ni: 1 });

		const made = await recycle(api, old, ["busy", "noAnswer"]);
		expect(made).toMatchObject({
			status: 201,
			body: { state: "importing", contacts: { accepted: 0, rejected: [], rejectedCount: 0, duplicates: 0 } },
		});
		const { campaignId } = made.body;
		expect(contactsOf(dynamo, campaignId)).toEqual([]);
		expect(await api.deliver("imports")).toBe(0);
		expect(await view(api, campaignId)).toMatchObject({
			state: "running",
			from: { campaignId: old, outcomes: ["busy", "noAnswer"] },
			counts: { total: 3, pending: 3 },
			imports: [{ state: "done", accepted: 3, duplicates: 0, rejectedCount: 0, chunks: { known: 1, final: true } }],
		});
		const fresh = { state: "pending", attempt: 1, ver: 1, dueAt: expect.any(Number) };
		const keys = { shardKey: expect.any(String), contactKey: expect.any(String), imp: expect.any(String) };
		expect(contactsOf(dynamo, campaignId)).toEqual([
			{
				...keys,
				...fresh,
				contactId: "c-2",
				number: usNumber(2),
				nums: contacts[1]?.numbers,
				ni: 0,
				tz: "America/Chicago",
				consent: { at: "2026-03-01", kind: "oral" },
				vars: { name: "Ann" },
			},
			{ ...keys, ...fresh, contactId: usNumber(4), number: usNumber(4), kind: "work" },
			{ ...keys, ...fresh, contactId: usNumber(5), number: usNumber(5) },
		]);
		// The other campaign is read only.
		expect(contactsOf(dynamo, old)).toEqual(before);
		expect((await view(api, old)).from).toBeUndefined();
	});

	test("it may be recycled in turn, in the same order; cancelled and suppressed contacts if they are named", async () => {
		const old = await campaignOf(api, list(300));
		for (const [i, item] of contactsOf(dynamo, old).entries()) {
			endContact(dynamo, item, OUTCOMES[i % OUTCOMES.length] as Outcome);
		}
		const one = (await recycle(api, old, ["suppressed", "cancelled", "busy"])).body.campaignId;
		await api.deliver("imports");
		expect(contactsOf(dynamo, one)).toHaveLength(180);
		for (const item of contactsOf(dynamo, one).slice(0, 90)) endContact(dynamo, item, "busy");
		const two = (await recycle(api, one, ["busy", "busy"])).body.campaignId;
		await api.deliver("imports");
		const wanted = idsOf(contactsOf(dynamo, one)).slice(0, 90);
		expect(idsOf(contactsOf(dynamo, two))).toEqual(wanted);
		const byDue = contactsOf(dynamo, two).sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
		expect(idsOf(byDue)).toEqual(wanted);
	});

	test("only contacts that are done count, whatever the campaign's state", async () => {
		const old = await campaignOf(api, list(5));
		const [first, second, third] = contactsOf(dynamo, old) as [ContactItem, ContactItem, ContactItem];
		endContact(dynamo, first, "busy");
		// Was busy once, and is to be called again.
		Object.assign(dynamo.peek("contacts", { shardKey: second.shardKey, contactKey: second.contactKey }) ?? {}, {
			hist: { "1": { o: "busy", by: "h#1#1", lease: "h#1#1", ver: 2, fin: false } },
			attempt: 2,
		});
		endContact(dynamo, third, "answered");
		const { campaignId } = (await recycle(api, old, ["busy"])).body;
		await api.deliver("imports");
		expect(idsOf(contactsOf(dynamo, campaignId))).toEqual(["c-0"]);
	});

	test("what the new campaign's trunk may not dial is counted with line and reason", async () => {
		await api.call("PUT", "/v1/trunks/both", { body: { ...US_TRUNK, countries: ["US", "GB"] } });
		const uk = "+442079460000";
		const rows = [
			{ number: usNumber(1) },
			{ number: uk },
			{ id: "c", numbers: [{ number: usNumber(2) }, { number: uk, kind: "home" }] },
			{ id: "d", numbers: [{ number: usNumber(3) }, { number: usNumber(4) }] },
		];
		const old = await campaignOf(api, rows, "both");
		for (const item of contactsOf(dynamo, old)) endContact(dynamo, item, "busy");
		const { campaignId } = (await recycle(api, old, ["busy"])).body;
		await api.deliver("imports");
		const [done] = (await view(api, campaignId)).imports;
		expect(done).toMatchObject({ state: "done", accepted: 2, rejectedCount: 2 });
		const byLine = done.rejected.sort((a: { line: number }, b: { line: number }) => a.line - b.line);
		expect(byLine).toEqual([
			{ line: 2, number: uk, reason: "number: is in GB; the trunk may dial US" },
			{ line: 3, number: usNumber(2), reason: "numbers[1]: is in GB; the trunk may dial US" },
		]);
		expect(idsOf(contactsOf(dynamo, campaignId))).toEqual([usNumber(1), "d"]);
	});

	test("lists can be added as well: who is there already is a duplicate", async () => {
		const old = await campaignOf(api, list(250));
		for (const item of contactsOf(dynamo, old)) endContact(dynamo, item, "busy");
		const { campaignId } = (await recycle(api, old, ["busy"])).body;
		const added = await api.call("POST", `/v1/campaigns/${campaignId}/contacts`, {
			body: [{ number: usNumber(1), id: "c-1" }, { number: usNumber(999) }],
		});
		expect(added.body).toMatchObject({ accepted: 2 });
		await api.deliver("imports");
		const shown = await view(api, campaignId);
		expect(shown).toMatchObject({ state: "running", counts: { total: 251 } });
		const made = shown.imports.find((item: { importId: string }) => item.importId === campaignId);
		expect(made).toMatchObject({ accepted: 249, duplicates: 1 });
	});
});

describe("nothing to take over", () => {
	test("no contact ended so: the campaign fails and says why", async () => {
		const old = await campaignOf(api, list(120));
		const { campaignId } = (await recycle(api, old, ["busy"])).body;
		expect(await api.deliver("imports")).toBe(0);
		const shown = await view(api, campaignId);
		expect(shown).toMatchObject({ state: "failed", counts: { total: 0 }, imports: [{ state: "failed" }] });
		expect(shown.failure).toMatch(/no contact of the campaign named in `from` has ended/);
	});
	test("none that the trunk may dial: the campaign fails and says why", async () => {
		await api.call("PUT", "/v1/trunks/private", { body: PRIVATE_TRUNK });
		const old = await campaignOf(api, [{ number: "100" }, { number: "200" }], "private");
		for (const item of contactsOf(dynamo, old)) endContact(dynamo, item, "busy");
		const { campaignId } = (await recycle(api, old, ["busy"])).body;
		await api.deliver("imports");
		const shown = await view(api, campaignId);
		expect(shown).toMatchObject({ state: "failed", imports: [{ rejectedCount: 2, rejected: [{}, {}] }] });
		expect(shown.failure).toMatch(/none of the 2 contact\(s\)/);
	});
	test.each<[string, unknown, number, string]>([
		["a campaign that is not there", { campaignId: "0".repeat(16), outcomes: ["busy"] }, 422, "from.campaignId"],
		["no id", { campaignId: "storm", outcomes: ["busy"] }, 400, "from.campaignId"],
		["an id of another tenant's shape", { campaignId: "x#0123456789abcd", outcomes: ["busy"] }, 400, "from.campaignId"],
		["no outcomes", { campaignId: "0".repeat(16) }, 400, "from.outcomes"],
		["empty outcomes", { campaignId: "0".repeat(16), outcomes: [] }, 400, "from.outcomes"],
		["an outcome that is none", { campaignId: "0".repeat(16), outcomes: ["busy", "sad"] }, 400, "from.outcomes[1]"],
		["a word", "all", 400, "from"],
		["another field", { campaignId: "0".repeat(16), outcomes: ["busy"], since: 1 }, 400, "from.since"],
	])("%s is refused, and nothing is stored", async (_what, from, status, path) => {
		const reply = await api.call("POST", "/v1/campaigns", { body: { ...CAMPAIGN, from } });
		expect(reply.status).toBe(status);
		expect(reply.body.error.details.map((detail: { path: string }) => detail.path)).toContain(path);
		expect(dynamo.items("campaigns")).toEqual([]);
	});
	test("a list and another campaign's contacts exclude each other", async () => {
		const old = await campaignOf(api, list(1));
		const reply = await recycle(api, old, ["busy"], { contacts: list(1) });
		expect(reply).toMatchObject({ status: 400, body: { error: { details: [{ path: "contacts" }] } } });
	});
});

/** Messages come in any order, and some twice. */
const deliverShuffled = async (): Promise<void> => {
	for (let round = 0; api.waiting.imports.length > 0 && round < 1_000; round++) {
		const queue = api.waiting.imports;
		const [twice] = queue;
		if (twice && round % 3 === 0) queue.push(structuredClone(twice));
		queue.push(...queue.splice(0, Math.floor(api.deps.random() * queue.length)));
		await api.deliver("imports", 1);
		expect(api.logs.filter((line) => line["level"] === "error")).toEqual([]);
	}
};
/** What is stored is what is counted, and it is what is shown. */
const expectCounted = async (campaignId: string): Promise<ContactItem[]> => {
	const stored = contactsOf(dynamo, campaignId);
	const shown = await view(api, campaignId);
	expect(shown).toMatchObject({ state: "running", counts: { total: stored.length, pending: stored.length } });
	expect(shown.imports).toMatchObject([{ state: "done", accepted: stored.length, duplicates: 0 }]);
	expect(dynamo.peek("campaigns", { campaign: `default#${campaignId}`, kind: "META" })).toMatchObject({
		openImports: 0,
		open: {},
	});
	return stored;
};

describe("a large campaign, over many pages", () => {
	const ROWS = 1_234;
	let old: string;
	beforeEach(async () => {
		old = await campaignOf(api, list(ROWS));
		for (const [i, item] of contactsOf(dynamo, old).entries()) {
			if (i % 7 > 0) endContact(dynamo, item, i % 7 > 2 ? "busy" : "answered");
		}
	});
	const wanted = () => idsOf(contactsOf(dynamo, old).filter((item) => item.outcome === "busy"));

	test("in any order of messages, some of them twice", async () => {
		const { campaignId } = (await recycle(api, old, ["busy"])).body;
		await deliverShuffled();
		const stored = await expectCounted(campaignId);
		expect(idsOf(stored)).toEqual(wanted());
		const [made] = (await view(api, campaignId)).imports;
		expect(made.chunks.known).toBeGreaterThan(5);
	});

	test("a cutting that runs out of time goes on where it stopped", async () => {
		const { deps } = api;
		const { now } = deps;
		let calls = 0;
		// Also where next to nothing ended so, and whole stretches hold none of them.
		const [one] = contactsOf(dynamo, old).slice(-1) as [ContactItem];
		endContact(dynamo, one, "rejected");
		for (const outcomes of [["busy"], ["rejected"]] as Outcome[][]) {
			const { campaignId } = (await recycle(api, old, outcomes)).body;
			deps.now = () => now() + 60_000 * Math.floor(++calls / 5);
			await deliverShuffled();
			deps.now = now;
			const stored = await expectCounted(campaignId);
			expect(stored).toHaveLength(outcomes[0] === "busy" ? wanted().length : 1);
		}
		const positions = api.logs.filter((line) => line["event"] === "recycle.page");
		expect(positions.length).toBeGreaterThan(5);
	});

	test("lost messages are sent again by the tick", async () => {
		const { campaignId } = (await recycle(api, old, ["busy"])).body;
		for (const lose of [1, 4, 2]) {
			api.waiting.imports.splice(0, lose);
			await api.deliver("imports", 3);
			api.waiting.imports.length = 0;
			api.clock.now += 3_600_000;
			await api.tick();
			await api.deliver("sweeps");
		}
		await deliverShuffled();
		expect(idsOf(await expectCounted(campaignId))).toEqual(wanted());
	});

	test("cancelled meanwhile: every contact that came ends as cancelled", async () => {
		const { campaignId } = (await recycle(api, old, ["busy"])).body;
		await api.deliver("imports", 4);
		expect((await api.call("POST", `/v1/campaigns/${campaignId}/cancel`)).status).toBe(200);
		await deliverShuffled();
		for (let i = 0; i < 3; i++) {
			api.clock.now += 60_000;
			await api.tick();
			await api.deliver("sweeps");
		}
		const stored = contactsOf(dynamo, campaignId);
		expect(stored.every((item) => item.outcome === "cancelled")).toBe(true);
		expect(await view(api, campaignId)).toMatchObject({
			state: "cancelled",
			swept: true,
			counts: { total: stored.length },
		});
	});
});

describe("a campaign that goes on changing while its contacts are taken over", () => {
	/** One more contact ends, or comes, before every nth statement of the imports. */
	const changing = (old: string, every: number): void => {
		let n = 0;
		let added = 0;
		before = async () => {
			if (++n % every > 0) return;
			const open = contactsOf(dynamo, old).find((item) => item.state === "pending");
			if (open) endContact(dynamo, open, "busy");
			const running = before;
			before = undefined;
			await api.call("POST", `/v1/campaigns/${old}/contacts`, { body: [{ number: usNumber(5_000 + added++) }] });
			const last = contactsOf(dynamo, old).find((item) => item.number === usNumber(5_000 + added - 1));
			if (last) endContact(dynamo, last, "busy");
			before = running;
		};
	};

	test.each([1, 2, 3, 7])("before every statement %# of some: what is counted is what is stored", async (every) => {
		const old = await campaignOf(api, list(240));
		for (const item of contactsOf(dynamo, old).slice(0, 120)) endContact(dynamo, item, "busy");
		const doneBefore = idsOf(contactsOf(dynamo, old).filter((item) => item.outcome === "busy"));
		const { campaignId } = (await recycle(api, old, ["busy"])).body;
		changing(old, every * 5);
		await deliverShuffled();
		before = undefined;
		const stored = idsOf(await expectCounted(campaignId));
		expect(stored).toEqual(expect.arrayContaining(doneBefore));
		const doneAfter = new Set(idsOf(contactsOf(dynamo, old).filter((item) => item.outcome === "busy")));
		expect(stored.filter((id) => !doneAfter.has(id))).toEqual([]);
	});

	test("two runs of one message, and a page half stored by one of them: what it consists of is decided once", async () => {
		const old = await campaignOf(api, list(60));
		const items = contactsOf(dynamo, old);
		for (const item of items.slice(0, 20)) endContact(dynamo, item, "busy");
		const { campaignId } = (await recycle(api, old, ["busy"])).body;
		const [split] = structuredClone(api.waiting.imports);
		if (!split) throw new Error("no message");
		let step = 0;
		let puts = 0;
		before = async ({ name, input }) => {
			if (name !== "Put") return;
			if (step === 1 && input["TableName"] === "contacts" && ++puts > 25) throw new Error("the function died");
			if (step > 0 || !String(input["Item"]?.["kind"]).includes("#PAGE#")) return;
			// The first run has read 20 contacts and is about to write them down: the other one finds 30, and its chunk dies half stored.
			step = 1;
			for (const item of items.slice(20, 30)) endContact(dynamo, item, "busy");
			api.waiting.imports.unshift(split);
			expect(await api.deliver("imports", 1)).toBe(0);
			const [chunk] = structuredClone(api.waiting.imports);
			expect(await api.deliver("imports", 1)).toBe(1);
			if (chunk) api.waiting.imports.push(chunk);
			step = 2;
		};
		expect(await api.deliver("imports")).toBe(0);
		expect(puts).toBeGreaterThan(25);
		expect(idsOf(await expectCounted(campaignId))).toHaveLength(30);
	});

	test("a page that dies half stored, and whose source has changed when it is repeated, counts what it stored", async () => {
		const old = await campaignOf(api, list(200));
		const items = contactsOf(dynamo, old);
		for (const item of items.slice(0, 90)) endContact(dynamo, item, "busy");
		const { campaignId } = (await recycle(api, old, ["busy"])).body;
		await api.deliver("imports", 1);
		const [message] = structuredClone(api.waiting.imports);
		if (!message) throw new Error("no message");
		let puts = 0;
		before = async ({ name, input }) => {
			if (name === "Put" && input["TableName"] === "contacts" && ++puts > 40) throw new Error("the function died");
		};
		expect(await api.deliver("imports", 1)).toBe(1);
		before = undefined;
		expect(contactsOf(dynamo, campaignId).length).toBeGreaterThan(0);
		for (const item of items.slice(90)) endContact(dynamo, item, "busy");
		api.waiting.imports.push(message);
		await api.deliver("imports");
		expect(await expectCounted(campaignId)).toHaveLength(90);
	});
});

describe("a function that dies before any of its writes", () => {
	const start = async (): Promise<{ mortal: Mortal; old: string }> => {
		const mortal = await startMortal();
		dynamo = mortal.dynamo;
		api = mortal.api;
		const old = await campaignOf(api, list(220));
		for (const [i, item] of contactsOf(dynamo, old).entries()) endContact(dynamo, item, i % 2 ? "busy" : "answered");
		return { mortal, old };
	};
	const headers = { "idempotency-key": "k" };
	const post = (old: string) =>
		api.call("POST", "/v1/campaigns", {
			body: { ...CAMPAIGN, from: { campaignId: old, outcomes: ["busy"] } },
			headers,
		});

	test("the request, repeated with the same key", async () => {
		let died = true;
		for (let n = 1; died; n++) {
			const { mortal, old } = await start();
			mortal.diesBefore(n);
			const first = await post(old);
			died = mortal.writes() >= n;
			expect(first.status).toBe(died ? 500 : 201);
			mortal.diesBefore(undefined);
			const again = await post(old);
			expect(again).toMatchObject({ status: 201, body: { state: "importing" } });
			await api.deliver("imports");
			expect(await expectCounted(again.body.campaignId)).toHaveLength(110);
		}
	});

	test("the request, never repeated: the tick completes it, or there is nothing of it", async () => {
		let died = true;
		for (let n = 1; died; n++) {
			const { mortal, old } = await start();
			mortal.diesBefore(n);
			await post(old);
			died = mortal.writes() >= n;
			mortal.diesBefore(undefined);
			api.waiting.imports.length = 0;
			await tickThrough(mortal);
			const made = dynamo
				.items<{ kind: string; campaignId: string }>("campaigns")
				.find((item) => item.kind === "META" && item.campaignId !== old);
			if (made) expect(await expectCounted(made.campaignId)).toHaveLength(110);
			else expect(dynamo.items("contacts")).toHaveLength(220);
		}
	});

	test("the import function; its message comes again", async () => {
		let died = true;
		for (let n = 1; died; n += n < 24 ? 1 : 23) {
			const { mortal, old } = await start();
			const { campaignId } = (await post(old)).body;
			died = false;
			let left = n;
			while (api.waiting.imports.length > 0) {
				const message = structuredClone(api.waiting.imports[0]);
				mortal.diesBefore(left);
				const failures = await api.deliver("imports", 1);
				if (failures > 0) died = true;
				left = failures === 0 && left > mortal.writes() ? left - mortal.writes() : 1e9;
				mortal.diesBefore(undefined);
				if (failures > 0 && message) api.waiting.imports.push(message);
			}
			expect(await expectCounted(campaignId)).toHaveLength(110);
		}
	});

	test("the import function; its message never comes again, only the tick", async () => {
		let died = true;
		for (let n = 1; died; n += n < 30 ? 3 : 40) {
			const { mortal, old } = await start();
			const { campaignId } = (await post(old)).body;
			mortal.diesBefore(n);
			died = (await api.deliver("imports")) > 0;
			mortal.diesBefore(undefined);
			api.waiting.imports.length = 0;
			await tickThrough(mortal);
			expect(await expectCounted(campaignId)).toHaveLength(110);
		}
	});
});

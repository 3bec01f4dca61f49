import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { OUTCOMES } from "../../shared/contract/outcome.ts";
import type { ContactItem } from "../../shared/store/items.ts";
import { contactsOf, endContact } from "../support/ended.ts";
import { MemoryDynamo } from "../support/memory-dynamo.ts";
import { startApi, US_TRUNK, usNumber } from "../unit/api/harness.ts";

/** Whatever a campaign's contacts ended with, whatever dies on the way and in whatever order messages come: exactly those wanted come over. */

const CAMPAIGN = { name: "n", trunk: "carrier-a", then: { wait: 5 } };
const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 9_999 }), { minLength: 1, maxLength: 3 });
const contact = fc.record({
	numbers,
	zone: fc.constantFrom(undefined, "America/New_York", "America/Phoenix"),
	end: fc.constantFrom(...OUTCOMES, "pending" as const, "claimed" as const),
});
const inputs = fc.record({
	contacts: fc.array(contact, { minLength: 1, maxLength: 60 }),
	wanted: fc.uniqueArray(fc.constantFrom(...OUTCOMES), { minLength: 1 }),
	chunkRows: fc.integer({ min: 1, max: 25 }),
	/** After how many statements a function dies, one death after the other. */
	deaths: fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 5 }),
	/** Which of the waiting messages comes next, and whether it comes twice. */
	order: fc.infiniteStream(fc.record({ place: fc.nat(), twice: fc.boolean() })),
});

const whatIsKept = ({ contactId, vars, tz, consent, nums, kind, number }: ContactItem) => ({
	contactId,
	vars,
	tz,
	consent,
	numbers: nums ?? [{ number, kind }],
});

test("a recycled campaign has exactly the contacts that ended with the outcomes, each as it was given", async () => {
	await fc.assert(
		fc.asyncProperty(inputs, async ({ contacts, wanted, chunkRows, deaths, order }) => {
			const dynamo = new MemoryDynamo();
			let left = Number.POSITIVE_INFINITY;
			const client = dynamo.client({
				before: async () => {
					if (left-- <= 0) throw new Error("the function died");
				},
			});
			const api = await startApi(client, { importChunkRows: chunkRows });
			await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK });
			const rows = contacts.map(({ numbers, zone }, i) => ({
				id: `c-${i}`,
				numbers: numbers.map((n, k) => ({ number: usNumber(n), ...(k === 1 ? { kind: "work" } : {}) })),
				...(zone ? { timeZone: zone } : {}),
			}));
			const old = (await api.call("POST", "/v1/campaigns", { body: { ...CAMPAIGN, contacts: rows } })).body.campaignId;
			for (const [i, item] of contactsOf(dynamo, old).entries()) {
				const end = contacts[i]?.end;
				if (end === undefined || end === "pending") continue;
				if (end !== "claimed") endContact(dynamo, item, end);
				else {
					const { shardKey, contactKey } = item;
					Object.assign(dynamo.peek("contacts", { shardKey, contactKey }) ?? {}, { state: "claimed", lease: "h#1#1" });
				}
			}

			const from = { campaignId: old, outcomes: wanted };
			const { campaignId } = (await api.call("POST", "/v1/campaigns", { body: { ...CAMPAIGN, from } })).body;
			const queue = api.waiting.imports;
			for (const { place, twice } of order) {
				if (queue.length === 0) break;
				const [message] = queue.splice(place % queue.length, 1);
				if (!message) break;
				if (twice && queue.length < 20) queue.push(structuredClone(message));
				queue.unshift(structuredClone(message));
				left = deaths.shift() ?? Number.POSITIVE_INFINITY;
				if ((await api.deliver("imports", 1)) > 0) queue.push(message);
				left = Number.POSITIVE_INFINITY;
			}

			const expected = contactsOf(dynamo, old).filter((item) => (wanted as unknown[]).includes(item.outcome));
			const stored = contactsOf(dynamo, campaignId);
			expect(stored.map(whatIsKept)).toEqual(expected.map(whatIsKept));
			for (const item of stored) {
				expect(item).toMatchObject({ state: "pending", attempt: 1, ver: 1 });
				expect(item.number).toBe(whatIsKept(item).numbers[0]?.number);
			}
			expect((await api.call("GET", `/v1/campaigns/${campaignId}`)).body).toMatchObject({
				state: expected.length > 0 ? "running" : "failed",
				counts: { total: expected.length },
				imports: [{ accepted: expected.length, duplicates: 0, rejectedCount: 0 }],
			});
		}),
		{ numRuns: 60, seed: 20_261_124 },
	);
});

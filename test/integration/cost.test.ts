import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sumTotals, totalsBetween } from "../../local/metering/write-units.ts";
import { apiClient } from "../../local/stack/api-client.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import type { SyncResponse } from "../../shared/contract/host.ts";

/** What a contact costs from its import to its end, through the whole control plane, by AWS's rules. */

const TIMEOUT_MS = 120_000;
const CONTACTS = 200;
const CALLS_PER_SYNC = 10;
/** A contact done in one attempt: import 2, claim 2, outcome 1, and its part of a sync's three writes. */
const MOST_WRITE_UNITS = 6;

let stack: Stack;
beforeAll(async () => {
	stack = await startStack({ port: 0, steady: 0, carrier: "none", meter: true });
}, TIMEOUT_MS);
afterAll(() => stack?.stop(), TIMEOUT_MS);

/** Dials a list through the sync, ten calls to each. @returns write units for each contact, its import included */
const dialList = async (hostId: string, first: number, campaign: Record<string, unknown>): Promise<number> => {
	const { client } = stack;
	const trunk = { type: "pjsip", host: "127.0.0.1", numbering: "private", maxChannels: 100, maxCps: 1_000 };
	expect((await client.request("PUT", `/v1/trunks/${hostId}`, { ...trunk, hosts: [hostId] })).status).toBeLessThan(300);
	const enrolled = await client.request<{ token: string }>("POST", "/v1/hosts", { hostId, capacity: 100 });
	const host = apiClient(stack.api, enrolled.body.token);
	const { body: greeting } = await host.request<{ epoch: number }>("POST", `/v1/hosts/${hostId}/hello`, {
		nonce: "12345678",
	});
	const before = await stack.meterTotals();
	const { body: created } = await client.request<{ campaignId: string }>("POST", "/v1/campaigns", {
		name: "cost",
		trunk: hostId,
		then: { wait: 1 },
		contacts: Array.from({ length: CONTACTS }, (_, i) => ({ number: String(first + i) })),
		...campaign,
	});
	let completed: { callId: string; outcome: "answered" }[] = [];
	let done = 0;
	for (let seq = 1; done < CONTACTS; seq++) {
		const { status, body } = await host.request<SyncResponse>("POST", `/v1/hosts/${hostId}/sync`, {
			epoch: greeting.epoch,
			seq,
			state: "up",
			live: 0,
			want: CALLS_PER_SYNC,
			slots: { [hostId]: CALLS_PER_SYNC },
			low: seq,
			completed,
			returned: [],
		});
		expect(status).toBe(200);
		done += completed.length;
		completed = body.calls.map(({ callId }) => ({ callId, outcome: "answered" }));
	}
	const totals = sumTotals(totalsBetween(before, await stack.meterTotals()));
	const { body: view } = await client.request("GET", `/v1/campaigns/${created.campaignId}`);
	expect(view).toMatchObject({ state: "completed", counts: { done: CONTACTS } });
	return (totals.writeUnits + totals.indexWriteUnits) / CONTACTS;
};

test(
	"a contact done in one attempt takes at most six write units where ten share a sync, and one more where calls to its number are limited",
	async () => {
		const each = await dialList("h1", 1_000, {});
		expect(each).toBeLessThanOrEqual(MOST_WRITE_UNITS);
		// The parts that nothing can save: fewer would mean that the meter overlooks some.
		expect(each).toBeGreaterThan(5);
		const limited = await dialList("h2", 2_000, { calleeLimit: { max: 3, perHours: 24 } });
		process.stderr.write(
			`write units of a contact: ${each.toFixed(3)}, with a limit of calls to its number ${limited.toFixed(3)}\n`,
		);
		expect(limited - each).toBeGreaterThan(0.9);
		expect(limited - each).toBeLessThanOrEqual(1.01);
	},
	TIMEOUT_MS,
);

import { describe, expect, test } from "@jest/globals";
import type { ContactItem } from "../../shared/store/items.ts";
import { MemoryDynamo, type Statement } from "../support/memory-dynamo.ts";
import { type Api, startApi, US_TRUNK, usNumber } from "../unit/api/harness.ts";

/**
 * A function that dies between any two of its writes. The nth write and everything after it fails until the process is
 * "started again"; then the caller repeats its request, SQS its message, or only the tick comes by.
 */
interface Mortal {
	api: Api;
	dynamo: MemoryDynamo;
	/** From now on, dies before its nth write; `undefined`: lives. */
	diesBefore(write: number | undefined): void;
	writes(): number;
}

const WRITES = new Set(["Put", "Update", "Delete"]);

const startMortal = async (): Promise<Mortal> => {
	const dynamo = new MemoryDynamo();
	let limit: number | undefined;
	let count = 0;
	const live = (isWrite: boolean): void => {
		if (isWrite) count++;
		if (limit !== undefined && count >= limit) throw new Error("the function died");
	};
	const api = await startApi(
		dynamo.client({
			before: async (statement: Statement) => live(WRITES.has(statement.name)),
		}),
		{ importChunkRows: 100 },
	);
	await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK });
	const { send } = api.deps.queues;
	api.deps.queues.send = async (queue, messages) => {
		live(true);
		await send(queue, messages);
	};
	const { put } = api.objects;
	api.objects.put = async (key, body) => {
		live(true);
		await put(key, body);
	};
	return {
		api,
		dynamo,
		diesBefore: (write) => {
			limit = write;
			count = 0;
		},
		writes: () => count,
	};
};

const body = (rows: number) => ({
	name: "n",
	trunk: "carrier-a",
	then: { wait: 5 },
	contacts: [
		...Array.from({ length: rows }, (_, n) => ({ number: usNumber(n) })),
		{ number: "+1" },
		{ number: usNumber(0) },
	],
});
const headers = { "idempotency-key": "k" };
const contacts = (mortal: Mortal) => mortal.dynamo.items<ContactItem>("contacts");

/** The minute's tick and what it causes, until nothing is left to do. */
const tickThrough = async ({ api }: Mortal): Promise<void> => {
	for (let i = 0; i < 4; i++) {
		api.clock.now += 300_000;
		await api.tick();
		await api.deliver("sweeps");
		await api.deliver("imports");
	}
};

const expectWhole = async (mortal: Mortal, campaignId: string, rows: number): Promise<void> => {
	const shown = (await mortal.api.call("GET", `/v1/campaigns/${campaignId}`)).body;
	expect(shown).toMatchObject({
		state: "running",
		counts: { total: rows, pending: rows },
		imports: [{ state: "done", accepted: rows, duplicates: 1, rejectedCount: 1 }],
	});
	const stored = contacts(mortal);
	expect(stored).toHaveLength(rows);
	expect(new Set(stored.map((item) => item.contactId)).size).toBe(rows);
	const meta = mortal.dynamo.peek("campaigns", { campaign: `default#${campaignId}`, kind: "META" });
	expect(meta).toMatchObject({ openImports: 0, open: {} });
	const trunk = mortal.dynamo.peek("trunks", { tenant: "default", trunkId: "carrier-a" });
	expect(trunk?.["c"]).toEqual({ [campaignId]: { cap: 100, free: 100 } });
};

describe.each([
	["a short list", 5],
	["a list that takes an object", 200],
	["a long list", 620],
])("POST /v1/campaigns with %s dies before any of its writes", (_what, rows) => {
	test("repeated with the same key it ends as if nothing had happened", async () => {
		let died = true;
		// Far into the contacts' own writes one death is like another: every write at first and at the end, some between.
		for (let n = 1; died; n += n < 12 || rows < 12 ? 1 : Math.ceil(rows / 9)) {
			const mortal = await startMortal();
			mortal.diesBefore(n);
			const first = await mortal.api.call("POST", "/v1/campaigns", { body: body(rows), headers });
			died = mortal.writes() >= n;
			expect(first.status).toBe(died ? 500 : 201);
			mortal.diesBefore(undefined);
			const again = await mortal.api.call("POST", "/v1/campaigns", { body: body(rows), headers });
			expect(again).toMatchObject({
				status: 201,
				body: { contacts: { accepted: rows, duplicates: 1, rejectedCount: 1 } },
			});
			await mortal.api.deliver("imports");
			await expectWhole(mortal, again.body.campaignId, rows);
		}
	});

	test("never repeated, the tick completes it or leaves nothing of it", async () => {
		let died = true;
		for (let n = 1; died; n += n < 12 || rows < 12 ? 1 : Math.ceil(rows / 9)) {
			const mortal = await startMortal();
			mortal.diesBefore(n);
			await mortal.api.call("POST", "/v1/campaigns", { body: body(rows) });
			died = mortal.writes() >= n;
			mortal.diesBefore(undefined);
			mortal.api.waiting.imports.length = 0;
			await tickThrough(mortal);
			const campaigns = mortal.dynamo.items<{ kind: string; campaignId: string; state: string }>("campaigns");
			const meta = campaigns.find((item) => item.kind === "META");
			if (contacts(mortal).length === 0) expect(meta?.state ?? "failed").toBe("failed");
			else await expectWhole(mortal, meta?.campaignId ?? "", rows);
			const isOpen = campaigns.some((item) => item["campaign" as keyof typeof item] === "default#open");
			expect(isOpen).toBe(meta?.state === "running");
		}
	});
});

test("the import function dies before any of its writes; the message comes again", async () => {
	const csv = ["number"]
		.concat(Array.from({ length: 150 }, (_, n) => usNumber(n)))
		.concat("bad", usNumber(0))
		.join("\n");
	for (let n = 1; n < 400; n += n < 20 ? 1 : 13) {
		const mortal = await startMortal();
		const { api } = mortal;
		const made = await api.call("POST", "/v1/campaigns", { body: { ...body(0), contacts: undefined } });
		const { campaignId } = made.body;
		const form = await api.call("POST", `/v1/campaigns/${campaignId}/uploads`, { body: { bytes: csv.length } });
		api.objects.stored.set(form.body.fields.key, Buffer.from(csv));
		await api.call("POST", `/v1/campaigns/${campaignId}/uploads/${form.body.uploadId}/complete`);
		let left = n;
		while (api.waiting.imports.length > 0) {
			const message = structuredClone(api.waiting.imports[0]);
			mortal.diesBefore(left);
			const failures = await api.deliver("imports", 1);
			left = failures === 0 && left > mortal.writes() ? left - mortal.writes() : 1e9;
			mortal.diesBefore(undefined);
			if (failures > 0 && message) api.waiting.imports.push(message);
		}
		await expectWhole(mortal, campaignId, 150);
	}
});

test("a cancel that dies before its message is swept by the tick", async () => {
	for (let n = 1; n <= 2; n++) {
		const mortal = await startMortal();
		const { api } = mortal;
		const { campaignId } = (await api.call("POST", "/v1/campaigns", { body: body(5) })).body;
		mortal.diesBefore(n);
		expect((await api.call("POST", `/v1/campaigns/${campaignId}/cancel`)).status).toBe(500);
		mortal.diesBefore(undefined);
		const cancelled = n > 1;
		await tickThrough(mortal);
		expect((await api.call("GET", `/v1/campaigns/${campaignId}`)).body.state).toBe(cancelled ? "cancelled" : "running");
		expect(contacts(mortal).every((item) => item.state === (cancelled ? "done" : "pending"))).toBe(true);
	}
});

test("a sweep that dies before any of its writes goes on later", async () => {
	for (let n = 1; n < 14; n++) {
		const mortal = await startMortal();
		const { api } = mortal;
		const { campaignId } = (await api.call("POST", "/v1/campaigns", { body: body(5) })).body;
		await api.call("POST", `/v1/campaigns/${campaignId}/cancel`);
		mortal.diesBefore(n);
		await api.deliver("sweeps");
		mortal.diesBefore(undefined);
		await tickThrough(mortal);
		const shown = (await api.call("GET", `/v1/campaigns/${campaignId}`)).body;
		expect(shown).toMatchObject({ swept: true, outcomes: { cancelled: 5 } });
		expect(contacts(mortal).every((item) => item.outcome === "cancelled")).toBe(true);
	}
});

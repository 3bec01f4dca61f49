import { describe, expect, test } from "@jest/globals";
import type { ContactItem } from "../../shared/store/items.ts";
import { type Mortal, startMortal, tickThrough } from "../support/mortal.ts";
import { usNumber } from "../unit/api/harness.ts";

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

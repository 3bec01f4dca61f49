import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { ContactItem } from "../../shared/store/items.ts";
import { MemoryDynamo } from "../support/memory-dynamo.ts";
import { type Api, startApi, US_TRUNK, usNumber } from "../unit/api/harness.ts";

let dynamo: MemoryDynamo;
let api: Api;

beforeEach(async () => {
	dynamo = new MemoryDynamo();
	api = await startApi(dynamo.client(), { importChunkRows: 100 });
	await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK });
});

const contacts = () => dynamo.items<ContactItem>("contacts");
const waitingCampaign = async (): Promise<string> => {
	const made = await api.call("POST", "/v1/campaigns", {
		body: { name: "n", trunk: "carrier-a", then: { wait: 5 } },
	});
	return made.body.campaignId;
};
const view = async (campaignId: string) => (await api.call("GET", `/v1/campaigns/${campaignId}`)).body;

/** Uploads a list as a browser would, then says so. */
const upload = async (campaignId: string, list: Uint8Array | string, more: Record<string, unknown> = {}) => {
	const bytes = Buffer.from(list);
	const made = await api.call("POST", `/v1/campaigns/${campaignId}/uploads`, {
		body: { bytes: bytes.length, ...more },
	});
	expect(made.status).toBe(201);
	api.objects.stored.set(made.body.fields.key, bytes);
	return api.call("POST", `/v1/campaigns/${campaignId}/uploads/${made.body.uploadId}/complete`);
};
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

const csvOf = (rows: number): string =>
	["number,id,vars.name,street"]
		.concat(Array.from({ length: rows }, (_, n) => `${usNumber(n)},c-${n},"Ann ""${n}"" Lee","Main, St ${n}"`))
		.join("\r\n");

describe("lists in a request", () => {
	test("a long list is staged and stored by the import function, and the campaign runs then", async () => {
		const list = Array.from({ length: 1_234 }, (_, n) => ({ number: usNumber(n) }));
		const made = await api.call("POST", "/v1/campaigns", {
			body: {
				name: "n",
				trunk: "carrier-a",
				then: { wait: 5 },
				contacts: [...list, { number: "+1900" }, ...list.slice(0, 6)],
			},
		});
		expect(made).toMatchObject({
			status: 201,
			body: { state: "importing", contacts: { accepted: 1_234, duplicates: 6, rejectedCount: 1 } },
		});
		expect(contacts()).toHaveLength(0);
		expect(api.waiting.imports).toHaveLength(13);
		await deliverShuffled();
		expect(contacts()).toHaveLength(1_234);
		expect(await view(made.body.campaignId)).toMatchObject({
			state: "running",
			counts: { total: 1_234 },
			imports: [{ state: "done", accepted: 1_234, duplicates: 6, rejectedCount: 1 }],
		});
	});

	test.each([
		[
			"application/x-ndjson",
			`\uFEFF{"number":"${usNumber(1)}"}\r\n\r\n{"number":"${usNumber(2)}","id":"b"}\nnonsense\n{"number":7}`,
		],
		["text/csv", `\uFEFFNumber;id\r\n${usNumber(1)};\r\n\r\n${usNumber(2)};b\r\n"${usNumber(3)};x\r\n${usNumber(4)}`],
		["application/json", `[{"number":"${usNumber(1)}"},{"number":"${usNumber(2)}","id":"b"},3,{"number":"x"}]`],
	])("%s: good rows are taken, bad ones named with their line", async (type, body) => {
		const campaignId = await waitingCampaign();
		const added = await api.call("POST", `/v1/campaigns/${campaignId}/contacts`, {
			body,
			headers: { "content-type": type },
		});
		expect(added).toMatchObject({ status: 201, body: { state: "done", accepted: 2, rejectedCount: 2 } });
		expect(
			contacts()
				.map((item) => item.contactId)
				.sort(),
		).toEqual([usNumber(1), "b"].sort());
		expect(added.body.rejected.map((row: { line: number }) => row.line)).toEqual(
			type === "application/json" ? [3, 4] : type === "text/csv" ? [5, 6] : [4, 5],
		);
	});

	test("adding to a running campaign never resets a contact", async () => {
		const campaignId = await waitingCampaign();
		const add = (rows: unknown[]) => api.call("POST", `/v1/campaigns/${campaignId}/contacts`, { body: rows });
		await add([{ number: usNumber(1) }, { number: usNumber(2) }]);
		const [one] = contacts();
		if (!one) throw new Error("no contact");
		const standing = dynamo.peek("contacts", { shardKey: one.shardKey, contactKey: one.contactKey }) as ContactItem;
		Object.assign(standing, { state: "claimed", lease: "h1#1#1", ver: 2 });
		const again = await add([{ number: usNumber(1) }, { number: usNumber(2) }, { number: usNumber(3) }]);
		expect(again.body).toMatchObject({ accepted: 1, duplicates: 2 });
		expect(standing).toMatchObject({ state: "claimed", lease: "h1#1#1", ver: 2 });
		expect((await view(campaignId)).counts.total).toBe(3);
	});

	test("a campaign that is over takes nothing", async () => {
		const campaignId = await waitingCampaign();
		await api.call("POST", `/v1/campaigns/${campaignId}/cancel`);
		expect(
			await api.call("POST", `/v1/campaigns/${campaignId}/contacts`, { body: [{ number: usNumber(1) }] }),
		).toMatchObject({ status: 409, body: { error: { code: "campaignOver" } } });
	});
});

describe("contacts with several numbers, a zone and a consent", () => {
	const numbers = [{ number: usNumber(1), kind: "mobile" }, { number: usNumber(2) }];
	const consent = { at: "2026-03-01T10:00:00Z", kind: "written" };
	const rows = [
		{ id: "a", numbers, timeZone: "America/Phoenix", consent, vars: { name: "Ann" } },
		{ id: "b", numbers: [{ number: usNumber(3), kind: "home" }] },
		{ number: usNumber(4) },
		{ id: "bad", numbers: [{ number: usNumber(5) }, { number: "+442079460000" }] },
	];
	const csv = [
		"id,number,kind,number_2,time_zone,consent_at,consent_kind,name",
		`a,${usNumber(1)},mobile,${usNumber(2)},America/Phoenix,${consent.at},written,Ann`,
		`b,${usNumber(3)},home,,,,,`,
		`,${usNumber(4)},,,,,,`,
		`bad,${usNumber(5)},,+442079460000,,,,`,
	].join("\n");
	const add = (type: string, body: string) => async (campaignId: string) =>
		(await api.call("POST", `/v1/campaigns/${campaignId}/contacts`, { body, headers: { "content-type": type } })).body;

	test.each<[string, (campaignId: string) => Promise<{ rejected: unknown[] }>]>([
		["JSON", add("application/json", JSON.stringify(rows))],
		["NDJSON", add("application/x-ndjson", rows.map((row) => JSON.stringify(row)).join("\n"))],
		["CSV", add("text/csv", csv)],
		[
			"an uploaded CSV",
			async (campaignId) => {
				await upload(campaignId, csv);
				await deliverShuffled();
				return (await view(campaignId)).imports[0];
			},
		],
	])("%s: stored as they are; a row with a bad number is rejected whole", async (_what, take) => {
		const campaignId = await waitingCampaign();
		expect(await take(campaignId)).toMatchObject({
			accepted: 3,
			rejectedCount: 1,
			rejected: [{ number: usNumber(5), reason: expect.stringMatching(/^(numbers\[1\]|number_2): is in GB/) }],
		});
		const [c, a, b] = contacts().sort((x, y) => (x.contactId < y.contactId ? -1 : 1)) as ContactItem[];
		expect(a).toMatchObject({
			contactId: "a",
			number: usNumber(1),
			nums: numbers,
			ni: 0,
			tz: "America/Phoenix",
			consent,
		});
		expect(a?.vars).toEqual({ name: "Ann" });
		expect(b).toMatchObject({ contactId: "b", number: usNumber(3), kind: "home" });
		expect(c).toMatchObject({ contactId: usNumber(4), number: usNumber(4) });
		for (const item of [b, c]) {
			for (const field of ["nums", "ni", "tz", "consent", "vars"]) expect(item).not.toHaveProperty(field);
		}
		expect(contacts()).toHaveLength(3);
	});

	test("a call's record shows the number that was dialed, and what it is", async () => {
		const campaignId = await waitingCampaign();
		await add("application/json", JSON.stringify(rows))(campaignId);
		const entry = { o: "noAnswer", by: "h1#1#2", lease: "h1#1#1", ver: 2, fin: false };
		const set = (id: string, over: Partial<ContactItem>): void => {
			const item = contacts().find((one) => one.contactId === id) as ContactItem;
			const { shardKey, contactKey } = item;
			Object.assign(dynamo.peek("contacts", { shardKey, contactKey }) ?? {}, over);
		};
		// As a sync that has gone on to the second number, and back to the first, leaves it.
		set("a", {
			number: usNumber(2),
			ni: 1,
			hist: { "1": entry, "2": { ...entry, n: 1 }, "3": { ...entry, n: 0 } },
		} as Partial<ContactItem>);
		set("b", { hist: { "1": entry } } as Partial<ContactItem>);
		set(usNumber(4), { hist: { "1": entry } } as Partial<ContactItem>);
		const path = `/v1/campaigns/${campaignId}/calls`;
		const { items } = (await api.call("GET", path)).body;
		const shown = items.map((call: Record<string, unknown>) => [
			call["contactId"],
			call["attempt"],
			call["number"],
			call["kind"],
		]);
		expect(shown.sort()).toEqual(
			[
				["a", 1, usNumber(1), "mobile"],
				["a", 2, usNumber(2), null],
				["a", 3, usNumber(1), "mobile"],
				["b", 1, usNumber(3), "home"],
				[usNumber(4), 1, usNumber(4), null],
			].sort(),
		);
		const { text } = await api.call("GET", path, { headers: { accept: "text/csv" } });
		expect(text).toMatch(/^callId,contactId,number,attempt,.*,lateOutcome,kind,.*\r\n/);
		expect(text).toMatch(new RegExp(`,b,\\${usNumber(3)},1,.*,home,,,,,\r\n`));
		expect(text).toMatch(new RegExp(`,a,\\${usNumber(2)},2,.*,,,,,,\r\n`));
	});
});

describe("uploads", () => {
	test.each(["csv", "ndjson", "json"])(
		"a %s list is split and stored, whatever the order of the messages",
		async (format) => {
			const rows = 1_050;
			const objects = Array.from({ length: rows }, (_, n) => ({
				number: usNumber(n),
				id: `c-${n}`,
				vars: { name: `Ann "${n}" Lee`, street: "Main St" },
			}));
			const list = {
				csv: csvOf(rows),
				ndjson: objects.map((row) => JSON.stringify(row)).join("\n"),
				json: JSON.stringify(objects, null, 1),
			}[format] as string;
			const campaignId = await waitingCampaign();
			api.objects.pieceBytes = 777;
			const sha256 = createHash("sha256").update(list).digest("hex");
			expect(await upload(campaignId, list, { sha256 })).toMatchObject({ status: 202, body: { state: "open" } });
			await deliverShuffled();
			expect(await view(campaignId)).toMatchObject({
				state: "running",
				counts: { total: rows },
				imports: [
					{ state: "done", accepted: rows, duplicates: 0, rejectedCount: 0, chunks: { known: 11, stored: 11 } },
				],
			});
			const seven = contacts().find((item) => item.contactId === "c-7");
			expect(seven?.vars?.["name"]).toBe('Ann "7" Lee');
			const inOrder = contacts().sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
			expect(inOrder.map((item) => item.contactId)).toEqual(objects.map((row) => row.id));
		},
	);

	test("bad rows and duplicates are counted with line and reason", async () => {
		const lines = csvOf(300).split("\r\n");
		lines[10] = "12025550999,x,a,b";
		lines[250] = `${usNumber(3)},c-3,twice,b`;
		lines[260] = `${usNumber(9999)},too-few`;
		const bytes = Buffer.concat([
			Buffer.from(lines.slice(0, 200).join("\r\n")),
			Buffer.from(`\r\n${usNumber(5000)},latin,M\xfcller,b\r\n`, "latin1"),
			Buffer.from(lines.slice(200).join("\r\n")),
		]);
		const campaignId = await waitingCampaign();
		await upload(campaignId, bytes);
		await deliverShuffled();
		const [done] = (await view(campaignId)).imports;
		expect(done).toMatchObject({ state: "done", accepted: 297, duplicates: 1, rejectedCount: 3 });
		expect(done.rejected).toEqual([
			{ line: 11, number: "12025550999", reason: "number: is not E.164: + and 8 to 15 digits" },
			{ line: 201, number: "", reason: "is not UTF-8 (Latin-1?). Save the list as UTF-8" },
			{ line: 262, number: usNumber(9999), reason: "has 2 fields, the header has 4" },
		]);
	});

	test.each([
		["no column number", "phone\n+12025550123\n", "column `number`"],
		["nothing", "  \n", "empty"],
		["UTF-16", Buffer.from("\uFEFFnumber\n1", "utf16le"), "UTF-16"],
		["a column that is no variable", "number,first name\n+12025550123,x\n", "first name"],
		["a column twice", "number,a,vars.a\n+12025550123,x,y\n", "twice"],
		["numbers in one column", "number,numbers\n+12025550123,x\n", "number_2"],
		["half a consent", "number,consent_at\n+12025550123,2026-03-01\n", "consent_kind"],
		["only bad rows", "number\nx\ny\n", "no row"],
	])("%s: the import fails and says why; the campaign waits for another list", async (_what, list, why) => {
		const campaignId = await waitingCampaign();
		await upload(campaignId, list);
		await deliverShuffled();
		const shown = await view(campaignId);
		expect(shown).toMatchObject({ state: "importing", imports: [{ state: "failed" }] });
		expect(shown.imports[0].failure).toContain(why);
		await upload(campaignId, csvOf(3));
		await deliverShuffled();
		expect(await view(campaignId)).toMatchObject({ state: "running", counts: { total: 3 } });
	});

	test("what was not uploaded, or not as announced, is refused", async () => {
		const campaignId = await waitingCampaign();
		const path = `/v1/campaigns/${campaignId}/uploads`;
		const made = await api.call("POST", path, { body: { bytes: 10 } });
		const complete = () => api.call("POST", `${path}/${made.body.uploadId}/complete`);
		expect(await complete()).toMatchObject({ status: 409, body: { error: { code: "notUploaded" } } });
		api.objects.stored.set(made.body.fields.key, Buffer.from("number\n1"));
		expect(await complete()).toMatchObject({ status: 422, body: { error: { code: "uploadSize" } } });
		expect((await api.call("POST", `${path}/nonsense/complete`)).status).toBe(404);
		expect((await api.call("POST", path, { body: { bytes: 1e12 } })).status).toBe(400);
		const list = csvOf(5);
		await upload(campaignId, list, { sha256: "0".repeat(64) });
		await deliverShuffled();
		const failures = (await view(campaignId)).imports.map((item: { failure?: string }) => item.failure);
		expect(failures).toContainEqual(expect.stringContaining("sha256"));
	});

	test("a splitting that runs out of time goes on where it stopped", async () => {
		const campaignId = await waitingCampaign();
		const list = csvOf(950);
		api.objects.pieceBytes = 3_000;
		await upload(campaignId, list);
		const { deps } = api;
		let calls = 0;
		// The clock jumps beyond every deadline again and again.
		const now = deps.now;
		deps.now = () => now() + 60_000 * Math.floor(++calls / 10);
		await deliverShuffled();
		deps.now = now;
		expect(contacts()).toHaveLength(950);
		expect(await view(campaignId)).toMatchObject({ state: "running", counts: { total: 950 } });
	});

	test("lost messages are sent again by the tick", async () => {
		const campaignId = await waitingCampaign();
		await upload(campaignId, csvOf(950));
		await api.deliver("imports", 3);
		api.waiting.imports.length = 0;
		expect(contacts()).toHaveLength(200);
		api.clock.now += 130_000;
		await api.tick();
		await api.deliver("sweeps");
		await deliverShuffled();
		expect(await view(campaignId)).toMatchObject({ state: "running", counts: { total: 950 } });
	});
});

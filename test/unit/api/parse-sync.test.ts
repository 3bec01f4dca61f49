import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { MAX_VARIABLE_CHARS, MAX_VARIABLES, MAX_VARS_BYTES } from "../../../shared/contract/call.ts";
import { cutVars } from "../../../shared/contract/cut-vars.ts";
import { logUnreadable, parseSyncRequest, withRefused } from "../../../shared/hosts/parse-sync.ts";
import { jsonLog } from "../../../shared/log.ts";
import { getItem } from "../../../shared/store/db.ts";
import type { ContactItem, HostItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo } from "../../support/memory-dynamo.ts";

const CALL = `${"0".repeat(16)}-${"0".repeat(16)}-01-0001-0001-000001`;
const parse = (completed: unknown[]) => parseSyncRequest({ ...syncRequest(1, 1), completed });

describe("a completion that breaks the contract", () => {
	test.each([
		["a SIP status that is none", { outcome: "answered", sipCode: 999 }, "sipCode"],
		["an outcome that is none", { outcome: "fine" }, "outcome"],
		["a time that is none", { outcome: "busy", endedAt: "yesterday" }, "endedAt"],
		["a cause that is none", { outcome: "busy", cause: 128 }, "cause"],
		["nothing but its callId", {}, "outcome"],
	])("%s: ends as unknown, and the reason is told", (_, over, field) => {
		const { request, refused, mended } = parse([{ callId: CALL, ...over }]);
		expect(request.completed).toEqual([{ callId: CALL, outcome: "unknown" }]);
		expect(refused).toEqual([]);
		expect(mended).toEqual([{ callId: CALL, reason: expect.stringContaining(field) }]);
		const lines: string[] = [];
		logUnreadable(
			jsonLog((line) => lines.push(line)),
			"h1",
			{ request, refused, mended },
		);
		expect(lines).toEqual([expect.stringMatching(new RegExp(`warn.*h1.*${CALL}.*${field}`))]);
	});

	test.each([
		["a verdict that is none", { verdict: "robot" }],
		["no object", "machine"],
		["a time that is none", { verdict: "machine", decidedMs: -1 }],
		["a cause that is too long", { verdict: "machine", cause: "x".repeat(200) }],
	])("what it says of answering machines is left out, and told, where it is %s", (_, amd) => {
		const good = { callId: CALL, outcome: "machine" };
		const { request, refused, mended } = parse([{ ...good, amd }]);
		expect(request.completed).toEqual([good]);
		expect(refused).toEqual([]);
		expect(mended).toEqual([{ callId: CALL, reason: expect.stringContaining("amd") }]);
	});

	test("what it says of answering machines is taken", () => {
		for (const amd of [{ verdict: "human" }, { verdict: "machine", cause: "MAXWORDS-3-2", decidedMs: 2_000 }, null]) {
			const { request, mended } = parse([{ callId: CALL, outcome: "answered", amd }]);
			expect(request.completed).toEqual([{ callId: CALL, outcome: "answered", amd }]);
			expect(mended).toEqual([]);
		}
	});

	test.each([[7], [null], [{ outcome: "busy" }], [{ callId: "x", outcome: "fine" }], [{ callId: `${CALL}0` }]])(
		"%j names no call and is refused, alone",
		(entry) => {
			const good = { callId: CALL, outcome: "busy" };
			const { request, refused, mended } = parse([entry, good]);
			expect(request.completed).toEqual([good]);
			expect(refused).toHaveLength(1);
			expect(mended).toEqual([]);
		},
	);

	test("never hides a report of the same call that can be read", () => {
		for (const order of [0, 1]) {
			const entries = [
				{ callId: CALL, outcome: "busy" },
				{ callId: CALL, outcome: "fine" },
			];
			const { request } = parse(order === 0 ? entries : entries.reverse());
			expect(new Map(request.completed.map((call) => [call.callId, call.outcome])).get(CALL)).toBe("busy");
		}
	});

	test("ends its contact and frees its channel", async () => {
		const now = Date.parse("2026-11-02T10:00:00Z");
		const dynamo = new MemoryDynamo();
		const deps = testDeps(dynamo.client(), () => now);
		const host = { tenant: TENANT, hostId: "h1" };
		await putTrunk(deps, "t1", 10);
		await putHost(deps, "h1", 10);
		const { campaignId } = await putCampaign(deps, 2, { trunk: "t1", maxChannels: 10 });
		const { epoch } = await hello(deps, host, { nonce: "nonce-0001" });
		const { calls } = await sync(deps, host, syncRequest(epoch, 1, { want: 2, slots: { t1: 2 } }));
		const completed = calls.map(({ callId }, i) =>
			i === 0 ? { callId, outcome: "answered", sipCode: 1_000 } : { callId, outcome: "busy" },
		);
		const parsed = parseSyncRequest({ ...syncRequest(epoch, 2), completed });
		const answer = withRefused(await sync(deps, host, parsed.request), parsed.refused);
		expect(answer.refused).toEqual([]);
		expect(
			dynamo
				.items<ContactItem>("contacts")
				.map((contact) => [contact.state, contact.outcome])
				.sort(),
		).toEqual([
			["done", "busy"],
			["done", "unknown"],
		]);
		const standing = await getItem<HostItem>(deps.db, "hosts", host);
		expect(standing?.held).toEqual({});
		expect(standing?.acc[campaignId]).toMatchObject({ a: 2, f: 2 });
		const trunk = await getItem(deps.db, "trunks", { tenant: TENANT, trunkId: "t1" });
		expect(trunk?.["free"]).toBe(10);
	});
});

describe("results", () => {
	test("are cut, and the outcome stays", () => {
		const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`n${i}`, "x".repeat(80)]));
		const { request, refused, mended } = parse([{ callId: CALL, outcome: "answered", vars: many }]);
		expect(request.completed).toEqual([{ callId: CALL, outcome: "answered", vars: expect.anything() }]);
		expect(Buffer.byteLength(JSON.stringify(request.completed[0]?.vars))).toBeLessThanOrEqual(MAX_VARS_BYTES);
		expect(request.completed[0]?.vars).toHaveProperty("n0");
		expect(refused).toEqual([]);
		expect(mended[0]?.reason.length).toBeLessThan(500);
	});

	test.each([[null], ["text"], [[1]], [{ a: 1 }], [{ "bad name": "x" }]])("%j costs no outcome", (vars) => {
		const { request, mended } = parse([{ callId: CALL, outcome: "answered", vars }]);
		expect(request.completed).toMatchObject([{ callId: CALL, outcome: "answered" }]);
		expect(request.completed[0]?.vars ?? {}).toEqual({});
		expect(mended).toHaveLength(1);
	});

	test("within the limits stay as they are", () => {
		const vars = { digit: "1", text: "ü".repeat(50) };
		const { request, mended } = parse([{ callId: CALL, outcome: "answered", vars }]);
		expect(request.completed[0]?.vars).toEqual(vars);
		expect(mended).toEqual([]);
	});

	test("no character is cut in two", () => {
		const { vars } = cutVars({ a: `${"x".repeat(MAX_VARIABLE_CHARS - 1)}😀` });
		expect(vars["a"]).toBe("x".repeat(MAX_VARIABLE_CHARS - 1));
	});

	test("whatever is given, what is kept is within all limits, and keeps what fits", () => {
		const name = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,9}$/));
		const value = fc.oneof(fc.string({ maxLength: 300, unit: "binary" }), fc.integer());
		fc.assert(
			fc.property(fc.dictionary(name, value, { maxKeys: 40 }), (given) => {
				const { vars, cut } = cutVars(given);
				expect(Object.keys(vars).length).toBeLessThanOrEqual(MAX_VARIABLES);
				expect(Buffer.byteLength(JSON.stringify(vars))).toBeLessThanOrEqual(MAX_VARS_BYTES);
				for (const text of Object.values(vars)) expect(text.length).toBeLessThanOrEqual(MAX_VARIABLE_CHARS);
				expect(cutVars(vars)).toEqual({ vars, cut: [] });
				if (cut.length === 0) expect(vars).toEqual(given);
			}),
			{ numRuns: 200 },
		);
	});

	test("fill the bytes exactly", () => {
		const room = MAX_VARS_BYTES - Buffer.byteLength(JSON.stringify({ a: "x".repeat(256), b: "" }));
		const full = { a: "x".repeat(256), b: "x".repeat(room) };
		expect(cutVars(full)).toEqual({ vars: full, cut: [] });
		expect(cutVars({ ...full, b: `${full.b}x` })).toEqual({ vars: { a: full.a }, cut: ["b"] });
	});
});

import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, test } from "@jest/globals";
import { itemBytes, type Wire } from "../../../local/metering/item-size.ts";
import { parseList } from "../../../shared/contacts/parse.ts";
import { putContact } from "../../../shared/contacts/put-contact.ts";
import { checkRows, type GoodRow } from "../../../shared/contacts/rows.ts";
import { ListError, type ListFormat } from "../../../shared/contacts/split.ts";
import { type ContactNumber, MAX_CONTACT_BYTES } from "../../../shared/contract/campaign.ts";
import type { NumberRule } from "../../../shared/numbers/check.ts";
import type { ContactItem, HistoryEntry } from "../../../shared/store/items.ts";
import { TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo } from "../../support/memory-dynamo.ts";
import { usNumber } from "../api/harness.ts";

/** What one row of a list may say, in each of the three formats, and what is said of a bad one. */

const RULE: NumberRule = {
	numbering: "e164",
	countries: ["US"],
	format: { strip: 0, prefix: "", plus: true } as NumberRule["format"],
};
const [A, B, C] = [usNumber(1), usNumber(2), usNumber(3)];
const UK = "+442079460000";

const check = (text: string, format: ListFormat) => checkRows(RULE, parseList(Buffer.from(text), format), 100);
const rowsOf = (text: string, format: ListFormat): GoodRow[] => {
	const list = check(text, format);
	expect(list.rejected).toEqual([]);
	return list.rows;
};
const reasonOf = (row: unknown): string => {
	const list = check(JSON.stringify([row]), "json");
	expect(list.rows).toEqual([]);
	return list.rejected[0]?.reason ?? "";
};
const csvReason = (header: string, row: string): string => {
	const list = check(`${header}\n${row}\n`, "csv");
	expect(list.rows).toEqual([]);
	return list.rejected[0]?.reason ?? "";
};

describe("a row with all that it can say", () => {
	const row = {
		id: "c-1",
		numbers: [{ number: A, kind: "mobile" }, { number: B }, { number: C, kind: "work" }],
		timeZone: "America/New_York",
		consent: { at: "2026-03-01T10:00:00Z", kind: "webForm" },
		vars: { name: "Ann" },
	};
	const good = { contactId: "c-1", number: A, numbers: row.numbers, timeZone: row.timeZone, consent: row.consent };

	test.each<[ListFormat, string, number]>([
		["json", JSON.stringify([row]), 1],
		["ndjson", JSON.stringify(row), 1],
		[
			"csv",
			`id,number,kind,number_2,kind_2,number_3,kind_3,time_zone,consent_at,consent_kind,name\nc-1,${A},mobile,${B},,${C},work,America/New_York,2026-03-01T10:00:00Z,webForm,Ann`,
			2,
		],
		[
			"csv",
			`Number_3;Kind_3;ID;NUMBER;Kind;number_2;timeZone;Consent_At;consent_kind;vars.name\n${C};work;c-1; ${A} ;mobile;${B};America/New_York;2026-03-01T10:00:00Z;webForm;Ann`,
			2,
		],
	])("%s", (format, text, line) => {
		expect(rowsOf(text, format)).toEqual([{ ...good, line, vars: row.vars }]);
	});
});

describe("numbers", () => {
	test("one in a list of its own is as one by itself; its kind is kept", () => {
		const rows = rowsOf(
			JSON.stringify([{ numbers: [{ number: A, kind: "home" }] }, { numbers: [{ number: B }] }]),
			"json",
		);
		expect(rows).toEqual([
			{ line: 1, contactId: A, number: A, kind: "home" },
			{ line: 2, contactId: B, number: B },
		]);
	});
	test("the first is the contact's id, so another row that begins with it is a duplicate", () => {
		const list = check(
			JSON.stringify([{ numbers: [{ number: A }, { number: B }] }, { number: A }, { number: B }]),
			"json",
		);
		expect(list.rows.map((row) => row.contactId)).toEqual([A, B]);
		expect(list.duplicates).toBe(1);
	});
	test.each<[string, unknown, RegExp]>([
		["neither", { id: "x" }, /^number: is missing \(or `numbers`\)$/],
		["both", { number: A, numbers: [{ number: B }] }, /^number: and `numbers` exclude each other$/],
		["an empty list", { numbers: [] }, /^numbers: is empty$/],
		[
			"too many",
			{ numbers: Array.from({ length: 6 }, (_, n) => ({ number: usNumber(n) })) },
			/^numbers: has more than 5 numbers$/,
		],
		["the same twice", { numbers: [{ number: A }, { number: B }, { number: A }] }, /^numbers\[2\]: is there twice$/],
		["a bad one", { number: "12025550001" }, /^number: is not E.164/],
		["the only one, bad", { numbers: [{ number: UK }] }, /^numbers\[0\]: is in GB; the trunk may dial US$/],
		[
			"a bad one among good ones",
			{ numbers: [{ number: A }, { number: UK }] },
			/^numbers\[1\]: is in GB; the trunk may dial US$/,
		],
		[
			"two bad ones",
			{ numbers: [{ number: "x" }, { number: A }, { number: UK }] },
			/^numbers\[0\]: is not E.164.*; numbers\[2\]: is in GB/,
		],
		["no text", { numbers: [{ number: 12025550001 }] }, /^numbers\[0\]\.number: /],
		["texts", { numbers: [A, B] }, /^numbers\[0\]: .*; numbers\[1\]: /],
		["no list", { numbers: A }, /^numbers: /],
		[
			"a field that is not there",
			{ numbers: [{ number: A, name: "x" }] },
			/^numbers\[0\]\.name: is not a known field$/,
		],
		["a kind of two words", { numbers: [{ number: A, kind: "at home" }] }, /^numbers\[0\]\.kind: letters, digits/],
		["a kind beside the one number", { number: A, kind: "home" }, /^kind: is not a known field$/],
	])("%s: rejected whole, and said why", (_what, row, reason) => {
		expect(reasonOf(row)).toMatch(reason);
	});
	test("a rejected row is shown by its first number", () => {
		const { rejected } = check(JSON.stringify([{ numbers: [{ number: A }, { number: UK }] }]), "json");
		expect(rejected).toMatchObject([{ line: 1, number: A }]);
	});
});

describe("zone and consent", () => {
	test.each<[string, Record<string, unknown>, RegExp]>([
		["no zone", { timeZone: "Mars/Olympus" }, /^timeZone: is no IANA time zone/],
		["an offset", { timeZone: "+02:00" }, /^timeZone: is no IANA time zone/],
		["an empty zone", { timeZone: "" }, /^timeZone: is no IANA time zone/],
		["a zone that is no text", { timeZone: 2 }, /^timeZone: /],
		["a consent without a time", { consent: { kind: "oral" } }, /^consent\.at: /],
		["a consent without a kind", { consent: { at: "2026-03-01" } }, /^consent\.kind: /],
		["a consent at no time", { consent: { at: "last week", kind: "oral" } }, /^consent\.at: /],
		["a consent of no kind", { consent: { at: "2026-03-01", kind: "telepathy" } }, /^consent\.kind: /],
		["a consent that is a word", { consent: "yes" }, /^consent: /],
		[
			"more in a consent",
			{ consent: { at: "2026-03-01", kind: "oral", by: "Ann" } },
			/^consent\.by: is not a known field$/,
		],
		["several mistakes", { timeZone: "x", id: "a b" }, /timeZone: .*; id: |id: .*; timeZone: /],
	])("%s: rejected, and said why", (_what, row, reason) => {
		expect(reasonOf({ number: A, ...row })).toMatch(reason);
	});
	test.each(["2026-03-01", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.5+02:00"])(
		"a consent may be given at %s",
		(at) => {
			expect(rowsOf(JSON.stringify({ number: A, consent: { at, kind: "written" } }), "ndjson")[0]?.consent).toEqual({
				at,
				kind: "written",
			});
		},
	);
});

describe("columns of a CSV", () => {
	test("empty cells are what a contact does not have; its first number is the first that it has", () => {
		const text = `number,number_2,kind,kind_2,time_zone,consent_at,consent_kind\n${A},,home,mobile,,,\n,${B},home,mobile,,,\n${C},,,,,,\n`;
		expect(rowsOf(text, "csv")).toEqual([
			{ line: 2, contactId: A, number: A, kind: "home" },
			{ line: 3, contactId: B, number: B, kind: "mobile" },
			{ line: 4, contactId: C, number: C },
		]);
	});
	test("without a second number `kind` is a variable, as it always was", () => {
		expect(rowsOf(`number,kind,kind_2\n${A},VIP customer,x\n`, "csv")).toMatchObject([
			{ vars: { kind: "VIP customer", kind_2: "x" } },
		]);
	});
	test("variables of these names are written with vars.", () => {
		const names = [
			"number_2",
			"number_9",
			"kind",
			"time_zone",
			"timeZone",
			"consent_at",
			"consent_kind",
			"numbers",
			"id",
		];
		const header = ["number", ...names.map((name) => `vars.${name}`)].join(",");
		const [row] = rowsOf(`${header}\n${[A, ...names].join(",")}\n`, "csv");
		expect(row).toEqual({
			line: 2,
			contactId: A,
			number: A,
			vars: Object.fromEntries(names.map((name) => [name, name])),
		});
	});
	test.each<[string, string, string, RegExp]>([
		["a bad further number, by its column", "number,number_2,number_4", `${A},,${UK}`, /^number_4: is in GB/],
		["every bad number", "number,number_2", `x,${UK}`, /^number: is not E.164.*; number_2: is in GB/],
		["the only number, in a further column", "number,number_2", ",x", /^number_2: is not E.164/],
		["no number at all", "number,number_2", ",", /^number: is not E.164/],
		["the same number twice", "number,number_2,number_5", `${A},,${A}`, /^number_5: is there twice$/],
		["a bad kind", "number,kind,number_2,kind_2", `${A},home,${B},at work`, /^kind_2: letters/],
		["a bad zone", "number,time_zone", `${A},CET+1`, /^time_zone: is no IANA/],
		["half a consent", "number,consent_at,consent_kind", `${A},2026-03-01,`, /^consent_kind: /],
		["the other half", "number,consent_at,consent_kind", `${A},,oral`, /^consent_at: /],
		["a bad time of consent", "number,consent_at,consent_kind", `${A},01.03.2026,oral`, /^consent_at: /],
	])("%s", (_what, header, row, reason) => {
		expect(csvReason(header, row)).toMatch(reason);
	});
	test.each([
		["number,number_6", "number_2` to `number_5"],
		["number_1,number_2", "number_2` to `number_5"],
		["number,number_02", "vars.number_02"],
		["number,numbers", "number_2"],
		["number_2", "column `number`"],
		["number,number_2,kind_3", "`kind_3` has no `number_3`"],
		["number,number_2,Number_2", "there twice"],
		["number,time_zone,timeZone", "there twice"],
		["number,consent_at", "go together"],
		["number,consent_kind", "vars.consent_kind"],
	])("the header %s cannot be read, and it says what to do", (header, words) => {
		expect(() => check(`${header}\n1\n`, "csv")).toThrow(ListError);
		expect(() => check(`${header}\n1\n`, "csv")).toThrow(words);
	});
});

test("a contact is due first when its campaign's rule says so", async () => {
	const dynamo = new MemoryDynamo();
	const deps = testDeps(dynamo.client(), () => 1_000_000);
	const campaign = { tenant: TENANT, campaignId: "01k9x0d7w3a8c2mf", shards: 4, startAt: 2_000_000 };
	const row: GoodRow = { line: 4096, contactId: "a", number: A, timeZone: "America/Denver" };
	await putContact(deps, campaign, campaign.campaignId, deps.now(), row, ({ timeZone }, dueAt) => {
		expect({ timeZone, dueAt }).toEqual({ timeZone: "America/Denver", dueAt: 2_000_001 });
		return dueAt + 3_600_000;
	});
	expect(dynamo.items<ContactItem>("contacts")).toMatchObject([{ dueAt: 5_600_001, tz: "America/Denver" }]);
});

describe("size", () => {
	const numbers: ContactNumber[] = Array.from({ length: 5 }, (_, n) => ({
		number: usNumber(n),
		kind: "mobile-phone-no",
	}));
	const rest = {
		numbers,
		timeZone: "America/Argentina/ComodRivadavia",
		consent: { at: "2026-03-01T10:00:00.000+00:00", kind: "existingCustomer" },
	};
	const bytes = (row: Record<string, unknown>): number =>
		Object.values(row).reduce<number>((sum, value) => sum + Buffer.byteLength(JSON.stringify(value)), 0);
	const filled = (over: number) => {
		const room = MAX_CONTACT_BYTES - bytes({ ...rest, vars: { a: "" } });
		return { ...rest, vars: { a: "x".repeat(room + over) } };
	};

	test("variables, numbers, zone and consent share one limit", () => {
		expect(rowsOf(JSON.stringify([filled(0)]), "json")).toHaveLength(1);
		expect(reasonOf(filled(1))).toMatch(/^vars, numbers, timeZone and consent take 513 bytes as JSON, at most 512/);
	});
	test("variables alone have what they always had", () => {
		const vars = { a: "x".repeat(250), b: "x".repeat(247) };
		expect(Buffer.byteLength(JSON.stringify(vars))).toBe(512);
		expect(rowsOf(JSON.stringify([{ number: A, vars }]), "json")).toHaveLength(1);
		expect(reasonOf({ number: A, vars: { ...vars, b: "x".repeat(248) } })).toBe(
			"vars: all variables together take at most 512 bytes as JSON",
		);
	});
	test("the largest contact is one write unit when it is stored, and when its first attempt has ended", async () => {
		const dynamo = new MemoryDynamo();
		const deps = testDeps(dynamo.client(), () => Date.parse("2026-11-02T10:00:00Z"));
		const campaign = { tenant: TENANT, campaignId: "01k9x0d7w3a8c2mf", shards: 4 };
		const [row] = rowsOf(JSON.stringify([{ ...filled(0), id: "a-rather-long-id-of-a-customer-4711" }]), "json") as [
			GoodRow,
		];
		await putContact(deps, campaign, campaign.campaignId, deps.now(), row, (_row, dueAt) => dueAt);
		const [item] = dynamo.items<ContactItem>("contacts");
		if (!item) throw new Error("no contact");
		const sizeOf = (value: Partial<ContactItem>): number =>
			itemBytes(marshall(value) as unknown as Record<string, Wire>);
		expect(sizeOf(item)).toBeLessThanOrEqual(1_024);
		const { dueAt: _, ...done } = item;
		const at = deps.now();
		const entry: HistoryEntry = {
			o: "noAnswer",
			by: "pbx-frankfurt-1#12#123456",
			lease: "pbx-frankfurt-1#12#123450",
			ver: 2,
			fin: true,
			n: 0,
			cause: 19,
			sip: 480,
			t0: at,
			t1: at,
			t3: at,
		};
		expect(sizeOf({ ...done, state: "done", ver: 3, outcome: "noAnswer", hist: { "1": entry } })).toBeLessThanOrEqual(
			1_024,
		);
	});
});

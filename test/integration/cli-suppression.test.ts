import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
	runCommand,
	type SeenRequest,
	startTestServer,
	type TestAnswer,
	type TestServer,
} from "../support/cli-harness.ts";

let folder: string;
let server: TestServer;
let handle: (request: SeenRequest) => TestAnswer;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "burst-cli-"));
	handle = () => ({ status: 500, json: {} });
	server = await startTestServer((request) => handle(request));
});
afterEach(async () => {
	await server.stop();
	await rm(folder, { recursive: true });
});

const cli = (argv: string[], stdin = "") =>
	runCommand(argv, { env: { BURST_DIALER_URL: server.url, BURST_DIALER_TOKEN: "t" }, home: folder, stdin });
const file = async (name: string, content: string): Promise<string> => {
	const path = join(folder, name);
	await writeFile(path, content);
	return path;
};
const sent = () =>
	server.seen.map(({ method, url, body }) => [`${method} ${url}`, ...(body === "" ? [] : [JSON.parse(body)])]);
const LIST = {
	name: "us-register",
	scope: ["marketing", "informational"],
	kind: "register",
	maxAgeDays: 31,
	count: 1234,
	updatedAt: "2026-10-01T08:00:00.000Z",
	ageDays: 61,
	stale: true,
};
const added = (more: object = {}) => ({
	json: { added: 2, already: 0, privateNumbers: 0, rejected: [], rejectedCount: 0, complete: true, ...more },
});

describe("lists", () => {
	test("are shown with their age, and what a stale one means", async () => {
		handle = () => ({ json: { items: [{ ...LIST, name: "opt-outs", scope: "all", stale: false }, LIST] } });
		const { out } = await cli(["suppression", "list"]);
		expect(out).toMatch(
			/^us-register +marketing,informational +register +1,234 +2026-10-01T08:00:00Z +61 +31 +STALE$/m,
		);
		expect(out).toContain("us-register is in force for are granted nothing");
	});

	test("are set and deleted", async () => {
		handle = () => ({ status: 201, json: LIST });
		const options = ["--scope", "marketing,informational", "--kind", "register", "--max-age-days", "31"];
		const run = await cli(["suppression", "set", "us-register", ...options]);
		expect(run).toMatchObject({ code: 0, out: "List us-register is set: marketing,informational, 1,234 numbers.\n" });
		await cli(["suppression", "set", "own", "--scope", "all"]);
		expect((await cli(["suppression", "delete", "us-register"])).out).toContain("it had 1,234 numbers");
		expect(sent()).toEqual([
			["PUT /v1/suppression/us-register", { scope: ["marketing", "informational"], kind: "register", maxAgeDays: 31 }],
			["PUT /v1/suppression/own", { scope: "all" }],
			["DELETE /v1/suppression/us-register"],
		]);
	});

	test.each([
		[["set", "x"], "--scope"],
		[["set", "x", "--scope", "some"], "all, named, or purposes"],
		[["set", "x", "--scope", "all", "--kind", "odd"], "own, register"],
		[["add", "x"], "file"],
		[["add", "x", "f.csv", "--prefix", "1"], "+1"],
		[["remove", "x"], "number"],
	])("suppression %j is no command", async (argv, message) => {
		const run = await cli(["suppression", ...argv]);
		expect(run).toMatchObject({ code: 2, err: expect.stringContaining(message) });
		expect(server.seen).toEqual([]);
	});
});

describe("suppression add", () => {
	test("sends each number once, tells bad rows by their line in the file, warns of private numbers", async () => {
		handle = () => added({ privateNumbers: 1 });
		const path = await file("a.csv", "number,name\n+12025550123,A\nnonsense,B\n4711,C\n+12025550123,D\n");
		const run = await cli(["suppression", "add", "dnc", path]);
		expect(sent()).toEqual([["POST /v1/suppression/dnc/numbers?fromLine=1&more=false", ["+12025550123", "4711"]]]);
		expect(run.code).toBe(0);
		expect(run.out).toContain("2 numbers added to dnc, 1 were on it.");
		expect(run.out).toContain("1 have no +");
		expect(run.out).toContain("  line 3: nonsense: number: is neither E.164");
	});

	test("puts the country before national numbers", async () => {
		handle = () => added();
		const run = await cli(
			["suppression", "add", "dnc", "-", "--format", "csv", "--prefix", "+1"],
			"number\n2025550123\n",
		);
		expect(sent()[0]?.[1]).toEqual(["+12025550123"]);
		expect(run.out).not.toContain("no +");
	});

	test("sends a long list in parts, follows where an answer stopped, and is one document with --json", async () => {
		const numbers = Array.from({ length: 5_001 }, (_, i) => `+1202${5_550_000 + i}`);
		handle = ({ url }) =>
			url.includes("fromLine=1&more=true")
				? added({ added: 3_000, complete: false, nextLine: 3_001 })
				: url.includes("fromLine=3001")
					? added({ added: 1_990, already: 10 })
					: added({ added: 1 });
		const run = await cli(["suppression", "add", "dnc", await file("a.json", JSON.stringify(numbers)), "--json"]);
		expect(server.seen.map(({ url }) => url.split("?")[1])).toEqual([
			"fromLine=1&more=true",
			"fromLine=3001&more=true",
			"fromLine=1&more=false",
		]);
		expect(JSON.parse(server.seen[2]?.body ?? "")).toEqual([numbers[5_000]]);
		expect(JSON.parse(run.out)).toEqual({
			list: "dnc",
			added: 4_991,
			already: 10,
			privateNumbers: 0,
			rejected: [],
			rejectedCount: 0,
		});
	});

	test("says how far it came when a part fails", async () => {
		const numbers = Array.from({ length: 6_000 }, (_, i) => `+1202${5_550_000 + i}`);
		handle = ({ url }) => (url.includes("more=true") ? added() : { status: 503, json: {} });
		const run = await cli(["suppression", "add", "dnc", await file("a.json", JSON.stringify(numbers))]);
		expect(run.code).toBe(1);
		expect(run.err).toContain("5,000 of 6,000 numbers are stored");
		expect(run.err).toContain("repeat the same command");
	});

	test.each([
		["a.csv", "12345\n", "column `number`"],
		["a.json", "{}", "JSON array"],
		["a.csv", "number\nx\ny\n", "has no number"],
	])("refuses %s with %j before anything is sent", async (name, content, message) => {
		const run = await cli(["suppression", "add", "dnc", await file(name, content)]);
		expect(run).toMatchObject({ code: 1, err: expect.stringContaining(message) });
		expect(server.seen).toEqual([]);
	});
});

describe("one number", () => {
	test("is shown with its lists and calls", async () => {
		handle = () => ({
			json: {
				number: "+12025550123",
				lists: [{ list: "opt-outs", scope: "all", since: "2026-11-01T10:00:00.000Z", addedBy: "t", note: "by mail" }],
				staleLists: ["us-register"],
				calls: ["2026-11-03T10:00:00.000Z", "2026-11-02T10:00:00.000Z"],
				waitUntil: "2026-11-04T10:00:30.000Z",
			},
		});
		const { out } = await cli(["suppression", "show", "+12025550123"]);
		expect(sent()).toEqual([["GET /v1/suppression/numbers/%2B12025550123"]]);
		expect(out).toMatch(/^opt-outs +all +2026-11-01T10:00:00Z +by mail$/m);
		expect(out).toContain("Too old to say anything: us-register.");
		expect(out).toMatch(/the last +2026-11-03T10:00:00Z/);
		expect(out).toContain("not before 2026-11-04T10:00:30Z");
		handle = () => ({ json: { number: "1", lists: [], calls: [], waitUntil: null } });
		expect((await cli(["suppression", "show", "1"])).out).toMatch(
			/^1 is on no list\.\n\n.*30 days +0\n.*policy +now\n$/,
		);
	});

	test("is taken off a list", async () => {
		handle = () => ({ json: { list: "dnc", number: "+12025550123" } });
		expect((await cli(["suppression", "remove", "dnc", "+12025550123"])).out).toBe(
			"+12025550123 is not on dnc any more.\n",
		);
		expect(sent()).toEqual([["DELETE /v1/suppression/dnc/numbers/%2B12025550123"]]);
	});

	test("opts out", async () => {
		handle = () => ({
			status: 201,
			json: { number: "+12025550123", since: "2026-11-01T10:00:00.000Z", already: false },
		});
		const argv = ["opt-out", "+12025550123", "--campaign", "01kb0z5c8hqx4v7m", "--note", "by mail"];
		expect((await cli(argv)).out).toContain("nobody calls it from the next grant on");
		expect(sent()).toEqual([
			["POST /v1/opt-outs", { number: "+12025550123", campaignId: "01kb0z5c8hqx4v7m", note: "by mail" }],
		]);
		handle = () => ({ json: { number: "+12025550123", since: "2026-11-01T10:00:00.000Z", already: true } });
		expect((await cli(["opt-out", "+12025550123"])).out).toBe(
			"+12025550123 opted out already, 2026-11-01T10:00:00Z.\n",
		);
	});
});

describe("calling-policy", () => {
	test("is set and shown", async () => {
		const calleeLimit = { max: 3, perHours: 24, minGapSec: 7_200 };
		handle = ({ method, body }) => ({ json: method === "PUT" ? JSON.parse(body) : { calleeLimit } });
		const words = "Calls to one number, over all campaigns: at most 3 in any 24 hours, 2:00 h apart at least.\n";
		const options = ["--max", "3", "--per-hours", "24", "--min-gap", "2h"];
		expect((await cli(["calling-policy", "set", ...options])).out).toBe(words);
		expect((await cli(["calling-policy", "show"])).out).toBe(words);
		expect((await cli(["calling-policy", "set", "--none"])).out).toContain("are not limited");
		expect(sent()).toEqual([
			["PUT /v1/calling-policy", { calleeLimit }],
			["GET /v1/calling-policy"],
			["PUT /v1/calling-policy", {}],
		]);
	});
	test.each([[[]], [["--max", "3"]], [["--none", "--max", "3", "--per-hours", "24"]]])(
		"set %j is no command",
		async (options) => {
			expect((await cli(["calling-policy", "set", ...options])).code).toBe(2);
			expect(server.seen).toEqual([]);
		},
	);
});

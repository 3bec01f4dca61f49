import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Stack, startStack } from "../../local/stack/stack.ts";

/** The command against the real control plane, with a simulated Asterisk: every command once, as a user types it. */

const START_LIMIT_MS = 240_000;
const TEST_LIMIT_MS = 180_000;

let stack: Stack;
let folder: string;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "burst-cli-stack-"));
	stack = await startStack({ asterisk: "simulated", steady: 1, capacity: 20 });
}, START_LIMIT_MS);
afterAll(async () => {
	await stack?.stop();
	await rm(folder, { recursive: true, force: true });
}, START_LIMIT_MS);

interface Run {
	code: number;
	out: string;
	err: string;
}

const run = (argv: string[], env: Record<string, string | undefined> = {}): Promise<Run> =>
	new Promise((resolve) => {
		const child = execFile(
			process.execPath,
			["cli/main.ts", ...argv],
			{
				env: {
					...process.env,
					NODE_OPTIONS: "--disable-warning=ExperimentalWarning",
					HOME: folder,
					BURST_DIALER_URL: stack.api,
					BURST_DIALER_TOKEN: stack.token,
					...stack.aws.env,
					...env,
				},
			},
			(_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
		);
	});
/** The one JSON document of a command that must succeed. */
const json = async <T>(argv: string[], env?: Record<string, string | undefined>): Promise<T> => {
	const done = await run([...argv, "--json"], env);
	if (done.code !== 0) throw new Error(`${argv.join(" ")}: ${done.code}\n${done.out}${done.err}`);
	return JSON.parse(done.out) as T;
};

const file = async (name: string, content: string): Promise<string> => {
	const path = join(folder, name);
	await writeFile(path, content);
	return path;
};

interface Submitted {
	campaignId: string;
	contacts: { accepted: number; duplicates: number; rejected: { line: number; number: string }[] };
	campaign: {
		state: string;
		outcomes: Record<string, number>;
		counts: { total: number; done: number };
		attempts: number;
	};
}

describe("a campaign, from the file to its records", () => {
	let campaignId: string;

	test(
		"submit --contacts --watch dials the list and ends with the campaign",
		async () => {
			const campaign = await file(
				"hello.json",
				JSON.stringify({ name: "hello", trunk: "carrier", then: { wait: 10 }, ringTimeoutSec: 5 }),
			);
			const list = await file(
				"people.csv",
				"number,id,name\n10010000500001,c-1,Ann\n2000001,c-2,Bob\n3000001,c-3,Cy\n2000001,c-2,Bob\n+12025550123,c-4,Dee\n",
			);
			const key = ["--key", "hello-1"];
			const submitted = await json<Submitted>(["campaign", "submit", campaign, "--contacts", list, "--watch", ...key]);
			expect(submitted.contacts).toMatchObject({
				accepted: 3,
				duplicates: 1,
				rejected: [{ line: 6, number: "+12025550123" }],
			});
			expect(submitted.campaign).toMatchObject({
				state: "completed",
				counts: { total: 3, done: 3 },
				outcomes: { answered: 1, busy: 1, invalidNumber: 1 },
			});
			campaignId = submitted.campaignId;

			const again = await json<Submitted>(["campaign", "submit", campaign, "--contacts", list, ...key]);
			expect(again.campaignId).toBe(campaignId);
			expect(again.contacts.accepted).toBe(3);
		},
		TEST_LIMIT_MS,
	);

	test(
		"list, show and calls agree",
		async () => {
			const listed = await json<{ items: { campaignId: string }[] }>(["campaign", "list"]);
			expect(listed.items.map((item) => item.campaignId)).toEqual([campaignId]);
			expect((await run(["campaign", "show", campaignId])).out).toContain("3 of 3 done (100 %)");
			const calls = await json<{ items: { contactId: string; outcome: string }[] }>(["campaign", "calls", campaignId]);
			expect(calls.items.map(({ contactId, outcome }) => `${contactId} ${outcome}`).sort()).toEqual([
				"c-1 answered",
				"c-2 busy",
				"c-3 invalidNumber",
			]);
			const csv = await run(["campaign", "calls", campaignId, "--csv"]);
			expect(csv.out.trim().split("\r\n")).toHaveLength(4);
		},
		TEST_LIMIT_MS,
	);

	test(
		"set, pause, add, resume and cancel",
		async () => {
			const campaign = await file(
				"long.json",
				JSON.stringify({ name: "long", trunk: "carrier", then: { wait: 600 }, contacts: [{ number: "9001001" }] }),
			);
			const { campaignId: id } = await json<Submitted>(["campaign", "submit", campaign]);
			expect(await json(["campaign", "set", id, "--max-channels", "1"])).toMatchObject({ maxChannels: 1 });
			expect(await json(["campaign", "pause", id])).toMatchObject({ state: "paused" });
			const more = await file("more.ndjson", '{"number":"9001002"}\n{"number":"9001001"}\n');
			expect(await json(["campaign", "add", id, more])).toMatchObject({ accepted: 1, duplicates: 1 });
			expect(await json(["campaign", "resume", id])).toMatchObject({ state: "running" });
			expect(await json(["campaign", "cancel", id])).toMatchObject({ state: "cancelled" });
			const resumed = await run(["campaign", "resume", id]);
			expect(resumed.code).toBe(1);
			expect(resumed.err).toMatch(/^Error: .* \(409 \w+\)\n/);
		},
		TEST_LIMIT_MS,
	);

	test(
		"a long list goes through storage and is imported",
		async () => {
			const rows = Array.from(
				{ length: 60_000 },
				(_, i) => `1${String(i).padStart(9, "0")},contact-with-a-long-id-${i},${"x".repeat(40)}`,
			);
			const list = await file("long.csv", `number,id,note\n${rows.join("\n")}\n`);
			const campaign = await file(
				"later.json",
				JSON.stringify({ name: "later", trunk: "carrier", then: { wait: 1 }, startAt: "2099-01-01T00:00:00Z" }),
			);
			const submitted = await json<Submitted & { contacts: { importId: string } }>([
				"campaign",
				"submit",
				campaign,
				"--contacts",
				list,
			]);
			expect(submitted.contacts.importId).toBeDefined();
			const shown = await json<{ imports: { importId: string }[] }>(["campaign", "show", submitted.campaignId]);
			expect(shown.imports.map(({ importId }) => importId)).toEqual([submitted.contacts.importId]);
			await json(["campaign", "cancel", submitted.campaignId]);
		},
		TEST_LIMIT_MS,
	);
});

describe("calls, trunks, hosts, fleet", () => {
	test(
		"call test says how the call ended",
		async () => {
			const placed = await json<{ call: { outcome: string; sipCode: number } }>([
				...["call", "test", "--trunk", "carrier", "--number", "2000009", "--wait", "5"],
			]);
			expect(placed.call).toMatchObject({ outcome: "busy" });
			const refused = await run(["call", "test", "--trunk", "carrier", "--number", "+12025550123", "--wait", "5"]);
			expect(refused.code).toBe(1);
			expect(refused.err).toContain("number:");
		},
		TEST_LIMIT_MS,
	);

	test(
		"what trunk list shows can be set again",
		async () => {
			const { items } = await json<{ items: { id: string }[] }>(["trunk", "list"]);
			const copy = await file("trunk.json", JSON.stringify({ ...items[0], id: "copy" }));
			expect(await json(["trunk", "set", copy])).toMatchObject({ id: "copy" });
			expect((await run(["trunk", "list"])).out).toMatch(/\ncopy +pjsip/);
			const bad = await file("bad.json", '{ "id": "bad", "type": "pjsip", "host": "a;b", "maxChannels": 0 }');
			const refused = await run(["trunk", "set", bad]);
			expect(refused.code).toBe(1);
			for (const path of ["host", "maxChannels", "maxCps"]) expect(refused.err).toContain(`\n  ${path}: `);
		},
		TEST_LIMIT_MS,
	);

	test(
		"hosts are enrolled, listed and drained; the fleet is shown",
		async () => {
			const host = await json<{ token: string }>(["host", "add", "pbx-new", "--capacity", "7"]);
			expect(host.token).toMatch(/^bd_host_/);
			const { items } = await json<{ items: { hostId: string; state: string; capacity: number }[] }>(["host", "list"]);
			expect(items.find(({ hostId }) => hostId === "pbx-new")).toMatchObject({ state: "new", capacity: 7 });
			expect((await run(["host", "list"])).out).toMatch(/\npbx-new +steady +new +0 +0 +7 +- +on-premises\n/);
			expect(await json(["host", "drain", "pbx-new"])).toMatchObject({ drainWanted: true });
			expect(await json(["host", "undrain", "pbx-new"])).toMatchObject({ drainWanted: false });
			expect((await run(["fleet", "show"])).out).toMatch(/^tier +capacity +live +granted\nsteady +20 /);
			const twice = await run(["host", "add", "pbx-new"]);
			expect(twice.code).toBe(1);
			expect(twice.err).toContain("(409 hostExists)");
		},
		TEST_LIMIT_MS,
	);
});

describe("tokens, by AWS credentials", () => {
	const stage = ["--stage", "local"];

	test(
		"a new token works, is listed without its secret, and is refused after it was revoked",
		async () => {
			const made = await json<{ token: string; tokenId: string }>([
				"token",
				"create",
				"ci",
				"--expires",
				"90d",
				...stage,
			]);
			const asNew = { BURST_DIALER_TOKEN: made.token };
			expect((await run(["host", "list"], asNew)).code).toBe(0);
			const listed = await run(["token", "list", ...stage]);
			expect(listed.out).toContain(made.tokenId);
			expect(listed.out).not.toContain(made.token);

			expect((await run(["token", "revoke", made.tokenId, ...stage])).code).toBe(0);
			expect((await run(["token", "list", ...stage])).out).toMatch(new RegExp(`${made.tokenId} .* revoked `));
			const unknown = await run(["token", "revoke", "t-0000000000000000", ...stage]);
			expect(unknown).toMatchObject({
				code: 1,
				err: expect.stringContaining('There is no token "t-0000000000000000".'),
			});
		},
		TEST_LIMIT_MS,
	);

	test(
		"a host's token is for its host only",
		async () => {
			const made = await json<{ token: string }>(["token", "create", "--host", "pbx-new", ...stage]);
			const refused = await run(["host", "list"], { BURST_DIALER_TOKEN: made.token });
			expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("(403 forbidden)") });
		},
		TEST_LIMIT_MS,
	);

	test(
		"a wrong stage and missing credentials are said in words",
		async () => {
			const wrong = await run(["token", "list", "--stage", "nowhere"]);
			expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("There is no such table.") });
			const none = await run(["token", "list", ...stage], {
				AWS_ACCESS_KEY_ID: undefined,
				AWS_SECRET_ACCESS_KEY: undefined,
				AWS_EC2_METADATA_DISABLED: "true",
			});
			expect(none).toMatchObject({ code: 1, err: expect.stringContaining("There are no AWS credentials that work") });
			const region = await run(["token", "list", ...stage], { AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined });
			expect(region).toMatchObject({ code: 1, err: expect.stringContaining("The AWS region is not known.") });
			for (const { err } of [wrong, none, region]) expect(err).not.toMatch(/\n\s+at /);
		},
		TEST_LIMIT_MS,
	);
});

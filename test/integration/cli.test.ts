import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { VERSION } from "../../cli/program.ts";
import { parseCampaign } from "../../shared/campaigns/check-campaign.ts";
import { MAX_BODY_BYTES } from "../../shared/contract/campaign.ts";
import {
	runCommand,
	type SeenRequest,
	startTestServer,
	type TestAnswer,
	type TestServer,
} from "../support/cli-harness.ts";

const ID = "01k9x0d7w3a8c2mf";
const CAMPAIGN = { name: "storm warning", trunk: "carrier-a", then: { play: "storm-warning" } };

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

const file = async (name: string, content: string | Buffer): Promise<string> => {
	const path = join(folder, name);
	await writeFile(path, content);
	return path;
};
const env = (): Record<string, string> => ({ BURST_DIALER_URL: server.url, BURST_DIALER_TOKEN: "secret-token" });
const cli = (argv: string[], options: Parameters<typeof runCommand>[1] = {}) =>
	runCommand(argv, { env: env(), home: folder, ...options });

const view = (state: string, done: number, more: Record<string, unknown> = {}) => ({
	campaignId: ID,
	name: "storm warning",
	state,
	trunk: "carrier-a",
	createdAt: "2026-12-01T13:59:00.000Z",
	startedAt: "2026-12-01T13:59:30.000Z",
	counts: { total: 100, pending: 100 - done, inProgress: 0, done },
	outcomes: { answered: done },
	attempts: done,
	channels: { live: 10, cap: 20 },
	...more,
});

const apiError = (status: number, code: string, message: string, details: unknown[] = []): TestAnswer => ({
	status,
	json: { error: { code, message, details } },
});

describe("campaign submit", () => {
	test("sends the campaign, then the list as it is, each with a key of its own", async () => {
		const campaign = await file("storm.json", `\ufeff${JSON.stringify(CAMPAIGN)}`);
		const list = await file("people.csv", "number,name\n+12025550123,Ann\n");
		handle = (request) =>
			request.method === "GET"
				? { json: view("running", 0, { forecast: { words: "done about 16:20 UTC" } }) }
				: request.url === "/v1/campaigns"
					? {
							status: 201,
							json: { campaignId: ID, state: "running", contacts: { accepted: 0, rejected: [], duplicates: 0 } },
						}
					: { json: { accepted: 1, duplicates: 0, rejected: [{ line: 3, number: "x", reason: "not E.164" }] } };

		const run = await cli(["campaign", "submit", campaign, "--contacts", list]);

		expect(run).toMatchObject({ code: 0, err: "" });
		expect(run.out).toContain(`Campaign ${ID} is running.`);
		expect(run.out).toContain("1 contacts accepted, 0 duplicates, 1 rejected:\n  line 3: x: not E.164");
		expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
			"POST /v1/campaigns",
			`POST /v1/campaigns/${ID}/contacts`,
			// When it will be done can be said only now.
			`GET /v1/campaigns/${ID}`,
		]);
		expect(run.out).toContain("\nForecast: done about 16:20 UTC.\n");
		expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual(CAMPAIGN);
		expect(server.seen[0]?.headers).toMatchObject({
			authorization: "Bearer secret-token",
			"idempotency-key": "key-1",
			"content-type": "application/json",
		});
		expect(server.seen[1]?.headers).toMatchObject({ "idempotency-key": "key-1-contacts", "content-type": "text/csv" });
		expect(server.seen[1]?.body).toBe("number,name\n+12025550123,Ann\n");
	});

	test("the campaigns that its help shows are good ones", async () => {
		const { out } = await cli(["campaign", "submit", "--help"]);
		const shown = [...out.matchAll(/^ {2}\{ "name"[\s\S]*?\}$(?=\n\n)/gm)].map(([text]) => JSON.parse(text));
		expect(shown.map((campaign) => Object.keys(campaign).length)).toEqual([3, 15]);
		for (const campaign of shown) expect(parseCampaign(campaign)).toMatchObject(campaign);
	});

	test("--json prints one document", async () => {
		handle = () => ({
			status: 201,
			json: { campaignId: ID, state: "running", contacts: { accepted: 2, rejected: [], duplicates: 0 } },
		});
		const run = await cli(["campaign", "submit", "-", "--json"], { stdin: JSON.stringify(CAMPAIGN) });
		expect(JSON.parse(run.out)).toEqual({
			campaignId: ID,
			state: "running",
			contacts: { accepted: 2, rejected: [], duplicates: 0 },
		});
		expect(run.err).toBe("");
	});

	const LATE =
		"done about 16:20 UTC; the deadline 16:00 UTC is missed by 20 min: needs 140 channels (has 100, its cap)";
	const warned = {
		forecast: {
			finishAt: "2026-12-01T16:20:00Z",
			deadline: { at: "2026-12-01T16:00:00Z", meets: false, bySec: 1_200 },
			words: LATE,
		},
		warnings: [{ path: "deadline", message: LATE }],
	};

	test("a deadline that will be missed is told at once, with what it needs; it is no failure", async () => {
		handle = () => ({ status: 201, json: { campaignId: ID, state: "running", ...warned } });
		const run = await cli(["campaign", "submit", "-"], { stdin: JSON.stringify(CAMPAIGN) });
		expect(run).toMatchObject({ code: 0, err: "" });
		expect(run.out).toContain(`Campaign ${ID} is running.\nWarning: deadline: ${LATE}.\n`);
		expect(server.seen).toHaveLength(1);
	});

	test("with a list of its own what is said is that of the whole, in the document too", async () => {
		const list = await file("people.csv", "number\n+12025550123\n");
		handle = (request) => {
			if (request.method === "GET") return { json: view("running", 0, warned) };
			if (request.url !== "/v1/campaigns") return { json: { accepted: 1, duplicates: 0, rejected: [] } };
			return {
				status: 201,
				json: { campaignId: ID, state: "importing", forecast: { words: "not known: it has no list yet" } },
			};
		};
		const argv = ["campaign", "submit", "-", "--contacts", list];
		const run = await cli(argv, { stdin: JSON.stringify(CAMPAIGN) });
		expect(run.out).toContain(`Warning: deadline: ${LATE}.`);
		expect(run.out).not.toContain("no list yet");
		const json = await cli([...argv, "--json"], { stdin: JSON.stringify(CAMPAIGN) });
		expect(JSON.parse(json.out)).toMatchObject({ campaignId: ID, ...warned });
	});

	test("where that cannot be read the campaign is submitted all the same, and it is said", async () => {
		const list = await file("people.csv", "number\n+12025550123\n");
		handle = (request) => {
			if (request.method === "GET") return apiError(404, "notFound", "There is none.");
			return { json: { campaignId: ID, state: "running", accepted: 1, duplicates: 0, rejected: [] } };
		};
		const run = await cli(["campaign", "submit", "-", "--contacts", list], { stdin: JSON.stringify(CAMPAIGN) });
		expect(run.code).toBe(0);
		expect(run.out).toMatch(/When it will be done could not be read \(.*There is none/);
	});

	test("a large list goes through storage, with its checksum and without the token", async () => {
		const campaign = await file("storm.json", JSON.stringify(CAMPAIGN));
		const content = `number\n${"+12025550123\n".repeat(MAX_BODY_BYTES / 13)}`;
		const list = await file("people.csv", content);
		handle = (request) => {
			if (request.url === "/v1/campaigns") return { status: 201, json: { campaignId: ID, state: "importing" } };
			if (request.url.endsWith("/uploads")) {
				return {
					status: 201,
					json: { uploadId: "u-1", uploadUrl: `${server.url}/bucket`, fields: { key: "a/b", policy: "signed" } },
				};
			}
			if (request.url === "/bucket") return { status: 204, text: "" };
			return { status: 202, json: { importId: "u-1", state: "open" } };
		};

		const run = await cli(["campaign", "submit", campaign, "--contacts", list]);

		expect(run.code).toBe(0);
		expect(run.out).toContain("The list is being imported (import u-1)");
		const [, upload, form, complete] = server.seen;
		expect(JSON.parse(upload?.body ?? "")).toMatchObject({
			bytes: Buffer.byteLength(content),
			sha256: createHash("sha256").update(content).digest("hex"),
		});
		expect(form?.headers.authorization).toBeUndefined();
		expect(form?.headers["content-length"]).toBeDefined();
		const names = [...(form?.body.matchAll(/form-data; name="(\w+)"/g) ?? [])].map((match) => match[1]);
		expect(names).toEqual(["key", "policy", "file"]);
		expect(form?.body).toContain(content);
		expect(complete?.url).toBe(`/v1/campaigns/${ID}/uploads/u-1/complete`);
		expect(complete?.headers["idempotency-key"]).toBe("key-1-complete");
	});

	test("a lost answer: says how to repeat it, and the repeat sends the same key", async () => {
		const campaign = await file("storm.json", JSON.stringify(CAMPAIGN));
		handle = () => ({ hangUp: true });
		const first = await cli(["campaign", "submit", campaign]);
		expect(first.code).toBe(1);
		expect(first.err).toContain("The API cannot be reached: the connection broke.");
		expect(first.err).toContain(`burst-dialer campaign submit ${campaign} --key key-1`);

		handle = () => ({ status: 201, json: { campaignId: ID, state: "running" } });
		const second = await cli(["campaign", "submit", campaign, "--key", "key-1"]);
		expect(second.code).toBe(0);
		expect(server.seen.map((request) => request.headers["idempotency-key"])).toEqual(["key-1", "key-1"]);
	});

	test("a list that is refused: the campaign exists, and the list can be added", async () => {
		const campaign = await file("storm.json", JSON.stringify(CAMPAIGN));
		const list = await file("people.csv", "phone\n1\n");
		handle = (request) =>
			request.url === "/v1/campaigns"
				? { status: 201, json: { campaignId: ID, state: "running" } }
				: apiError(400, "badRequest", "The list has no column `number`.", [
						{ path: "line 1", message: "columns: phone" },
					]);
		const run = await cli(["campaign", "submit", campaign, "--contacts", list]);
		expect(run.code).toBe(1);
		expect(run.err).toContain("The list has no column `number`. (400 badRequest)\n  line 1: columns: phone");
		expect(run.err).toContain(`burst-dialer campaign add ${ID} ${list}`);
	});

	test.each([
		["a missing file", "missing.json", undefined, "there is no such file"],
		["an empty file", "empty.json", " \n", "is empty"],
		["no JSON", "bad.json", '{\n  "name": "x",\n}', "line 3, column 1"],
		["JSON that breaks off", "short.json", '{ "name": ', "is not JSON"],
		["a list instead", "people.json", "number,id\n1,a\n", "Unexpected token"],
		["an array", "array.json", "[]", "must hold one JSON object"],
	])("%s: one clear message, and nothing is sent", async (_what, name, content, message) => {
		const path = join(folder, name);
		if (content !== undefined) await file(name, content);
		const run = await cli(["campaign", "submit", path]);
		expect(run.code).toBe(1);
		expect(run.err).toContain(message);
		expect(run.err).not.toMatch(/\n\s+at /);
		expect(server.seen).toEqual([]);
	});

	test("an empty list, a folder, both from standard input: nothing is sent", async () => {
		const campaign = await file("storm.json", JSON.stringify(CAMPAIGN));
		const empty = await cli(["campaign", "submit", campaign, "--contacts", await file("empty.csv", "")]);
		expect(empty).toMatchObject({ code: 1, err: expect.stringContaining("is empty") });
		const dir = await cli(["campaign", "submit", campaign, "--contacts", folder, "--format", "csv"]);
		expect(dir).toMatchObject({ code: 1, err: expect.stringContaining("is not a file") });
		const both = await cli(["campaign", "submit", "-", "--contacts", "-", "--format", "csv"]);
		expect(both).toMatchObject({ code: 2, err: expect.stringContaining("cannot both") });
		expect(server.seen).toEqual([]);
	});

	test("--from and --outcomes: the campaign is made of another one's contacts", async () => {
		const campaign = await file("again.json", JSON.stringify(CAMPAIGN));
		const contacts = { accepted: 0, rejected: [], rejectedCount: 0, duplicates: 0 };
		handle = () => ({ status: 201, json: { campaignId: ID, state: "importing", contacts } });
		const run = await cli([
			"campaign",
			"submit",
			campaign,
			"--from",
			"01k9x0d7w3a8c2mg",
			"--outcomes",
			"busy,noAnswer",
		]);
		expect(run).toMatchObject({ code: 0, err: "" });
		expect(run.out).toContain(`Campaign ${ID} is importing.`);
		expect(run.out).toContain("Its contacts are being taken from the other campaign");
		expect(run.out).not.toContain("accepted");
		expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(["POST /v1/campaigns"]);
		const from = { campaignId: "01k9x0d7w3a8c2mg", outcomes: ["busy", "noAnswer"] };
		expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({ ...CAMPAIGN, from });
		expect(server.seen[0]?.headers["idempotency-key"]).toBe("key-1");
		const inFile = await cli(["campaign", "submit", "-", "--json"], { stdin: JSON.stringify({ ...CAMPAIGN, from }) });
		expect(JSON.parse(inFile.out)).toEqual({ campaignId: ID, state: "importing", contacts });
		expect(JSON.parse(server.seen[1]?.body ?? "")).toEqual({ ...CAMPAIGN, from });
	});

	test.each<[string, string[], Record<string, unknown>, string]>([
		["no outcomes", ["--from", ID], {}, "--from and --outcomes go together"],
		["outcomes of nothing", ["--outcomes", "busy"], {}, "--from and --outcomes go together"],
		["no outcome", ["--from", ID, "--outcomes", "busy,sad"], {}, '"sad" is no outcome; they are answered, machine'],
		["an empty outcome", ["--from", ID, "--outcomes", "busy,"], {}, '"" is no outcome'],
		["a list besides", ["--from", ID, "--outcomes", "busy", "--contacts", "x.csv"], {}, "exclude each other"],
		["contacts in the file", ["--from", ID, "--outcomes", "busy"], { contacts: [] }, "has contacts and --from"],
		["another in the file", ["--from", ID, "--outcomes", "busy"], { from: {} }, "has from and --from"],
		["a list, and another in the file", ["--contacts", "x.csv"], { from: {} }, "has from and --contacts"],
	])("%s: one clear message, and nothing is sent", async (_what, argv, more, message) => {
		const campaign = await file("again.json", JSON.stringify({ ...CAMPAIGN, ...more }));
		const run = await cli(["campaign", "submit", campaign, ...argv]);
		expect(run).toMatchObject({ code: 2, err: expect.stringContaining(message) });
		expect(server.seen).toEqual([]);
	});

	test("mistakes of the campaign are shown with their paths, and where they are", async () => {
		const campaign = await file("storm.json", JSON.stringify(CAMPAIGN));
		handle = () =>
			apiError(422, "invalid", "The campaign has 2 mistakes.", [
				{ path: "then.play", message: "a sound's name is letters, digits, _ and -" },
				{ path: "", message: "unknown field `colour`" },
			]);
		const run = await cli(["campaign", "submit", campaign]);
		expect(run.code).toBe(1);
		expect(run.err).toBe(
			`Error: The campaign has 2 mistakes. (422 invalid)
  then.play: a sound's name is letters, digits, _ and -
  the whole body: unknown field \`colour\`
  Where: ${campaign}, sent to POST ${server.url}/v1/campaigns
`,
		);
		const json = await cli(["campaign", "submit", campaign, "--json"]);
		expect(JSON.parse(json.out)).toMatchObject({
			error: { code: "invalid", status: 422, details: [{ path: "then.play" }, { path: "" }] },
		});
	});
});

describe("watching", () => {
	const looks = (...views: unknown[]): void => {
		let i = 0;
		handle = () => ({ json: views[Math.min(i++, views.length - 1)] });
	};

	test("plain lines where there is no terminal: at changes of state and every 5 s, then the summary", async () => {
		looks(view("scheduled", 0), view("running", 0), view("running", 10), view("running", 50), view("completed", 100));
		const run = await cli(["campaign", "show", ID, "--watch"]);
		expect(run.code).toBe(0);
		const lines = run.out.split("\n");
		expect(lines[0]).toBe("storm warning  scheduled  0/100 done (0 %)  10/20 channels  - calls/s");
		expect(lines[1]).toBe("storm warning  running  0/100 done (0 %)  10/20 channels  0.0 calls/s  time left unknown");
		expect(lines[2]).toBe("storm warning  completed  100/100 done (100 %)  10/20 channels  25.0 calls/s");
		expect(run.out).toContain("contacts  100 of 100 done (100 %)");
		expect(run.out).not.toContain("\r");
		expect(run.out).not.toContain("\u001b");
	});

	test("one line that is drawn anew on a terminal", async () => {
		looks(view("running", 50), view("completed", 100));
		const run = await cli(["campaign", "show", ID, "--watch"], { tty: true, columns: 60 });
		const line = run.out.split("\n")[0] ?? "";
		expect(line.split("\r").length).toBe(3);
		for (const part of line.split("\r")) expect([...part].length).toBeLessThan(60);
	});

	test("when it will be done stands behind the progress; the deadline is told whenever it changes its mind", async () => {
		const forecast = (meets: boolean) => ({
			forecast: {
				finishAt: "2030-12-01T16:20:00Z",
				deadline: { at: "2030-12-01T16:00:00Z", meets, bySec: 1_200 },
				words: meets ? "all is well" : "it is late",
			},
			...(meets ? {} : { warnings: [{ path: "deadline", message: "it is late" }] }),
		});
		looks(
			view("scheduled", 0, forecast(true)),
			view("running", 0, forecast(true)),
			view("running", 10, forecast(false)),
			view("running", 20, forecast(false)),
			view("completed", 100, { forecast: null }),
		);
		const run = await cli(["campaign", "show", ID, "--watch"]);
		const lines = run.out.split("\n");
		expect(lines.filter((line) => line === "Forecast: all is well.")).toHaveLength(1);
		expect(lines.filter((line) => line === "Warning: deadline: it is late.")).toHaveLength(1);
		expect(lines[1]).toMatch(/calls\/s {2}done about 2030-12-01 16:20 UTC$/);
	});

	test("Ctrl-C stops watching only, and says so", async () => {
		looks(view("running", 50));
		const run = await cli(["campaign", "show", ID, "--watch"], {
			beforeSleep: (press, sleeps) => {
				if (sleeps === 3) press();
			},
		});
		expect(run.code).toBe(130);
		expect(run.out).toContain(`Stopped watching. The campaign goes on: burst-dialer campaign show ${ID} --watch`);
		expect(server.seen.every((request) => request.method === "GET")).toBe(true);
	});

	test("with --json progress goes beside the one document", async () => {
		looks(view("running", 50), view("completed", 100));
		const run = await cli(["campaign", "show", ID, "--watch", "--json"]);
		expect(JSON.parse(run.out)).toMatchObject({ state: "completed", counts: { done: 100 } });
		expect(run.err).toContain("100/100 done");
	});

	test("submit --watch --json has the campaign as it ended", async () => {
		const views = [view("running", 50), view("completed", 100)];
		handle = (request) =>
			request.method === "POST" ? { status: 201, json: { campaignId: ID, state: "running" } } : { json: views.shift() };
		const run = await cli(["campaign", "submit", "-", "--watch", "--json"], { stdin: JSON.stringify(CAMPAIGN) });
		expect(JSON.parse(run.out)).toMatchObject({ campaignId: ID, campaign: { state: "completed" } });
	});

	test("a cancelled campaign is watched until its contacts have ended", async () => {
		looks(view("cancelled", 10, { swept: false }), view("cancelled", 100, { swept: true }));
		const run = await cli(["campaign", "show", ID, "--watch"]);
		expect(run.code).toBe(0);
		expect(run.out).toContain("100 of 100 done");
	});

	test("a failed campaign is a failure of the command", async () => {
		looks(view("failed", 0, { failure: "the list is gone" }));
		const run = await cli(["campaign", "show", ID, "--watch"]);
		expect(run.code).toBe(1);
		expect(run.out).toContain("the list is gone");
	});

	test("a campaign whose only list was given up does not keep anybody waiting", async () => {
		const imports = [{ importId: "i-1", state: "failed", accepted: 0, rejectedCount: 0, failure: "no header" }];
		looks(
			view("importing", 0, { imports: [{ importId: "i-1", state: "open", accepted: 0 }] }),
			view("importing", 0, { imports }),
		);
		const run = await cli(["campaign", "show", ID, "--watch"]);
		expect(run.code).toBe(1);
		expect(run.out).toContain("List i-1 failed: no header");
	});

	test("an API that is away for a while is asked again; one that stays away ends the watching", async () => {
		let looksSoFar = 0;
		handle = () => {
			looksSoFar++;
			if (looksSoFar === 2) return { hangUp: true };
			if (looksSoFar === 3) return apiError(503, "tryAgain", "Busy.");
			return { json: view(looksSoFar < 5 ? "running" : "completed", 20 * looksSoFar) };
		};
		const back = await cli(["campaign", "show", ID, "--watch"]);
		expect(back.code).toBe(0);
		expect(back.out).toContain("Asking again; the campaign goes on meanwhile.");
		expect(back.out).toContain("The API answers again.");

		looksSoFar = 0;
		handle = () => (looksSoFar++ === 0 ? { json: view("running", 1) } : apiError(503, "tryAgain", "Busy."));
		const away = await cli(["campaign", "show", ID, "--watch"]);
		expect(away.code).toBe(1);
		expect(away.err).toContain("No answer for 5:");
		expect(away.err).toContain("the campaign goes on without this command");
	});
});

describe("campaigns", () => {
	test("list goes through the pages up to its limit and keeps the cursor", async () => {
		handle = (request) => ({
			json: request.url.includes("cursor=c1")
				? { items: [view("completed", 100, { campaignId: "b" })], cursor: "c2" }
				: { items: [view("running", 10, { campaignId: "a" })], cursor: "c1" },
		});
		const run = await cli(["campaign", "list", "--limit", "2"]);
		expect(run.out).toContain(
			"campaign  state      trunk      created               started               finished  name",
		);
		expect(run.out).toMatch(/\na +running +carrier-a +2026-12-01T13:59:00Z +2026-12-01T13:59:30Z +- +storm warning\n/);
		expect(run.out).toContain("(there are more: --limit N or --all)");
		const json = await cli(["campaign", "list", "--limit", "1", "--json"]);
		expect(JSON.parse(json.out)).toMatchObject({ items: [{ campaignId: "a" }], cursor: "c1" });
	});

	describe("explain", () => {
		const explanation = {
			campaignId: ID,
			state: "running",
			at: "2026-12-01T14:00:00.000Z",
			notDone: 1_500,
			main: "trunkChannels",
			reasons: [
				{ reason: "trunkChannels", contacts: 1_200, trunk: "carrier-a", words: "wait for channels: the trunk is full" },
				{ reason: "retry", contacts: 240, detail: "busy", words: "ended as busy and are tried again at 14:05 UTC" },
				{ reason: "inCall", contacts: 60, words: "have a channel" },
			],
			suppressed: { "on the list opt-outs": 3 },
			usedUp: { noAnswer: 12, busy: 1 },
			estimated: false,
			lookedAt: 4_000,
			hosts: { active: 3, silent: 1, draining: 1, coming: 2, mayDial: 2, freeChannels: 180 },
			trunks: [
				{
					id: "carrier-a",
					channels: { cap: 100, free: 0, own: 60, others: 30, aside: 10 },
					cps: { max: 10, now: 2.5 },
					down: ["pbx-3"],
				},
			],
			words: "60 calls are up. 1,200 of 1,500 contacts not done wait for channels: the trunk is full.",
		};

		test("the main thing first, then every reason with its contacts, hosts and trunks", async () => {
			handle = () => ({ json: explanation });
			const run = await cli(["campaign", "explain", ID]);
			expect(server.seen[0]).toMatchObject({ method: "GET", url: `/v1/campaigns/${ID}/explain` });
			expect(run).toMatchObject({ code: 0, err: "" });
			expect(run.out).toBe(
				`60 calls are up. 1,200 of 1,500 contacts not done wait for channels: the trunk is full.

contacts  reason         they
   1,200  trunkChannels  wait for channels: the trunk is full
     240  retry          ended as busy and are tried again at 14:05 UTC
      60  inCall         have a channel
   1,500  all not done

hosts            3 active (1 not heard of), 1 draining, 2 on their way, 2 may dial for it, with 180 channels free
trunk carrier-a  0 of 100 channels free (60 of this campaign, 30 of others, 10 kept aside for lost hosts), slowed to 2.5 of 10 calls/s, no answer to pbx-3
suppressed       3 on the list opt-outs
not reached      12 noAnswer, 1 busy
`,
			);
			const json = await cli(["campaign", "explain", ID, "--json"]);
			expect(JSON.parse(json.out)).toEqual(explanation);
		});

		test("what was not counted is said; nothing left is one sentence", async () => {
			handle = () => ({ json: { ...explanation, estimated: true } });
			expect((await cli(["campaign", "explain", ID])).out).toContain(
				"\nEstimated from 4,000 contacts that were looked at; the sum is exact.\n",
			);
			const words = "Nothing is left: all 9 contacts are done.";
			handle = () => ({ json: { ...explanation, notDone: 0, main: null, reasons: [], words } });
			const { out } = await cli(["campaign", "explain", ID]);
			expect(out.startsWith(`${words}\n\nhosts `)).toBe(true);
		});

		test("an unknown campaign", async () => {
			handle = () => apiError(404, "notFound", "There is no campaign.");
			expect(await cli(["campaign", "explain", ID])).toMatchObject({
				code: 1,
				err: expect.stringContaining("There is no campaign."),
			});
		});

		test("show names it where contacts are left and nothing is in progress", async () => {
			const hint = `not dialing  burst-dialer campaign explain ${ID}\n`;
			const shown = async (...of: Parameters<typeof view>): Promise<string> => {
				handle = () => ({ json: view(...of) });
				return (await cli(["campaign", "show", ID])).out;
			};
			expect(await shown("running", 10)).toContain(hint);
			expect(await shown("paused", 10)).toContain(hint);
			const counts = { total: 100, pending: 85, inProgress: 5, done: 10 };
			expect(await shown("running", 10, { counts })).not.toContain(hint);
			expect(await shown("completed", 100)).not.toContain(hint);
			expect(await shown("cancelled", 10)).not.toContain(hint);
		});
	});

	test("set sends what was given and nothing else", async () => {
		handle = () => ({ json: { campaignId: ID, state: "running" } });
		const run = await cli(["campaign", "set", ID, "--max-channels", "30", "--retry", "busy=300x2"]);
		expect(run.code).toBe(0);
		expect(server.seen[0]).toMatchObject({ method: "PATCH", url: `/v1/campaigns/${ID}` });
		expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({
			maxChannels: 30,
			retry: { busy: { afterSec: 300, max: 2 } },
		});
		handle = () => ({ json: { campaignId: ID, state: "running", forecast: { words: "done about 16:20 UTC" } } });
		const later = await cli(["campaign", "set", ID, "--deadline", "2026-12-01T16:30:00Z"]);
		expect(later.out).toMatch(/is changed; .*\nForecast: done about 16:20 UTC\.\n$/);
		expect(JSON.parse(server.seen[1]?.body ?? "")).toEqual({ deadline: "2026-12-01T16:30:00Z" });
		await cli(["campaign", "set", ID, "--deadline", "none"]);
		expect(JSON.parse(server.seen[2]?.body ?? "")).toEqual({ deadline: null });
		expect(await cli(["campaign", "set", ID])).toMatchObject({
			code: 2,
			err: expect.stringContaining("--max-channels"),
		});
	});

	test("set takes all that can be changed, and none takes away", async () => {
		handle = () => ({ json: { campaignId: ID, state: "running" } });
		const rest =
			"--max-cps 5 --priority 20 --caller-ids +12025550100,+12125550100 --retry busy=300x3,growth=2 --name again";
		const window = "09:00-18:00,mon-fri,2026-12-24,America/New_York";
		expect(await cli(["campaign", "set", ID, "--window", window, ...rest.split(" ")])).toMatchObject({
			code: 0,
			err: "",
		});
		expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({
			maxCps: 5,
			priority: 20,
			callerIds: ["+12025550100", "+12125550100"],
			window: {
				from: "09:00",
				to: "18:00",
				days: [1, 2, 3, 4, 5],
				holidays: ["2026-12-24"],
				timeZone: "America/New_York",
			},
			retry: { busy: { afterSec: 300, max: 3, growth: 2 } },
			name: "again",
		});
		const none = ["--max-cps", "none", "--window", "none", "--deadline", "none", "--retry", "none"];
		expect(await cli(["campaign", "set", ID, ...none])).toMatchObject({ code: 0, err: "" });
		expect(JSON.parse(server.seen[1]?.body ?? "")).toEqual({ maxCps: null, window: null, deadline: null, retry: {} });
	});

	test.each<[string[], string]>([
		[["--max-cps", "0"], "from 1 to 1000. Or none."],
		[["--max-cps", "fast"], "from 1 to 1000. Or none."],
		[["--priority", "101"], "from 1 to 100."],
		[["--priority", "none"], "from 1 to 100."],
		[["--window", "8-21"], "times as in 08:00-21:00"],
		[["--window", "21:00-08:00"], "does not reach over midnight"],
		[["--window", "08:00-21:00,Mars/X"], "Mars/X: is no IANA time zone"],
		[["--retry", "busy=300x3,growth=x"], '"growth=x" is not known in a retry rule'],
		[["--caller-ids", "+12025550100,"], "one or more values"],
		[["--caller-ids", "+12025550100", "--caller-id", "+12025550100"], "exclude each other"],
	])("set %j: one clear message, and nothing is sent", async (argv, message) => {
		const run = await cli(["campaign", "set", ID, ...argv]);
		expect(run).toMatchObject({ code: 2, err: expect.stringContaining(message) });
		expect(server.seen).toEqual([]);
	});

	test("show has the settings of a campaign besides its figures", async () => {
		const trunks = [
			{ id: "carrier-a", weight: 3 },
			{ id: "carrier-b", weight: 1 },
		];
		const exemptions = [{ rule: "us-federal-hours", at: "2026-12-01T14:00:00.000Z", tokenId: null }];
		handle = () => ({
			json: view("running", 10, { purpose: "emergency", trunks, maxCps: 5, priority: 7, exemptions }),
		});
		const { out } = await cli(["campaign", "show", ID]);
		expect(out).toMatch(/^trunks {2,}carrier-a \(weight 3\), carrier-b \(weight 1\)$/m);
		expect(out).toMatch(/^purpose {2,}emergency$/m);
		expect(out).toMatch(/^calls\/s {2,}at most 5$/m);
		expect(out).toMatch(/^priority {2,}7$/m);
		expect(out).toMatch(/^not applied {2,}us-federal-hours \(since 2026-12-01T14:00:00Z\)$/m);
	});

	test.each(["pause", "resume", "cancel"])("%s", async (step) => {
		handle = () => ({ json: { campaignId: ID, state: "paused" } });
		const run = await cli(["campaign", step, ID]);
		expect(run).toMatchObject({ code: 0, err: "" });
		expect(server.seen[0]).toMatchObject({ method: "POST", url: `/v1/campaigns/${ID}/${step}` });
	});

	test("an id with a slash cannot reach another path", async () => {
		handle = () => apiError(404, "notFound", "There is no campaign.");
		const run = await cli(["campaign", "pause", "../hosts/x"]);
		expect(run.code).toBe(1);
		expect(server.seen[0]?.url).toBe("/v1/campaigns/..%2Fhosts%2Fx/pause");
	});
});

describe("calls", () => {
	const call = (n: number) => ({
		callId: `c-${n}`,
		contactId: `${n}`,
		number: "+12025550123",
		attempt: 1,
		outcome: "busy",
		cause: 17,
	});

	test("as a table and as JSON", async () => {
		handle = () => ({ json: { items: [call(1)], cursor: null } });
		expect((await cli(["campaign", "calls", ID])).out).toContain("busy     17");
		expect(JSON.parse((await cli(["campaign", "calls", ID, "--json"])).out)).toEqual({
			items: [call(1)],
			cursor: null,
		});
	});

	test("--csv goes through all pages, with one header", async () => {
		handle = (request) =>
			request.url.includes("cursor=c1")
				? { text: "callId,outcome\r\nc-2,busy\r\n", headers: { "content-type": "text/csv" } }
				: { text: "callId,outcome\r\nc-1,busy\r\n", headers: { "content-type": "text/csv", "x-next-cursor": "c1" } };
		const run = await cli(["campaign", "calls", ID, "--csv"]);
		expect(run).toMatchObject({ code: 0, out: "callId,outcome\r\nc-1,busy\r\nc-2,busy\r\n", err: "" });
		expect(server.seen[0]?.headers.accept).toBe("text/csv");
	});

	test("--csv and --json exclude each other", async () => {
		expect(await cli(["campaign", "calls", ID, "--csv", "--json"])).toMatchObject({ code: 2 });
	});
});

describe("call test", () => {
	test("places the call, waits for its record and says how it ended", async () => {
		let asked = 0;
		handle = (request) => {
			if (request.method === "POST") return { status: 201, json: { campaignId: ID, state: "running" } };
			return {
				json: {
					items:
						++asked < 3
							? []
							: [
									{
										callId: "c",
										contactId: "x",
										number: "+12025550123",
										attempt: 1,
										outcome: "busy",
										cause: 17,
										sipCode: 486,
									},
								],
				},
			};
		};
		const run = await cli([
			"call",
			"test",
			"--trunk",
			"carrier-a",
			"--number",
			"+12025550123",
			"--wait",
			"5",
			"--var",
			"a=b",
		]);
		expect(run.code).toBe(0);
		expect(run.out).toContain("outcome       busy");
		expect(run.out).toContain("SIP status    486");
		expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({
			trunk: "carrier-a",
			number: "+12025550123",
			then: { wait: 5 },
			vars: { a: "b" },
		});
	});

	test("a call that no host takes ends in words, not in waiting for ever", async () => {
		handle = (request) => {
			if (request.method === "POST") return { status: 201, json: { campaignId: ID } };
			if (request.url.includes("/calls")) return { json: { items: [] } };
			return { json: view("running", 0, { counts: { total: 1, pending: 1, inProgress: 0, done: 0 } }) };
		};
		const run = await cli(["call", "test", "--trunk", "t", "--number", "1", "--wait", "5", "--max-call", "5"]);
		expect(run.code).toBe(1);
		expect(run.err).toContain("no host took it");
	});

	test("exactly one of --play, --context and --wait", async () => {
		const base = ["call", "test", "--trunk", "t", "--number", "1"];
		expect(await cli(base)).toMatchObject({ code: 2 });
		expect(await cli([...base, "--play", "a", "--wait", "5"])).toMatchObject({ code: 2 });
		expect(await cli([...base, "--wait", "5", "--extension", "s"])).toMatchObject({ code: 2 });
		expect(server.seen).toEqual([]);
	});
});

describe("trunks", () => {
	const trunk = { type: "pjsip", host: "sip.example.com", port: 5060, maxChannels: 60, maxCps: 10 };

	test("set takes the id from the file and sends the rest", async () => {
		handle = () => ({ json: { id: "carrier-a", ...trunk } });
		const path = await file("trunk.json", JSON.stringify({ id: "carrier-a", ...trunk }));
		expect(await cli(["trunk", "set", path])).toMatchObject({ code: 0, out: "Trunk carrier-a is set.\n" });
		expect(server.seen[0]).toMatchObject({ method: "PUT", url: "/v1/trunks/carrier-a" });
		expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual(trunk);
	});

	test("set without an id, or with two, is a mistake of the command line", async () => {
		expect(await cli(["trunk", "set", "-"], { stdin: JSON.stringify(trunk) })).toMatchObject({ code: 2 });
		const two = await cli(["trunk", "set", "-", "--id", "b"], { stdin: JSON.stringify({ id: "a", ...trunk }) });
		expect(two).toMatchObject({ code: 2, err: expect.stringContaining('"b" by --id and "a" by the file') });
	});

	test("list is a table", async () => {
		handle = () => ({ json: { items: [{ id: "carrier-a", ...trunk, countries: ["US", "CA"], hosts: "all" }] } });
		const run = await cli(["trunk", "list"]);
		expect(run.out).toBe(
			"trunk      type   address               channels  calls/s  countries  hosts\n" +
				"carrier-a  pjsip  sip.example.com:5060        60       10  US,CA      all\n",
		);
	});

	test("list says of a trunk that is slowed how fast it is used; what was listed can be set again", async () => {
		const shown = { id: "carrier-a", ...trunk, channels: { cap: 60, granted: 3 }, cps: { max: 10, now: 2.5 } };
		handle = () => ({ json: { items: [shown, { ...shown, id: "carrier-b", cps: { max: 10, now: 10 } }] } });
		const { out } = await cli(["trunk", "list"]);
		expect(out).toMatch(/^carrier-a .* 60 {2}2\.5 of 10 /m);
		expect(out).toMatch(/^carrier-b .* 60 {2}10 {9}/m);
		await cli(["trunk", "set", await file("trunk.json", JSON.stringify(shown))]);
		expect(JSON.parse(server.seen[1]?.body ?? "")).toEqual(trunk);
	});
});

describe("hosts", () => {
	test("add shows the token once and what to do with it", async () => {
		handle = () => ({ status: 201, json: { hostId: "pbx-1", token: "host-token" } });
		const run = await cli(["host", "add", "pbx-1", "--capacity", "200"]);
		expect(run.out).toContain("  host-token\n");
		expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({ hostId: "pbx-1", capacity: 200 });
		expect(server.seen[0]?.headers["idempotency-key"]).toBe("key-1");
	});

	test("list says how long ago each was seen", async () => {
		handle = () => ({
			json: {
				items: [
					{
						hostId: "pbx-1",
						tier: "steady",
						state: "active",
						live: 3,
						capacity: 120,
						lastSeenAt: "2026-12-01T13:59:58.000Z",
						region: "on-premises",
					},
					{
						hostId: "pbx-2",
						tier: "steady",
						state: "new",
						drainWanted: true,
						live: 0,
						capacity: 120,
						region: "on-premises",
					},
				],
			},
		});
		const run = await cli(["host", "list"]);
		expect(run.out).toMatch(
			/\npbx-1 {2}steady {2}active +3 +- +120 {2}2 s ago +on-premises\npbx-2 +steady {2}new, to drain .* - +on-premises\n$/,
		);
	});

	test.each(["drain", "undrain"])("%s", async (step) => {
		handle = () => ({ json: { hostId: "pbx-1", state: "draining" } });
		expect(await cli(["host", step, "pbx-1"])).toMatchObject({ code: 0 });
		expect(server.seen[0]).toMatchObject({ method: "POST", url: `/v1/hosts/pbx-1/${step}` });
	});
});

describe("where the API is and who asks", () => {
	test("options count before the environment, and that before the settings file", async () => {
		handle = () => ({ json: { items: [] } });
		const settings = await file("settings.json", JSON.stringify({ url: server.url, token: "from-file" }));
		const tokens: unknown[] = [];
		const last = (): void => {
			tokens.push(server.seen.at(-1)?.headers.authorization);
		};
		await cli(["host", "list", "--config", settings], { env: {} });
		last();
		await cli(["host", "list", "--config", settings], { env: { BURST_DIALER_TOKEN: "from-env" } });
		last();
		await cli(["host", "list", "--token", "from-option"], { env: { ...env(), BURST_DIALER_TOKEN: "from-env" } });
		last();
		expect(tokens).toEqual(["Bearer from-file", "Bearer from-env", "Bearer from-option"]);
	});

	test.each([
		["no address", {}, 2, "The address of the API is not known."],
		["no token", { BURST_DIALER_URL: "http://127.0.0.1:1" }, 2, "There is no token."],
		["no URL", { BURST_DIALER_URL: "example", BURST_DIALER_TOKEN: "t" }, 2, "is no URL of an API"],
		["HTTP in the open", { BURST_DIALER_URL: "http://example.com", BURST_DIALER_TOKEN: "t" }, 2, "is not HTTPS"],
		[
			"a token with a line break",
			{ BURST_DIALER_URL: "http://127.0.0.1:1", BURST_DIALER_TOKEN: "t\n" },
			2,
			"no token has",
		],
		[
			"nobody there",
			{ BURST_DIALER_URL: "http://127.0.0.1:1", BURST_DIALER_TOKEN: "t" },
			1,
			"The API cannot be reached",
		],
	])("%s: one clear message", async (_what, environment, code, message) => {
		const run = await cli(["host", "list"], { env: environment as Record<string, string> });
		expect(run.code).toBe(code);
		expect(run.err).toContain(message);
		expect(run.err).toContain("To mend it:");
		expect(run.out).toBe("");
	});

	test.each([
		["a missing one", undefined, "cannot be read"],
		["no JSON", "{", "is not JSON"],
		["unknown fields", '{ "api": "x" }', "has a mistake"],
	])("a settings file: %s", async (_what, content, message) => {
		const path = content === undefined ? join(folder, "missing") : await file("settings.json", content);
		const run = await cli(["host", "list", "--config", path], { env: {} });
		expect(run).toMatchObject({ code: 1, err: expect.stringContaining(message) });
	});

	test("401 says how to get a token; a token never appears", async () => {
		handle = () => apiError(401, "unauthorized", "The token is revoked.");
		const run = await cli(["host", "list"]);
		expect(run.code).toBe(1);
		expect(run.err).toContain("The token is revoked. (401 unauthorized)");
		expect(run.err).toContain("burst-dialer token create");
		expect(run.err).not.toContain("secret-token");
	});

	test("an answer of something else is told apart from the API's", async () => {
		handle = () => ({ text: "<html>", headers: { "content-type": "text/html" } });
		expect(await cli(["host", "list"])).toMatchObject({ code: 1, err: expect.stringContaining("is not JSON") });
		handle = () => ({ status: 502, text: "<html>" });
		expect((await cli(["host", "list"])).err).toContain("The API answered 502 without saying why.");
		handle = () => ({ json: { hosts: [] } });
		expect((await cli(["host", "list"])).err).toContain("items:");
	});
});

describe("help and usage", () => {
	test.each([
		[[], 2, "A command is missing."],
		[["campagne"], 2, "Unknown command 'campagne' (Did you mean campaign?)"],
		[["campaign", "submit"], 2, "Missing required argument 'file'"],
		[["campaign", "show", ID, "--wach"], 2, "Unknown option '--wach' (Did you mean --watch?)"],
		[["host", "add", "x", "--capacity", "many"], 2, "whole number"],
		[["campaign", "show"], 2, "Missing required argument 'campaign'"],
		[["campaign", "show", "a", "b"], 2, "Too many arguments"],
	])("%j", async (argv, code, message) => {
		const run = await cli(argv);
		expect(run.code).toBe(code);
		expect(run.err).toContain(message);
		expect(server.seen).toEqual([]);
	});

	test("with --json a usage error is a document too", async () => {
		const run = await cli(["campaign", "show", "--json"]);
		expect(JSON.parse(run.out)).toMatchObject({ error: { code: "usage" } });
	});

	const leaves = [
		...["submit", "add", "list", "show", "explain", "set", "pause", "resume", "cancel", "calls"].map((name) => [
			"campaign",
			name,
		]),
		["call", "test"],
		...["set", "list"].map((name) => ["trunk", name]),
		...["add", "list", "drain", "undrain"].map((name) => ["host", name]),
		...["list", "set", "add", "remove", "show", "delete"].map((name) => ["suppression", name]),
		["opt-out", "NUMBER"],
		...["show", "set"].map((name) => ["calling-policy", name]),
		...["show", "scale"].map((name) => ["fleet", name]),
		...["create", "list", "revoke"].map((name) => ["token", name]),
	];
	test.each(leaves)("%s %s --help has an example and the options of all commands", async (group, name) => {
		const run = await cli([group ?? "", name ?? "", "--help"]);
		expect(run.code).toBe(0);
		expect(run.err).toBe("");
		expect(run.out).toMatch(/Examples?:\n {2}\$ .*burst-dialer/);
		expect(run.out).toContain("--json");
	});

	test("--version is the package's", async () => {
		const manifest = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
		expect(VERSION).toBe(manifest.version);
		expect(await cli(["--version"])).toMatchObject({ code: 0, out: `${VERSION}\n` });
	});
});

describe("tokens", () => {
	test("which deployment must be said", async () => {
		expect(await cli(["token", "list"], { env: {} })).toMatchObject({
			code: 2,
			err: expect.stringContaining("give --stage"),
		});
	});
});

describe("as a process", () => {
	const start = (argv: string[]) => {
		const child = spawn(process.execPath, ["cli/main.ts", ...argv], {
			env: { ...process.env, ...env(), HOME: folder, NODE_OPTIONS: "" },
			stdio: ["ignore", "pipe", "pipe"],
		});
		let out = "";
		let err = "";
		child.stdout.on("data", (chunk: Buffer) => {
			out += chunk.toString();
		});
		child.stderr.on("data", (chunk: Buffer) => {
			err += chunk.toString();
		});
		return { child, ended: once(child, "close").then(([code]) => ({ code: code as number, out, err })) };
	};

	test("exits with the code and without a stack trace", async () => {
		handle = () => apiError(401, "unauthorized", "Unknown token.");
		const run = await start(["campaign", "list"]).ended;
		expect(run.code).toBe(1);
		expect(run.err).toMatch(/^Error: Unknown token\. \(401 unauthorized\)\n/);
		expect(run.err).not.toMatch(/\n\s+at /);
	});

	test("SIGINT ends watching with 130 and changes nothing", async () => {
		handle = () => ({ json: view("running", 10) });
		const { child, ended } = start(["campaign", "show", ID, "--watch"]);
		await once(child.stdout, "data");
		child.kill("SIGINT");
		const run = await ended;
		expect(run.code).toBe(130);
		expect(run.out).toContain("The campaign goes on");
		expect(server.seen.every((request) => request.method === "GET")).toBe(true);
	});
});

describe("the fleet", () => {
	test("by tier and in all, with what is kept aside", async () => {
		const none = { capacity: 0, live: 0, granted: 0 };
		const steady = { capacity: 240, live: 100, granted: 120 };
		handle = () => ({ json: { ...steady, lost: 7, tiers: { steady, burst: none }, hosts: [] } });
		const run = await cli(["fleet", "show"]);
		expect(run.out).toBe(
			"tier    capacity  live  granted\nsteady       240   100      120\nburst          0     0        0\n" +
				"all          240   100      120\n\n7 channels are kept aside: calls of lost hosts may still be up on them.\n",
		);
	});
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { eventually } from "../support/local-toy/eventually.ts";
import { descendants, isRunning } from "../support/local-toy/processes.ts";

const START = fileURLToPath(new URL("../../local/start.ts", import.meta.url));
const TIMEOUT_MS = 90_000;
const BARE = ["--port", "0", "--steady", "0", "--carrier", "none"];

interface Started {
	process: ChildProcess;
	stdout: () => string;
	stderr: () => string;
	/** Exit status. */
	ended: Promise<number | null>;
	ready: () => Promise<{ ready: boolean; api: string; token: string }>;
}

let dir: string;
let running: Started[] = [];
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), "start-"));
});
afterEach(async () => {
	for (const { process: one } of running) one.kill("SIGKILL");
	await Promise.all(running.map(({ ended }) => ended));
	running = [];
	rmSync(dir, { recursive: true, force: true });
});

/** Folders that a stack without --data makes and must remove. */
const left = (): string[] => readdirSync(dir).filter((name) => name.startsWith("burst-dialer-"));

/** Its temporary folders are made inside the test's, so that what is left behind is seen. */
const start = (args: string[], env: Record<string, string> = {}): Started => {
	const { NODE_OPTIONS: _, ...own } = process.env;
	const child = spawn(process.execPath, [START, ...args], {
		env: { ...own, TMPDIR: dir, ...env },
		stdio: ["ignore", "pipe", "pipe"],
	});
	let [stdout, stderr] = ["", ""];
	child.stdout.setEncoding("utf8").on("data", (text) => {
		stdout += text;
	});
	child.stderr.setEncoding("utf8").on("data", (text) => {
		stderr += text;
	});
	const ended = once(child, "close").then(([status]) => status as number | null);
	const started: Started = {
		process: child,
		stdout: () => stdout,
		stderr: () => stderr,
		ended,
		ready: async () => {
			let over: number | null | undefined;
			ended.then((status) => {
				over = status;
			});
			const deadline = Date.now() + TIMEOUT_MS;
			while (!stdout.includes("\n")) {
				if (over !== undefined) throw new Error(`It ended with status ${over}: ${stderr}`);
				if (Date.now() > deadline) throw new Error(`It is not ready: ${stderr}`);
				await delay(50);
			}
			return JSON.parse(stdout);
		},
	};
	running.push(started);
	return started;
};
const allOf = (started: Started): number[] => {
	const pid = started.process.pid as number;
	return [pid, ...descendants(pid)];
};

describe("the command line", () => {
	test.each([
		[["--port", "x"], /--port.*whole number from 0 to 65535/],
		[["--port", "70000"], /--port/],
		[["--steady", "-1"], /--steady/],
		[["--capacity", "0"], /--capacity.*1 to 2000/],
		[["--burst-max", "201"], /--burst-max.*whole number from 0 to 200/],
		[["--boot-seconds", "soon"], /--boot-seconds.*whole number from 0 to 300/],
		[["--asterisk", "fake"], /--asterisk.*real, simulated/],
		[["--carrier", "other"], /--carrier.*embedded, none/],
		[["--aws", "real"], /--aws.*embedded, external/],
		[["--nonsense"], /unknown option '--nonsense'/],
		[["stray"], /too many arguments/],
	])("%j is refused with status 2", async (args, message) => {
		const started = start(args);
		expect(await started.ended).toBe(2);
		expect(started.stderr()).toMatch(message);
		expect(started.stdout()).toBe("");
	});

	test("--help explains every option, on stderr", async () => {
		const started = start(["--help"]);
		expect(await started.ended).toBe(0);
		for (const option of [
			...["port", "data", "steady", "capacity", "burst-max", "boot-seconds"],
			...["asterisk", "carrier", "aws", "chaos"],
		]) {
			expect(started.stderr()).toContain(`--${option}`);
		}
		expect(started.stdout()).toBe("");
	});

	test("a port in use is said before anything is started", async () => {
		const taken = createServer().listen(0, "127.0.0.1");
		await once(taken, "listening");
		const { port } = taken.address() as { port: number };
		const started = start(["--port", String(port), ...BARE.slice(2)]);
		expect(await started.ended).toBe(1);
		expect(started.stderr()).toMatch(new RegExp(`Port ${port} is in use.*--port 0`));
		taken.close();
	});

	test("more hosts than there are addresses for are refused", async () => {
		const started = start([...BARE.slice(0, 2), "--steady", "150", "--burst-max", "100"]);
		expect(await started.ended).toBe(1);
		expect(started.stderr()).toMatch(/Burst hosts and steady hosts together are at most 200/);
	});

	test("settings of the burst that are wrong are named", async () => {
		const started = start([...BARE, "--burst-max", "2"], { BURST_LOOK_SEC: "0", BURST_IDLE_SEC: "soon" });
		expect(await started.ended).toBe(1);
		expect(started.stderr()).toContain("BURST_LOOK_SEC");
		expect(started.stderr()).toContain("BURST_IDLE_SEC");
	});

	test("settings that cannot hold together are all named", async () => {
		const started = start(BARE, { LOST_AFTER_SEC: "10", PEEK_WRITE_SEC: "x" });
		expect(await started.ended).toBe(1);
		expect(started.stderr()).toContain("PEEK_WRITE_SEC");
		expect(started.stdout()).toBe("");
	});

	test("external AWS that is not named is said", async () => {
		const started = start([...BARE, "--aws", "external"]);
		expect(await started.ended).toBe(1);
		expect(started.stderr()).toContain("AWS_ENDPOINT_URL");
	});
});

describe("a start", () => {
	test.each(["SIGINT", "SIGTERM"] as const)(
		"prints one line, serves, and leaves nothing after %s",
		async (signal) => {
			const started = start(BARE);
			const { ready, api, token } = await started.ready();
			expect(ready).toBe(true);
			expect((await fetch(`${api}/v1/health`)).status).toBe(200);
			const headers = { authorization: `Bearer ${token}` };
			expect((await fetch(`${api}/v1/campaigns`, { headers })).status).toBe(200);
			const pids = allOf(started);
			expect(pids.length).toBeGreaterThan(2);
			started.process.kill(signal);
			expect(await started.ended).toBe(0);
			expect(pids.filter(isRunning)).toEqual([]);
			expect(started.stdout().trim().split("\n")).toHaveLength(1);
			expect(started.stderr()).not.toContain(token);
			expect(left()).toEqual([]);
		},
		TIMEOUT_MS,
	);

	test(
		"stopped before all is up it leaves nothing",
		async () => {
			const started = start(["--port", "0", "--asterisk", "simulated"]);
			await eventually(() => expect(allOf(started).length).toBeGreaterThan(1), TIMEOUT_MS);
			const pids = allOf(started);
			started.process.kill("SIGINT");
			expect(await started.ended).toBe(0);
			expect([...pids, ...descendants(started.process.pid as number)].filter(isRunning)).toEqual([]);
			expect(left()).toEqual([]);
		},
		TIMEOUT_MS,
	);

	test(
		"a part that dies ends it with status 1, and the others end too",
		async () => {
			const started = start(BARE);
			await started.ready();
			const pids = allOf(started);
			process.kill(pids[1] as number, "SIGKILL");
			expect(await started.ended).toBe(1);
			expect(started.stderr()).toMatch(/ended \(signal SIGKILL\)/);
			expect(pids.filter(isRunning)).toEqual([]);
		},
		TIMEOUT_MS,
	);

	test(
		"killed without a chance to stop anything, its parts end by themselves",
		async () => {
			const started = start(BARE);
			await started.ready();
			const pids = allOf(started);
			started.process.kill("SIGKILL");
			await started.ended;
			await eventually(() => expect(pids.filter(isRunning)).toEqual([]), 20_000);
		},
		TIMEOUT_MS,
	);

	test(
		"killed while burst hosts run, none of them goes on",
		async () => {
			const started = start(["--port", "0", "--asterisk", "simulated", "--burst-max", "1", "--boot-seconds", "0"]);
			const { api, token } = await started.ready();
			const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
			const until = new Date(Date.now() + 600_000).toISOString();
			const body = JSON.stringify({ min: 1, until });
			expect((await fetch(`${api}/v1/fleet/scale`, { method: "POST", headers, body })).status).toBe(200);
			await eventually(async () => {
				const { items } = (await (await fetch(`${api}/v1/hosts`, { headers })).json()) as {
					items: { tier: string; state: string }[];
				};
				expect(items.filter(({ tier, state }) => tier === "burst" && state === "active")).toHaveLength(1);
			}, TIMEOUT_MS);
			const pids = allOf(started);
			started.process.kill("SIGKILL");
			await started.ended;
			await eventually(() => expect(pids.filter(isRunning)).toEqual([]), 20_000);
		},
		2 * TIMEOUT_MS,
	);

	test(
		"one that fails half-way leaves nothing",
		async () => {
			const data = join(dir, "data");
			const first = start([...BARE, "--data", data]);
			const { token } = await first.ready();
			first.process.kill("SIGINT");
			expect(await first.ended).toBe(0);

			const second = start([...BARE, "--data", data]);
			expect((await second.ready()).token).toBe(token);
			second.process.kill("SIGINT");
			expect(await second.ended).toBe(0);

			expect(JSON.parse(readFileSync(join(data, "stack.json"), "utf8"))).toMatchObject({ operatorToken: token });
			writeFileSync(join(data, "stack.json"), "{");
			const third = start([...BARE, "--data", data]);
			let pids: number[] = [];
			const watch = setInterval(() => {
				pids = [...new Set([...pids, ...allOf(third)])];
			}, 10);
			expect(await third.ended).toBe(1);
			clearInterval(watch);
			expect(third.stderr()).toContain("is damaged");
			expect(pids.filter(isRunning)).toEqual([]);
		},
		TIMEOUT_MS,
	);

	test(
		"with a host and a carrier dials a call, also with faults, and again from the same data",
		async () => {
			const data = join(dir, "data");
			const args = ["--port", "0", "--asterisk", "simulated", "--capacity", "5", "--data", data];
			for (const [round, more] of [[], ["--chaos"]].entries()) {
				const started = start([...args, ...more]);
				const { api, token } = await started.ready();
				const call = async (method: string, path: string, body?: unknown) => {
					const answer = await fetch(api + path, {
						method,
						headers: {
							authorization: `Bearer ${token}`,
							"content-type": "application/json",
							"idempotency-key": `one-call-${round}`,
						},
						...(body === undefined ? {} : { body: JSON.stringify(body) }),
					});
					return { status: answer.status, body: (await answer.json()) as Record<string, never> };
				};
				let campaignId = "";
				await eventually(async () => {
					const made = await call("POST", "/v1/campaigns", {
						name: "one call",
						trunk: "carrier",
						then: { wait: 5 },
						contacts: [{ number: "10010000200123" }],
					});
					expect(made.status).toBe(201);
					campaignId = String(made.body["campaignId"]);
				}, 30_000);
				await eventually(async () => {
					const shown = await call("GET", `/v1/campaigns/${campaignId}`);
					expect(shown.body).toMatchObject({ state: "completed", outcomes: { answered: 1 } });
				}, 60_000);
				const pids = allOf(started);
				started.process.kill("SIGINT");
				expect(await started.ended).toBe(0);
				expect(pids.filter(isRunning)).toEqual([]);
			}
		},
		3 * TIMEOUT_MS,
	);
});

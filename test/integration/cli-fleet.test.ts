import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { runCommand, startTestServer, type TestAnswer, type TestServer } from "../support/cli-harness.ts";

let server: TestServer;
let handle: () => TestAnswer;
beforeAll(async () => {
	server = await startTestServer(() => handle());
});
afterAll(() => server.stop());
beforeEach(() => {
	server.seen.length = 0;
	handle = () => ({ json: {} });
});
const cli = (...argv: string[]) =>
	runCommand(argv, { env: { BURST_DIALER_URL: server.url, BURST_DIALER_TOKEN: "bd_op_x" } });
const sent = () => {
	const [request] = server.seen;
	return { method: request?.method, url: request?.url, body: JSON.parse(request?.body || "null") };
};

describe("fleet scale", () => {
	test("sets a floor for a while", async () => {
		handle = () => ({ json: { min: 4, until: "2026-12-01T16:00:00.000Z" } });
		const run = await cli("fleet", "scale", "4", "--for", "2h");
		expect(sent()).toMatchObject({ method: "POST", url: "/v1/fleet/scale", body: { min: 4 } });
		// The clock moves on only while it sleeps: it did not.
		expect(sent().body.until).toBe("2026-12-01T16:00:00.000Z");
		expect(run).toMatchObject({ code: 0, out: "At least 4 burst hosts until 2026-12-01T16:00:00Z.\n" });
	});
	test("says when the fleet's limit is lower, and takes a floor back", async () => {
		handle = () => ({ json: { min: 40, until: "2026-12-01T15:00:00Z", note: "The fleet's limit is 10 burst hosts." } });
		expect((await cli("fleet", "scale", "40")).out).toContain("limit is 10");
		handle = () => ({ json: { min: 0, until: "2026-12-01T15:00:00Z" } });
		expect((await cli("fleet", "scale", "0")).out).toContain("No burst hosts are kept");
	});
	test.each([
		[["fleet", "scale"], "argument"],
		[["fleet", "scale", "-1"], "-1"],
		[["fleet", "scale", "two"], "whole number"],
		[["fleet", "scale", "2", "--for", "1w"], "90m, 2h or 3d"],
		[["fleet", "scale", "2", "--until", "2020-01-01T00:00:00Z"], "past"],
		[["fleet", "scale", "2", "--for", "1h", "--until", "2027-01-01T00:00:00Z"], "not both"],
	])("%j is refused before anything is sent", async (argv, message) => {
		const run = await cli(...argv);
		expect(run.code).toBe(2);
		expect(run.err).toContain(message);
		expect(server.seen).toEqual([]);
	});
});

describe("fleet schedule", () => {
	const office = {
		name: "office",
		floor: 4,
		days: [1, 2, 3, 4, 5],
		from: "08:30",
		to: "18:00",
		timeZone: "Europe/Berlin",
	};
	test("set sends what was meant and says it in words", async () => {
		handle = () => ({ status: 201, json: office });
		const run = await cli(
			...["fleet", "schedule", "set", "office", "--floor", "4", "--from", "8:30", "--to", "18:00"],
			...["--days", "mon-fri", "--time-zone", "Europe/Berlin"],
		);
		const { name: _, ...body } = office;
		expect(sent()).toEqual({ method: "PUT", url: "/v1/fleet/schedules/office", body });
		expect(run.out).toBe("Schedule office: at least 4 burst hosts from 08:30 to 18:00, Mon-Fri, Europe/Berlin time.\n");
	});
	test("a night ends on the next day", async () => {
		handle = () => ({ json: { ...office, from: "22:00", to: "06:00", floor: 1, days: [1, 2, 3, 4, 5, 6, 7] } });
		const run = await cli(
			...["fleet", "schedule", "set", "office", "--floor", "1", "--from", "22:00", "--to", "06:00"],
			...["--time-zone", "Europe/Berlin"],
		);
		expect(run.out).toContain("1 burst host from 22:00 to 06:00 the next day, every day");
		expect(sent().body).not.toHaveProperty("days");
	});
	test("list, an empty one too; remove", async () => {
		handle = () => ({ json: { items: [{ ...office, inForce: true }] } });
		expect((await cli("fleet", "schedule", "list")).out).toMatch(
			/office +4 +08:30 +18:00 +Mon-Fri +Europe\/Berlin +in force\n/,
		);
		handle = () => ({ json: { items: [] } });
		expect((await cli("fleet", "schedule", "list")).out).toContain("There is no schedule");
		handle = () => ({ json: office });
		expect((await cli("fleet", "schedule", "remove", "office")).out).toBe("Schedule office is removed.\n");
		expect(server.seen.at(-1)).toMatchObject({ method: "DELETE", url: "/v1/fleet/schedules/office" });
	});
	test.each([
		[["--floor", "0", "--from", "8:00", "--to", "9:00", "--time-zone", "UTC"], "at least 1"],
		[["--floor", "1", "--from", "24:00", "--to", "9:00", "--time-zone", "UTC"], "local time"],
		[["--floor", "1", "--from", "8:00", "--to", "9", "--time-zone", "UTC"], "local time"],
		[["--floor", "1", "--from", "8:00", "--to", "9:00"], "--time-zone"],
		[["--floor", "1", "--from", "8:00", "--to", "9:00", "--time-zone", "UTC", "--days", "someday"], "weekday"],
	])("%j is refused before anything is sent", async (options, message) => {
		const run = await cli("fleet", "schedule", "set", "office", ...options);
		expect(run.code).toBe(2);
		expect(run.err).toContain(message);
		expect(server.seen).toEqual([]);
	});
});

describe("fleet show", () => {
	const none = { capacity: 0, live: 0, granted: 0 };
	const burst = {
		enabled: true,
		wanted: { onDemand: 2, spot: 0 },
		up: { onDemand: 1, spot: 0 },
		decision: {
			at: "2026-12-01T13:59:55.000Z",
			reason: "Campaigns can use 300 channels; the steady host carries 120; 180 more need 2 burst hosts.",
			limits: ["at most 2 hosts"],
			demand: { channels: 300, campaigns: [{ name: "storm", channels: 300, why: "its cap" }] },
			floor: { hosts: 0, from: "" },
			usdPerHour: { now: 0.0775, limit: 2 },
		},
		trouble: ["EC2 is out of capacity for on-demand/c7g.large/subnet-a: asked again after 2026-12-01T14:02:00.000Z."],
		intents: [
			{ id: "x", kind: "launch", what: "on-demand/c7g.large/subnet-b", count: 1, since: "2026-12-01T13:59:55.000Z" },
		],
		bootSec: { last: [24], median: 24 },
		usdPerHour: 0.0775,
		addresses: null,
		hosts: [
			{
				...{ hostId: "burst-01", state: "active", why: null, capacity: 120, live: 118, type: "c7g.large" },
				...{ subnet: "subnet-a", market: "on-demand", usdPerHour: 0.0775, startedAt: "2026-12-01T13:58:00.000Z" },
			},
			{
				...{ hostId: "burst-00", state: "terminated", why: "drained", capacity: 120, live: 0, type: "c7g.large" },
				...{ subnet: "subnet-a", market: "on-demand", usdPerHour: 0.0775, startedAt: "2026-12-01T10:00:00.000Z" },
			},
		],
	};
	test("says how many are wanted, why, what bounds it and what is in the way", async () => {
		handle = () => ({ json: { ...none, lost: 0, tiers: { steady: none, burst: none }, hosts: [], burst } });
		const { out } = await cli("fleet", "show");
		expect(out).toContain("2 wanted, 1 up or coming");
		expect(out).toContain("180 more need 2 burst hosts");
		expect(out).toMatch(/limits +at most 2 hosts\n/);
		expect(out).toContain("$0.077 an hour now, limit $2.00");
		expect(out).toContain("launch 1 (on-demand/c7g.large/subnet-b)");
		expect(out).toContain("! EC2 is out of capacity");
		expect(out).toMatch(/storm +300 +its cap\n/);
		expect(out).toMatch(/burst-01 +active +118 +120 +c7g.large +subnet-a +0.0775 +2:00 min ago/);
		expect(out).not.toContain("burst-00");
	});
	test("says that the burst is off where there is no image", async () => {
		const off = {
			...burst,
			enabled: false,
			wanted: null,
			up: null,
			decision: null,
			trouble: [],
			intents: [],
			hosts: [],
		};
		handle = () => ({ json: { ...none, lost: 0, tiers: { steady: none }, hosts: [], burst: off } });
		expect((await cli("fleet", "show")).out).toContain("Burst hosts: off.");
	});
});

import { describe, expect, test } from "@jest/globals";
import { controlPlaneUsd } from "../../../shared/plan/control-plane.ts";
import { Exact } from "../../../shared/plan/exact.ts";
import { PriceBook } from "../../../shared/prices/price-book.ts";
import type { HostItem } from "../../../shared/store/items.ts";
import { newDayHost } from "../../support/fleet/day-load.ts";
import type { Profile } from "../../support/fleet/profile.ts";
import { Usage } from "../../support/fleet/usage.ts";
import { START_MS, VirtualFleet } from "../../support/fleet/virtual-fleet.ts";
import { billOf, type Terms, usedOf } from "../../support/fleet/week-bill.ts";
import { boundOf } from "../../support/fleet/week-bound.ts";
import { WEEKS } from "../../support/fleet/week-profiles.ts";

const HOUR_MS = 3_600_000;
const TERMS: Terms = { steadyHosts: 2, steadyUsdPerMonth: 100, hours: 73 };
const instance = (state: "pending" | "running" | "stopping" | "stopped" | "terminated") => ({
	instanceId: "i-0123456789abcdef0",
	state,
	type: "c7g.large",
	subnet: "subnet-a",
	imageId: "ami-1",
	account: "1",
	launchedAt: 0,
	market: "on-demand" as const,
});

describe("the bill", () => {
	const nothing = { instanceMs: {}, volumeMs: 0, burstTalkMs: 0, talkMs: 0, attempts: 0 };
	test("steady hosts are paid by the month, used or not", () => {
		expect(billOf(nothing, TERMS)).toMatchObject({ steadyUsd: 20, totalUsd: 20 });
	});
	test("a c7g.large with its address and 8 GB for an hour, an hour's talk in G.711", () => {
		const used = { ...nothing, instanceMs: { "c7g.large": HOUR_MS }, volumeMs: HOUR_MS, burstTalkMs: HOUR_MS };
		const bill = billOf(used, TERMS);
		expect(bill.instanceUsd).toBeCloseTo(0.0725, 9);
		expect(bill.addressUsd).toBeCloseTo(0.005, 9);
		expect(bill.volumeUsd).toBeCloseTo((8 * 0.08) / 730, 9);
		expect(bill.egressUsd).toBeCloseTo(0.036 * 0.09, 9);
	});
	test("the carrier is paid by the minute where it has a price", () => {
		expect(billOf({ ...nothing, talkMs: 120_000 }, { ...TERMS, carrierUsdPerMin: 0.01 }).carrierUsd).toBeCloseTo(
			0.02,
			9,
		);
	});
	test("the control plane costs an attempt what the planner says", () => {
		const planned = controlPlaneUsd(new PriceBook("us-east-1")).times(Exact.of(1_000_000)).toNumber();
		expect(billOf({ ...nothing, attempts: 1_000_000 }, TERMS).controlPlaneUsd).toBeCloseTo(planned, 5);
	});
	test("a type without a price is an error", () => {
		expect(() => billOf({ ...nothing, instanceMs: { "z9.huge": 1 } }, TERMS)).toThrow(
			"0 prices of ec2.on-demand.z9.huge",
		);
	});
});

describe("what was used", () => {
	test("a start is billed for a minute at least, from running to stopping; the volume until it is terminated", () => {
		const usage = new Usage();
		for (const [state, at] of [
			["pending", 0],
			["running", 5_000],
			["stopping", 25_000],
			["stopped", 45_000],
			["pending", 100_000],
			["running", 105_000],
			["stopping", 305_000],
			["stopped", 325_000],
			["terminated", 1_000_000],
		] as const)
			usage.onState(instance(state), at);
		expect(usage.runs.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([
			[5_000, 25_000],
			[105_000, 305_000],
		]);
		expect(usedOf(usage, 2_000_000)).toMatchObject({ instanceMs: { "c7g.large": 260_000 }, volumeMs: 1_000_000 });
	});
	test("what still runs is billed until the end", () => {
		const usage = new Usage();
		usage.onState(instance("pending"), 0);
		usage.onState(instance("running"), 5_000);
		expect(usedOf(usage, 100_000)).toMatchObject({ instanceMs: { "c7g.large": 95_000 }, volumeMs: 100_000 });
	});
	test("talk on steady hosts leaves no EC2", () => {
		const usage = new Usage();
		usage.onCall(newDayHost("steady-1", "steady", 10), "a", { holdSec: 40, talkSec: 30 });
		usage.onCall(newDayHost("burst-1", "burst", 10), "a", { holdSec: 25, talkSec: 0 });
		usage.onCall(newDayHost("burst-1", "burst", 10), "a", { holdSec: 32, talkSec: 20 });
		expect(usedOf(usage, 0)).toMatchObject({ attempts: 3, talkMs: 50_000, burstTalkMs: 20_000 });
		expect(usage.calls.find(({ tier }) => tier === "burst")).toMatchObject({
			attempts: 2,
			answered: 1,
			channelMs: 57_000,
		});
	});
});

describe("the bound", () => {
	const profile = { ...WEEKS.reminders, steady: { hosts: 1, channelsPerHost: 100 } };
	const bound = (jobs: Parameters<typeof boundOf>[0]["jobs"], baseChannels: number[] = []) =>
		boundOf({ profile, jobs, baseChannels, baseTalkShare: 0.5 });
	const job = (startSec: number, endSec: number, channelSec: number) => ({
		startSec,
		endSec,
		channelSec,
		talkSec: channelSec / 2,
	});
	test("is nothing where the steady hosts can do it, the nearest deadline first", () => {
		expect(bound([job(0, 3_600, 180_000), job(0, 1_800, 180_000)])).toEqual({ hostSec: 0, talkSec: 0, boots: 0 });
	});
	test("is what they cannot, on full hosts, and the boots", () => {
		// 240,000 channel-seconds beyond 100 channels for 1,200 s need 167 more at once: two hosts.
		expect(bound([job(0, 1_200, 320_000)])).toEqual({
			hostSec: expect.closeTo(200_000 / 120 + 2 * 55, 6),
			talkSec: 100_000,
			boots: 2,
		});
	});
	test("boots once for each stretch with work, and not for what can be between", () => {
		const far = bound([job(0, 1_200, 150_000), job(6_000, 7_200, 150_000)]);
		expect(far.boots).toBe(2);
		expect(bound([job(0, 1_200, 150_000), job(1_200, 2_400, 150_000)]).boots).toBe(1);
	});
	test("the base load's hosts are whole ones, and have room for others", () => {
		const base = Array(600).fill(160);
		expect(bound([], base)).toEqual({ hostSec: 600 + 55, talkSec: 60 * 600 * 0.5, boots: 1 });
		expect(bound([job(0, 600, 36_000)], base).hostSec).toBe(655);
		expect(bound([job(0, 600, 48_000)], base).hostSec).toBeGreaterThan(655 + 99);
	});
});

describe("the virtual fleet", () => {
	const hour: Profile = {
		...WEEKS.alerts,
		daySec: 3_600,
		bursts: [
			{ id: "storm", startSec: 300, minutes: 10, channels: 720, contacts: 8_000, calls: WEEKS.alerts.baseCalls },
		],
	};
	test("runs are those that EC2 bills, its events reach the fleet's function, and hosts count as syncs do", async () => {
		const fleet = new VirtualFleet(hour);
		await fleet.run();
		expect(fleet.failures).toBe(0);
		const { runs, states, calls } = fleet.usage;
		expect(runs.length).toBeGreaterThan(0);
		expect(usedOf(fleet.usage, START_MS).instanceMs["c7g.large"]).toBeCloseTo(fleet.cloud.billedSec() * 1_000, 3);
		expect(states.filter(({ state }) => state === "running")).toHaveLength(runs.length);
		// Every attempt is in the counters of its host, be they copied already, by outcome and channel time.
		const copies = fleet.dynamo
			.items<{ kind: string; hostId: string; counts: Record<string, number> }>("campaigns")
			.filter(({ kind }) => kind.startsWith("STATS#"));
		const hosts = fleet.dynamo.items<HostItem>("hosts");
		for (const { hostId, attempts, answered, channelMs } of calls) {
			const own = hosts.find((host) => host.hostId === hostId)?.acc["storm"];
			const counts = own ?? copies.find((copy) => copy.hostId === hostId)?.counts;
			expect(counts).toMatchObject({ a: attempts, f: attempts, h: channelMs, o_answered: answered });
		}
		expect(calls.reduce((n, { attempts }) => n + attempts, 0)).toBe(8_000);
	});
});

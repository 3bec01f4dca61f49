import { beforeEach, describe, expect, test } from "@jest/globals";
import { campaignCounts } from "../../../shared/campaigns/counts.ts";
import type { CompletedCall } from "../../../shared/contract/call.ts";
import type { Deps } from "../../../shared/deps.ts";
import { recoverHosts } from "../../../shared/recovery/recover-hosts.ts";
import { addCounted, channelMsOf } from "../../../shared/sync/counters.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";

const HOST = { tenant: TENANT, hostId: "h1" };
let now: number;
let deps: Deps;
beforeEach(async () => {
	now = 1_700_000_000_000;
	deps = testDeps(new MemoryDynamo(PROJECT_TABLES, { now: () => now }).client(), () => now);
	await putTrunk(deps, "t1", 20);
	await putHost(deps, "h1", 10);
});
const iso = (ms: number): string => new Date(ms).toISOString();

describe("the channel time of an attempt", () => {
	const limits = { ringTimeoutSec: 30, maxCallSec: 60 };
	test.each([
		["from the originate to the end", { t0: 1_000, t3: 5_000 }, 4_000],
		["of a call that was never originated is not known", { t3: 5_000 }, undefined],
		["of a call whose end nobody knows is not known", { t0: 5_000 }, undefined],
		["is not negative where the clock was put back", { t0: 5_000, t3: 4_000 }, 0],
		["is no longer than a call may be", { t0: 0, t3: 1e12 }, 90_000],
	])("%s", (_sentence, entry, ms) => {
		expect(channelMsOf(entry, limits)).toBe(ms);
	});
	test("is added up apart from attempts without one", () => {
		const one = { campaignId: "c", outcome: "busy", final: true };
		const counted = [{ ...one, channelMs: 40 }, one, { ...one, channelMs: 2 }];
		expect(addCounted({ c: { a: 1, h: 5, m: 1 } }, counted)).toEqual({ c: { a: 4, f: 3, o_busy: 3, h: 47, m: 3 } });
		expect(addCounted({}, [one])).toEqual({ c: { a: 1, f: 1, o_busy: 1 } });
	});
});

test("syncs count it once, a repeat included; a lost call adds none", async () => {
	const { campaignId } = await putCampaign(deps, 3, { trunk: "t1", maxChannels: 8 });
	const { epoch } = await hello(deps, HOST, { nonce: "nonce-0001" });
	const { calls } = await sync(deps, HOST, syncRequest(epoch, 1, { want: 3, slots: { t1: 3 } }));
	expect(calls).toHaveLength(3);
	const end = (i: number, more: Partial<CompletedCall>): CompletedCall => ({
		callId: calls[i]?.callId ?? "",
		outcome: "answered",
		...more,
	});
	const request = syncRequest(epoch, 2, {
		completed: [
			end(0, { startedAt: iso(now), answeredAt: iso(now + 5_000), endedAt: iso(now + 12_345) }),
			end(1, { outcome: "trunkFailure" }),
		],
	});
	await sync(deps, HOST, request);
	await sync(deps, HOST, request);
	const figures = { attempts: 2, channelMs: 12_345, timed: 1 };
	expect(await campaignCounts(deps, TENANT, campaignId)).toMatchObject(figures);
	// Silent for good: first the recovery begins to look, then the host is lost.
	await recoverHosts(deps, TENANT);
	for (let i = 0; i < 6; i++) {
		now += 20_000;
		await recoverHosts(deps, TENANT);
	}
	expect(await campaignCounts(deps, TENANT, campaignId)).toMatchObject({
		...figures,
		attempts: 3,
		outcomes: { answered: 1, trunkFailure: 1, hostLost: 1 },
	});
});

import { beforeEach, describe, expect, test } from "@jest/globals";
import { callsCsv, listCalls } from "../../../shared/campaigns/calls.ts";
import type { CompletedCall } from "../../../shared/contract/call.ts";
import type { Deps } from "../../../shared/deps.ts";
import type { CampaignItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo } from "../../support/memory-dynamo.ts";

const HOST = { tenant: TENANT, hostId: "h1" };
let deps: Deps;
beforeEach(async () => {
	deps = testDeps(new MemoryDynamo().client(), () => Date.parse("2026-11-02T10:00:00Z"));
	await putTrunk(deps, "t1", 10);
	await putHost(deps, "h1", 10);
});

/** One call of a campaign with this wish, as granted; `report` settles it. */
const grantedCall = async (amd: CampaignItem["amd"]) => {
	const over = { trunk: "t1", maxChannels: 10, ...(amd === undefined ? {} : { amd }) };
	const { campaignId } = await putCampaign(deps, 1, over);
	const { epoch } = await hello(deps, HOST, { nonce: "nonce-0001" });
	const { calls } = await sync(deps, HOST, syncRequest(epoch, 1, { want: 1, slots: { t1: 1 } }));
	const [call] = calls;
	if (call === undefined) throw new Error("nothing was granted");
	const report = async (amdResult: CompletedCall["amd"]) => {
		const completed = [{ callId: call.callId, outcome: "machine" as const, amd: amdResult }];
		expect((await sync(deps, HOST, syncRequest(epoch, 2, { completed }))).refused).toEqual([]);
		return (await listCalls(deps, TENANT, campaignId, { limit: 10 })).items;
	};
	return { call, report };
};

describe("answering machines in a campaign", () => {
	test("its calls are granted with what is to be done with them", async () => {
		const { call } = await grantedCall({ enabled: true, onMachine: "play" });
		expect(call.amd).toEqual({ onMachine: "play" });
	});

	test.each([[undefined], [{ enabled: false, onMachine: "play" as const }]])(
		"%j: they are not listened to",
		async (amd) => {
			expect((await grantedCall(amd)).call).not.toHaveProperty("amd");
		},
	);

	test("what was found is in the call's record, as JSON and as CSV", async () => {
		const { report } = await grantedCall({ enabled: true, onMachine: "play" });
		const amd = {
			verdict: "machine" as const,
			cause: "LONGGREETING-2500-2500",
			decidedMs: 3_143,
			greetingMs: 9_565,
			greetingEnd: "silence" as const,
		};
		const items = await report(amd);
		expect(items).toEqual([expect.objectContaining({ outcome: "machine", amd })]);
		const [head, row] = callsCsv(items).split("\r\n");
		expect(head?.split(",").slice(-5)).toEqual([
			"amdVerdict",
			"amdCause",
			"amdDecidedMs",
			"amdGreetingMs",
			"amdGreetingEnd",
		]);
		expect(row?.split(",").slice(-5)).toEqual(["machine", "LONGGREETING-2500-2500", "3143", "9565", "silence"]);
	});

	test("what was not found is null, and empty in CSV", async () => {
		const { report } = await grantedCall({ enabled: true, onMachine: "hangup" });
		const items = await report({ verdict: "unavailable" });
		expect(items[0]?.amd).toEqual({
			verdict: "unavailable",
			cause: null,
			decidedMs: null,
			greetingMs: null,
			greetingEnd: null,
		});
		expect(callsCsv(items).trimEnd().endsWith(",unavailable,,,,")).toBe(true);
	});

	test("a call that was not listened to has nothing of it", async () => {
		const { report } = await grantedCall(undefined);
		const items = await report(undefined);
		expect(items).toHaveLength(1);
		expect(items[0]).not.toHaveProperty("amd");
		expect(callsCsv(items).trimEnd().endsWith(",,,,,")).toBe(true);
	});
});

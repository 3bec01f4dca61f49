import { describe, expect, test } from "@jest/globals";
import { endpointOf, originateRequest } from "../../../host/agent/caller.ts";
import type { GrantedCall } from "../../../shared/contract/call.ts";
import type { HostTrunk } from "../../../shared/contract/host.ts";

const trunk = (change: Partial<HostTrunk> = {}): HostTrunk => ({
	id: "carrier-a",
	type: "pjsip",
	host: "sip.example.net",
	codecs: ["ulaw"],
	qualify: "off",
	callerIdIn: "from",
	...change,
});
const call = (change: Partial<GrantedCall> = {}): GrantedCall => ({
	callId: "id",
	campaignId: "campaign",
	number: "+12025550123",
	trunk: "carrier-a",
	callerId: "+12025550100",
	ringTimeoutSec: 30,
	maxCallSec: 120,
	then: { play: "hello" },
	vars: {},
	...change,
});

describe("the originate of a call", () => {
	test("plays a sound in the agent's own context", () => {
		expect(originateRequest(call(), trunk(), "/sounds/hello")).toEqual({
			channelId: "id",
			endpoint: "PJSIP/+12025550123@burst-dialer-carrier-a",
			callerId: "+12025550100",
			context: "burst-dialer-play",
			extension: "s",
			timeoutSec: 30,
			variables: {
				BURST_CALL_ID: "id",
				BURST_CAMPAIGN: "campaign",
				BURST_MAX_CALL_SEC: "120",
				BURST_SOUND: "/sounds/hello",
				"TIMEOUT(absolute)": "150",
			},
		});
	});

	test("waits, or goes into the operator's context", () => {
		expect(originateRequest(call({ then: { wait: 60 } }), trunk(), "")).toMatchObject({
			context: "burst-dialer-wait",
			variables: { BURST_WAIT_SEC: "60" },
		});
		expect(
			originateRequest(call({ then: { context: "burst-survey", extension: "start" } }), trunk(), ""),
		).toMatchObject({
			context: "burst-survey",
			extension: "start",
		});
	});

	test.each([
		[{ play: "hello" }, "burst-dialer-play,s,2"],
		[{ wait: 60 }, "burst-dialer-wait,s,2"],
		[{ context: "burst-survey", extension: "start" }, "burst-survey,start,1"],
	] as [GrantedCall["then"], string][])("listens for machines first, then %j", (then, target) => {
		const plain = originateRequest(call({ then }), trunk(), "/sounds/hello");
		const request = originateRequest(call({ then, amd: { onMachine: "play" } }), trunk(), "/sounds/hello");
		expect(request).toEqual({
			...plain,
			context: "burst-dialer-amd",
			extension: "s",
			variables: { ...plain.variables, BURST_AMD_MACHINE: "play", BURST_AMD_THEN: target },
		});
	});

	test("a contact's variables cannot say where a call goes that was listened to", () => {
		const vars = { AMD_THEN: "elsewhere,s,1", AMD_MACHINE: "continue", AMD: "human" };
		const { variables } = originateRequest(call({ vars, amd: { onMachine: "hangup" } }), trunk(), "");
		expect(variables).toMatchObject({ BURST_AMD_MACHINE: "hangup", BURST_AMD_THEN: "burst-dialer-play,s,2" });
	});

	test.each([
		["pjsip", {}, "PJSIP/+12025550123@burst-dialer-carrier-a"],
		["iax2", { type: "iax2" }, "IAX2/burst-dialer-carrier-a/+12025550123"],
		["an existing PJSIP endpoint", { type: "existing", endpoint: "PJSIP/theirs" }, "PJSIP/+12025550123@theirs"],
		["an existing IAX2 peer", { type: "existing", endpoint: "IAX2/theirs" }, "IAX2/theirs/+12025550123"],
	] as [string, Partial<HostTrunk>, string][])("dials on %s", (_, change, endpoint) => {
		expect(originateRequest(call(), trunk(change), "").endpoint).toBe(endpoint);
		expect(endpoint.startsWith(`${endpointOf(trunk(change)).split("/")[0]}/`)).toBe(true);
	});

	test("a contact's variables all get the prefix, so none can be a function or override the agent's", () => {
		const vars = { CALL_ID: "forged", CAMPAIGN: "forged", name: "x", TIMEOUT: "1" };
		const { variables } = originateRequest(call({ vars }), trunk(), "/sounds/hello");
		expect(variables).toMatchObject({
			BURST_CALL_ID: "id",
			BURST_CAMPAIGN: "campaign",
			BURST_name: "x",
			BURST_TIMEOUT: "1",
		});
		const functions = Object.keys(variables).filter((name) => !name.startsWith("BURST_"));
		expect(functions).toEqual(["TIMEOUT(absolute)"]);
	});
});

import { describe, expect, test } from "@jest/globals";
import { virtualPlane } from "./virtual-plane.ts";

const request = (channelId: string, number = "2") => ({
	method: "POST",
	path: "/channels",
	parameters: { channelId, endpoint: `PJSIP/${number}@trunk`, context: "out", extension: "s", timeout: 5 },
});
const typesOf = (texts: string[]): string[] => texts.map((text) => (JSON.parse(text) as { type: string }).type);

describe("ARI of the simulated Asterisk, without a socket", () => {
	test("an outbound application keeps events while nobody is connected, and sends them in order", () => {
		const { ari, clock } = virtualPlane();
		ari.apps.declare("app", false);
		ari.apps.subscribe("app", "PJSIP/trunk");
		ari.request(request("call-1"));
		clock.advance(1_000);
		const texts: string[] = [];
		const detach = ari.apps.attach("app", (text) => texts.push(text));
		const types = typesOf(texts);
		expect(types.indexOf("ChannelCreated")).toBeLessThan(types.indexOf("ChannelDestroyed"));
		const before = texts.length;
		detach();
		ari.request(request("call-2"));
		clock.advance(1_000);
		expect(texts).toHaveLength(before);
		ari.apps.attach("app", (text) => texts.push(text));
		expect(texts).toHaveLength(2 * before);
	});

	test("an inbound application loses them", () => {
		const { ari, clock } = virtualPlane();
		const texts: string[] = [];
		ari.apps.attach("app", (text) => texts.push(text))();
		ari.apps.subscribe("app", "PJSIP/trunk");
		ari.request(request("call-1"));
		clock.advance(1_000);
		ari.apps.attach("app", (text) => texts.push(text));
		expect(texts).toEqual([]);
	});

	test("the filter of an application is obeyed", () => {
		const { ari, clock } = virtualPlane();
		const texts: string[] = [];
		ari.apps.attach("app", (text) => texts.push(text));
		ari.apps.subscribe("app", "PJSIP/trunk");
		expect(
			ari.request({
				method: "PUT",
				path: "/applications/app/eventFilter",
				parameters: { allowed: [{ type: "Dial" }, { type: "ChannelDestroyed" }] },
			}),
		).toMatchObject({ status: 200, body: { events_allowed: [{ type: "Dial" }, { type: "ChannelDestroyed" }] } });
		ari.request(request("call-1"));
		clock.advance(1_000);
		expect(typesOf(texts)).toEqual(["Dial", "Dial", "ChannelDestroyed"]);
	});

	test("a second connection of an application takes it over from the first", () => {
		const { ari } = virtualPlane();
		const first: string[] = [];
		let replaced = false;
		ari.apps.attach(
			"app",
			(text) => first.push(text),
			() => {
				replaced = true;
			},
		);
		ari.apps.attach("app", () => undefined);
		expect(typesOf(first)).toEqual(["ApplicationReplaced"]);
		expect(replaced).toBe(true);
	});

	test("faults: refused, lost before, lost after, any request", () => {
		const { ari, asterisk } = virtualPlane();
		ari.faults.refuseOriginates = 1;
		expect(ari.request(request("call-1"))).toEqual({ status: 500, body: { error: "Allocation failed" } });
		expect(asterisk.liveChannels()).toBe(0);
		ari.faults.loseOriginates = 1;
		expect(ari.request(request("call-1"))).toBeUndefined();
		expect(asterisk.liveChannels()).toBe(0);
		ari.faults.loseOriginateAnswers = 1;
		expect(ari.request(request("call-1"))).toBeUndefined();
		expect(asterisk.liveChannels()).toBe(1);
		expect(ari.request(request("call-1"))?.status).toBe(409);
		ari.faults.loseRequests = 1;
		expect(ari.request({ method: "GET", path: "/channels", parameters: {} })).toBeUndefined();
		expect(ari.request({ method: "GET", path: "/channels", parameters: {} })).toMatchObject({ status: 200 });
	});

	test("faults: events late, and twice", () => {
		const { ari, clock } = virtualPlane();
		const texts: string[] = [];
		ari.apps.attach("app", (text) => texts.push(text));
		ari.apps.subscribe("app", "PJSIP/trunk");
		ari.faults.eventDelayMs = 5_000;
		ari.faults.duplicateEvents = true;
		ari.request(request("call-1"));
		clock.advance(4_900);
		expect(texts).toEqual([]);
		clock.advance(5_000);
		expect(typesOf(texts).filter((type) => type === "ChannelDestroyed")).toHaveLength(2);
	});

	test("delayed events of a process that ended meanwhile never come", () => {
		const { ari, clock } = virtualPlane();
		const texts: string[] = [];
		ari.apps.attach("app", (text) => texts.push(text));
		ari.apps.subscribe("app", "PJSIP/trunk");
		ari.faults.eventDelayMs = 1_000;
		ari.request(request("call-1"));
		ari.apps.clear();
		ari.apps.attach("app", (text) => texts.push(text));
		clock.advance(5_000);
		expect(texts).toEqual([]);
	});
});

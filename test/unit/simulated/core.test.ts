import { describe, expect, test } from "@jest/globals";
import { simEndpoint } from "../../../local/voice/simulated/channel.ts";
import { virtualPlane } from "./virtual-plane.ts";

describe("the simulated Asterisk and carrier under a virtual clock", () => {
	test("the same seed gives the same events at the same times", () => {
		const run = (seed: number): string => {
			const { clock, originate, events } = virtualPlane({ seed });
			for (const [index, number] of ["2", "4", "100200003000", "7"].entries())
				originate(`call-${index}`, number, { timeoutSec: 5 });
			clock.advance(10_000);
			return JSON.stringify(events);
		};
		expect(run(1)).toBe(run(1));
		expect(run(1)).not.toBe(run(2));
	});

	test("the carrier's record has each step at its time", () => {
		const { clock, originate, carrier, ended } = virtualPlane();
		const begin = clock.now();
		originate("call-1", "101500040000");
		clock.advance(10_000);
		expect(ended("call-1")).toEqual([[0, undefined]]);
		const [call] = carrier.calls();
		expect(call).toMatchObject({ number: "101500040000", from: "127.0.0.11", status: 200 });
		const { invitedAt = 0, ringingAt = 0, answeredAt = 0, endedAt = 0 } = call ?? {};
		expect(invitedAt - begin).toBeLessThan(10);
		expect(ringingAt - invitedAt).toBeLessThan(10);
		expect(answeredAt - ringingAt).toBeCloseTo(1_500, 0);
		expect(endedAt - answeredAt).toBeGreaterThanOrEqual(4_000);
		expect(endedAt - answeredAt).toBeLessThan(4_010);
		expect(carrier.liveCalls()).toBe(0);
	});

	test("the carrier sees a cancelled call end a little later than Asterisk", () => {
		const { clock, originate, carrier, asterisk, events } = virtualPlane();
		originate("call-1", "7", { timeoutSec: 1 });
		while (asterisk.liveChannels() > 0) clock.advance(0.1);
		const gone = clock.now();
		expect(carrier.liveCalls()).toBe(1);
		clock.advance(20);
		expect(carrier.liveCalls()).toBe(0);
		expect(carrier.calls()[0]).toMatchObject({ status: 487 });
		expect(carrier.calls()[0]?.endedAt).toBeGreaterThan(gone);
		expect(events.at(-2)?.json).toMatchObject({ type: "ChannelDestroyed", cause: 19, tech_cause: 480 });
	});

	test("a CANCEL and an answer that cross: the carrier gets a BYE", () => {
		const { clock, originate, carrier, asterisk, ended } = virtualPlane();
		originate("call-1", "901000", { timeoutSec: 30 });
		while (carrier.calls()[0]?.answeredAt === undefined) clock.advance(0.05);
		// The 200 is on its way.
		expect(asterisk.channel("call-1")?.["state"]).toBe("Ringing");
		asterisk.stop();
		expect(ended("call-1")).toEqual([[0, undefined]]);
		asterisk.start();
		clock.advance(50);
		expect(carrier.liveCalls()).toBe(0);
	});

	test("no reply: 18/408 after 32 s where the ring time is longer", () => {
		const { clock, originate, ended, carrier, asterisk } = virtualPlane();
		originate("silent", "0", { timeoutSec: 60 });
		asterisk.originate({
			channelId: "nobody",
			endpoint: "PJSIP/2@nobody",
			context: "out",
			extension: "s",
			timeoutSec: 60,
		});
		clock.advance(31_990);
		expect([...ended("silent"), ...ended("nobody")]).toEqual([]);
		clock.advance(20);
		expect([...ended("silent"), ...ended("nobody")]).toEqual([
			[18, 408],
			[18, 408],
		]);
		// It never replied: no channel of the carrier was taken.
		const [call] = carrier.calls();
		expect(call?.endedAt).toBe(call?.invitedAt);
		expect(carrier.liveCalls()).toBe(0);
	});

	test("a trunk that comes back within the call takes the repeated INVITE", () => {
		const { clock, originate, carrier, ended } = virtualPlane();
		carrier.setDown(true);
		originate("call-1", "2");
		clock.advance(1_000);
		expect(carrier.calls()).toEqual([]);
		carrier.setDown(false);
		clock.advance(1_000);
		expect(ended("call-1")).toEqual([[17, 486]]);
		expect(carrier.calls()).toHaveLength(1);
	});

	test("a call that was given up before any reply is not repeated to the carrier", () => {
		const { clock, originate, carrier, ended } = virtualPlane();
		carrier.setDown(true);
		originate("call-1", "2", { timeoutSec: 1 });
		clock.advance(2_000);
		expect(ended("call-1")).toEqual([[19, 480]]);
		carrier.setDown(false);
		clock.advance(60_000);
		expect(carrier.calls()).toEqual([]);
	});

	test("qualify: dialable until proved down, refused then, and dialable again", () => {
		const { clock, originate, carrier, asterisk } = virtualPlane({ qualifySec: 10 });
		carrier.setDown(true);
		expect(originate("early", "7", { timeoutSec: 1 }).kind).toBe("created");
		clock.advance(13_100);
		expect(originate("down", "2")).toMatchObject({ kind: "refused", status: 500 });
		expect(asterisk.endpoints.json("PJSIP/trunk")?.["state"]).toBe("offline");
		carrier.setDown(false);
		clock.advance(10_000);
		expect(originate("again", "2").kind).toBe("created");
		expect(asterisk.endpoints.json("PJSIP/trunk")?.["state"]).toBe("online");
	});

	test("kill -9: no events, nothing told; the carrier ends talking calls by itself and keeps the others", () => {
		const { clock, originate, carrier, asterisk, events } = virtualPlane();
		originate("talking", "100100050000");
		originate("held", "900100");
		originate("ringing", "7");
		clock.advance(1_000);
		const seen = events.length;
		const before = asterisk.startupTime;
		asterisk.kill();
		clock.advance(1_000);
		expect(events).toHaveLength(seen);
		expect(carrier.liveCalls()).toBe(3);
		asterisk.start();
		expect(asterisk.startupTime).toBeGreaterThan(before);
		expect(asterisk.listChannels()).toEqual([]);
		// Its BYE is answered by the new process, which does not know the call.
		clock.advance(40_000);
		expect(carrier.liveCalls()).toBe(2);
		expect(events).toHaveLength(seen);
	});

	test("a BYE that nobody answers ends the carrier's call after 32 s", () => {
		const { clock, originate, carrier, asterisk } = virtualPlane();
		originate("talking", "100100010000");
		clock.advance(500);
		asterisk.kill();
		clock.advance(32_000);
		expect(carrier.liveCalls()).toBe(1);
		clock.advance(2_000);
		expect(carrier.liveCalls()).toBe(0);
	});

	test("a stopped process does nothing, and all of it when it goes on", () => {
		const { clock, originate, carrier, asterisk, events, ended } = virtualPlane();
		originate("ringing", "7", { timeoutSec: 2 });
		originate("refused", "4");
		clock.advance(200);
		const seen = events.length;
		asterisk.pause();
		clock.advance(10_000);
		expect(events).toHaveLength(seen);
		expect(carrier.calls().map(({ endedAt }) => endedAt)).toEqual([undefined, undefined]);
		asterisk.resume();
		expect(ended("refused")).toEqual([[19, 480]]);
		expect(ended("ringing")).toEqual([[19, 480]]);
		clock.advance(100);
		expect(carrier.liveCalls()).toBe(0);
	});

	test("a reload does not touch calls, and takes trunks away and adds them", () => {
		const { clock, originate, asterisk, ended } = virtualPlane();
		originate("call-1", "100100010000");
		clock.advance(500);
		asterisk.configure({ endpoints: [simEndpoint("other", "127.0.0.200:5060")] });
		expect(originate("call-2", "2")).toMatchObject({ kind: "refused", status: 500 });
		expect(asterisk.originate({ endpoint: "PJSIP/2@other", extension: "s" }).kind).toBe("created");
		clock.advance(2_000);
		expect(ended("call-1")).toEqual([[0, undefined]]);
	});

	test("plays for as long as the sound is, and shows channelvars in events", () => {
		const { clock, originate, events } = virtualPlane();
		const begin = clock.now();
		originate("call-1", "900000", { extension: "play", variables: { CALL: "c-1", OTHER: "x" } });
		clock.advance(5_000);
		const destroyed = events.find(({ json }) => json.type === "ChannelDestroyed");
		expect(destroyed?.json).toMatchObject({ cause: 16, channel: { channelvars: { CALL: "c-1" } } });
		expect(Date.parse(String(destroyed?.json.timestamp)) - begin).toBeGreaterThanOrEqual(2_000);
		expect(Date.parse(String(destroyed?.json.timestamp)) - begin).toBeLessThan(2_050);
	});

	test("a thousand calls at once: each ends once, and the carrier saw each once", () => {
		const { clock, originate, carrier, ended, asterisk } = virtualPlane();
		const numbers = ["2", "3", "4", "5", "6", "7", "8", "101000002000"];
		const ids = Array.from({ length: 1_000 }, (_, n) => `call-${String(n).padStart(4, "0")}`);
		for (const [n, id] of ids.entries())
			expect(originate(id, `${numbers[n % numbers.length]}${id.slice(5)}`, { timeoutSec: 3 }).kind).toBe("created");
		clock.advance(20_000);
		for (const id of ids) expect(ended(id)).toHaveLength(1);
		expect(asterisk.liveChannels()).toBe(0);
		expect(carrier.calls()).toHaveLength(1_000);
		expect(carrier.calls().every(({ endedAt }) => endedAt !== undefined)).toBe(true);
	});
});

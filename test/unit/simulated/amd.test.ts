import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { originateRequest } from "../../../host/agent/caller.ts";
import { render } from "../../../host/asterisk/render.ts";
import { AUDIO, type AudioKind, audioMs, type Sound } from "../../../local/voice/carrier/audio.ts";
import { privateNumber } from "../../../local/voice/carrier/numbers.ts";
import { amd, amdParameters, untilSilence } from "../../../local/voice/simulated/hearing.ts";
import { readDialplan } from "../../../local/voice/simulated/host-files.ts";
import type { GrantedCall } from "../../../shared/contract/call.ts";
import { virtualPlane } from "./virtual-plane.ts";

/** The very dialplan that the agent renders, in the simulated Asterisk. */

const etcDir = mkdtempSync(join(tmpdir(), "burst-dialer-amd-"));
afterAll(() => rmSync(etcDir, { recursive: true, force: true }));
const { files } = render([], { secret: () => "" });
writeFileSync(
	join(etcDir, "extensions.conf"),
	`${files["extensions.conf"]}\n[burst-began]\nexten => s,1,Set(BURST_RESULT_verdict=\${BURST_AMD})\n same => n,Wait(5)\n same => n,Hangup(16)\n`,
);
const dialplan = readDialplan(etcDir);
const rendered = /AMD\(([0-9,]+)\)/.exec(files["extensions.conf"] ?? "")?.[1] ?? "";

interface Seen {
	/** Variables with their moments, ms after the answer. */
	set: Record<string, [string, number]>;
	/** The end, ms after the answer. */
	endedMs: number;
}

const run = (
	number: string,
	wish: Pick<GrantedCall, "amd" | "then"> & { maxCallSec?: number; without?: string[] },
): Seen => {
	const { clock, asterisk, events } = virtualPlane();
	asterisk.configure({
		dialplan,
		soundMs: () => 4_000,
		hasModule: (module) => wish.without?.includes(module) !== true,
	});
	const call: GrantedCall = {
		callId: "call-1",
		campaignId: "c",
		number,
		trunk: "trunk",
		callerId: "",
		ringTimeoutSec: 30,
		maxCallSec: wish.maxCallSec ?? 120,
		vars: {},
		then: wish.then,
		...(wish.amd === undefined ? {} : { amd: wish.amd }),
	};
	const trunk = {
		id: "trunk",
		type: "existing" as const,
		endpoint: "PJSIP/trunk",
		codecs: [],
		qualify: "off" as const,
		callerIdIn: "from" as const,
	};
	const request = originateRequest(call, trunk, "/sounds/x");
	expect(asterisk.originate(request).kind).toBe("created");
	clock.advance(200_000);
	const at = (event: (typeof events)[number]): number => Date.parse(event.json.timestamp);
	const answered = events.find(({ json }) => json["dialstatus"] === "ANSWER");
	const ended = events.find(({ json }) => json.type === "ChannelDestroyed");
	if (answered === undefined || ended === undefined) throw new Error("the call was not answered or did not end");
	const set: Seen["set"] = {};
	for (const event of events.filter(({ json }) => json.type === "ChannelVarset"))
		set[String(event.json["variable"])] = [String(event.json["value"]), at(event) - at(answered)];
	return { set, endedMs: at(ended) - at(answered) };
};

const number = (kind: AudioKind): string => privateNumber({ kind, ringMs: 100 }, 1);
const then = { context: "burst-began", extension: "s" };

describe("the agent's dialplan, listening", () => {
	test("a person goes on when the hello is over, whatever is done with machines", () => {
		for (const onMachine of ["hangup", "play", "continue"] as const) {
			const { set, endedMs } = run(number("person"), { amd: { onMachine }, then });
			expect(set["AMDSTATUS"]?.[0]).toBe("HUMAN");
			expect(set["BURST_RESULT_verdict"]?.[0]).toBe("human");
			expect(set["BURST_RESULT_verdict"]?.[1]).toBeGreaterThanOrEqual(audioMs(AUDIO.person));
			expect(set["BURST_RESULT_verdict"]?.[1]).toBeLessThan(2_200);
			expect(endedMs).toBeGreaterThan(5_000);
		}
	});

	test("nobody says anything: not sure, which is a person", () => {
		const { set, endedMs } = run(privateNumber({ kind: "answerAndWait", ringMs: 100 }, 1), {
			amd: { onMachine: "hangup" },
			then: { wait: 3 },
		});
		expect([set["AMDSTATUS"]?.[0], set["BURST_AMD"]?.[0]]).toEqual(["NOTSURE", "notsure"]);
		expect(endedMs).toBeCloseTo(4_500 + 3_000, -2);
	});

	test("hangup: the call ends with the verdict, nothing is said", () => {
		const { set, endedMs } = run(number("machine"), { amd: { onMachine: "hangup" }, then });
		expect(set["BURST_AMD"]?.[0]).toBe("machine");
		expect(set).not.toHaveProperty("BURST_RESULT_verdict");
		expect(endedMs).toBeLessThan(4_500);
	});

	test("continue: goes on at once", () => {
		const { set } = run(number("machine"), { amd: { onMachine: "continue" }, then });
		expect(set["BURST_RESULT_verdict"]?.[0]).toBe("machine");
		expect(set["BURST_RESULT_verdict"]?.[1]).toBeLessThan(4_500);
	});

	test.each([
		["machine", "silence"],
		["machineBeep", "beep"],
	] as const)("play, %s: begins after the greeting's end, known by %s", (kind, by) => {
		const { set } = run(number(kind), { amd: { onMachine: "play" }, then });
		expect(set["BURST_AMD_GREETING"]?.[0]).toBe(by);
		const began = set["BURST_RESULT_verdict"]?.[1] ?? 0;
		expect(began).toBeGreaterThanOrEqual(audioMs(AUDIO[kind]));
		expect(began).toBeLessThan(audioMs(AUDIO[kind]) + 2_500);
	});

	test("play, a beep that cannot be detected: its end is found by silence", () => {
		const { set } = run(number("machineBeep"), { amd: { onMachine: "play" }, then, without: ["res_tonedetect"] });
		expect(set["BURST_AMD_GREETING"]?.[0]).toBe("silence");
		expect(set["BURST_RESULT_verdict"]?.[1]).toBeGreaterThan(audioMs(AUDIO.machineBeep));
	});

	test("without AMD() on the host the call goes on at once, and that is said", () => {
		const { set, endedMs } = run(number("machine"), { amd: { onMachine: "hangup" }, then, without: ["app_amd"] });
		expect(set["BURST_RESULT_verdict"]).toEqual(["unavailable", 0]);
		expect(endedMs).toBeGreaterThan(4_000);
	});

	test("without WaitForSilence() a machine hears it at once", () => {
		const { set } = run(number("machine"), { amd: { onMachine: "play" }, then, without: ["app_waitforsilence"] });
		expect(set).not.toHaveProperty("BURST_AMD_GREETING");
		expect(set["BURST_RESULT_verdict"]?.[1]).toBeLessThan(4_500);
	});

	test("plays the campaign's sound after it, and the limit counts from the answer", () => {
		const play = run(number("person"), { amd: { onMachine: "hangup" }, then: { play: "x" } });
		expect(play.set["BURST_RESULT_playback"]?.[0]).toBe("SUCCESS");
		const waits = run(number("person"), { amd: { onMachine: "hangup" }, then: { wait: 60 }, maxCallSec: 10 });
		expect(waits.endedMs).toBeCloseTo(10_000, -2);
		const greeted = run(number("machine"), { amd: { onMachine: "play" }, then, maxCallSec: 6 });
		expect(greeted.endedMs).toBeCloseTo(6_000, -2);
		expect(greeted.set).not.toHaveProperty("BURST_RESULT_verdict");
	});

	test("a call that is not to be listened to is not", () => {
		const { set } = run(number("machine"), { then });
		expect(set).not.toHaveProperty("AMDSTATUS");
		expect(set["BURST_RESULT_verdict"]).toEqual(["", 0]);
	});
});

describe("who is a machine, by the rendered parameters", () => {
	const parameters = amdParameters(rendered);
	const speech = fc.array(
		fc.record({
			kind: fc.constantFrom("speech" as const, "silence" as const),
			ms: fc.integer({ min: 0, max: 120 }).map((n) => n * 20),
		}),
		{ maxLength: 12 },
	);
	const voiceMs = (sounds: Sound[]): number =>
		sounds.reduce((sum, { kind, ms }) => sum + (kind === "speech" ? ms : 0), 0);

	test("nobody who says less than 2.5 s is taken for a machine, however many words that are and however late they come", () => {
		fc.assert(
			fc.property(speech, fc.integer({ min: 0, max: 60 }), (sounds, late) => {
				fc.pre(voiceMs(sounds) < 2_500);
				const { status, ms } = amd([{ kind: "silence", ms: late * 20 }, ...sounds], 0, parameters);
				expect(status).not.toBe("MACHINE");
				expect(ms).toBeLessThanOrEqual(4_500);
			}),
		);
	});

	test("a greeting of 7 s is, also where it begins a second late", () => {
		for (const ms of [0, 500, 1_000])
			expect(amd([{ kind: "silence", ms }, ...AUDIO.machine], 0, parameters)).toMatchObject({ status: "MACHINE" });
	});

	test("AMD()'s own parameters would take someone silent, or of three words, for one", () => {
		const own = amdParameters("");
		expect(amd([], 0, own)).toMatchObject({ status: "MACHINE", cause: expect.stringContaining("INITIALSILENCE") });
		expect(amd([{ kind: "speech", ms: 1_200 }], 0, own)).toMatchObject({ cause: expect.stringContaining("MAXWORDS") });
		expect(amd([{ kind: "speech", ms: 1_200 }], 0, parameters)).toMatchObject({ status: "HUMAN" });
	});

	test("waiting for silence ends at its limit on a line that is never silent", () => {
		const sounds: Sound[] = Array.from({ length: 100 }, () => ({ kind: "speech", ms: 1_000 }));
		expect(untilSilence(sounds, { fromMs: 0, silence: 2_000, limit: 30_000, tone: 150 })).toEqual({
			by: "TIMEOUT",
			ms: 30_000,
		});
	});
});

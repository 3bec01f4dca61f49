import { describe, expect, test } from "@jest/globals";
import {
	AUDIO,
	AUDIO_KINDS,
	audioMs,
	BEEP_HZ,
	type Sound,
	ulawOf,
	wordsOf,
} from "../../../local/voice/carrier/audio.ts";

/** G.711 μ-law to 16-bit samples. */
const samplesOf = (ulaw: Buffer): number[] =>
	[...ulaw].map((byte) => {
		const code = ~byte & 0xff;
		const magnitude = (((code & 0x0f) << 3) + 0x84) << ((code & 0x70) >> 4);
		return (code & 0x80 ? -1 : 1) * (magnitude - 0x84);
	});
const FRAME = 160;
/** As Asterisk measures loudness: the mean of the absolute samples of a frame of 20 ms. */
const loudness = (samples: number[]): number[] =>
	Array.from(
		{ length: Math.floor(samples.length / FRAME) },
		(_, i) => samples.slice(i * FRAME, (i + 1) * FRAME).reduce((sum, each) => sum + Math.abs(each), 0) / FRAME,
	);
/** The part of the energy that is at a frequency, 0 to 1. */
const partAt = (samples: number[], hz: number): number => {
	let re = 0;
	let im = 0;
	let energy = 0;
	samples.forEach((sample, i) => {
		re += sample * Math.cos((2 * Math.PI * hz * i) / 8_000);
		im += sample * Math.sin((2 * Math.PI * hz * i) / 8_000);
		energy += sample * sample;
	});
	return energy === 0 ? 0 : (2 * (re * re + im * im)) / (samples.length * energy);
};

describe("what the carrier's numbers say", () => {
	test.each(AUDIO_KINDS)("%s: loud where it speaks, silent elsewhere, by a detector's measure", (kind) => {
		const frames = loudness(samplesOf(ulawOf(AUDIO[kind], 1_000)));
		const expected = [...wordsOf(AUDIO[kind]), { kind: "silence", ms: 1_000 } satisfies Sound].flatMap((sound) =>
			Array.from({ length: sound.ms / 20 }, () => sound.kind),
		);
		expect(frames).toHaveLength(expected.length);
		frames.forEach((level, i) => {
			if (expected[i] === "silence") expect(level).toBe(0);
			else expect({ i, level: level > 600 }).toEqual({ i, level: true });
		});
	});

	test("only the beep is a tone of the beep's frequency", () => {
		const samples = samplesOf(ulawOf(AUDIO.machineBeep, 0));
		const greetingSamples = audioMs(AUDIO.machine) * 8;
		const beep = samples.slice(greetingSamples + 700 * 8);
		expect(beep).toHaveLength(500 * 8);
		expect(partAt(beep, BEEP_HZ)).toBeGreaterThan(0.95);
		// By windows as long as a detector wants the tone to last.
		for (let at = 0; at + 1_200 <= greetingSamples; at += 400)
			expect(partAt(samples.slice(at, at + 1_200), BEEP_HZ)).toBeLessThan(0.2);
	});

	test("is the same each time, and a message of eight bytes a millisecond", () => {
		expect(ulawOf(AUDIO.person)).toEqual(ulawOf(AUDIO.person));
		expect(ulawOf(AUDIO.person, 500)).toHaveLength((audioMs(AUDIO.person) + 500) * 8);
	});
});

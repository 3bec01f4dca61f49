import { seededRandom } from "./mix.ts";

/**
 * What the far end of a call says, made by this file: a person's hello, and the greeting of an answering machine. It sounds like nobody, and has of speech what
 * detectors listen to: words of a third of a second with short gaps, loud and soft, of many frequencies.
 */
export interface Sound {
	kind: "silence" | "speech" | "beep";
	ms: number;
}

export const AUDIO_KINDS = ["person", "machine", "machineBeep"] as const;
export type AudioKind = (typeof AUDIO_KINDS)[number];

/** A word and the gap behind it, ms. A gap is shorter than what a detector takes for the end of a greeting. */
const WORD_MS = 360;
const GAP_MS = 80;
/** Tone of the beep, Hz: the one that hosts listen for. */
export const BEEP_HZ = 1_000;

/** A hello, then it waits for somebody to speak. */
const HELLO: Sound[] = [
	{ kind: "silence", ms: 300 },
	{ kind: "speech", ms: 800 },
];
/** "Hello, you have reached …": longer than any person says hello, and than a detector needs. */
const GREETING: Sound[] = [
	{ kind: "silence", ms: 200 },
	{ kind: "speech", ms: 7_480 },
];
const BEEP: Sound[] = [
	{ kind: "silence", ms: 700 },
	{ kind: "beep", ms: 500 },
];

/** What is said from the answer on; afterwards it is silent. */
export const AUDIO: Record<AudioKind, readonly Sound[]> = {
	person: HELLO,
	machine: GREETING,
	machineBeep: [...GREETING, ...BEEP],
};

/** When the last sound is over, ms from the answer on. */
export const audioMs = (sounds: readonly Sound[]): number => sounds.reduce((sum, { ms }) => sum + ms, 0);

/** The sounds with speech as its words and gaps. */
export const wordsOf = (sounds: readonly Sound[]): Sound[] =>
	sounds.flatMap((sound) => {
		if (sound.kind !== "speech") return [sound];
		const words: Sound[] = [];
		for (let left = sound.ms; left > 0; left -= WORD_MS + GAP_MS) {
			words.push({ kind: "speech", ms: Math.min(left, WORD_MS) });
			if (left > WORD_MS) words.push({ kind: "silence", ms: Math.min(left - WORD_MS, GAP_MS) });
		}
		return words;
	});

const SAMPLES_PER_MS = 8;
/** Pitch of the voice, Hz, and how many of its harmonics sound: none of them is the beep's tone. */
const PITCH_HZ = 130;
const HARMONICS = 22;
/** Peaks of 16-bit samples. A detector's usual threshold is a mean of 256. */
const VOICE_PEAK = 9_000;
const BEEP_PEAK = 9_000;
const BREATH_PEAK = 700;

/** One 16-bit sample in G.711 μ-law. */
const toUlaw = (sample: number): number => {
	const BIAS = 0x84;
	const sign = sample < 0 ? 0x80 : 0;
	const magnitude = Math.min(32_635, Math.abs(Math.round(sample))) + BIAS;
	const exponent = Math.max(0, 24 - Math.clz32(magnitude));
	return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
};

/** Silence as the far end sends it on after its last sound, ms: longer than any test listens. */
const TAIL_MS = 40_000;

/** The sounds as raw μ-law, 8,000 bytes a second, the same each time. */
export const ulawOf = (sounds: readonly Sound[], tailMs = TAIL_MS): Buffer => {
	const random = seededRandom(1);
	const parts = [...wordsOf(sounds), { kind: "silence" as const, ms: tailMs }];
	return Buffer.concat(
		parts.map(({ kind, ms }) => {
			const samples = Math.round(ms * SAMPLES_PER_MS);
			const bytes = Buffer.alloc(samples, toUlaw(0));
			if (kind === "silence") return bytes;
			for (let i = 0; i < samples; i++) {
				const sec = i / (SAMPLES_PER_MS * 1_000);
				bytes[i] = toUlaw(
					kind === "beep" ? BEEP_PEAK * Math.sin(2 * Math.PI * BEEP_HZ * sec) : voice(sec, i / samples, random),
				);
			}
			return bytes;
		}),
	);
};

/** A vowel of a falling pitch that swells and fades, with some breath in it. */
const voice = (sec: number, part: number, random: () => number): number => {
	const loudness = Math.sin(Math.PI * (0.15 + 0.7 * part));
	const phase = 2 * Math.PI * PITCH_HZ * (1.1 - 0.1 * part) * sec;
	let sum = 0;
	for (let k = 1; k <= HARMONICS; k++) sum += Math.sin(k * phase + k * k) / k ** 0.7;
	return loudness * ((sum * VOICE_PEAK) / 6 + (random() * 2 - 1) * BREATH_PEAK);
};

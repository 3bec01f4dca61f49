import { type Sound, wordsOf } from "../carrier/audio.ts";

/**
 * What applications of Asterisk make of the far end's sounds, heard in frames as they do it (app_amd.c, app_waitforsilence.c). Times are milliseconds, counted from
 * the answer; nothing is heard of a far end that sends no audio, which is silence to them.
 */

const FRAME_MS = 20;

/** Whether a frame has sound, and whether that is a tone. */
type Heard = (atMs: number) => Sound["kind"];

const hearing = (sounds: readonly Sound[]): Heard => {
	const words = wordsOf(sounds);
	return (atMs) => {
		let end = 0;
		for (const { kind, ms } of words) {
			end += ms;
			if (atMs < end) return kind;
		}
		return "silence";
	};
};

/** As AMD() takes them, see host/asterisk/amd.ts. */
export interface AmdParameters {
	initialSilence: number;
	greeting: number;
	afterGreetingSilence: number;
	totalAnalysisTime: number;
	minimumWordLength: number;
	betweenWordsSilence: number;
	maximumNumberOfWords: number;
	maximumWordLength: number;
}

/** AMD()'s own values, in the order of its arguments; the eighth is a loudness, which these sounds do not have. */
const AMD_DEFAULTS = [2_500, 1_500, 800, 5_000, 100, 50, 2, 256, 5_000];

/** The arguments of AMD() as in the dialplan. */
export const amdParameters = (data: string): AmdParameters => {
	const given = data.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
	const [
		initialSilence,
		greeting,
		afterGreetingSilence,
		totalAnalysisTime,
		minimumWordLength,
		betweenWordsSilence,
		maximumNumberOfWords,
		,
		maximumWordLength,
	] = AMD_DEFAULTS.map((value, i) => (Number.isFinite(given[i]) ? (given[i] as number) : value)) as [
		number,
		number,
		number,
		number,
		number,
		number,
		number,
		number,
		number,
	];
	return {
		initialSilence,
		greeting,
		afterGreetingSilence,
		totalAnalysisTime,
		minimumWordLength,
		betweenWordsSilence,
		maximumNumberOfWords,
		maximumWordLength,
	};
};

export interface AmdEnd {
	status: "HUMAN" | "MACHINE" | "NOTSURE";
	/** AMDCAUSE. */
	cause: string;
	/** How long AMD() listened. */
	ms: number;
}

/** @param fromMs when it begins to listen */
export const amd = (sounds: readonly Sound[], fromMs: number, parameters: AmdParameters): AmdEnd => {
	const heard = hearing(sounds);
	const p = parameters;
	let silence = 0;
	let word = 0;
	let voice = 0;
	let words = 0;
	let inWord = false;
	let inGreeting = false;
	for (let ms = FRAME_MS; ms <= p.totalAnalysisTime; ms += FRAME_MS) {
		const end = (status: AmdEnd["status"], cause: string): AmdEnd => ({ status, cause, ms });
		if (heard(fromMs + ms - FRAME_MS) === "silence") {
			silence += FRAME_MS;
			if (silence >= p.betweenWordsSilence) {
				inWord = false;
				word = 0;
			}
			if (!inGreeting && silence >= p.initialSilence)
				return end("MACHINE", `INITIALSILENCE-${silence}-${p.initialSilence}`);
			if (inGreeting && silence >= p.afterGreetingSilence)
				return end("HUMAN", `HUMAN-${silence}-${p.afterGreetingSilence}`);
			continue;
		}
		silence = 0;
		word += FRAME_MS;
		voice += FRAME_MS;
		if (word >= p.minimumWordLength && !inWord) {
			inWord = true;
			words++;
		}
		if (word >= p.maximumWordLength) return end("MACHINE", `MAXWORDLENGTH-${word}`);
		if (words > p.maximumNumberOfWords) return end("MACHINE", `MAXWORDS-${words}-${p.maximumNumberOfWords}`);
		if (inGreeting && voice >= p.greeting) return end("MACHINE", `LONGGREETING-${voice}-${p.greeting}`);
		if (voice >= p.minimumWordLength) inGreeting = true;
	}
	return { status: "NOTSURE", cause: `TOOLONG-${p.totalAnalysisTime}`, ms: p.totalAnalysisTime };
};

/**
 * WaitForSilence(silence, 1, limit), with a TONE_DETECT that is set.
 * @param fromMs when it begins to listen
 * @param silence so much is waited for
 * @param limit the longest it waits; 0: for ever
 * @param tone so much of a tone ends it; undefined: none does
 */
export const untilSilence = (
	sounds: readonly Sound[],
	{ fromMs, silence, limit, tone }: { fromMs: number; silence: number; limit: number; tone: number | undefined },
): { by: "SILENCE" | "TIMEOUT" | "tone"; ms: number } => {
	const heard = hearing(sounds);
	let quiet = 0;
	let beep = 0;
	for (let ms = FRAME_MS; ; ms += FRAME_MS) {
		const kind = heard(fromMs + ms - FRAME_MS);
		quiet = kind === "silence" ? quiet + FRAME_MS : 0;
		beep = kind === "beep" ? beep + FRAME_MS : 0;
		if (tone !== undefined && beep >= tone) return { by: "tone", ms };
		if (quiet >= silence) return { by: "SILENCE", ms };
		if (limit > 0 && ms >= limit) return { by: "TIMEOUT", ms };
	}
};

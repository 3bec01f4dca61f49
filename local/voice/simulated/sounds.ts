import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";

/** Bytes per millisecond of formats without a header, as their files are named. */
const BYTES_PER_MS: Record<string, number> = {
	gsm: 33 / 20,
	ulaw: 8,
	ul: 8,
	pcm: 8,
	mu: 8,
	alaw: 8,
	al: 8,
	g722: 8,
	g729: 1,
	sln: 16,
	slin: 16,
	sln8: 16,
	sln12: 24,
	sln16: 32,
	sln24: 48,
	sln32: 64,
	sln44: 88.2,
	sln48: 96,
	/** WAV files with GSM inside. */
	WAV: 65 / 40,
	wav49: 65 / 40,
};
const FORMATS = ["wav", ...Object.keys(BYTES_PER_MS)];
const WAV_HEADER_BYTES = 44;
/** Where the header of a plain WAV file says how many bytes make a second. */
const WAV_RATE_OFFSET = 28;

const sizeOf = (file: string): number | undefined => {
	try {
		return statSync(file).size;
	} catch (error) {
		if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
		throw error;
	}
};

const wavMs = (file: string, size: number): number => {
	const header = Buffer.alloc(WAV_HEADER_BYTES);
	const handle = openSync(file, "r");
	try {
		if (readSync(handle, header, 0, WAV_HEADER_BYTES, 0) < WAV_HEADER_BYTES) return 0;
	} finally {
		closeSync(handle);
	}
	const bytesPerSec = header.readUInt32LE(WAV_RATE_OFFSET);
	return bytesPerSec > 0 ? ((size - WAV_HEADER_BYTES) / bytesPerSec) * 1000 : 0;
};

/**
 * How long a sound plays, from the size of its file.
 * @param sound as Playback() takes it: without ending, absolute or below the folder of sounds
 * @returns ms; undefined where there is no file of that name
 */
export const soundMs = (soundsDir: string, sound: string): number | undefined => {
	const path = isAbsolute(sound) ? sound : join(soundsDir, sound);
	for (const format of FORMATS) {
		const file = `${path}.${format}`;
		const size = sizeOf(file);
		if (size === undefined) continue;
		return format === "wav" ? wavMs(file, size) : size / (BYTES_PER_MS[format] ?? 8);
	}
	return undefined;
};

/** All sounds of the folder, as `GET /sounds` lists them. */
export const listSounds = (soundsDir: string): { id: string; formats: { language: string; format: string }[] }[] => {
	const formats = new Map<string, string[]>();
	for (const entry of readdirSync(soundsDir, { recursive: true, withFileTypes: true })) {
		const dot = entry.name.lastIndexOf(".");
		if (entry.isDirectory() || dot < 1 || !FORMATS.includes(entry.name.slice(dot + 1))) continue;
		const folder = entry.parentPath.slice(soundsDir.length + 1);
		const id = [folder, entry.name.slice(0, dot)].filter((part) => part !== "").join("/");
		formats.set(id, [...(formats.get(id) ?? []), entry.name.slice(dot + 1)]);
	}
	return [...formats].map(([id, each]) => ({ id, formats: each.map((format) => ({ language: "en", format })) }));
};

/** One frame of silence in GSM 06.10: 20 ms in 33 bytes. */
const SILENT_FRAME = Buffer.from(`d820a2e15a${"50004924924924".repeat(4)}`, "hex");
const FRAME_MS = 20;

/** A GSM file of silence. */
export const silence = (ms: number): Buffer =>
	Buffer.concat(Array.from({ length: Math.ceil(ms / FRAME_MS) }, () => SILENT_FRAME));

import { readdir, readFile } from "node:fs/promises";
import { dirname, join, matchesGlob, parse, resolve } from "node:path";
import { CONTEXT_PATTERN, SOUND_PATTERN } from "../../shared/contract/call.ts";
import { matchesPattern } from "../agent/settings.ts";

/** Endings that Asterisk plays. */
const SOUND_ENDINGS = new Set([
	".wav",
	".wav16",
	".gsm",
	".ulaw",
	".ul",
	".mu",
	".pcm",
	".alaw",
	".al",
	".sln",
	".sln16",
	".g722",
	".g729",
	".opus",
	".ogg",
	".mp3",
]);
const MAX_ITEMS = 1_000;
const MAX_INCLUDE_DEPTH = 10;

const missing = (error: unknown): boolean =>
	["ENOENT", "ENOTDIR", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Sounds by name, each with its path without ending. The first folder that has a name wins. */
export const findSounds = async (folders: string[]): Promise<Map<string, string>> => {
	const sounds = new Map<string, string>();
	for (const folder of folders) {
		const names = await readdir(folder).catch((error: unknown) => {
			if (missing(error)) return [];
			throw error;
		});
		for (const file of names.sort()) {
			const { name, ext } = parse(file);
			if (!SOUND_ENDINGS.has(ext) || !SOUND_PATTERN.test(name) || sounds.has(name) || sounds.size >= MAX_ITEMS)
				continue;
			sounds.set(name, join(folder, name));
		}
	}
	return sounds;
};

/** The files that an include line means; it may hold `*` and `?` in its last part. */
const included = async (etcDir: string, target: string): Promise<string[]> => {
	const path = resolve(etcDir, target);
	if (!/[*?[]/.test(path)) return [path];
	const names = await readdir(dirname(path)).catch((error: unknown) => {
		if (missing(error)) return [];
		throw error;
	});
	return names
		.sort()
		.map((name) => join(dirname(path), name))
		.filter((file) => matchesGlob(file, path));
};

/** Contexts that a dialplan file and what it includes define. `#exec` is not followed. */
const contextsOf = async (etcDir: string, file: string, seen: Set<string>, depth: number): Promise<string[]> => {
	if (seen.has(file) || depth > MAX_INCLUDE_DEPTH) return [];
	seen.add(file);
	const text = await readFile(file, "utf8").catch((error: unknown) => {
		if (missing(error)) return "";
		throw error;
	});
	const contexts: string[] = [];
	for (const raw of text.split("\n")) {
		const line = raw.replace(/(^|[^\\]);.*$/, "$1").trim();
		const section = /^\[([^\]]+)\](\s*\(([^)]*)\))?/.exec(line);
		// `[name](!)` is a template, no context.
		if (section?.[1] !== undefined && !/(^|,)\s*!/.test(section[3] ?? "")) contexts.push(section[1]);
		const include = /^#(?:try)?include\s+["<]?([^">]+)[">]?$/.exec(line)?.[1];
		if (include === undefined) continue;
		for (const path of await included(etcDir, include.trim()))
			contexts.push(...(await contextsOf(etcDir, path, seen, depth + 1)));
	}
	return contexts;
};

/** Contexts of the dialplan that a campaign may name: those that match the patterns, and those named literally. */
export const findContexts = async (etcDir: string, patterns: string[]): Promise<string[]> => {
	const found = await contextsOf(etcDir, join(etcDir, "extensions.conf"), new Set(), 0);
	const literal = patterns.filter((pattern) => !pattern.includes("*"));
	return [...new Set([...found, ...literal])]
		.filter((name) => CONTEXT_PATTERN.test(name) && name !== "general" && name !== "globals")
		.filter((name) => matchesPattern(name, patterns))
		.sort()
		.slice(0, MAX_ITEMS);
};

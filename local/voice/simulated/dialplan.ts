/**
 * What happens to an answered call. This is no dialplan interpreter: it reads an extension's lines in order, from priority 1 on, and knows
 * Wait, Playback, Hangup, Goto without labels, AMD and WaitForSilence within TryExec, and what takes no time (Answer, NoOp, Set, Verbose). From
 * the first line that it does not know, the call is held until its far end hangs up.
 */
export type DialplanStep =
	| { kind: "instant"; app: string; data: string }
	| { kind: "set"; app: string; data: string; name: string; value: string }
	| { kind: "wait"; app: string; data: string; ms: number }
	| { kind: "play"; app: string; data: string; sound: string }
	| { kind: "hangup"; app: string; data: string; cause: number }
	| { kind: "goto"; app: string; data: string; target: DialplanTarget }
	/** TryExec(AMD(…)) and TryExec(WaitForSilence(…)): `inner` is that application's own data. */
	| { kind: "amd" | "waitForSilence"; app: string; data: string; inner: string }
	| { kind: "hold"; app: string; data: string };

/** Parts that are left out are the present ones. */
export interface DialplanTarget {
	context?: string;
	extension?: string;
	priority: number;
}

export interface DialplanLine {
	app: string;
	data: string;
}

/** Context → extension (or pattern, with its `_`) → lines from priority 1 on. */
export type Dialplan = Map<string, Map<string, DialplanLine[]>>;

/** A dialplan from lines as in extensions.conf: `{ "burst-x": { s: ["Wait(1)", "Hangup(16)"] } }`. */
export const dialplanOf = (contexts: Record<string, Record<string, string[]>>): Dialplan =>
	new Map(
		Object.entries(contexts).map(([context, extensions]) => [
			context,
			new Map(Object.entries(extensions).map(([name, lines]) => [name, lines.map(lineOf)])),
		]),
	);

/** `App(data)` or `App`. */
export const lineOf = (text: string): DialplanLine => {
	const match = /^\s*([A-Za-z0-9_]+)\s*(?:\((.*)\))?\s*$/s.exec(text);
	return match ? { app: match[1] ?? "", data: match[2] ?? "" } : { app: text.trim(), data: "" };
};

const CLASSES: Record<string, string> = { X: "[0-9]", Z: "[1-9]", N: "[2-9]", ".": ".+", "!": ".*", "-": "" };

/** An Asterisk extension pattern (after its `_`) as a regular expression. */
export const patternToRegExp = (pattern: string): RegExp => {
	let source = "";
	for (let i = 0; i < pattern.length; i++) {
		const char = pattern.charAt(i);
		const close = char === "[" ? pattern.indexOf("]", i) : -1;
		if (close > 0) {
			source += `[${pattern.slice(i + 1, close).replace(/[\\\]^]/g, "\\$&")}]`;
			i = close;
		} else {
			source += CLASSES[char.toUpperCase()] ?? CLASSES[char] ?? char.replace(/[\\^$*+?()[\]{}|/]/g, "\\$&");
		}
	}
	return new RegExp(`^${source}$`);
};

/** The lines of an extension; undefined where the context has none that matches. */
export const findExtension = (dialplan: Dialplan, context: string, extension: string): DialplanLine[] | undefined => {
	const extensions = dialplan.get(context);
	const exact = extensions?.get(extension);
	if (exact || !extensions) return exact;
	for (const [name, lines] of extensions) {
		if (name.startsWith("_") && patternToRegExp(name.slice(1)).test(extension)) return lines;
	}
	return undefined;
};

/** `context,extension,priority`, `extension,priority` or `priority`; undefined where the priority is no number. */
export const targetOf = (text: string): DialplanTarget | undefined => {
	const parts = text.split(",").map((part) => part.trim());
	const priority = Number(parts.at(-1));
	if (!(priority >= 1) || parts.length > 3) return undefined;
	const [extension, context] = parts.slice(0, -1).reverse();
	return { priority, ...(extension === undefined ? {} : { extension }), ...(context === undefined ? {} : { context }) };
};

const TRIED: Record<string, "amd" | "waitForSilence"> = { amd: "amd", waitforsilence: "waitForSilence" };

const INSTANT = new Set(["answer", "noop", "verbose", "progress", "stopplaytones", "userevent"]);

/**
 * The line with its variables filled in, as the step that it is.
 * @param variable value of a channel variable; undefined where it is not set
 */
export const stepOf = (line: DialplanLine, variable: (name: string) => string | undefined): DialplanStep => {
	// `${name}` and `${name:offset:length}` only: expressions and functions are beyond this reader.
	const data = line.data.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => variable(name) ?? "");
	const { app } = line;
	const held: DialplanStep = { kind: "hold", app, data };
	const name = app.toLowerCase();
	// Values are not evaluated: what counts is what the line itself leaves.
	if (/\$[[{]/.test(line.data.replace(/\$\{[A-Za-z_][A-Za-z0-9_]*\}/g, "")))
		return INSTANT.has(name) ? { kind: "instant", app, data } : held;
	if (INSTANT.has(name)) return { kind: "instant", app, data };
	if (name === "wait") {
		const seconds = Number(data);
		return Number.isFinite(seconds) ? { kind: "wait", app, data, ms: Math.max(0, seconds) * 1000 } : held;
	}
	if (name === "playback") return { kind: "play", app, data, sound: data.split(",")[0] ?? "" };
	if (name === "hangup") return { kind: "hangup", app, data, cause: Number(data) || 0 };
	if (name === "goto") {
		const target = targetOf(data);
		return target === undefined ? held : { kind: "goto", app, data, target };
	}
	if (name === "tryexec") {
		const tried = lineOf(data);
		const kind = TRIED[tried.app.toLowerCase()];
		return kind === undefined ? held : { kind, app, data, inner: tried.data };
	}
	if (name === "set") {
		const [, variableName, value] = /^([^=]+)=(.*)$/.exec(data) ?? [];
		if (variableName !== undefined && value !== undefined) return { kind: "set", app, data, name: variableName, value };
	}
	return held;
};

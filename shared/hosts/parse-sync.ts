import { amdResultSchema, type CompletedCall, completedCallSchema } from "../contract/call.ts";
import { cutVars } from "../contract/cut-vars.ts";
import { type SyncRequest, type SyncResponse, syncRequestSchema, trunkHealthSchema } from "../contract/host.ts";
import { parseCallId } from "../contract/ids.ts";
import type { Log } from "../log.ts";
import { detailsOf, parseOrRefuse } from "../validation/details.ts";

/** A part of a sync that could not be taken as it was given: a completion or return, or, without a callId, what it says of trunks. */
export interface Unreadable {
	callId: string;
	reason: string;
}

export interface ParsedSync {
	request: SyncRequest;
	/** Taken out: they name no call. */
	refused: Unreadable[];
	/** Completions that were taken with less than was given. */
	mended: Unreadable[];
}

/** Ids that are shown back are cut: they are the host's text. */
const MAX_SHOWN_CHARS = 160;

/** Unreadable entries of trunks that are said one by one. */
const MAX_SHOWN_TRUNKS = 5;

const textOf = (value: unknown): string => (typeof value === "string" ? value.slice(0, MAX_SHOWN_CHARS) : "");

const isObject = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null && !Array.isArray(value);

/** A completion with its variables within their limits, and what was done to them. */
const withCutVars = (entry: unknown): { entry: unknown; reason?: string } => {
	if (!isObject(entry) || entry["vars"] === undefined) return { entry };
	const { vars: given, ...rest } = entry;
	if (!isObject(given)) return { entry: rest, reason: "vars: left out, they are no object" };
	const { vars, cut } = cutVars(given);
	return cut.length === 0
		? { entry }
		: { entry: { ...rest, vars }, reason: `vars: shortened or left out: ${cut.join(", ")}` };
};

/** A completion without what it says of answering machines, where that cannot be read: it is not worth an outcome either. */
const withReadableAmd = (entry: unknown): { entry: unknown; reason?: string } => {
	if (!isObject(entry) || amdResultSchema.nullish().safeParse(entry["amd"]).success) return { entry };
	const { amd: _, ...rest } = entry;
	return { entry: rest, reason: "amd: left out, it cannot be read" };
};

/**
 * Completions that can be read, those that name their call though the rest cannot be read, and those that name none. The host
 * forgets a completion that is refused: refused, a call that it held would be held for ever. So it ends as unknown.
 */
const readCompleted = (given: unknown[]): { completed: unknown[]; refused: Unreadable[]; mended: Unreadable[] } => {
	const whole: unknown[] = [];
	const unknown: CompletedCall[] = [];
	const refused: Unreadable[] = [];
	const mended: Unreadable[] = [];
	for (const [i, each] of given.entries()) {
		const { entry: withVars, reason: cutReason } = withCutVars(each);
		const { entry, reason: amdReason } = withReadableAmd(withVars);
		const cut = [cutReason, amdReason].filter((part) => part !== undefined).join("; ");
		const callId = isObject(entry) ? textOf(entry["callId"]) : "";
		const parsed = completedCallSchema.safeParse(entry);
		if (parsed.success) {
			whole.push(entry);
			if (cut !== "") mended.push({ callId, reason: cut });
			continue;
		}
		const reason = detailsOf(parsed.error)
			.map(({ path, message }) => (path ? `${path}: ${message}` : message))
			.join("; ");
		if (parseCallId(callId) === undefined) refused.push({ callId, reason });
		else {
			unknown.push({ callId, outcome: "unknown" });
			mended.push({ callId, reason: `taken as unknown: completed[${i}]: ${reason}` });
		}
	}
	// Of two reports of one call the last counts: the one that says more.
	return { completed: [...unknown, ...whole], refused, mended };
};

/** What is said of trunks, as far as it can be read: nothing said of one leaves it as it is. */
const readTrunkHealth = (given: unknown): { trunks?: Record<string, unknown>; mended: Unreadable[] } => {
	if (!isObject(given)) return { mended: [{ callId: "", reason: "trunks: left out, they are no object" }] };
	const trunks: Record<string, unknown> = {};
	const bad: string[] = [];
	for (const [trunkId, health] of Object.entries(given)) {
		if (trunkHealthSchema.safeParse({ [trunkId]: health }).success) trunks[trunkId] = health;
		else bad.push(trunkId.slice(0, MAX_SHOWN_CHARS));
	}
	return {
		trunks,
		mended: bad.slice(0, MAX_SHOWN_TRUNKS).map((trunkId) => ({ callId: "", reason: `trunks.${trunkId}: left out` })),
	};
};

/**
 * A sync's body by its schema, throws 400 where it is none. Completions and returns that name no call are taken out and
 * told, because a host repeats a body until it is answered: one bad completion must never block the others.
 */
export const parseSyncRequest = (body: unknown): ParsedSync => {
	if (!isObject(body)) return { request: parseOrRefuse(syncRequestSchema, body, "sync"), refused: [], mended: [] };
	const refused: Unreadable[] = [];
	const mended: Unreadable[] = [];
	const cleaned: Record<string, unknown> = { ...body };
	if (Array.isArray(body["completed"])) {
		const read = readCompleted(body["completed"]);
		cleaned["completed"] = read.completed;
		refused.push(...read.refused);
		mended.push(...read.mended);
	}
	if (Array.isArray(body["returned"])) {
		cleaned["returned"] = body["returned"].filter((entry: unknown) => {
			if (typeof entry === "string" && entry.length <= MAX_SHOWN_CHARS) return true;
			refused.push({ callId: textOf(entry), reason: "not a callId" });
			return false;
		});
	}
	if (body["trunks"] !== undefined) {
		const read = readTrunkHealth(body["trunks"]);
		if (read.trunks) cleaned["trunks"] = read.trunks;
		else delete cleaned["trunks"];
		mended.push(...read.mended);
	}
	return { request: parseOrRefuse(syncRequestSchema, cleaned, "sync"), refused, mended };
};

/** Says what a host reported that could not be taken as it was. */
export const logUnreadable = (log: Log, hostId: string, { refused, mended }: ParsedSync): void => {
	for (const { callId, reason } of mended)
		log.warn(callId === "" ? "sync.mended" : "sync.completionMended", { hostId, callId, reason });
	for (const { callId, reason } of refused) log.warn("sync.entryRefused", { hostId, callId, reason });
};

/** The answer with the unreadable ones among those that it refuses. */
export const withRefused = (answer: SyncResponse, refused: Unreadable[]): SyncResponse =>
	refused.length === 0 ? answer : { ...answer, refused: [...answer.refused, ...refused] };

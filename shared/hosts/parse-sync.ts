import { type CompletedCall, completedCallSchema } from "../contract/call.ts";
import { type SyncRequest, type SyncResponse, syncRequestSchema } from "../contract/host.ts";
import { detailsOf, parseOrRefuse } from "../validation/details.ts";

/** A completion or return that cannot even be read. */
export interface Unreadable {
	callId: string;
	reason: string;
}

/** Ids that are shown back are cut: they are the host's text. */
const MAX_SHOWN_CHARS = 160;

const textOf = (value: unknown): string => (typeof value === "string" ? value.slice(0, MAX_SHOWN_CHARS) : "");

/**
 * A sync's body by its schema, throws 400 where it is none; completions and returns that cannot be read are taken out and
 * named, because a host repeats a body until it is answered: one bad completion must never block the others.
 */
export const parseSyncRequest = (body: unknown): { request: SyncRequest; refused: Unreadable[] } => {
	const refused: Unreadable[] = [];
	if (typeof body !== "object" || body === null || Array.isArray(body)) {
		return { request: parseOrRefuse(syncRequestSchema, body, "sync"), refused };
	}
	const given = body as { completed?: unknown; returned?: unknown };
	const cleaned: Record<string, unknown> = { ...given };
	if (Array.isArray(given.completed)) {
		cleaned["completed"] = given.completed.filter((entry: unknown): entry is CompletedCall => {
			const parsed = completedCallSchema.safeParse(entry);
			if (parsed.success) return true;
			const reason = detailsOf(parsed.error)
				.map(({ path, message }) => (path ? `${path}: ${message}` : message))
				.join("; ");
			refused.push({ callId: textOf((entry as { callId?: unknown } | null)?.callId), reason });
			return false;
		});
	}
	if (Array.isArray(given.returned)) {
		cleaned["returned"] = given.returned.filter((entry: unknown) => {
			if (typeof entry === "string" && entry.length <= MAX_SHOWN_CHARS) return true;
			refused.push({ callId: textOf(entry), reason: "not a callId" });
			return false;
		});
	}
	return { request: parseOrRefuse(syncRequestSchema, cleaned, "sync"), refused };
};

/** The answer with the unreadable ones among those that it refuses. */
export const withRefused = (answer: SyncResponse, refused: Unreadable[]): SyncResponse =>
	refused.length === 0 ? answer : { ...answer, refused: [...answer.refused, ...refused] };

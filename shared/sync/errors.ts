import { type ApiError, conflict, notFound, tryAgain } from "../contract/errors.ts";
import type { HostItem } from "../store/items.ts";

/** The host was declared lost or has a newer epoch: it drops what it never originated and says hello. */
export const staleEpoch = (host: Pick<HostItem, "epoch" | "state">): ApiError =>
	conflict("staleEpoch", `This epoch has ended (the host is ${host.state}). Say hello for a new one.`);
/** An older request came late; a newer one was answered. */
export const seqOld = (seq: number): ApiError =>
	conflict("seqOld", `seq was answered before; the last one answered is ${seq}.`, { expectedSeq: seq + 1 });
export const seqAhead = (seq: number): ApiError =>
	conflict("seqAhead", `seq skips ahead; the next one expected is ${seq + 1}.`, { expectedSeq: seq + 1 });
export const noSuchHost = (hostId: string): ApiError => notFound("host", hostId);
/** Two agents run under one host id: the other one was answered for this seq. */
export const anotherAgent = (hostId: string): ApiError =>
	conflict(
		"anotherAgent",
		`Another agent syncs as host "${hostId}" too (a copied disk or token?). Stop one of them; enrol it as a host of its own.`,
	);
/** Another writer was in the way for a moment: the same request again. */
export const busy = (cause?: unknown): ApiError =>
	tryAgain("Another request of this host is under way. Repeat the same one.", cause);

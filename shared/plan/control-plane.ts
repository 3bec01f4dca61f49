import type { PriceBook } from "../prices/price-book.ts";
import { Exact } from "./exact.ts";

/** What the control plane uses for an attempt, where ten are granted in one sync. */
const PER_ATTEMPT = {
	/** Measured: the README's table, and a test that holds it. */
	writeUnits: 5.3,
	/** Estimated: contact, slot and counters, several in one read. */
	readUnits: 4,
	/** A sync of ten. */
	requests: 0.1,
} as const;
/** Memory of a sync's function, GB, and the time it is planned to take, seconds (docs/limits.md). */
const SYNC = { memoryGb: 0.5, sec: 0.12 } as const;

/** US dollars of control plane for one attempt, counted from the bottom up. Throws PriceError where a price is missing. */
export const controlPlaneUsd = (book: PriceBook): Exact =>
	Exact.sum([
		book.usd("dynamodb.write").times(PER_ATTEMPT.writeUnits),
		book.usd("dynamodb.read").times(PER_ATTEMPT.readUnits),
		book.usd("api.request").plus(book.usd("lambda.request")).times(PER_ATTEMPT.requests),
		book.usd("lambda.duration").times(SYNC.memoryGb).times(SYNC.sec).times(PER_ATTEMPT.requests),
	]);

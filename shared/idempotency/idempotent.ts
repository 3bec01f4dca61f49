import { createHash } from "node:crypto";
import { badRequest, conflict } from "../contract/errors.ts";
import { newCampaignId } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import { getItem, put, update } from "../store/db.ts";
import type { IdempotencyItem } from "../store/items.ts";

/** A key counts for so long, as the API promises. */
export const IDEMPOTENCY_SEC = 24 * 3600;
/** Printable ASCII, as in a header. */
const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;

/** The answer to a request, as it is kept. */
export interface Answer {
	status: number;
	body: unknown;
	/** An answer with a secret is never stored: `run` makes it again. */
	secret?: boolean;
}

export interface IdempotentRequest<T> {
	tenant: string;
	method: string;
	path: string;
	/** The Idempotency-Key; without one every request is a new one. */
	key: string | undefined;
	/** The body as it came. */
	body: Uint8Array;
	/** Looks at the request without storing anything; throws where it is bad. Not asked where the answer is known. */
	check: () => Promise<T>;
	/**
	 * Creates what was asked for under the identity `resourceId`. Must be repeatable with the same identity, at the same
	 * time as well: that is how a repeat completes what a crash left.
	 */
	run: (resourceId: string, checked: T) => Promise<Answer>;
}

/** 16 characters, in order of time: campaigns, imports and all else that a request creates. */
export const newResourceId = (deps: Pick<Deps, "now" | "random">): string =>
	newCampaignId(
		deps.now(),
		Uint8Array.from({ length: 4 }, () => Math.floor(deps.random() * 256)),
	);

/** Does a request once for its Idempotency-Key: a repeat gets the first answer, the same key with another body 409. */
export const idempotent = async <T>(deps: Deps, request: IdempotentRequest<T>): Promise<Answer> => {
	if (request.key === undefined) return request.run(newResourceId(deps), await request.check());
	if (!KEY_PATTERN.test(request.key)) {
		throw badRequest("The Idempotency-Key must be 1 to 255 printable ASCII characters without spaces.");
	}
	const id = `${request.tenant}#${request.method} ${request.path}#${request.key}`;
	const bodyHash = createHash("sha256").update(request.body).digest("hex");
	const nowSec = deps.now() / 1_000;

	const settled = (record: IdempotencyItem): Answer | undefined => {
		if (record.bodyHash !== bodyHash) {
			throw conflict(
				"idempotencyConflict",
				"This Idempotency-Key was used within 24 h with another body. Use a new key for a new request.",
			);
		}
		return record.status === undefined ? undefined : { status: record.status, body: JSON.parse(record.body ?? "null") };
	};

	// The expiry is in the conditions: deletion by TTL can lag for days.
	let record = await getItem<IdempotencyItem>(deps.db, deps.tables.idempotency, { id });
	if (record && record.ttl <= nowSec) record = undefined;
	const first = record && settled(record);
	if (first) return first;

	const checked = await request.check();
	if (!record) {
		const fresh: IdempotencyItem = {
			id,
			bodyHash,
			resourceId: newResourceId(deps),
			createdAt: deps.now(),
			ttl: Math.ceil(nowSec) + IDEMPOTENCY_SEC,
		};
		const written = await put<IdempotencyItem>(
			deps.db,
			{
				TableName: deps.tables.idempotency,
				Item: fresh,
				ConditionExpression: "attribute_not_exists(id) OR #ttl <= :now",
				ExpressionAttributeNames: { "#ttl": "ttl" },
				ExpressionAttributeValues: { ":now": nowSec },
			},
			{ id },
		);
		record = written.item ?? fresh;
		const twin = settled(record);
		if (twin) return twin;
	}

	const answer = await request.run(record.resourceId, checked);
	if (answer.secret) return answer;
	const kept = await update<IdempotencyItem>(deps.db, {
		TableName: deps.tables.idempotency,
		Key: { id },
		ConditionExpression: "resourceId = :mine AND attribute_not_exists(#status)",
		UpdateExpression: "SET #status = :status, #body = :body",
		ExpressionAttributeNames: { "#status": "status", "#body": "body" },
		ExpressionAttributeValues: {
			":mine": record.resourceId,
			":status": answer.status,
			":body": JSON.stringify(answer.body),
		},
	});
	if (kept.ok || !kept.item) return answer;
	// A twin answered first: both say the same.
	return settled(kept.item) ?? answer;
};

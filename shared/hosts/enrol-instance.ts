import { createHash } from "node:crypto";
import { ApiError, tryAgain } from "../contract/errors.ts";
import type { EnrolInstanceInput, EnrolInstanceResponse } from "../contract/fleet.ts";
import type { Deps } from "../deps.ts";
import { hostIdOf } from "../fleet/ec2.ts";
import { getItem, update, type WriteResult } from "../store/db.ts";
import type { HostItem, HostState, Instance } from "../store/items.ts";
import { createToken, revokeByHash } from "../tokens/tokens.ts";
import { type IdentityDocument, type IdentitySettings, isSigned, readDocument } from "./identity.ts";

/** A start is enrolled within so long of the moment at which EC2 was asked for it. */
export const ENROL_WITHIN_MS = 600_000;
/**
 * A document this much older than its start belongs to it all the same: the document has whole seconds, and EC2's clock is not ours. A start
 * follows another one after more than that: the instance has to stop in between.
 */
export const PENDING_TOLERANCE_MS = 15_000;
/** A document further in the future than this says that our clock, or EC2's, cannot be trusted. */
const FUTURE_TOLERANCE_MS = 60_000;
/** The host's item changes beside us: so often is it looked at again before the instance is sent back. */
const MAX_TRIES = 5;

/** Why an instance is not enrolled. */
export type Refusal =
	| "signature"
	| "document"
	| "unknownInstance"
	| "account"
	| "region"
	| "image"
	| "earlierStart"
	| "clock"
	| "notStarting"
	| "tooLate"
	| "enrolledTwice";

/** What is told to the instance: `wait` may pass by itself, all else does not. */
const ANSWERS: Record<Refusal, { status: number; code: string; message: string }> = {
	signature: { status: 403, code: "identityRefused", message: "The signature is not AWS's of these bytes." },
	document: { status: 403, code: "identityRefused", message: "What was signed is no instance identity document." },
	unknownInstance: { status: 409, code: "wait", message: "No host is known for this instance." },
	account: { status: 403, code: "identityRefused", message: "The instance is of another account." },
	region: { status: 403, code: "identityRefused", message: "The instance is of another region." },
	image: { status: 403, code: "identityRefused", message: "The instance has another image than it was launched with." },
	earlierStart: { status: 409, code: "wait", message: "The document is of an earlier start of the instance." },
	clock: { status: 409, code: "wait", message: "The document is of the future by the control plane's clock." },
	notStarting: { status: 409, code: "wait", message: "The host is not being started." },
	tooLate: { status: 403, code: "tooLate", message: "The start was too long ago; only a new start can be enrolled." },
	enrolledTwice: {
		status: 403,
		code: "enrolledTwice",
		message: "This start was enrolled by somebody else as well: both are refused and the instance is stopped.",
	},
};

const refusalError = (reason: Refusal): ApiError => {
	const { status, code, message } = ANSWERS[reason];
	return new ApiError(status, code, message);
};

export interface EnrolDeps extends Deps {
	identity: IdentitySettings;
}

/** What is to be done about an enrolment: pure, from the host as it stands. */
export type Verdict =
	| { do: "refuse"; reason: Refusal }
	/** Its first token, or the one of the start before, is `old`. */
	| { do: "enrol"; old: string | undefined; repeat: boolean }
	/** Somebody enrolled this very start with another nonce. */
	| { do: "alarm"; tokenHash: string | undefined };

/** States in which the enrolled start is under way. In others the instance was started by somebody else, and has another nonce for that. */
const UNDER_WAY: readonly HostState[] = ["launching", "booting", "active", "draining", "drained", "lost"];

/** @param nonceHash SHA-256 of the nonce */
export const judge = (
	host: HostItem | undefined,
	document: IdentityDocument,
	nonceHash: string,
	region: string,
	now: number,
): Verdict => {
	const refuse = (reason: Refusal): Verdict => ({ do: "refuse", reason });
	if (document.region !== region) return refuse("region");
	const inst = host?.tier === "burst" ? host.inst : undefined;
	if (!host || inst?.instanceId !== document.instanceId) return refuse("unknownInstance");
	if (document.accountId !== inst.account) return refuse("account");
	if (document.imageId !== inst.imageId) return refuse("image");
	const pendingAt = Date.parse(document.pendingTime);
	if (pendingAt < inst.startedAt - PENDING_TOLERANCE_MS) return refuse("earlierStart");
	if (pendingAt > now + FUTURE_TOLERANCE_MS) return refuse("clock");
	const enrolled = inst.enrolledStart === inst.startId;
	// At work or not: who has this document and another nonce may have had the first token too.
	if (enrolled && inst.enrolledBy !== nonceHash && UNDER_WAY.includes(host.state)) {
		return { do: "alarm", tokenHash: inst.tokenHash };
	}
	if (inst.failure !== undefined) return refuse(enrolled ? "enrolledTwice" : "notStarting");
	if (host.state !== "launching" && host.state !== "booting") return refuse("notStarting");
	if (now - inst.startedAt > ENROL_WITHIN_MS) return refuse("tooLate");
	return { do: "enrol", old: inst.tokenHash, repeat: enrolled };
};

const keyOf = (tenant: string, hostId: string) => ({ tenant, hostId });

/** The host as it was read, and its start enrolled: one conditional write. `old` is in the condition, so of two enrolments one comes first. */
const writeEnrolment = (
	deps: Deps,
	host: HostItem & { inst: Instance },
	old: string | undefined,
	enrolment: { nonceHash: string; tokenHash: string },
): Promise<WriteResult<HostItem>> =>
	update<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		Key: keyOf(host.tenant, host.hostId),
		ConditionExpression: `#state = :read AND #inst.#startId = :start AND attribute_not_exists(#inst.#failure) AND ${
			old === undefined ? "attribute_not_exists(#inst.#token)" : "#inst.#token = :old"
		}`,
		UpdateExpression:
			"SET #state = :booting, #inst.#enrolledStart = :start, #inst.#enrolledBy = :nonce, #inst.#token = :token",
		ExpressionAttributeNames: {
			"#state": "state",
			"#inst": "inst",
			"#startId": "startId",
			"#failure": "failure",
			"#token": "tokenHash",
			"#enrolledStart": "enrolledStart",
			"#enrolledBy": "enrolledBy",
		},
		ExpressionAttributeValues: {
			":read": host.state,
			":start": host.inst.startId,
			":booting": "booting",
			":nonce": enrolment.nonceHash,
			":token": enrolment.tokenHash,
			...(old === undefined ? {} : { ":old": old }),
		},
	});

/** Marks the start as failed, so that the fleet stops the instance. */
const markFailed = async (deps: Deps, host: HostItem & { inst: Instance }): Promise<void> => {
	await update<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		Key: keyOf(host.tenant, host.hostId),
		ConditionExpression: "#inst.#startId = :start AND #inst.#enrolledStart = :start",
		UpdateExpression: "SET #inst.#failure = :failure",
		ExpressionAttributeNames: {
			"#inst": "inst",
			"#startId": "startId",
			"#enrolledStart": "enrolledStart",
			"#failure": "failure",
		},
		ExpressionAttributeValues: {
			":start": host.inst.startId,
			":failure": "enrolled twice: somebody else has the instance's identity document",
		},
	});
};

/**
 * Enrols a start of an instance that we started, by its signed identity document, and makes the host's token. Once per start: a repeat with the same
 * nonce gets a new token and ends the first one, another nonce ends both.
 * @throws ApiError 403 identityRefused, tooLate or enrolledTwice; 409 wait: may pass; 503
 */
export const enrolInstance = async (
	deps: EnrolDeps,
	tenant: string,
	input: EnrolInstanceInput,
): Promise<EnrolInstanceResponse> => {
	const refuse = (reason: Refusal, fields: Record<string, unknown> = {}): ApiError => {
		deps.log.warn("enrol.refused", { reason, ...fields });
		return refusalError(reason);
	};
	// Nothing of the document is believed, or logged, before.
	if (!isSigned(input.document, input.signature, deps.identity.keys)) throw refuse("signature");
	const document = readDocument(input.document);
	if (!document) throw refuse("document");
	const { instanceId } = document;
	const hostId = hostIdOf(instanceId);
	const nonceHash = createHash("sha256").update(input.nonce, "utf8").digest("hex");
	let made: { token: string; tokenHash: string } | undefined;
	const giveUp = async (): Promise<void> => {
		if (made) await revokeByHash(deps, made.tokenHash);
	};
	let host = await getItem<HostItem>(deps.db, deps.tables.hosts, keyOf(tenant, hostId));
	for (let i = 0; i < MAX_TRIES; i++) {
		const now = deps.now();
		const verdict = judge(host, document, nonceHash, deps.identity.region, now);
		const fields = {
			hostId,
			instanceId,
			account: document.accountId,
			region: document.region,
			imageId: document.imageId,
			pendingTime: document.pendingTime,
			state: host?.state,
			startId: host?.inst?.startId,
			startedAt: host?.inst?.startedAt,
		};
		if (verdict.do === "refuse") {
			await giveUp();
			throw refuse(verdict.reason, fields);
		}
		const known = host as HostItem & { inst: Instance };
		if (verdict.do === "alarm") {
			await giveUp();
			if (verdict.tokenHash !== undefined) await revokeByHash(deps, verdict.tokenHash);
			await markFailed(deps, known);
			deps.log.error("enrol.second", fields);
			throw refusalError("enrolledTwice");
		}
		// The token first: if this stops here nobody knows it, and no start is enrolled without one.
		made ??= await createToken(deps, { tenant, name: `host ${hostId}`, kind: "host", hostId });
		const written = await writeEnrolment(deps, known, verdict.old, { nonceHash, tokenHash: made.tokenHash });
		// Written by this very request, whose first try had no answer: enrolled all the same.
		if (written.ok || written.item?.inst?.tokenHash === made.tokenHash) {
			if (verdict.old !== undefined) await revokeByHash(deps, verdict.old);
			deps.log.info("enrol.enrolled", { ...fields, repeat: verdict.repeat, sinceStartMs: now - known.inst.startedAt });
			const { publicAddress } = written.item?.inst ?? known.inst;
			return { hostId, token: made.token, ...(publicAddress === undefined ? {} : { publicAddress }) };
		}
		host = written.item;
	}
	await giveUp();
	throw tryAgain(`The state of host "${hostId}" is changing; repeat the request.`);
};

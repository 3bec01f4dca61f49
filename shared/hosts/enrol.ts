import type { z } from "zod";
import { conflict } from "../contract/errors.ts";
import type { enrolHostSchema } from "../contract/host.ts";
import type { Deps } from "../deps.ts";
import { getItem, put, update } from "../store/db.ts";
import type { HostItem } from "../store/items.ts";
import { createToken, revokeByHash } from "../tokens/tokens.ts";

export type EnrolInput = z.output<typeof enrolHostSchema>;

/** A host's item also remembers which request enrolled it and with which token, so that the request can be repeated. */
interface EnrolledHost extends HostItem {
	enrolledBy: string;
	enrolledWith: string;
}

const taken = (hostId: string) =>
	conflict(
		"hostExists",
		`There is a host "${hostId}" already. Choose another id, or make a new token for it: burst-dialer token create --host ${hostId}`,
	);

/**
 * Enrols a steady host and makes its token.
 * @param requestId a repeat of the same request, as long as the host never said hello, makes a new token and revokes the
 * first one: its answer was lost, and no token is ever stored to be told again
 */
export const enrolHost = async (
	deps: Deps,
	tenant: string,
	input: EnrolInput,
	requestId: string,
): Promise<{ hostId: string; token: string }> => {
	const key = { tenant, hostId: input.hostId };
	const standing = await getItem<EnrolledHost>(deps.db, deps.tables.hosts, key);
	if (standing && (standing.enrolledBy !== requestId || standing.epoch > 0)) throw taken(input.hostId);

	// The token first: if this stops here nobody knows it, and no host stands there without one.
	const made = await createToken(deps, { tenant, name: `host ${input.hostId}`, kind: "host", hostId: input.hostId });
	const item: EnrolledHost = {
		tenant,
		hostId: input.hostId,
		tier: "steady",
		region: input.region,
		state: "new",
		cap: input.capacity,
		epoch: 0,
		seq: 0,
		ans: [],
		held: {},
		acc: {},
		low: 1,
		live: 0,
		lastSeenAt: 0,
		createdAt: deps.now(),
		enrolledBy: requestId,
		enrolledWith: made.tokenHash,
	};
	const written = standing
		? await update<EnrolledHost>(deps.db, {
				TableName: deps.tables.hosts,
				Key: key,
				ConditionExpression: "enrolledBy = :request AND enrolledWith = :old AND epoch = :zero",
				UpdateExpression: "SET enrolledWith = :new",
				ExpressionAttributeValues: {
					":request": requestId,
					":old": standing.enrolledWith,
					":new": made.tokenHash,
					":zero": 0,
				},
			})
		: await put<EnrolledHost>(
				deps.db,
				{ TableName: deps.tables.hosts, Item: item, ConditionExpression: "attribute_not_exists(hostId)" },
				key,
			);
	// Written by this very request, whose first try had no answer: the host is enrolled all the same.
	if (!written.ok && written.item?.enrolledWith !== made.tokenHash) {
		await revokeByHash(deps, made.tokenHash);
		throw taken(input.hostId);
	}
	if (standing) await revokeByHash(deps, standing.enrolledWith);
	return { hostId: input.hostId, token: made.token };
};

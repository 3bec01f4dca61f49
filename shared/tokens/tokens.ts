import { createHash, randomBytes } from "node:crypto";
import type { Deps } from "../deps.ts";
import { getItem, put, queryAll, update } from "../store/db.ts";
import type { TokenItem } from "../store/items.ts";

/** What the token functions need: a command line with AWS credentials has no more. */
export interface TokenDeps {
	db: Deps["db"];
	tables: { tokens: string };
	now: () => number;
}

export interface NewToken {
	tenant: string;
	/** For people: what it is for. */
	name: string;
	kind: "operator" | "host";
	/** The only host that may use it; given for kind `host`. */
	hostId?: string | undefined;
	/** ms since 1970; absent: never. */
	expiresAt?: number | undefined;
}

/** 24 random bytes are 32 url-safe characters. */
const RANDOM_BYTES = 24;
const PREFIX = { operator: "bd_op_", host: "bd_host_" } as const;
export const TOKEN_PATTERN = /^bd_(op|host)_[A-Za-z0-9_-]{32}$/;

/** Tokens are long and random: a plain hash cannot be searched backwards. */
export const hashToken = (token: string): string => createHash("sha256").update(token, "utf8").digest("hex");

/** Makes a token. Its text is returned once; only its hash is stored. */
export const createToken = async (
	deps: TokenDeps,
	wanted: NewToken,
): Promise<{ token: string; tokenId: string; tokenHash: string }> => {
	if ((wanted.kind === "host") !== (wanted.hostId !== undefined)) {
		throw new TypeError("A token of kind host names its host, an operator's token names none.");
	}
	const token = `${PREFIX[wanted.kind]}${randomBytes(RANDOM_BYTES).toString("base64url")}`;
	const tokenHash = hashToken(token);
	const tokenId = `t-${randomBytes(8).toString("hex")}`;
	const item: TokenItem = {
		tokenHash,
		tokenId,
		tenant: wanted.tenant,
		kind: wanted.kind,
		...(wanted.hostId === undefined ? {} : { hostId: wanted.hostId }),
		name: wanted.name,
		createdAt: deps.now(),
		...(wanted.expiresAt === undefined ? {} : { expiresAt: wanted.expiresAt }),
	};
	await put(
		deps.db,
		{ TableName: deps.tables.tokens, Item: item, ConditionExpression: "attribute_not_exists(tokenHash)" },
		{ tokenHash },
	);
	return { token, tokenId, tokenHash };
};

/** What may be shown of a token: never its text or its hash. Times are ms since 1970. */
export interface ShownToken {
	tokenId: string;
	name: string;
	kind: "operator" | "host";
	hostId?: string;
	createdAt: number;
	expiresAt?: number;
	revokedAt?: number;
}

const show = (item: TokenItem): ShownToken => ({
	tokenId: item.tokenId,
	name: item.name,
	kind: item.kind,
	...(item.hostId === undefined ? {} : { hostId: item.hostId }),
	createdAt: item.createdAt,
	...(item.expiresAt === undefined ? {} : { expiresAt: item.expiresAt }),
	...(item.revokedAt === undefined ? {} : { revokedAt: item.revokedAt }),
});

const ofTenant = (deps: TokenDeps, tenant: string): Promise<TokenItem[]> =>
	queryAll<TokenItem>(deps.db, {
		TableName: deps.tables.tokens,
		IndexName: "byTenant",
		KeyConditionExpression: "tenant = :tenant",
		ExpressionAttributeValues: { ":tenant": tenant },
	});

/** All tokens of a tenant, oldest first; one made a moment ago may be missing (the index lags). */
export const listTokens = async (deps: TokenDeps, tenant: string): Promise<ShownToken[]> =>
	(await ofTenant(deps, tenant)).map(show);

export const revokeByHash = async (deps: TokenDeps, tokenHash: string): Promise<void> => {
	await update<TokenItem>(deps.db, {
		TableName: deps.tables.tokens,
		Key: { tokenHash },
		ConditionExpression: "attribute_exists(tokenHash) AND attribute_not_exists(revokedAt)",
		UpdateExpression: "SET revokedAt = :now",
		ExpressionAttributeValues: { ":now": deps.now() },
	});
};

/**
 * Revokes a token; it is refused once the functions' caches have forgotten it (10 s at most).
 * @returns false where the tenant has no such token
 */
export const revokeToken = async (deps: TokenDeps, tenant: string, tokenId: string): Promise<boolean> => {
	const found = (await ofTenant(deps, tenant)).find((item) => item.tokenId === tokenId);
	if (!found) return false;
	await revokeByHash(deps, found.tokenHash);
	return true;
};

/** Strongly consistent, so that a revoked token is not believed longer than the cache. */
export const readToken = (deps: TokenDeps, tokenHash: string): Promise<TokenItem | undefined> =>
	getItem<TokenItem>(deps.db, deps.tables.tokens, { tokenHash });

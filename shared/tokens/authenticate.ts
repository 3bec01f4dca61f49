import { unauthorized } from "../contract/errors.ts";
import type { TokenItem } from "../store/items.ts";
import { hashToken, readToken, TOKEN_PATTERN, type TokenDeps } from "./tokens.ts";

/** Who asks, as the token says. */
export interface Principal {
	tenant: string;
	tokenId: string;
	kind: "operator" | "host";
	hostId?: string;
}

/** Most tokens remembered by one process; more are read again. */
const MAX_CACHED = 1_000;

/** Tokens that were found, for a few seconds. Unknown ones are not remembered: a new token works at once. */
export class TokenCache {
	readonly #byHash = new Map<string, { item: TokenItem; until: number }>();

	async find(deps: TokenDeps, cacheSec: number, tokenHash: string): Promise<TokenItem | undefined> {
		const known = this.#byHash.get(tokenHash);
		if (known && known.until > deps.now()) return known.item;
		this.#byHash.delete(tokenHash);
		// From before the read: a token revoked while it is read is not believed for longer than the cache says.
		const until = deps.now() + cacheSec * 1_000;
		const item = await readToken(deps, tokenHash);
		if (!item) return undefined;
		if (this.#byHash.size >= MAX_CACHED) this.#byHash.clear();
		this.#byHash.set(tokenHash, { item, until });
		return item;
	}
}

/** The principal of an `Authorization` header; throws 401 and says what is wrong with it. */
export const authenticate = async (
	deps: TokenDeps,
	cache: TokenCache,
	cacheSec: number,
	authorization: string | undefined,
): Promise<Principal> => {
	if (!authorization) throw unauthorized("Send `Authorization: Bearer <token>`.");
	const [, token] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
	if (!token) throw unauthorized("The Authorization header must be `Bearer <token>`.");
	const item = TOKEN_PATTERN.test(token) ? await cache.find(deps, cacheSec, hashToken(token)) : undefined;
	if (!item) throw unauthorized("The token is not known.");
	if (item.revokedAt !== undefined) throw unauthorized("The token was revoked.");
	if (item.expiresAt !== undefined && item.expiresAt <= deps.now()) throw unauthorized("The token has expired.");
	return {
		tenant: item.tenant,
		tokenId: item.tokenId,
		kind: item.kind,
		...(item.hostId === undefined ? {} : { hostId: item.hostId }),
	};
};

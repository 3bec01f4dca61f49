// Table idempotency: key (id) = tenant#method path#key, TTL `ttl`

export interface IdempotencyItem extends Record<string, unknown> {
	id: string;
	/** SHA-256 of the request's body. */
	bodyHash: string;
	/** Identity drawn for what the request creates: a repeat after a crash creates the same. */
	resourceId: string;
	/** The first answer, once it was made. */
	status?: number;
	body?: string;
	createdAt: number;
	ttl: number;
}

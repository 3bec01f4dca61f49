// Table tokens: key (tokenHash); index `byTenant` (tenant, createdAt)

export interface TokenItem extends Record<string, unknown> {
	/** SHA-256 of the token, hex. */
	tokenHash: string;
	tokenId: string;
	tenant: string;
	kind: "operator" | "host";
	/** Only for a host's token. */
	hostId?: string;
	name: string;
	createdAt: number;
	expiresAt?: number;
	revokedAt?: number;
}

import type { Deps } from "../deps.ts";
import { revokeByHash } from "../tokens/tokens.ts";
import type { BurstHost } from "./counting.ts";
import { markHost } from "./moves.ts";

/** The token of a host that is being stopped is of no use to anybody but a thief; its next start enrols anew. */
export const revokeHostToken = async (deps: Deps, host: BurstHost): Promise<void> => {
	const { tokenHash } = host.inst;
	if (!tokenHash) return;
	await revokeByHash(deps, tokenHash);
	await markHost(deps, host, { inst: { tokenHash: undefined } });
};

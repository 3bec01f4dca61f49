import type { ApiDeps } from "../contacts/ports.ts";
import { checkRows } from "../contacts/rows.ts";
import { testCallSchema } from "../contract/campaign.ts";
import { unprocessable } from "../contract/errors.ts";
import { ruleOf } from "../numbers/check.ts";
import { parseOrRefuse } from "../validation/details.ts";
import { checkCallerId, refuseNotBuilt, trunkFor } from "./check-campaign.ts";
import type { NewCampaign } from "./create.ts";

/** Looks at the body of `POST /v1/calls`: one test call is a campaign of one contact, by the same rules. Throws 400 or 422. */
export const checkTestCall = async (deps: ApiDeps, tenant: string, body: unknown): Promise<NewCampaign> => {
	refuseNotBuilt(body);
	const input = parseOrRefuse(testCallSchema, body, "call");
	const trunk = await trunkFor(deps, tenant, input.trunk);
	checkCallerId(trunk, input.callerId);
	const value = { number: input.number, ...(input.vars ? { vars: input.vars } : {}) };
	const list = checkRows(ruleOf(trunk), [{ line: 1, value }], 1);
	const [bad] = list.rejected;
	if (bad) {
		throw unprocessable("numberNotAllowed", `The number cannot be dialed: ${bad.reason}.`, [
			{ path: "number", message: bad.reason },
		]);
	}
	return {
		origin: "call",
		purpose: "informational",
		name: `test call to ${input.number}`,
		trunk,
		callerId: input.callerId,
		then: input.then,
		ringTimeoutSec: input.ringTimeoutSec,
		maxCallSec: input.maxCallSec,
		retry: {},
		amd: input.amd,
		list,
	};
};

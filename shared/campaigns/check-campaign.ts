import { type CampaignInput, campaignSchema, NOT_BUILT_FIELDS } from "../contract/campaign.ts";
import { unprocessable } from "../contract/errors.ts";
import type { Trunk } from "../contract/trunk.ts";
import type { Deps } from "../deps.ts";
import type { TrunkItem } from "../store/items.ts";
import { readTrunk } from "../trunks/trunks.ts";
import { parseOrRefuse } from "../validation/details.ts";

/** Fields of the design that are not built yet: 422 that names them, never silently ignored. */
export const refuseNotBuilt = (body: unknown): void => {
	if (typeof body !== "object" || body === null) return;
	const found = NOT_BUILT_FIELDS.filter((field) => Object.hasOwn(body, field));
	if (found.length === 0) return;
	throw unprocessable(
		"notBuilt",
		`Not built yet: ${found.join(", ")}. Leave ${found.length === 1 ? "it" : "them"} out.`,
		found.map((field) => ({ path: field, message: "is not built yet" })),
	);
};

/** The body of `POST /v1/campaigns`; throws 400 or 422 with every mistake. Rows of the list are not looked at. */
export const parseCampaign = (body: unknown): CampaignInput => {
	refuseNotBuilt(body);
	return parseOrRefuse(campaignSchema, body, "campaign");
};

/** The item of the trunk a campaign names; throws 422 where there is none. */
export const trunkItemFor = async (deps: Deps, tenant: string, trunkId: string): Promise<TrunkItem> => {
	const item = await readTrunk(deps, tenant, trunkId);
	if (item) return item;
	throw unprocessable("unknownTrunk", `There is no trunk "${trunkId}". Set it with PUT /v1/trunks/${trunkId}.`, [
		{ path: "trunk", message: "is not known" },
	]);
};

/** The trunk a campaign names; throws 422 where there is none. */
export const trunkFor = async (deps: Deps, tenant: string, trunkId: string): Promise<Trunk> =>
	(await trunkItemFor(deps, tenant, trunkId)).trunk;

/** A caller id must be one of the trunk's; a private trunk takes any digits. Throws 422. */
export const checkCallerId = (trunk: Trunk, callerId: string | undefined): void => {
	if (callerId === undefined || trunk.callerIds.includes(callerId)) return;
	if (trunk.numbering === "private" && /^[0-9]+$/.test(callerId)) return;
	const allowed = trunk.callerIds.length > 0 ? trunk.callerIds.slice(0, 10).join(", ") : "none";
	throw unprocessable(
		"callerIdNotAllowed",
		`Trunk "${trunk.id}" may not show ${callerId}; its caller ids: ${allowed}.`,
		[{ path: "callerId", message: "is not one of the trunk's caller ids" }],
	);
};

/**
 * A deadline as milliseconds since 1970; throws 422 for one that nothing could meet.
 * @param startAt when the campaign begins, where that is set
 */
export const checkDeadline = (deadline: string, startAt: number | undefined, now: number): number => {
	const at = Date.parse(deadline);
	const refuse = (message: string, detail: string): never => {
		throw unprocessable("deadlineNotPossible", message, [{ path: "deadline", message: detail }]);
	};
	if (at <= now) {
		refuse(`The deadline ${deadline} is in the past (it is ${new Date(now).toISOString()} now).`, "is in the past");
	}
	if (startAt !== undefined && at <= startAt) {
		refuse(
			`The deadline ${deadline} is not after startAt, ${new Date(startAt).toISOString()}: there would be no time to dial.`,
			"is not after startAt",
		);
	}
	return at;
};

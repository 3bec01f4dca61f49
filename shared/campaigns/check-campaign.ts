import { type CampaignInput, campaignSchema, NOT_BUILT_FIELDS } from "../contract/campaign.ts";
import { unprocessable } from "../contract/errors.ts";
import type { Trunk } from "../contract/trunk.ts";
import type { Window } from "../contract/window.ts";
import type { Deps } from "../deps.ts";
import { type NumberRule, ruleOfAll } from "../numbers/check.ts";
import { windowProblem } from "../rules/window-problem.ts";
import type { TrunkItem } from "../store/items.ts";
import { readLists } from "../suppression/lists.ts";
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

/**
 * The trunks a campaign names, one at least; throws 422 where one does not exist, or where they do not number alike: then a contact's number would mean something
 * else on each.
 */
export const trunkItemsFor = async (
	deps: Deps,
	tenant: string,
	campaign: { trunk?: string | undefined; trunks?: { id: string }[] | undefined },
): Promise<[TrunkItem, ...TrunkItem[]]> => {
	const [first = campaign.trunk ?? "", ...others] = (campaign.trunks ?? []).map(({ id }) => id);
	const trunks: [TrunkItem, ...TrunkItem[]] = [await trunkItemFor(deps, tenant, first)];
	for (const id of others) trunks.push(await trunkItemFor(deps, tenant, id));
	const other = trunks.findIndex(({ trunk }) => trunk.numbering !== trunks[0].trunk.numbering);
	if (other > 0) {
		throw unprocessable(
			"trunksDiffer",
			`Trunk "${trunks[other]?.trunkId}" has other numbering than "${trunks[0].trunkId}"; a campaign's trunks must number alike.`,
			[{ path: `trunks[${other}].id`, message: "has other numbering than the first" }],
		);
	}
	return trunks;
};

/** As {@link trunkItemsFor}, as the API shows them. */
export const trunksFor = async (
	deps: Deps,
	tenant: string,
	campaign: { trunk?: string | undefined; trunks?: { id: string }[] | undefined },
): Promise<[Trunk, ...Trunk[]]> => {
	const [first, ...others] = await trunkItemsFor(deps, tenant, campaign);
	return [first.trunk, ...others.map(({ trunk }) => trunk)];
};

/** The rule that a campaign's numbers are checked by. Throws 422 where a trunk is gone. */
export const numberRuleFor = async (
	deps: Deps,
	tenant: string,
	campaign: { trunk: string; trunks?: { id: string }[] },
): Promise<NumberRule> => ruleOfAll(await trunksFor(deps, tenant, campaign));

/** Every caller id must be allowed on every trunk of the campaign. Throws 422. */
export const checkCallerIds = (
	trunks: readonly Trunk[],
	wanted: { callerId?: string | undefined; callerIds?: readonly string[] | undefined },
): void => {
	for (const trunk of trunks) {
		checkCallerId(trunk, wanted.callerId);
		for (const callerId of wanted.callerIds ?? []) checkCallerId(trunk, callerId, "callerIds");
	}
};

/** A window must have a zone to be applied in. Throws 422. @param rowHasZone whether every contact has one of its own */
export const checkWindow = (window: Window | undefined, trunks: readonly Trunk[], rowHasZone: boolean): void => {
	const problem = windowProblem(
		window,
		trunks.map(({ numbering }) => numbering),
		rowHasZone,
	);
	if (problem === undefined) return;
	throw unprocessable("windowWithoutZone", `The window ${problem}.`, [{ path: "window.timeZone", message: problem }]);
};

/** A caller id must be one of the trunk's; a private trunk takes any digits. Throws 422. */
export const checkCallerId = (trunk: Trunk, callerId: string | undefined, path = "callerId"): void => {
	if (callerId === undefined || trunk.callerIds.includes(callerId)) return;
	if (trunk.numbering === "private" && /^[0-9]+$/.test(callerId)) return;
	const allowed = trunk.callerIds.length > 0 ? trunk.callerIds.slice(0, 10).join(", ") : "none";
	throw unprocessable(
		"callerIdNotAllowed",
		`Trunk "${trunk.id}" may not show ${callerId}; its caller ids: ${allowed}.`,
		[{ path, message: "is not one of the trunk's caller ids" }],
	);
};

/** Every list that a campaign names must be there: a name that is mistyped would suppress nobody. Throws 422 that names all that are not. */
export const checkSuppressionLists = async (deps: Deps, tenant: string, names: readonly string[]): Promise<void> => {
	if (names.length === 0) return;
	const known = new Set((await readLists(deps, tenant)).map(({ name }) => name));
	const unknown = names.flatMap((name, i) => (known.has(name) ? [] : [{ name, i }]));
	if (unknown.length === 0) return;
	throw unprocessable(
		"unknownSuppressionList",
		`There is no suppression list ${unknown.map(({ name }) => `"${name}"`).join(", ")}. Make one with PUT /v1/suppression/${unknown[0]?.name}.`,
		unknown.map(({ i }) => ({ path: `suppressionLists[${i}]`, message: "is not known" })),
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

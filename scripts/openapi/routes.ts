import type { z } from "zod";
import { uploadSchema } from "../../shared/contacts/uploads.ts";
import { dayBudgetSchema } from "../../shared/contract/budget.ts";
import {
	campaignPatchSchema,
	campaignSchema,
	contactRowSchema,
	testCallSchema,
} from "../../shared/contract/campaign.ts";
import { enrolInstanceSchema, scaleSchema, scheduleSchema } from "../../shared/contract/fleet.ts";
import {
	enrolHostSchema,
	helloRequestSchema,
	hostConfigSchema,
	peekResponseSchema,
	syncRequestSchema,
	syncResponseSchema,
} from "../../shared/contract/host.ts";
import { planSchema } from "../../shared/contract/plan.ts";
import {
	callingPolicySchema,
	optOutSchema,
	suppressedRowSchema,
	suppressionListSchema,
} from "../../shared/contract/suppression.ts";
import { trunkSchema } from "../../shared/contract/trunk.ts";
import { ownPricesSchema } from "../../shared/prices/price-data.ts";

/** A row of a list: its component, and how it stands in NDJSON and in CSV. */
export interface ListRow {
	name: string;
	schema: z.ZodType;
	ndjson: string;
	csv: string;
}
/** In the campaign each row is checked by itself. */
export const CONTACT_ROW: ListRow = {
	name: "Contact",
	schema: contactRowSchema,
	ndjson: "One contact as JSON on each line.",
	csv: "A header with the column number; if wanted id, number_2 to number_5 with kind, kind_2 to kind_5 beside them, time_zone, consent_at and consent_kind. Every other column is a variable, and every column whose name begins with `vars.`.",
};
const SUPPRESSED_ROW: ListRow = {
	name: "SuppressedNumber",
	schema: suppressedRowSchema,
	ndjson: "One number as JSON on each line: a text, or an object with one in `number`.",
	csv: "A header with the column number; nothing else is read.",
};

const PRICE_MISSING = { status: 422, description: "A price is missing or there twice; it is named." };

/** One route of the API as the document describes it. */
export interface DocumentedRoute {
	method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
	/** As in serverless.yml. */
	path: string;
	summary: string;
	/** Whose token is needed. */
	token: "operator" | "host" | "none";
	/** Name of the component and its schema. */
	body?: { name: string; schema: z.ZodType; note?: string };
	/** The body is a list in one of three formats; of what. */
	listBody?: ListRow;
	answers: { status: number; name?: string; schema?: z.ZodType; description: string; csv?: boolean }[];
	/** Takes `Idempotency-Key`. */
	creates?: boolean;
	/** Takes `limit` and `cursor`. */
	paged?: boolean;
	/** Takes `fromLine` and `more`. */
	resumed?: boolean;
}

const HOST_ERRORS = "409: `staleEpoch` (say hello), `seqAhead` (with `expectedSeq`), `seqOld`, `wait`.";

const FORECAST =
	"`forecast`: when it will be done (`finishAt`, or null and `why`), on which `basis` (`measured` or `assumed`), the answer rate, seconds a call, attempts left, " +
	"what it may use and what its deadline needs of channels and calls per second, what is `binding`, and all of it in `words`.";

export const ROUTES: DocumentedRoute[] = [
	{
		method: "POST",
		path: "/v1/campaigns",
		summary: "Creates a campaign, with a list, with contacts of another campaign, or without.",
		token: "operator",
		body: { name: "Campaign", schema: campaignSchema },
		answers: [
			{
				status: 201,
				description: `The campaign's id and state, what became of its list, and its forecast. With \`from\` it is \`importing\`, and its contacts are counted in GET as they come. ${FORECAST} \`warnings\` where the deadline cannot be met within the caps, with what would be needed: the campaign is created all the same.`,
			},
		],
		creates: true,
	},
	{
		method: "GET",
		path: "/v1/campaigns",
		summary: "Lists campaigns, newest first.",
		token: "operator",
		answers: [{ status: 200, description: "`{ items, cursor }`; `cursor` is null on the last page." }],
		paged: true,
	},
	{
		method: "GET",
		path: "/v1/campaigns/{campaignId}",
		summary: "Shows state, counts, outcomes, timing and forecast of a campaign.",
		token: "operator",
		answers: [{ status: 200, description: `The campaign. ${FORECAST} It is null where the campaign is over.` }],
	},
	{
		method: "PATCH",
		path: "/v1/campaigns/{campaignId}",
		summary: "Changes a campaign; in force for the next grant.",
		token: "operator",
		body: { name: "CampaignPatch", schema: campaignPatchSchema },
		answers: [{ status: 200, description: "The campaign as it stands now, with `forecast` and `warnings`." }],
	},
	{
		method: "POST",
		path: "/v1/campaigns/{campaignId}/pause",
		summary: "Stops granting calls; live calls end normally.",
		token: "operator",
		answers: [{ status: 200, description: "The campaign as it stands now." }],
	},
	{
		method: "POST",
		path: "/v1/campaigns/{campaignId}/resume",
		summary: "Goes on after a pause.",
		token: "operator",
		answers: [{ status: 200, description: "The campaign as it stands now." }],
	},
	{
		method: "POST",
		path: "/v1/campaigns/{campaignId}/cancel",
		summary: "Ends a campaign for good; contacts that were not called end as cancelled.",
		token: "operator",
		answers: [{ status: 200, description: "The campaign as it stands now." }],
	},
	{
		method: "GET",
		path: "/v1/campaigns/{campaignId}/explain",
		summary: "Says why a campaign is not dialed, or not faster: its contacts that are not done, counted by reason.",
		token: "operator",
		answers: [
			{
				status: 200,
				description:
					"`{ campaignId, state, at, notDone, main, reasons: [{ reason, contacts, from?, until?, trunk?, detail?, words }], suppressed, usedUp, estimated, lookedAt, hosts: { active, silent, draining, coming, mayDial, freeChannels }, trunks: [{ id, channels: { cap, free, own, others, aside }, cps: { max, now }, down }], words }`. " +
					"`contacts` of all reasons add up to `notDone`, the counters' total less done. `main` is the reason that counts most (null: nothing is left), `words` says it in a sentence with what to do. " +
					"`suppressed` (by reason) and `usedUp` (by last outcome) are contacts that are done. `estimated`: the list is too long to be read, and what was looked at (`lookedAt`) stands for the rest. " +
					"A reading takes up to 512 read units for contacts, 1,000 more where few of a long list are left: not to be asked for more often than every 10 s.",
			},
		],
	},
	{
		method: "GET",
		path: "/v1/campaigns/{campaignId}/calls",
		summary: "Lists call records; `Accept: text/csv` gives CSV.",
		token: "operator",
		answers: [{ status: 200, description: "`{ items, cursor }`, or CSV.", csv: true }],
		paged: true,
	},
	{
		method: "POST",
		path: "/v1/campaigns/{campaignId}/contacts",
		summary: "Adds contacts; those the campaign has already are left as they are.",
		token: "operator",
		listBody: CONTACT_ROW,
		answers: [
			{ status: 201, description: "Stored: accepted, duplicates, and rejected rows with line and reason." },
			{ status: 202, description: "Checked, and being stored in the background; figures as in 201." },
		],
		creates: true,
	},
	{
		method: "POST",
		path: "/v1/campaigns/{campaignId}/uploads",
		summary: "Asks for a form by which a long list is uploaded.",
		token: "operator",
		body: { name: "Upload", schema: uploadSchema },
		answers: [{ status: 201, description: "`{ uploadId, uploadUrl, fields }`: POST the fields and the file there." }],
		creates: true,
	},
	{
		method: "POST",
		path: "/v1/campaigns/{campaignId}/uploads/{uploadId}/complete",
		summary: "Starts the import of an uploaded list.",
		token: "operator",
		answers: [{ status: 202, description: "The import." }],
	},
	{
		method: "POST",
		path: "/v1/calls",
		summary: "Places one test call, by the rules of a campaign.",
		token: "operator",
		body: { name: "TestCall", schema: testCallSchema },
		answers: [{ status: 201, description: "The campaign of one contact that carries the call." }],
		creates: true,
	},
	{
		method: "PUT",
		path: "/v1/trunks/{trunkId}",
		summary: "Creates or replaces a trunk.",
		token: "operator",
		body: { name: "Trunk", schema: trunkSchema },
		answers: [
			{ status: 200, description: "The trunk, replaced." },
			{ status: 201, description: "The trunk, new." },
		],
	},
	{
		method: "GET",
		path: "/v1/trunks",
		summary: "Lists trunks.",
		token: "operator",
		answers: [{ status: 200, description: "`{ items, cursor }`." }],
	},
	{
		method: "GET",
		path: "/v1/suppression",
		summary: "Lists the suppression lists (do-not-call lists), with their age.",
		token: "operator",
		answers: [
			{
				status: 200,
				description: "`{ items: [{ name, scope, kind, maxAgeDays, count, updatedAt, ageDays, stale }], cursor }`.",
			},
		],
	},
	{
		method: "PUT",
		path: "/v1/suppression/{list}",
		summary: "Creates a suppression list, or changes for whom it is in force; its numbers stay.",
		token: "operator",
		body: { name: "SuppressionList", schema: suppressionListSchema },
		answers: [
			{ status: 200, description: "The list, changed." },
			{ status: 201, description: "The list, new and empty." },
		],
	},
	{
		method: "DELETE",
		path: "/v1/suppression/{list}",
		summary: "Deletes a suppression list: it binds nobody any more. Not `opt-outs`.",
		token: "operator",
		answers: [{ status: 200, description: "What it was." }],
	},
	{
		method: "POST",
		path: "/v1/suppression/{list}/numbers",
		summary: "Adds numbers; those the list has already are left as they are. May be repeated at will.",
		token: "operator",
		listBody: SUPPRESSED_ROW,
		answers: [
			{
				status: 200,
				description:
					"`{ added, already, privateNumbers, rejected: [{ line, number, reason }], rejectedCount, complete }`. A long list may need more time than a request has: where `complete` is false, send the same body again with `fromLine` = `nextLine`.",
			},
		],
		resumed: true,
	},
	{
		method: "DELETE",
		path: "/v1/suppression/{list}/numbers/{number}",
		summary: "Takes a number off a list.",
		token: "operator",
		answers: [{ status: 200, description: "`{ list, number, since }`: what it was." }],
	},
	{
		method: "GET",
		path: "/v1/suppression/numbers/{number}",
		summary: "Why a number is not called: the lists it is on, and the recent calls to it.",
		token: "operator",
		answers: [
			{
				status: 200,
				description:
					"`{ number, lists: [{ list, scope, since, addedBy }], staleLists, calls: [time], waitUntil }`; the newest call first.",
			},
		],
	},
	{
		method: "POST",
		path: "/v1/opt-outs",
		summary: "Nobody calls the number again, from the next grant on. May be repeated at will.",
		token: "operator",
		body: { name: "OptOut", schema: optOutSchema },
		answers: [
			{ status: 200, description: "It had opted out already: `{ number, list, since, already }`." },
			{ status: 201, description: "`{ number, list, since, already }`." },
		],
	},
	{
		method: "GET",
		path: "/v1/calling-policy",
		summary: "What holds for the calls of every campaign.",
		token: "operator",
		answers: [{ status: 200, description: "The policy.", name: "CallingPolicy", schema: callingPolicySchema }],
	},
	{
		method: "PUT",
		path: "/v1/calling-policy",
		summary: "Replaces what holds for the calls of every campaign; in force within 10 s.",
		token: "operator",
		body: { name: "CallingPolicy", schema: callingPolicySchema },
		answers: [{ status: 200, description: "The policy." }],
	},
	{
		method: "POST",
		path: "/v1/hosts",
		summary: "Enrols a steady host; its token is shown once.",
		token: "operator",
		body: { name: "EnrolHost", schema: enrolHostSchema },
		answers: [{ status: 201, description: "`{ hostId, token }`." }],
		creates: true,
	},
	{
		method: "POST",
		path: "/v1/hosts/enrol",
		summary: "Enrols a burst host by its instance's signed identity document; once for each start, within 10 minutes.",
		token: "none",
		body: { name: "EnrolInstance", schema: enrolInstanceSchema },
		answers: [
			{
				status: 201,
				description:
					"`{ hostId, token }`, and `publicAddress` where carriers know the host by an Elastic IP. 403 `identityRefused`, `tooLate` or `enrolledTwice` is final; 409 `wait` may pass.",
			},
		],
	},
	{
		method: "GET",
		path: "/v1/hosts",
		summary: "Lists hosts.",
		token: "operator",
		answers: [{ status: 200, description: "`{ items, cursor }`." }],
	},
	{
		method: "POST",
		path: "/v1/hosts/{hostId}/drain",
		summary: "Grants a host nothing more; its live calls end normally.",
		token: "operator",
		answers: [{ status: 200, description: "The host." }],
	},
	{
		method: "POST",
		path: "/v1/hosts/{hostId}/undrain",
		summary: "Lets a drained host dial again.",
		token: "operator",
		answers: [{ status: 200, description: "The host." }],
	},
	{
		method: "GET",
		path: "/v1/ledger",
		summary: "What the last 31 days cost, the latest first, US dollars.",
		token: "operator",
		answers: [{ status: 200, description: "`{ items: [{ day, usd }], cursor }`." }, PRICE_MISSING],
	},
	{
		method: "GET",
		path: "/v1/ledger/{day}",
		summary:
			"A day's ledger: each kind of cost with its quantity, and what each campaign has of it. Days are UTC, as AWS bills; `today` is the one that has begun.",
		token: "operator",
		answers: [
			{ status: 200, description: "`{ day, until, usd, lines, campaigns, notCounted }`." },
			{ status: 400, description: "It is no day, or one that has not begun." },
			PRICE_MISSING,
		],
	},
	{
		method: "GET",
		path: "/v1/fleet",
		summary:
			"Capacity, live channels and granted channels, by tier and by host; what the last decision about burst hosts was, and why.",
		token: "operator",
		answers: [
			{
				status: 200,
				description:
					"The fleet; `burst` is about the burst hosts. `burst.decision.marginal` is the host at the margin, null where no contact is due: `choice` (`start`, or `wait`: done later), `why`, `channels` without it, `workSec` at full load, `overheadSec`, `usdPerHour`, `usd` with its work, `usdRunning` for the same work on hosts that run, `usdOverhead` and `usdOverheadAllowed`, `doneAt` with it, `doneAtWithout` (null: never), `soonerSec`.",
			},
		],
	},
	{
		method: "POST",
		path: "/v1/fleet/scale",
		summary: "Keeps at least so many burst hosts until a moment; 0 takes it back. A later call replaces it.",
		token: "operator",
		body: { name: "Scale", schema: scaleSchema },
		answers: [{ status: 200, description: "`{ min, until }`, and `note` where a limit of the fleet is lower." }],
	},
	{
		method: "GET",
		path: "/v1/budget",
		summary: "The budget of a day (UTC) for all campaigns together, and how it stood at the last look.",
		token: "operator",
		answers: [
			{ status: 200, description: "`{ usdPerDay, atLimit, level, spentTodayUsd, reservedUsd, checkedAt }`." },
			{ status: 404, description: "None is set." },
		],
	},
	{
		method: "PUT",
		path: "/v1/budget",
		summary:
			"Sets the budget of a day for all campaigns, or replaces it. What is committed already is reserved before the limit is tested.",
		token: "operator",
		body: { name: "DayBudget", schema: dayBudgetSchema },
		answers: [{ status: 200, description: "As GET." }],
	},
	{
		method: "DELETE",
		path: "/v1/budget",
		summary: "Takes the budget of the day away; campaigns that it paused go on.",
		token: "operator",
		answers: [
			{ status: 200, description: "As it was." },
			{ status: 404, description: "None is set." },
		],
	},
	{
		method: "GET",
		path: "/v1/fleet/schedules",
		summary: "Lists schedules, and whether each is in force.",
		token: "operator",
		answers: [{ status: 200, description: "`{ items, cursor }`." }],
	},
	{
		method: "GET",
		path: "/v1/fleet/schedules/{name}",
		summary: "Shows a schedule.",
		token: "operator",
		answers: [{ status: 200, description: "The schedule, with `inForce` and `nextEdgeAt`." }],
	},
	{
		method: "PUT",
		path: "/v1/fleet/schedules/{name}",
		summary: "Creates or replaces a schedule: at least so many burst hosts between two local times.",
		token: "operator",
		body: { name: "Schedule", schema: scheduleSchema },
		answers: [
			{ status: 200, description: "The schedule, replaced." },
			{ status: 201, description: "The schedule, new." },
		],
	},
	{
		method: "DELETE",
		path: "/v1/fleet/schedules/{name}",
		summary: "Removes a schedule.",
		token: "operator",
		answers: [{ status: 200, description: "What it was." }],
	},
	{
		method: "POST",
		path: "/v1/hosts/{hostId}/hello",
		summary: "Asks for an epoch.",
		token: "host",
		body: { name: "HelloRequest", schema: helloRequestSchema },
		answers: [{ status: 200, description: `\`{ epoch, now, configVersion }\`. ${HOST_ERRORS}` }],
	},
	{
		method: "POST",
		path: "/v1/hosts/{hostId}/sync",
		summary: "Reports outcomes, gets calls, slots and shares.",
		token: "host",
		body: { name: "SyncRequest", schema: syncRequestSchema },
		answers: [{ status: 200, name: "SyncResponse", schema: syncResponseSchema, description: HOST_ERRORS }],
	},
	{
		method: "GET",
		path: "/v1/hosts/{hostId}/peek",
		summary: "Says to an idle host whether a sync would bring calls.",
		token: "host",
		answers: [{ status: 200, name: "PeekResponse", schema: peekResponseSchema, description: HOST_ERRORS }],
	},
	{
		method: "GET",
		path: "/v1/hosts/{hostId}/config",
		summary: "What a host needs to know: capacity, trunks, times.",
		token: "host",
		answers: [{ status: 200, name: "HostConfig", schema: hostConfigSchema, description: "The configuration." }],
	},
	{
		method: "POST",
		path: "/v1/plan",
		summary: "Counts channels, hosts and cost beforehand, as `burst-dialer plan` does; nothing is stored.",
		token: "operator",
		body: { name: "Plan", schema: planSchema },
		answers: [
			{
				status: 200,
				description:
					"By `kind`, US dollars to a millionth. hosts: `{ hosts }`. table: `{ perDay, perMonth, perYear }`, with `today` also `{ today: { type, region, billing, instanceUsdPerHour, ipv4UsdPerHour, paidHoursPerDay, perDay, perMonth, perYear } }`. " +
					"campaign: `{ attempts, answered, holdSec, cps, erlangs, channels, hosts, hostHours, egressGb, egressUsd, egressUsdMarginal, hostUsd, ipv4Usd, controlPlaneUsd, carrierUsd, totalUsd }`. " +
					"split: `{ billing, profile, best, strategies, splits, breakEven, rule, sensitivity }`. Where something was priced: `prices` that counted, each with day and source, and `warnings` of those that are old, of no known day or not verified. " +
					"422: `badPlan` with every mistake; `price` where a price is missing, negative, in another currency or there twice; `tooManyHosts` beyond 500 hosts at the peak; `tooMuchLoad`, `noCallTime`, `ownedPriceMissing`.",
			},
		],
	},
	{
		method: "PUT",
		path: "/v1/prices",
		summary: "Replaces your own prices; plans count with them instead of the shipped ones.",
		token: "operator",
		body: { name: "OwnPrices", schema: ownPricesSchema },
		answers: [{ status: 200, description: "The prices as they are stored. 422 `price` with every mistake." }],
	},
	{
		method: "GET",
		path: "/v1/prices",
		summary: "Your own prices; 404 where none are stored.",
		token: "operator",
		answers: [{ status: 200, description: "The prices, as they may be put again.", name: "OwnPrices" }],
	},
	{
		method: "GET",
		path: "/v1/health",
		summary: "Says whether the control plane is up.",
		token: "none",
		answers: [{ status: 200, description: "`{ status, now }`." }],
	},
];

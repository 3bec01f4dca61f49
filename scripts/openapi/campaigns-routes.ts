import { uploadSchema } from "../../shared/contacts/uploads.ts";
import { campaignPatchSchema, campaignSchema, testCallSchema } from "../../shared/contract/campaign.ts";
import { trunkSchema } from "../../shared/contract/trunk.ts";
import { CONTACT_ROW, type DocumentedRoute } from "./documented-route.ts";

/** Campaigns, their contacts and calls, and trunks. */

const FORECAST =
	"`forecast`: when it will be done (`finishAt`, or null and `why`), on which `basis` (`measured` or `assumed`), the answer rate, seconds a call, attempts left, " +
	"what it may use and what its deadline needs of channels and calls per second, what is `binding`, and all of it in `words`.";

const COST =
	"`cost`: US dollars so far (`usd`), of an attempt, of an answered call, and at completion (`forecastUsd`, null before 50 attempts have ended), by `items`; `notCounted` has no price. It is null where a price " +
	"is missing, and `costProblem` says which. `budget` has its limits with how they stood at the last look; null where there is none. `pausedBy`: the budget that paused it.";

export const CAMPAIGNS_ROUTES: readonly DocumentedRoute[] = [
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
		summary: "Shows state, counts, outcomes, timing, cost and forecast of a campaign.",
		token: "operator",
		answers: [
			{
				status: 200,
				description: `The campaign. ${FORECAST} It is null where the campaign is over. ${COST}`,
			},
		],
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
];

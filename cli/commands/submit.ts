import { type Command, Option } from "commander";
import { MAX_BODY_BYTES } from "../../shared/contract/campaign.ts";
import type { Outcome } from "../../shared/contract/outcome.ts";
import type { ApiClient } from "../client.ts";
import { Context, shellWord } from "../context.ts";
import { describeContacts, describeCourse } from "../describe.ts";
import { CliError, EXIT_OK, usageError, withContext } from "../errors.ts";
import { type ContactList, LIST_TYPES, nameOf, openContactList, readJsonObject } from "../files.ts";
import { count } from "../format.ts";
import type { Io } from "../io.ts";
import { outcomeNames } from "../options.ts";
import { campaignPath } from "../paths.ts";
import { repeatable } from "../repeat.ts";
import {
	type ContactsResult,
	type Course,
	campaignSchema,
	contactsResultSchema,
	createdCampaignSchema,
	uploadSchema,
} from "../views.ts";
import { watchAndShow } from "../watch.ts";

/** Statuses by which a list itself is refused. */
const LIST_REFUSED = [400, 409, 413, 422];

/** Sends a list: small ones in one request, larger ones through storage. Every step can be repeated with the same key. */
const sendContacts = async (
	client: ApiClient,
	campaignId: string,
	list: ContactList,
	key: string,
): Promise<ContactsResult> => {
	if (list.bytes <= MAX_BODY_BYTES) {
		return client.json(contactsResultSchema, "POST", campaignPath(campaignId, "/contacts"), {
			body: { bytes: new Uint8Array(await list.blob.arrayBuffer()), contentType: LIST_TYPES[list.format] },
			idempotencyKey: `${key}-contacts`,
		});
	}
	const upload = await client.json(uploadSchema, "POST", campaignPath(campaignId, "/uploads"), {
		body: { json: { bytes: list.bytes, sha256: await list.sha256(), format: list.format } },
		idempotencyKey: `${key}-upload`,
	});
	await client.upload(upload.uploadUrl, upload.fields, list.blob);
	return client.json(
		contactsResultSchema,
		"POST",
		campaignPath(campaignId, `/uploads/${encodeURIComponent(upload.uploadId)}/complete`),
		{ body: { json: {} }, idempotencyKey: `${key}-complete` },
	);
};

/** When the campaign will be done now that it has its list. It was accepted: where that cannot be read, it is only not told. */
const courseOf = async (context: Context, client: ApiClient, campaignId: string): Promise<Course> => {
	try {
		const { forecast, warnings } = await client.json(campaignSchema, "GET", campaignPath(campaignId));
		return { forecast, ...(warnings ? { warnings } : {}) };
	} catch (error) {
		if (!(error instanceof CliError)) throw error;
		context.note(`When it will be done could not be read (${error.message}); later: campaign show ${campaignId}.`);
		return {};
	}
};

interface ListOptions {
	format?: string;
	key?: string;
	watch?: boolean;
}

interface SubmitOptions extends ListOptions {
	contacts?: string;
	from?: string;
	outcomes?: Outcome[];
}

/** The campaign of the file, with the other campaign whose contacts it is to call, if one was named. */
const readCampaign = async (io: Io, file: string, { from, outcomes, contacts }: SubmitOptions) => {
	if ((from === undefined) !== (outcomes === undefined)) {
		throw usageError(
			"--from and --outcomes go together: whose contacts, and those that ended how.",
			"give both, as in --from 01k9x0d7w3a8c2mf --outcomes busy,noAnswer",
		);
	}
	if (from !== undefined && contacts !== undefined) {
		throw usageError(
			"--from and --contacts exclude each other.",
			"submit with --from, and add the list with `campaign add`",
		);
	}
	const campaign = await readJsonObject(io, file);
	if (from === undefined) return campaign;
	const twice = ["from", "contacts"].find((field) => campaign[field] !== undefined);
	if (twice) throw usageError(`${nameOf(file)} has ${twice} and --from names a campaign: one of them, please.`);
	return { ...campaign, from: { campaignId: from, outcomes } };
};

const submit = async (context: Context, file: string, options: SubmitOptions): Promise<number> => {
	if (file === "-" && options.contacts === "-") {
		throw usageError("FILE and --contacts cannot both come from standard input.");
	}
	const { io } = context;
	const campaign = await readCampaign(io, file, options);
	const other = ["contacts", "from"].find((field) => campaign[field] !== undefined);
	if (other && options.contacts !== undefined) {
		// With two lists the campaign could be complete before the second one arrives.
		throw usageError(
			`${nameOf(file)} has ${other} and --contacts names a list: one of them, please.`,
			`take \`${other}\` out of the file, or submit it alone and add the list with \`campaign add\``,
		);
	}
	const list = options.contacts === undefined ? undefined : await openContactList(io, options.contacts, options.format);
	const client = await context.client();
	const key = options.key ?? io.newKey();
	return repeatable(context, key, async () => {
		const created = await client
			.json(createdCampaignSchema, "POST", "/v1/campaigns", { body: { json: campaign }, idempotencyKey: key })
			.catch((error: unknown) => {
				throw error instanceof CliError && error.status && error.details.length > 0
					? withContext(error, { where: `${nameOf(file)}, sent to ${error.where}` })
					: error;
			});
		// Where a list or another campaign's contacts follow, the campaign's own answer speaks of an empty list.
		const isRecycled = campaign["from"] !== undefined;
		const parts: ContactsResult[] = created.contacts && !list && !isRecycled ? [created.contacts] : [];
		if (!context.json) {
			context.note(`Campaign ${created.campaignId} is ${created.state}.`);
			if (isRecycled) context.note("Its contacts are being taken from the other campaign; progress: campaign show.");
		}
		if (list) {
			const added = await sendContacts(client, created.campaignId, list, key).catch((error: unknown) => {
				throw error instanceof CliError && LIST_REFUSED.includes(error.status ?? 0)
					? withContext(error, {
							where: `${list.name}, for campaign ${created.campaignId}, which exists without this list`,
							remedy: `mend the list and add it: burst-dialer campaign add ${created.campaignId} ${shellWord(list.name)}`,
						})
					: error;
			});
			parts.push(added);
		}
		for (const part of parts) if (!context.json) context.note(describeContacts(part));
		// The campaign's own answer could say nothing of a list that followed.
		const course = list && !options.watch ? await courseOf(context, client, created.campaignId) : created;
		const document: Record<string, unknown> = {
			...created,
			...(parts.length > 0 ? { contacts: parts.at(-1) } : {}),
			...(list ? { forecast: course.forecast, warnings: course.warnings } : {}),
		};
		if (!options.watch) {
			const said = describeCourse(course);
			if (said && !context.json) context.note(said);
			context.result(document, `Follow it with: burst-dialer campaign show ${created.campaignId} --watch`);
			return EXIT_OK;
		}
		return watchAndShow(context, client, created.campaignId, document);
	});
};

/** `burst-dialer campaign submit` and `campaign add`. */
export const addSubmitCommands = (campaign: Command, io: Io, setExit: (code: number) => void): void => {
	const listFormat = (): Option =>
		new Option("--format <format>", "format of the list where its ending does not say it").choices(
			Object.keys(LIST_TYPES),
		);
	const keyOption = (): Option =>
		new Option("--key <key>", "Idempotency-Key of a command that is repeated, as its error message said");

	campaign
		.command("submit")
		.argument("<file>", "the campaign as JSON; - for standard input")
		.description("create a campaign, with its list, and start dialing")
		.option("--contacts <list>", "list of contacts: .csv (column number; id and vars optional), .ndjson or .json")
		.addOption(listFormat())
		.option("--from <campaign>", "instead of a list: contacts of that campaign, with --outcomes")
		.option("--outcomes <names>", "those that ended so, as in busy,noAnswer", outcomeNames)
		.option("--watch", "show progress until the campaign ends")
		.addOption(keyOption())
		.addHelpText(
			"after",
			`
The smallest campaign file:
  { "name": "storm warning", "trunk": "carrier-a", "then": { "play": "storm-warning" } }

One that says more; all of it but name, trunk and then may be left out:
  { "name": "storm warning", "purpose": "informational",
    "trunks": [{ "id": "carrier-a", "weight": 3 }, { "id": "carrier-b", "weight": 1 }],
    "callerIds": ["+12025550100", "+12125550100"],
    "then": { "context": "burst-survey", "extension": "s" },
    "window": { "from": "08:00", "to": "20:00", "days": [1, 2, 3, 4, 5], "timeZone": "America/New_York" },
    "maxChannels": 60, "maxCps": 5, "priority": 10,
    "retry": { "busy": { "afterSec": 300, "max": 3, "growth": 2 }, "noAnswer": { "afterSec": 3600, "max": 1 } },
    "calleeLimit": { "max": 3, "perHours": 24, "minGapSec": 3600 }, "suppressionLists": ["customers-of-b"],
    "amd": { "enabled": true, "onMachine": "continue" },
    "startAt": "2026-12-01T14:00:00Z", "deadline": "2026-12-01T22:00:00Z" }

What happens with an answered call ("then"):
  { "play": "storm-warning" }                       a sound file of the host
  { "context": "burst-survey", "extension": "s" }   a context of the host's own dialplan
  { "wait": 60 }                                    silence, at most so many seconds

Without "purpose" it is marketing: calling hours, limits and do-not-call lists of marketing hold. All fields: the README.

Lists may have up to 256 MB; over ${count(MAX_BODY_BYTES / 1_000_000)} MB they go through storage and are imported in the background.

Examples:
  $ burst-dialer campaign submit storm.json --contacts people.csv --watch
  $ burst-dialer campaign submit again.json --from 01k9x0d7w3a8c2mf --outcomes busy,noAnswer
  $ jq '.name = "again"' storm.json | burst-dialer campaign submit - --contacts people.csv
  $ burst-dialer campaign submit storm.json --json | jq -r .campaignId`,
		)
		.action(async (file: string, options: SubmitOptions, command: Command) => {
			setExit(await submit(new Context(io, command), file, options));
		});

	campaign
		.command("add")
		.argument("<campaign>", "campaignId")
		.argument("<list>", "list of contacts: .csv, .ndjson or .json; - for standard input")
		.description("add contacts to a campaign; those it has already are left as they are")
		.addOption(listFormat())
		.addOption(keyOption())
		.addHelpText("after", "\nExample:\n  $ burst-dialer campaign add 01k9x0d7w3a8c2mf more.csv")
		.action(async (campaignId: string, file: string, options: ListOptions, command: Command) => {
			const context = new Context(io, command);
			const contacts = await openContactList(io, file, options.format);
			const client = await context.client();
			const key = options.key ?? io.newKey();
			const result = await repeatable(context, key, () => sendContacts(client, campaignId, contacts, key));
			context.result(result, describeContacts(result));
		});
};

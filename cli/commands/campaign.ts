import { type Command, Option } from "commander";
import type { ZodType } from "zod";
import { MAX_BODY_BYTES } from "../../shared/contract/campaign.ts";
import type { ApiClient } from "../client.ts";
import { Context, shellWord } from "../context.ts";
import { describeCalls, describeCampaign, describeContacts } from "../describe.ts";
import { CliError, EXIT_OK, usageError, withContext } from "../errors.ts";
import { type ContactList, LIST_TYPES, nameOf, openContactList, readJsonObject } from "../files.ts";
import { count, instant, table } from "../format.ts";
import type { Io } from "../io.ts";
import { type RetryRules, retryRule, wholeNumber } from "../options.ts";
import { campaignPath } from "../paths.ts";
import { repeatable } from "../repeat.ts";
import {
	type CallRecord,
	type ContactsResult,
	callRecordSchema,
	campaignSchema,
	campaignSummarySchema,
	contactsResultSchema,
	createdCampaignSchema,
	pageSchema,
	stateSchema,
	uploadSchema,
} from "../views.ts";
import { watchCampaign } from "../watch.ts";

/** Items shown by default where a list is long. */
const DEFAULT_LIMIT = 20;
/** Items asked for in one page. */
const PAGE_ITEMS = 500;
/** Statuses by which a list itself is refused. */
const LIST_REFUSED = [400, 409, 413, 422];

type SetExit = (code: number) => void;

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

interface ListOptions {
	format?: string;
	key?: string;
	watch?: boolean;
}

const submit = async (
	context: Context,
	file: string,
	options: ListOptions & { contacts?: string },
): Promise<number> => {
	if (file === "-" && options.contacts === "-") {
		throw usageError("FILE and --contacts cannot both come from standard input.");
	}
	const { io } = context;
	const campaign = await readJsonObject(io, file);
	if (campaign["contacts"] !== undefined && options.contacts !== undefined) {
		// With two lists the campaign could be complete before the second one arrives.
		throw usageError(
			`${nameOf(file)} has contacts and --contacts names a list: one of them, please.`,
			"take `contacts` out of the file, or submit it alone and add the list with `campaign add`",
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
		// Where a list follows, the campaign's own answer speaks of an empty one.
		const parts: ContactsResult[] = created.contacts && !list ? [created.contacts] : [];
		if (!context.json) context.note(`Campaign ${created.campaignId} is ${created.state}.`);
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
		const document: Record<string, unknown> = { ...created, ...(parts.length > 0 ? { contacts: parts.at(-1) } : {}) };
		if (!options.watch) {
			context.result(document, `Follow it with: burst-dialer campaign show ${created.campaignId} --watch`);
			return EXIT_OK;
		}
		return watchAndShow(context, client, created.campaignId, document);
	});
};

/** Watches, then shows the campaign; with `--json` the document has it as `campaign`. */
const watchAndShow = async (
	context: Context,
	client: ApiClient,
	campaignId: string,
	document?: Record<string, unknown>,
): Promise<number> => {
	const { campaign, exitCode } = await watchCampaign(context, client, campaignId);
	const shown = campaign ?? null;
	context.result(
		document ? { ...document, campaign: shown } : shown,
		campaign && exitCode !== 130 ? `\n${describeCampaign(campaign, context.io.now())}` : "",
	);
	return exitCode;
};

/** All items of a paged list, or the first `limit`. */
const pages = async <T>(
	client: ApiClient,
	item: ZodType<T>,
	at: string,
	limit: number,
	cursor?: string,
): Promise<{ items: T[]; cursor: string | null }> => {
	const items: T[] = [];
	let next: string | null | undefined = cursor;
	do {
		const query = new URLSearchParams({ limit: String(Math.min(PAGE_ITEMS, limit - items.length)) });
		if (next) query.set("cursor", next);
		const page: { items: T[]; cursor?: string | null | undefined } = await client.json(
			pageSchema(item),
			"GET",
			`${at}?${query}`,
		);
		items.push(...page.items);
		next = page.cursor;
	} while (next && items.length < limit);
	return { items, cursor: next ?? null };
};

const list = async (context: Context, options: { limit: number; all?: boolean }): Promise<void> => {
	const client = await context.client();
	const limit = options.all ? Number.MAX_SAFE_INTEGER : options.limit;
	const page = await pages(client, campaignSummarySchema, "/v1/campaigns", limit);
	const rows = page.items.map((item) => [
		item.campaignId,
		item.state,
		item.trunk,
		instant(item.createdAt),
		instant(item.startedAt),
		instant(item.finishedAt),
		item.name,
	]);
	context.result(
		page,
		page.items.length === 0
			? "There is no campaign yet."
			: table(["campaign", "state", "trunk", "created", "started", "finished", "name"], rows) +
					(page.cursor ? "\n(there are more: --limit N or --all)" : ""),
	);
};

/** Calls as CSV, page by page as it comes, so that a million records need no memory; the header once. */
const writeCallsCsv = async (context: Context, client: ApiClient, campaignId: string): Promise<void> => {
	let cursor: string | null = null;
	let first = true;
	do {
		const query = new URLSearchParams({ limit: String(PAGE_ITEMS), ...(cursor ? { cursor } : {}) });
		const answer = await client.request("GET", campaignPath(campaignId, `/calls?${query}`), { accept: "text/csv" });
		const text = first ? answer.text : answer.text.slice(answer.text.indexOf("\n") + 1);
		context.io.out.write(text);
		first = false;
		cursor = answer.headers.get("x-next-cursor");
	} while (cursor);
};

const calls = async (
	context: Context,
	campaignId: string,
	options: { csv?: boolean; limit: number; all?: boolean },
): Promise<void> => {
	if (options.csv && context.json) throw usageError("--csv and --json exclude each other.");
	const client = await context.client();
	if (options.csv) return writeCallsCsv(context, client, campaignId);
	const limit = options.all ? Number.MAX_SAFE_INTEGER : options.limit;
	const page = await pages<CallRecord>(client, callRecordSchema, campaignPath(campaignId, "/calls"), limit);
	context.result(
		page,
		page.items.length === 0
			? "No call has been placed yet."
			: describeCalls(page.items) + (page.cursor ? "\n(there are more: --limit N, --all or --csv)" : ""),
	);
};

interface SetOptions {
	maxChannels?: number;
	callerId?: string;
	name?: string;
	retry?: RetryRules;
}

const set = async (context: Context, campaignId: string, options: SetOptions): Promise<void> => {
	const patch = {
		...(options.maxChannels === undefined ? {} : { maxChannels: options.maxChannels }),
		...(options.callerId === undefined ? {} : { callerId: options.callerId }),
		...(options.name === undefined ? {} : { name: options.name }),
		...(options.retry === undefined ? {} : { retry: options.retry }),
	};
	if (Object.keys(patch).length === 0) {
		throw usageError("Nothing to change was given.", "give --max-channels, --caller-id, --name or --retry");
	}
	const client = await context.client();
	const answer = await client.json(stateSchema, "PATCH", campaignPath(campaignId), { body: { json: patch } });
	context.result(answer, `Campaign ${campaignId} is changed; in force for the next calls that are granted.`);
};

const STEPS = {
	pause: {
		summary: "stop granting calls; live calls end normally",
		done: "is paused. Nothing more is dialed within 3 s; live calls end normally.",
		help: "Calls that were granted and not dialed yet are taken back and dialed after `resume`.",
	},
	resume: {
		summary: "go on after a pause",
		done: "goes on.",
		help: "Contacts that were done stay done; the others are dialed as if there had been no pause.",
	},
	cancel: {
		summary: "end a campaign for good",
		done: "is cancelled. Live calls end normally; all other contacts end as cancelled.",
		help: "This cannot be undone. To stop for a while use `pause`.",
	},
} as const;

/** `burst-dialer campaign …` */
export const addCampaignCommands = (program: Command, io: Io, setExit: SetExit): void => {
	const campaign = program.command("campaign").description("submit, watch and steer campaigns");
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
		.option("--watch", "show progress until the campaign ends")
		.addOption(keyOption())
		.addHelpText(
			"after",
			`
The smallest campaign file:
  { "name": "storm warning", "trunk": "carrier-a", "then": { "play": "storm-warning" } }

What happens with an answered call ("then"):
  { "play": "storm-warning" }                       a sound file of the host
  { "context": "burst-survey", "extension": "s" }   a context of the host's own dialplan
  { "wait": 60 }                                    silence, at most so many seconds

Lists may have up to 256 MB; over ${count(MAX_BODY_BYTES / 1_000_000)} MB they go through storage and are imported in the background.

Examples:
  $ burst-dialer campaign submit storm.json --contacts people.csv --watch
  $ jq '.name = "again"' storm.json | burst-dialer campaign submit - --contacts people.csv
  $ burst-dialer campaign submit storm.json --json | jq -r .campaignId`,
		)
		.action(async (file: string, options: ListOptions & { contacts?: string }, command: Command) => {
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

	campaign
		.command("list")
		.description("campaigns, newest first")
		.option("--limit <n>", "at most so many", wholeNumber(1), DEFAULT_LIMIT)
		.option("--all", "all of them")
		.addHelpText(
			"after",
			"\nExample:\n  $ burst-dialer campaign list --json | jq -r '.items[] | select(.state==\"running\").campaignId'",
		)
		.action(async (options: { limit: number; all?: boolean }, command: Command) => {
			await list(new Context(io, command), options);
		});

	campaign
		.command("show")
		.argument("<campaign>", "campaignId")
		.description("state, counts and outcomes of a campaign")
		.option("--watch", "show progress until it ends")
		.addHelpText("after", "\nExample:\n  $ burst-dialer campaign show 01k9x0d7w3a8c2mf --watch")
		.action(async (campaignId: string, options: { watch?: boolean }, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			if (options.watch) return setExit(await watchAndShow(context, client, campaignId));
			const view = await client.json(campaignSchema, "GET", campaignPath(campaignId));
			context.result(view, describeCampaign(view, io.now()));
		});

	campaign
		.command("set")
		.argument("<campaign>", "campaignId")
		.description("change a campaign while it runs")
		.option("--max-channels <n>", "most channels at once", wholeNumber(1))
		.option("--caller-id <number>", "caller id, one of the trunk's")
		.option("--name <name>", "its name")
		.option("--retry <rule>", "OUTCOME=SECONDSxTIMES, repeatable, replaces all rules; none: no retries", retryRule)
		.addHelpText(
			"after",
			"\nExamples:\n  $ burst-dialer campaign set 01k9x0d7w3a8c2mf --max-channels 30\n  $ burst-dialer campaign set 01k9x0d7w3a8c2mf --retry busy=300x2 --retry noAnswer=3600x1",
		)
		.action(async (campaignId: string, options: SetOptions, command: Command) => {
			await set(new Context(io, command), campaignId, options);
		});

	for (const [step, words] of Object.entries(STEPS)) {
		campaign
			.command(step)
			.argument("<campaign>", "campaignId")
			.description(words.summary)
			.addHelpText("after", `\n${words.help}\n\nExample:\n  $ burst-dialer campaign ${step} 01k9x0d7w3a8c2mf`)
			.action(async (campaignId: string, _options: unknown, command: Command) => {
				const context = new Context(io, command);
				const client = await context.client();
				const answer = await client.json(stateSchema, "POST", campaignPath(campaignId, `/${step}`));
				context.result(answer, `Campaign ${campaignId} ${words.done}`);
			});
	}

	campaign
		.command("calls")
		.argument("<campaign>", "campaignId")
		.description("call records of a campaign")
		.option("--csv", "all records as CSV")
		.option("--limit <n>", "at most so many", wholeNumber(1), DEFAULT_LIMIT)
		.option("--all", "all of them")
		.addHelpText(
			"after",
			"\nExamples:\n  $ burst-dialer campaign calls 01k9x0d7w3a8c2mf --csv > calls.csv\n  $ burst-dialer campaign calls 01k9x0d7w3a8c2mf --all --json | jq '.items[] | select(.outcome==\"unknown\")'",
		)
		.action(async (campaignId: string, options: { csv?: boolean; limit: number; all?: boolean }, command: Command) => {
			await calls(new Context(io, command), campaignId, options);
		});
};

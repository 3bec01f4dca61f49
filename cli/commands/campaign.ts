import type { Command } from "commander";
import type { ZodType } from "zod";
import type { ApiClient } from "../client.ts";
import { Context } from "../context.ts";
import { describeCalls, describeCampaign } from "../describe.ts";
import { describeExplanation } from "../describe-explanation.ts";
import { usageError } from "../errors.ts";
import { instant, table } from "../format.ts";
import type { Io } from "../io.ts";
import { wholeNumber } from "../options.ts";
import { campaignPath } from "../paths.ts";
import {
	type CallRecord,
	callRecordSchema,
	campaignSchema,
	campaignSummarySchema,
	explanationSchema,
	pageSchema,
	stateSchema,
} from "../views.ts";
import { watchAndShow } from "../watch.ts";
import { addSetCommand } from "./campaign-set.ts";
import { addSubmitCommands } from "./submit.ts";

/** Items shown by default where a list is long. */
const DEFAULT_LIMIT = 20;
/** Items asked for in one page. */
const PAGE_ITEMS = 500;
type SetExit = (code: number) => void;

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
	addSubmitCommands(campaign, io, setExit);
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
		.command("explain")
		.argument("<campaign>", "campaignId")
		.description("why it is not dialing, or not faster: all contacts that are not done, counted by reason")
		.addHelpText(
			"after",
			"\nThe first sentence says the main thing and what to do. It reads up to 2 MB of contacts: ask when you want to know, not every second.\n\n" +
				"Examples:\n  $ burst-dialer campaign explain 01k9x0d7w3a8c2mf\n" +
				"  $ burst-dialer campaign explain 01k9x0d7w3a8c2mf --json | jq '.reasons[] | {reason, contacts}'",
		)
		.action(async (campaignId: string, _options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const answer = await client.json(explanationSchema, "GET", campaignPath(campaignId, "/explain"));
			context.result(answer, describeExplanation(answer));
		});

	addSetCommand(campaign, io);

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

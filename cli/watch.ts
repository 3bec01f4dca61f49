import { type ApiClient, NoAnswerError } from "./client.ts";
import type { Context } from "./context.ts";
import { describeCampaign, describeCourse } from "./describe.ts";
import { CliError, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK } from "./errors.ts";
import { duration } from "./format.ts";
import { cutToWidth, keepRecent, progressText, type Sample } from "./progress.ts";
import { type CampaignView, campaignSchema } from "./views.ts";

/** How often a terminal is refreshed. Each look costs a few reads in the control plane. */
const TTY_PERIOD_MS = 1_000;
/** How often a line is written where there is no terminal: a log should stay readable. */
const LINE_PERIOD_MS = 5_000;
/** Without any answer for so long, watching ends: a script must not hang for ever. */
const GIVE_UP_AFTER_MS = 5 * 60_000;

/** Whether nothing more will happen. A cancelled campaign's contacts take a moment to end. */
const isOver = (view: CampaignView): boolean =>
	view.state === "completed" || view.state === "failed" || (view.state === "cancelled" && view.swept !== false);

/** Whether the campaign waits for a list that will not come: every one so far was given up. */
const lacksList = ({ state, imports = [] }: CampaignView): boolean =>
	state === "importing" && imports.length > 0 && imports.every((list) => list.state === "failed");

export interface WatchResult {
	/** The last look; undefined where Ctrl-C came before the first. */
	campaign: CampaignView | undefined;
	exitCode: number;
}

const passing = (error: unknown): boolean =>
	error instanceof NoAnswerError || (error instanceof CliError && (error.status === 429 || (error.status ?? 0) >= 500));

/** Watches a campaign until it ends or Ctrl-C; changes nothing of it. */
export const watchCampaign = async (context: Context, client: ApiClient, campaignId: string): Promise<WatchResult> => {
	const { io } = context;
	const out = context.json ? io.err : io.out;
	const stop = new AbortController();
	const offInterrupt = io.onInterrupt(() => stop.abort());
	let samples: Sample[] = [];
	let last: CampaignView | undefined;
	let lastLine = "";
	let lastState = "";
	/** Whether the deadline would be met: said anew whenever that changes. */
	let lastMeets: boolean | undefined;
	let lastWrittenMs = Number.NEGATIVE_INFINITY;
	let lastAnswerMs = io.now();
	let silent = false;

	const show = (text: string, now: number, force: boolean): void => {
		if (out.isTty) {
			const line = cutToWidth(text, out.columns());
			out.write(`\r${line}${" ".repeat(Math.max(0, [...lastLine].length - [...line].length))}`);
			lastLine = line;
		} else if (force || now - lastWrittenMs >= LINE_PERIOD_MS) {
			out.write(`${text}\n`);
			lastWrittenMs = now;
		}
	};
	/** Ends the terminal's progress line, so that what follows begins on its own. */
	const endLine = (): void => {
		if (out.isTty && lastLine !== "") out.write("\n");
		lastLine = "";
	};

	try {
		while (!stop.signal.aborted) {
			try {
				const view = await client.json(campaignSchema, "GET", `/v1/campaigns/${encodeURIComponent(campaignId)}`, {
					signal: stop.signal,
				});
				const now = io.now();
				lastAnswerMs = now;
				if (silent) {
					endLine();
					out.write("The API answers again.\n");
					silent = false;
				}
				last = view;
				samples = keepRecent([
					...samples,
					{ atMs: now, done: view.counts.done, calls: view.attempts + view.counts.inProgress },
				]);
				const text = progressText(
					{
						name: view.name,
						state: view.state,
						total: view.counts.total,
						done: view.counts.done,
						liveChannels: view.channels?.live,
						channelCap: view.channels?.cap ?? undefined,
						samples,
						forecast: view.forecast,
					},
					{ bar: out.isTty },
				);
				const ended = isOver(view) || lacksList(view);
				const meets = view.forecast?.deadline?.meets;
				if (!ended && meets !== undefined && meets !== lastMeets) {
					endLine();
					out.write(`${describeCourse(view)}\n`);
					lastMeets = meets;
				}
				show(text, now, ended || view.state !== lastState);
				lastState = view.state;
				if (ended) {
					endLine();
					return { campaign: view, exitCode: view.state === "failed" || lacksList(view) ? EXIT_FAILED : EXIT_OK };
				}
			} catch (error) {
				if (stop.signal.aborted) break;
				if (!passing(error) || !last) throw error;
				const silentMs = io.now() - lastAnswerMs;
				if (silentMs >= GIVE_UP_AFTER_MS) {
					throw new CliError(`No answer for ${duration(silentMs / 1_000)}: ${(error as Error).message}`, {
						code: "noAnswer",
						remedy: `the campaign goes on without this command; look again with \`burst-dialer campaign show ${campaignId} --watch\``,
						cause: error,
					});
				}
				if (!silent) {
					endLine();
					out.write(`No answer (${(error as Error).message}) Asking again; the campaign goes on meanwhile.\n`);
					silent = true;
				}
			}
			await io.sleep(TTY_PERIOD_MS, stop.signal);
		}
		endLine();
		out.write(
			`Stopped watching. The campaign goes on: burst-dialer campaign show ${campaignId} --watch\n` +
				`To stop the dialing itself: burst-dialer campaign pause ${campaignId}\n`,
		);
		return { campaign: last, exitCode: EXIT_INTERRUPTED };
	} catch (error) {
		endLine();
		throw error;
	} finally {
		offInterrupt();
	}
};

/** Watches, then shows the campaign; with `--json` the document has it as `campaign`. */
export const watchAndShow = async (
	context: Context,
	client: ApiClient,
	campaignId: string,
	document?: Record<string, unknown>,
): Promise<number> => {
	const { campaign, exitCode } = await watchCampaign(context, client, campaignId);
	const shown = campaign ?? null;
	context.result(
		document ? { ...document, campaign: shown } : shown,
		campaign && exitCode !== EXIT_INTERRUPTED ? `\n${describeCampaign(campaign, context.io.now())}` : "",
	);
	return exitCode;
};

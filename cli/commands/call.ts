import { type Command, Option } from "commander";
import { z } from "zod";
import { DEFAULT_MAX_CALL_SEC, DEFAULT_RING_TIMEOUT_SEC, ON_MACHINE } from "../../shared/contract/call.ts";
import type { ApiClient } from "../client.ts";
import { Context } from "../context.ts";
import { describeAmd } from "../describe.ts";
import { CliError, EXIT_INTERRUPTED, EXIT_OK, usageError } from "../errors.ts";
import { facts, instant, NONE } from "../format.ts";
import type { Io } from "../io.ts";
import { nameValue, wholeNumber } from "../options.ts";
import { campaignPath } from "../paths.ts";
import { repeatable } from "../repeat.ts";
import { type CallRecord, callRecordSchema, campaignSchema, pageSchema } from "../views.ts";

/** How often the call is looked at while waiting for its end. */
const LOOK_PERIOD_MS = 1_000;
/** Beyond ring time and call length: the host's next sync, and a host that first has to notice that there is work. */
const PATIENCE_MS = 60_000;

const placedSchema = z.looseObject({ campaignId: z.string(), state: z.string().optional() });

interface TestOptions {
	trunk: string;
	number: string;
	play?: string;
	context?: string;
	extension?: string;
	wait?: number;
	callerId?: string;
	var?: Record<string, string>;
	ringTimeout?: number;
	maxCall?: number;
	amd?: (typeof ON_MACHINE)[number];
	key?: string;
	follow: boolean;
}

/** What happens with the answered call: exactly one of play, context and wait. */
const thenOf = (options: TestOptions): Record<string, unknown> => {
	const given = [options.play, options.context, options.wait].filter((value) => value !== undefined);
	if (given.length !== 1) {
		throw usageError(
			"Say what happens with the answered call: exactly one of --play, --context and --wait.",
			"for a first test: --wait 10",
		);
	}
	if (options.extension !== undefined && options.context === undefined) {
		throw usageError("--extension goes with --context.");
	}
	if (options.play !== undefined) return { play: options.play };
	if (options.wait !== undefined) return { wait: options.wait };
	return { context: options.context, ...(options.extension === undefined ? {} : { extension: options.extension }) };
};

const describeCall = (call: CallRecord): string => {
	const since = (from: unknown, to: unknown): string | undefined =>
		typeof from === "string" && typeof to === "string"
			? `${((Date.parse(to) - Date.parse(from)) / 1_000).toFixed(1)} s`
			: undefined;
	return facts([
		["outcome", call.outcome ?? NONE],
		["number", call.number],
		["trunk", call.trunk],
		["host", call.hostId],
		["hangup cause", call.cause === null || call.cause === undefined ? undefined : String(call.cause)],
		["SIP status", call.sipCode === null || call.sipCode === undefined ? undefined : String(call.sipCode)],
		["started", call.startedAt ? instant(call.startedAt) : undefined],
		["rang after", since(call.startedAt, call.ringingAt)],
		["answered after", since(call.startedAt, call.answeredAt)],
		["talked", since(call.answeredAt, call.endedAt)],
		["answering machine", describeAmd(call)],
		["AMD cause", call.amd?.cause],
		["callId", call.callId],
	]);
};

/** Waits for the record of the call; undefined after Ctrl-C. */
const waitForRecord = async (
	context: Context,
	client: ApiClient,
	campaignId: string,
	patienceMs: number,
): Promise<CallRecord | undefined> => {
	const { io } = context;
	const stop = new AbortController();
	const off = io.onInterrupt(() => stop.abort());
	const giveUpAt = io.now() + patienceMs;
	try {
		while (!stop.signal.aborted) {
			const page = await client
				.json(pageSchema(callRecordSchema), "GET", campaignPath(campaignId, "/calls"), { signal: stop.signal })
				.catch((error: unknown) => {
					if (stop.signal.aborted) return undefined;
					throw error;
				});
			const ended = page?.items.find((call) => call.outcome);
			if (ended) return ended;
			if (io.now() >= giveUpAt) {
				const view = await client.json(campaignSchema, "GET", campaignPath(campaignId));
				throw new CliError("The call has not ended in the time it could take.", {
					code: "callPending",
					where: `campaign ${campaignId}: ${view.counts.pending} pending, ${view.counts.inProgress} in progress`,
					remedy:
						view.counts.pending > 0
							? "no host took it: look at `burst-dialer host list` (is one active, may it use the trunk, has it the sound or context?)"
							: `look again later: burst-dialer campaign calls ${campaignId}`,
				});
			}
			await io.sleep(LOOK_PERIOD_MS, stop.signal);
		}
		return undefined;
	} finally {
		off();
	}
};

/** `burst-dialer call …` */
export const addCallCommands = (program: Command, io: Io, setExit: (code: number) => void): void => {
	const call = program.command("call").description("place a single call");
	call
		.command("test")
		.description("place one test call through a trunk, by the rules of a campaign, and say how it ended")
		.requiredOption("--trunk <id>", "trunk to dial through")
		.requiredOption("--number <number>", "number to dial: E.164 as in +12025550123, or digits on a private trunk")
		.option("--play <sound>", "answered: play this sound of the host")
		.option("--context <name>", "answered: go to this context of the host's dialplan")
		.option("--extension <name>", "extension in that context (default: s)")
		.option("--wait <sec>", "answered: stay silent, at most so many seconds", wholeNumber(1))
		.option("--caller-id <number>", "caller id, one of the trunk's (default: its first)")
		.option("--var <name=value>", "variable for the dialplan, repeatable", nameValue)
		.option("--ring-timeout <sec>", "ring at most so long", wholeNumber(1))
		.option("--max-call <sec>", "end the call after so long", wholeNumber(1))
		.addOption(
			new Option("--amd <onMachine>", "answered: listen for an answering machine first, and do this with one").choices(
				ON_MACHINE,
			),
		)
		.option("--no-follow", "do not wait for the end of the call")
		.option("--key <key>", "Idempotency-Key of a command that is repeated, as its error message said")
		.addHelpText(
			"after",
			`
Examples:
  $ burst-dialer call test --trunk carrier-a --number +12025550123 --wait 10
  $ burst-dialer call test --trunk carrier-a --number +12025550123 --context burst-survey --var name=Ann`,
		)
		.action(async (options: TestOptions, command: Command) => {
			const context = new Context(io, command);
			const body = {
				trunk: options.trunk,
				number: options.number,
				then: thenOf(options),
				...(options.callerId === undefined ? {} : { callerId: options.callerId }),
				...(options.var === undefined ? {} : { vars: options.var }),
				...(options.ringTimeout === undefined ? {} : { ringTimeoutSec: options.ringTimeout }),
				...(options.maxCall === undefined ? {} : { maxCallSec: options.maxCall }),
				...(options.amd === undefined ? {} : { amd: { enabled: true, onMachine: options.amd } }),
			};
			const client = await context.client();
			const key = options.key ?? io.newKey();
			const placed = await repeatable(context, key, () =>
				client.json(placedSchema, "POST", "/v1/calls", { body: { json: body }, idempotencyKey: key }),
			);
			if (!options.follow) {
				context.result(placed, `The call is on its way: burst-dialer campaign calls ${placed.campaignId}`);
				return;
			}
			if (!context.json) context.note("The call is on its way …");
			const longestSec = (options.ringTimeout ?? DEFAULT_RING_TIMEOUT_SEC) + (options.maxCall ?? DEFAULT_MAX_CALL_SEC);
			const record = await waitForRecord(context, client, placed.campaignId, longestSec * 1_000 + PATIENCE_MS);
			if (record) {
				context.result({ ...placed, call: record }, describeCall(record));
				setExit(EXIT_OK);
				return;
			}
			context.result(
				{ ...placed, call: null },
				`Stopped waiting. The call goes on: burst-dialer campaign calls ${placed.campaignId}`,
			);
			setExit(EXIT_INTERRUPTED);
		});
};

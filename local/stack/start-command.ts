import { Command, InvalidArgumentError, Option } from "commander";
import { ConfigError } from "../../shared/config/config-error.ts";
import { MAX_HOST_CAPACITY } from "../../shared/contract/host.ts";
import { ExternalAwsError } from "../aws/aws.ts";
import { TemplateError } from "../aws/template-error.ts";
import { CHAOS } from "../faults/plan.ts";
import { VoiceError } from "../voice/real/voice-error.ts";
import { ChildError } from "./child.ts";
import {
	DEFAULT_BOOT_SEC,
	DEFAULT_CAPACITY,
	DEFAULT_PORT,
	DEFAULT_STEADY,
	MAX_HOSTS,
	StackError,
	type StackOptions,
} from "./options.ts";
import { startStack } from "./stack.ts";

/** The exit status of a command that was called wrongly. */
const USAGE_STATUS = 2;
/** As long as the fleet waits for a host that it started. */
const MAX_BOOT_SEC = 300;

const integer =
	(least: number, most: number) =>
	(text: string): number => {
		const value = Number(text);
		if (/^\d+$/.test(text) && value >= least && value <= most) return value;
		throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
	};

export interface StartArguments extends Pick<StackOptions, "port" | "asterisk" | "carrier" | "aws"> {
	data?: string;
	steady: number;
	capacity: number;
	burstMax: number;
	bootSeconds: number;
	chaos?: true;
}

/** The command line of `npm start`. Wrong options end the process with status 2 and a message on stderr. */
export const parseArguments = (args: string[]): StartArguments => {
	const command = new Command("npm start --")
		.description(
			"Runs the whole dialer on this machine: emulated AWS, the Lambdas, steady and burst hosts with Asterisk, and a carrier.\n" +
				'When all is up it prints one line of JSON on stdout: {"ready":true,"api":"http://…","token":"…"}. Ctrl-C stops all of it.',
		)
		.addOption(
			new Option("--port <n>", "of the API; 0: a free one").default(DEFAULT_PORT).argParser(integer(0, 65_535)),
		)
		.option("--data <dir>", "keep all data in this folder, for the next start; without it nothing is kept")
		.addOption(new Option("--steady <n>", "steady hosts").default(DEFAULT_STEADY).argParser(integer(0, MAX_HOSTS)))
		.addOption(
			new Option("--capacity <n>", "channels of each host")
				.default(DEFAULT_CAPACITY)
				.argParser(integer(1, MAX_HOST_CAPACITY)),
		)
		.addOption(
			new Option(
				"--burst-max <n>",
				"burst hosts at most: instances of an emulated EC2, started when the steady hosts are full",
			)
				.default(0)
				.argParser(integer(0, MAX_HOSTS)),
		)
		.addOption(
			new Option("--boot-seconds <s>", "how long an instance takes to boot")
				.default(DEFAULT_BOOT_SEC)
				.argParser(integer(0, MAX_BOOT_SEC)),
		)
		.addOption(
			new Option("--asterisk <kind>", "insist on real or simulated Asterisk; else real where it can be had").choices([
				"real",
				"simulated",
			]),
		)
		.addOption(new Option("--carrier <kind>", "a carrier to call").choices(["embedded", "none"]).default("embedded"))
		.addOption(
			new Option("--aws <kind>", "external: use what AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE> name")
				.choices(["embedded", "external"])
				.default("embedded"),
		)
		.option("--chaos", "inject faults: stale indexes, throttling, lost answers, repeated messages and syncs")
		.configureOutput({ writeOut: (text) => process.stderr.write(text) })
		.allowExcessArguments(false)
		.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_STATUS))
		.parse(args, { from: "user" });
	return command.opts<StartArguments>();
};

/** Errors that say to the user what to do; of others the developer needs the stack. */
const isForUsers = (error: unknown): boolean =>
	[StackError, TemplateError, ExternalAwsError, ConfigError, VoiceError, ChildError].some(
		(kind) => error instanceof kind,
	);

/** Passes on what the parts write, line by line, without their routine: the whole of it is in the stack's log. */
export const onlyTroubles = (say: (line: string) => void): ((text: string) => void) => {
	let rest = "";
	return (text) => {
		const lines = (rest + text).split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) if (line !== "" && !/"level":"(info|debug)"/.test(line)) say(line);
	};
};

/** `npm start`. */
export const main = async (args: string[]): Promise<void> => {
	const { data, chaos, burstMax, bootSeconds, ...rest } = parseArguments(args);
	const say = (line: string): void => void process.stderr.write(`${line}\n`);
	const abort = new AbortController();
	let end: (status: number) => void = () => {};
	const ended = new Promise<number>((resolve) => {
		end = resolve;
	});
	let signals = 0;
	const onSignal = (): void => {
		signals++;
		// What is left is killed: children notice that this process is gone.
		if (signals > 1) process.exit(1);
		say("Stopping; once more to stop at once.");
		abort.abort(new StackError("Stopped before all was up."));
		end(0);
	};
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);

	let status = 0;
	try {
		const stack = await startStack({
			...rest,
			...(data === undefined ? {} : { dataDir: data }),
			...(chaos ? { faults: CHAOS } : {}),
			...(burstMax > 0 ? { burst: { max: burstMax, bootSec: bootSeconds } } : {}),
			say,
			onOutput: onlyTroubles(say),
			onFailure: () => end(1),
			signal: abort.signal,
		});
		say(`The API is at ${stack.api}; everything that the parts write is in ${stack.dir}.`);
		process.stdout.write(`${JSON.stringify({ ready: true, api: stack.api, token: stack.token })}\n`);
		status = await ended;
		await stack.stop();
	} catch (error) {
		say(isForUsers(error) ? (error as Error).message : ((error as Error).stack ?? String(error)));
		status = signals > 0 ? 0 : 1;
	}
	process.exit(status);
};

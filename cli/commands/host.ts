import type { Command } from "commander";
import { z } from "zod";
import { Context } from "../context.ts";
import { duration, NONE, table } from "../format.ts";
import type { Io } from "../io.ts";
import { wholeNumber } from "../options.ts";
import { hostPath } from "../paths.ts";
import { repeatable } from "../repeat.ts";
import { enrolledHostSchema, hostViewSchema, stateSchema } from "../views.ts";

const listSchema = z.looseObject({ items: z.array(hostViewSchema) });
type HostView = z.infer<typeof hostViewSchema>;

/** Hosts as a table. */
export const hostTable = (hosts: HostView[], nowMs: number): string =>
	table(
		["host", "tier", "state", "live", "held", "capacity", "last seen", "region"],
		hosts.map((host) => [
			host.hostId,
			host.tier,
			// A lost host that is to drain is not draining yet.
			host.drainWanted && host.state !== "draining" && host.state !== "drained"
				? `${host.state}, to drain`
				: host.state,
			host.live,
			host.held,
			host.capacity,
			host.lastSeenAt ? `${duration((nowMs - new Date(host.lastSeenAt).getTime()) / 1_000)} ago` : NONE,
			host.region,
		]),
	);

const add = async (
	context: Context,
	hostId: string,
	options: { capacity?: number; region?: string; key?: string },
): Promise<void> => {
	const client = await context.client();
	const key = options.key ?? context.io.newKey();
	const body = {
		hostId,
		...(options.capacity === undefined ? {} : { capacity: options.capacity }),
		...(options.region === undefined ? {} : { region: options.region }),
	};
	const enrolled = await repeatable(context, key, () =>
		client.json(enrolledHostSchema, "POST", "/v1/hosts", { body: { json: body }, idempotencyKey: key }),
	);
	context.result(
		enrolled,
		[
			`Host ${enrolled.hostId} is enrolled. Its token, shown this once:`,
			"",
			`  ${enrolled.token}`,
			"",
			"Give it to the agent beside that Asterisk, with the address of this API:",
			`  ${client.connection.url}`,
			"The README says how to install the agent.",
		].join("\n"),
	);
};

/** `burst-dialer host …` */
export const addHostCommands = (program: Command, io: Io): void => {
	const host = program.command("host").description("enrol, look at and drain Asterisk hosts");
	host
		.command("add")
		.argument("<host>", "an id for it: lower-case letters, digits and -")
		.description("enrol a steady host; prints the token for its agent, once")
		.option("--capacity <channels>", "most channels at once (default: 120)", wholeNumber(1))
		.option("--region <name>", "where it is (default: on-premises)")
		.option("--key <key>", "Idempotency-Key of a command that is repeated, as its error message said")
		.addHelpText("after", "\nExample:\n  $ burst-dialer host add pbx-berlin --capacity 200 --json | jq -r .token")
		.action(async (hostId: string, options: { capacity?: number; region?: string; key?: string }, command: Command) => {
			await add(new Context(io, command), hostId, options);
		});
	host
		.command("list")
		.description("all hosts, their state and their channels")
		.addHelpText("after", "\nExample:\n  $ burst-dialer host list")
		.action(async (_options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const answer = await client.json(listSchema, "GET", "/v1/hosts");
			context.result(
				answer,
				answer.items.length === 0
					? "There is no host yet: burst-dialer host add --help"
					: hostTable(answer.items, io.now()),
			);
		});
	const steps = {
		drain: [
			"grant a host nothing more; its live calls end normally",
			"is granted nothing more; calls it has not dialed are taken back, live ones end normally.",
			"\nWhen `host list` shows it as drained, nothing is left on it: it can be stopped. A burst host is stopped by the fleet then.",
		],
		undrain: ["let a drained host dial again", "may dial again.", ""],
	} as const;
	for (const [step, [summary, done, more]] of Object.entries(steps)) {
		host
			.command(step)
			.argument("<host>", "hostId")
			.description(summary)
			.addHelpText("after", `${more}\n\nExample:\n  $ burst-dialer host ${step} pbx-berlin`)
			.action(async (hostId: string, _options: unknown, command: Command) => {
				const context = new Context(io, command);
				const client = await context.client();
				const answer = await client.json(stateSchema, "POST", hostPath(hostId, `/${step}`));
				context.result(answer, `Host ${hostId} ${done}`);
			});
	}
};

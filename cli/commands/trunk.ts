import type { Command } from "commander";
import { z } from "zod";
import { Context } from "../context.ts";
import { CliError, usageError, withContext } from "../errors.ts";
import { nameOf, readJsonObject } from "../files.ts";
import { table } from "../format.ts";
import type { Io } from "../io.ts";
import { trunkPath } from "../paths.ts";
import { trunkViewSchema } from "../views.ts";

const listSchema = z.looseObject({ items: z.array(trunkViewSchema) });
const answerSchema = z.looseObject({});

const addressOf = (trunk: z.infer<typeof trunkViewSchema>): string | undefined =>
	trunk.endpoint ?? (trunk.host ? `${trunk.host}${trunk.port ? `:${trunk.port}` : ""}` : undefined);

/** Calls per second; of a trunk that is slowed because it refused calls, what it is used with now. */
const cpsOf = ({ maxCps, cps }: z.infer<typeof trunkViewSchema>): string | number =>
	cps && cps.now < cps.max ? `${cps.now} of ${cps.max}` : maxCps;

/** `burst-dialer trunk …` */
export const addTrunkCommands = (program: Command, io: Io): void => {
	const trunk = program.command("trunk").description("describe carriers to dial through");
	trunk
		.command("set")
		.argument("<file>", "the trunk as JSON, with its id; - for standard input")
		.description("create or replace a trunk; hosts take it over within seconds, live calls are not touched")
		.option("--id <id>", 'the trunk\'s id, where the file has no "id"')
		.addHelpText(
			"after",
			`
A carrier that takes +12025550123 as 12025550123, at most 60 channels and 10 calls per second:
  { "id": "carrier-a", "type": "pjsip", "host": "sip.example.com",
    "username": "acme", "secretRef": "host:carrier-a",
    "maxChannels": 60, "maxCps": 10, "callerIds": ["+12025550100"] }

The password never passes through here: "secretRef": "host:carrier-a" is the file carrier-a in the agent's folder of
secrets on each host. "type": "existing" with "endpoint": "PJSIP/my-carrier" uses an endpoint that the host has already.
Countries that may be dialed are those of the caller ids, unless "countries": ["US", "CA"] says otherwise.

Examples:
  $ burst-dialer trunk set carrier-a.json
  $ burst-dialer trunk set - --id carrier-a < carrier.json`,
		)
		.action(async (file: string, options: { id?: string }, command: Command) => {
			const context = new Context(io, command);
			// `channels` and `cps` are what `trunk list --json` shows beside the trunk itself: what was listed can be set again.
			const { id: fileId, channels: _channels, cps: _cps, ...body } = await readJsonObject(io, file);
			if (options.id !== undefined && fileId !== undefined && options.id !== fileId) {
				throw usageError(`The id is "${options.id}" by --id and "${String(fileId)}" by the file.`, "give one of them");
			}
			const id = options.id ?? fileId;
			if (typeof id !== "string" || id === "") {
				throw usageError("The trunk has no id.", 'put "id": "carrier-a" into the file, or give --id carrier-a');
			}
			const client = await context.client();
			const answer = await client.json(answerSchema, "PUT", trunkPath(id), { body: { json: body } }).catch((error) => {
				throw error instanceof CliError && error.details.length > 0
					? withContext(error, { where: `${nameOf(file)}, sent to ${error.where}` })
					: error;
			});
			context.result(answer, `Trunk ${id} is set.`);
		});
	trunk
		.command("list")
		.description("all trunks")
		.addHelpText(
			"after",
			`
A trunk that refuses calls is slowed for all hosts: its calls per second are then shown as
"2.5 of 10". It is back at its rate by itself, a minute or two after it takes calls again.

Example:
  $ burst-dialer trunk list --json | jq '.items[] | {id, cps}'`,
		)
		.action(async (_options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const answer = await client.json(listSchema, "GET", "/v1/trunks");
			context.result(
				answer,
				answer.items.length === 0
					? "There is no trunk yet: burst-dialer trunk set --help"
					: table(
							["trunk", "type", "address", "channels", "calls/s", "countries", "hosts"],
							answer.items.map((item) => [
								item.id,
								item.type,
								addressOf(item),
								item.maxChannels,
								cpsOf(item),
								item.numbering === "private" ? "(private)" : item.countries?.join(","),
								Array.isArray(item.hosts) ? item.hosts.join(",") : item.hosts,
							]),
						),
			);
		});
};

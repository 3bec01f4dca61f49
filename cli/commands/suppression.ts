import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { PURPOSES, type Purpose } from "../../shared/contract/window.ts";
import { Context } from "../context.ts";
import { count, facts, instant, table } from "../format.ts";
import type { Io } from "../io.ts";
import { wholeNumber } from "../options.ts";
import { suppressionPath } from "../paths.ts";
import { addAddCommand } from "./suppression-add.ts";

const scopeSchema = z.union([z.string(), z.array(z.string())]);
const listSchema = z.looseObject({
	name: z.string(),
	scope: scopeSchema,
	kind: z.string().nullish(),
	maxAgeDays: z.number().nullish(),
	count: z.number(),
	updatedAt: z.string().nullish(),
	ageDays: z.number().nullish(),
	stale: z.boolean(),
});
const listsSchema = z.looseObject({ items: z.array(listSchema) });
const numberSchema = z.looseObject({
	number: z.string(),
	lists: z.array(
		z.looseObject({ list: z.string(), scope: scopeSchema, since: z.string(), note: z.string().nullish() }),
	),
	staleLists: z.array(z.string()).default([]),
	calls: z.array(z.string()),
	waitUntil: z.string().nullish(),
});
const optedOutSchema = z.looseObject({ number: z.string(), since: z.string(), already: z.boolean() });

type Scope = "all" | "named" | Purpose[];
const scopeInWords = (scope: string | string[]): string => (Array.isArray(scope) ? scope.join(",") : scope);

const scopeOption = (text: string): Scope => {
	if (text === "all" || text === "named") return text;
	const purposes = text.split(",").map((purpose) => purpose.trim());
	const unknown = purposes.find((purpose) => !PURPOSES.some((known) => known === purpose));
	if (unknown !== undefined) {
		throw new InvalidArgumentError(`It must be all, named, or purposes: ${PURPOSES.join(", ")}.`);
	}
	return purposes as Purpose[];
};

const addListCommands = (suppression: Command, io: Io): void => {
	suppression
		.command("list")
		.description("all lists, for whom they are in force, and how old they are")
		.addHelpText("after", "\nExample:\n  $ burst-dialer suppression list")
		.action(async (_options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const answer = await client.json(listsSchema, "GET", "/v1/suppression");
			const stale = answer.items.filter((item) => item.stale).map(({ name }) => name);
			const rows = answer.items.map((item) => [
				item.name,
				scopeInWords(item.scope),
				item.kind,
				item.count,
				instant(item.updatedAt),
				item.ageDays,
				item.maxAgeDays,
				item.stale ? "STALE" : "ok",
			]);
			context.result(
				answer,
				table(["list", "scope", "kind", "numbers", "updated", "days old", "at most", "state"], rows) +
					(stale.length > 0
						? `\n\nCampaigns that ${stale.join(", ")} is in force for are granted nothing until it is loaded again.`
						: ""),
			);
		});
	suppression
		.command("set")
		.argument("<list>", "an id for it: lower-case letters, digits and -")
		.description("create a list, or change for whom it is in force; its numbers stay")
		.requiredOption(
			"--scope <scope>",
			"all, named (campaigns that name it), or purposes as marketing,informational",
			scopeOption,
		)
		.addOption(
			new Option("--kind <kind>", "own: never too old; register: a copy of an external one (default: own)").choices([
				"own",
				"register",
			]),
		)
		.option("--max-age-days <days>", "of a register: not relied on when it is older (default: 31)", wholeNumber(1))
		.addHelpText(
			"after",
			"\nA register that is too old, or was never loaded, holds back every campaign that it is in force for.\n\nExamples:\n  $ burst-dialer suppression set us-register --scope marketing --kind register\n  $ burst-dialer suppression set competitors --scope named",
		)
		.action(
			async (
				list: string,
				options: { scope: Scope; kind?: string; maxAgeDays?: number },
				command: Command,
			): Promise<void> => {
				const context = new Context(io, command);
				const client = await context.client();
				const answer = await client.json(listSchema, "PUT", suppressionPath(list), { body: { json: pick(options) } });
				context.result(answer, `List ${list} is set: ${scopeInWords(answer.scope)}, ${count(answer.count)} numbers.`);
			},
		);
	suppression
		.command("delete")
		.argument("<list>", "its id")
		.description("delete a whole list: its numbers may be called again")
		.addHelpText("after", "\nExample:\n  $ burst-dialer suppression delete us-register-november")
		.action(async (list: string, _options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const answer = await client.json(listSchema, "DELETE", suppressionPath(list));
			context.result(answer, `List ${list} is deleted; it had ${count(answer.count)} numbers.`);
		});
};

/** Options of `suppression set` as the API takes them: only what was given. */
const pick = ({ scope, kind, maxAgeDays }: { scope: Scope; kind?: string; maxAgeDays?: number }) => ({
	scope,
	...(kind === undefined ? {} : { kind }),
	...(maxAgeDays === undefined ? {} : { maxAgeDays }),
});

/** `burst-dialer suppression …` */
export const addSuppressionCommands = (program: Command, io: Io): void => {
	const suppression = program.command("suppression").description("do-not-call lists");
	addListCommands(suppression, io);
	addAddCommand(suppression, io);
	suppression
		.command("remove")
		.argument("<list>", "its id")
		.argument("<number>", "the number")
		.description("take one number off a list")
		.addHelpText("after", "\nExample:\n  $ burst-dialer suppression remove opt-outs +12025550123")
		.action(async (list: string, number: string, _options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const at = suppressionPath(list, `/numbers/${encodeURIComponent(number)}`);
			const answer = await client.json(z.looseObject({}), "DELETE", at);
			context.result(answer, `${number} is not on ${list} any more.`);
		});
	suppression
		.command("show")
		.argument("<number>", "the number")
		.description("why a number is not called: the lists it is on, and the recent calls to it")
		.addHelpText("after", "\nExample:\n  $ burst-dialer suppression show +12025550123")
		.action(async (number: string, _options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const path = suppressionPath("numbers", `/${encodeURIComponent(number)}`);
			const answer = await client.json(numberSchema, "GET", path);
			context.result(answer, describeNumber(answer));
		});
};

const describeNumber = (view: z.infer<typeof numberSchema>): string => {
	const lines =
		view.lists.length === 0
			? [`${view.number} is on no list.`]
			: [
					table(
						["list", "scope", "since", "note"],
						view.lists.map((on) => [on.list, scopeInWords(on.scope), instant(on.since), on.note]),
					),
				];
	if (view.staleLists.length > 0) lines.push(`Too old to say anything: ${view.staleLists.join(", ")}.`);
	lines.push(
		"",
		facts([
			["calls noted, 30 days", view.calls.length],
			["the last", view.calls[0] === undefined ? undefined : instant(view.calls[0])],
			["next, by the calling policy", view.waitUntil ? `not before ${instant(view.waitUntil)}` : "now"],
		]),
	);
	return lines.join("\n");
};

/** `burst-dialer opt-out …` */
export const addOptOutCommand = (program: Command, io: Io): void => {
	program
		.command("opt-out")
		.argument("<number>", "the number")
		.description(
			"nobody calls this number again, in any campaign; calls that are granted and not dialed are taken back",
		)
		.option("--campaign <id>", "the campaign in whose call it was said")
		.option("--note <text>", "how it came, for the records; at most 200 characters")
		.addHelpText("after", '\nExample:\n  $ burst-dialer opt-out +12025550123 --note "by mail, 3 November"')
		.action(async (number: string, options: { campaign?: string; note?: string }, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const json = {
				number,
				...(options.campaign === undefined ? {} : { campaignId: options.campaign }),
				...(options.note === undefined ? {} : { note: options.note }),
			};
			const answer = await client.json(optedOutSchema, "POST", "/v1/opt-outs", { body: { json } });
			context.result(
				answer,
				answer.already
					? `${number} opted out already, ${instant(answer.since)}.`
					: `${number} is on the list opt-outs: nobody calls it from the next grant on.`,
			);
		});
};

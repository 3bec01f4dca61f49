import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { parseList } from "../../shared/contacts/parse.ts";
import type { RawRow } from "../../shared/contacts/rows.ts";
import { ListError } from "../../shared/contacts/split.ts";
import { PURPOSES, type Purpose } from "../../shared/contract/window.ts";
import { type CheckedNumbers, checkNumbers } from "../../shared/suppression/check-numbers.ts";
import type { ApiClient } from "../client.ts";
import { Context } from "../context.ts";
import { describeRejected } from "../describe.ts";
import { CliError, withContext } from "../errors.ts";
import { LIST_TYPES, openContactList } from "../files.ts";
import { count, facts, instant, table } from "../format.ts";
import type { Io } from "../io.ts";
import { wholeNumber } from "../options.ts";
import { suppressionPath } from "../paths.ts";

/** Numbers of one request: stored within seconds, so that a failure repeats little. */
const BATCH_NUMBERS = 5_000;

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
const addedSchema = z.looseObject({
	added: z.number(),
	already: z.number(),
	privateNumbers: z.number().optional(),
	complete: z.boolean(),
	nextLine: z.number().optional(),
});
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

/** What stands before numbers that have no +, as +1. */
const prefixOption = (text: string): string => {
	if (!/^\+[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError("It must be + and digits, as in +1.");
	return text;
};

const prefixed = (text: string, prefix: string): string => (/^[0-9]+$/.test(text.trim()) ? prefix + text.trim() : text);

/** Puts the country before numbers that are written without it. */
export const withPrefix = (rows: RawRow[], prefix: string | undefined): RawRow[] => {
	if (prefix === undefined) return rows;
	return rows.map((row) => {
		if (row.broken !== undefined) return row;
		if (typeof row.value === "string") return { line: row.line, value: prefixed(row.value, prefix) };
		const number = (row.value as { number?: unknown } | null)?.number;
		return typeof number === "string"
			? { line: row.line, value: { ...(row.value as object), number: prefixed(number, prefix) } }
			: row;
	});
};

/** Reads a list's numbers; what is wrong with a row is found here, with its line in the file. */
const readNumbers = async (io: Io, file: string, format: string | undefined, prefix: string | undefined) => {
	const list = await openContactList(io, file, format);
	let checked: CheckedNumbers;
	try {
		const rows = parseList(new Uint8Array(await list.blob.arrayBuffer()), list.format);
		checked = checkNumbers(withPrefix(rows, prefix), 1);
	} catch (error) {
		if (!(error instanceof ListError)) throw error;
		throw new CliError(`${list.name} cannot be read: ${error.message}`, { code: "file", cause: error });
	}
	if (checked.numbers.length > 0) return { ...checked, name: list.name };
	const words = describeRejected(checked.rejected, checked.rejectedCount)
		.map((line) => `\n${line}`)
		.join("");
	throw new CliError(`${list.name} has no number.${words}`, { code: "file" });
};

/** Stores one batch, in as many requests as its time takes. */
const sendBatch = async (client: ApiClient, list: string, numbers: string[], more: boolean) => {
	const sum = { added: 0, already: 0, privateNumbers: 0 };
	let fromLine: number | undefined = 1;
	while (fromLine !== undefined) {
		const query = new URLSearchParams({ fromLine: String(fromLine), more: String(more) });
		const answer: z.infer<typeof addedSchema> = await client.json(
			addedSchema,
			"POST",
			suppressionPath(list, `/numbers?${query}`),
			{ body: { json: numbers } },
		);
		sum.added += answer.added;
		sum.already += answer.already;
		sum.privateNumbers += answer.privateNumbers ?? 0;
		fromLine = answer.complete ? undefined : answer.nextLine;
	}
	return sum;
};

interface AddOptions {
	format?: string;
	prefix?: string;
}

const add = async (context: Context, list: string, file: string, options: AddOptions): Promise<void> => {
	const { io } = context;
	const { name, numbers, repeated, rejected, rejectedCount } = await readNumbers(
		io,
		file,
		options.format,
		options.prefix,
	);
	const client = await context.client();
	const result = { list, added: 0, already: repeated, privateNumbers: 0, rejected, rejectedCount };
	for (let done = 0; done < numbers.length; done += BATCH_NUMBERS) {
		const batch = numbers.slice(done, done + BATCH_NUMBERS).map(({ number }) => number);
		const more = done + batch.length < numbers.length;
		const sum = await sendBatch(client, list, batch, more).catch((error: unknown) => {
			if (!(error instanceof CliError) || done === 0) throw error;
			throw withContext(error, {
				where: `${name}: ${count(done)} of ${count(numbers.length)} numbers are stored`,
				remedy: "repeat the same command: what is stored stays, and the rest follows",
			});
		});
		result.added += sum.added;
		result.already += sum.already;
		result.privateNumbers += sum.privateNumbers;
	}
	const lines = [`${count(result.added)} numbers added to ${list}, ${count(result.already)} were on it.`];
	if (result.privateNumbers > 0) {
		lines.push(
			`${count(result.privateNumbers)} have no +: they only suppress calls on trunks with private numbering. National numbers need --prefix, as in --prefix +1.`,
		);
	}
	if (rejectedCount > 0)
		lines.push(`${count(rejectedCount)} rows were not taken:`, ...describeRejected(rejected, rejectedCount));
	context.result(result, lines.join("\n"));
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
	suppression
		.command("add")
		.argument("<list>", "its id")
		.argument("<file>", "numbers: .csv with a column number, .ndjson or .json; - for standard input")
		.description("add numbers to a list; those it has already are left as they are")
		.addOption(
			new Option("--format <format>", "format of the file where its ending does not say it").choices(
				Object.keys(LIST_TYPES),
			),
		)
		.option("--prefix <prefix>", "put before numbers that have no +, as +1", prefixOption)
		.addHelpText(
			"after",
			"\nFiles of any length are sent in parts; after a failure, repeat the command.\n\nExamples:\n  $ burst-dialer suppression add us-register register.csv --prefix +1\n  $ (echo number; cat numbers.txt) | burst-dialer suppression add competitors - --format csv",
		)
		.action(async (list: string, file: string, options: AddOptions, command: Command) => {
			await add(new Context(io, command), list, file, options);
		});
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

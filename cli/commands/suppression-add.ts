import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { parseList } from "../../shared/contacts/parse.ts";
import type { RawRow } from "../../shared/contacts/rows.ts";
import { ListError } from "../../shared/contacts/split.ts";
import { type CheckedNumbers, checkNumbers } from "../../shared/suppression/check-numbers.ts";
import type { ApiClient } from "../client.ts";
import { Context } from "../context.ts";
import { describeRejected } from "../describe.ts";
import { CliError, withContext } from "../errors.ts";
import { LIST_TYPES, openContactList } from "../files.ts";
import { count } from "../format.ts";
import type { Io } from "../io.ts";
import { suppressionPath } from "../paths.ts";

/** Numbers of one request: stored within seconds, so that a failure repeats little. */
const BATCH_NUMBERS = 5_000;

const addedSchema = z.looseObject({
	added: z.number(),
	already: z.number(),
	privateNumbers: z.number().optional(),
	complete: z.boolean(),
	nextLine: z.number().optional(),
});

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

/** `burst-dialer suppression add` */
export const addAddCommand = (suppression: Command, io: Io): void => {
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
};

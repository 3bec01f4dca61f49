import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parsePriceList } from "../shared/prices/price-book.ts";
import type { Price } from "../shared/prices/price-data.ts";
import { PriceError } from "../shared/prices/price-error.ts";
import { CliError, EXIT_USAGE } from "./errors.ts";

/** The list of prices that AWS was asked for, in the format of the shipped one. */

const REMEDY = "write it anew with `burst-dialer prices refresh`, or delete it: then the shipped prices count";

/** A mistake in prices, as the command line shows it. */
export const asCliError = (error: unknown, where: string | undefined): unknown =>
	error instanceof PriceError
		? new CliError(error.message, {
				exitCode: EXIT_USAGE,
				code: "price",
				details: [...error.mistakes],
				remedy: error.remedy,
				where,
				cause: error,
			})
		: error;

/** Reads the list; an absent one is empty. A list with a mistake is refused as a whole. */
export const readPriceFile = async (path: string): Promise<Price[]> => {
	let text: string;
	try {
		text = await readFile(path, "utf8");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
		throw new CliError(`The list of prices cannot be read: ${(error as Error).message}`, {
			code: "file",
			where: path,
			remedy: "check its permissions",
			cause: error,
		});
	}
	try {
		return parsePriceList(JSON.parse(text), REMEDY);
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw asCliError(error, path);
		throw new CliError("The list of prices is not JSON.", { code: "file", where: path, remedy: REMEDY, cause: error });
	}
};

/** Writes the list whole or not at all: a reader finds the old one or the new one. */
export const writePriceFile = async (path: string, prices: readonly Price[]): Promise<void> => {
	const document = { currency: "USD", prices };
	// What could not be read again is not written.
	parsePriceList(document);
	const unfinished = `${path}.${process.pid}.tmp`;
	try {
		await mkdir(dirname(path), { recursive: true });
		await writeFile(unfinished, `${JSON.stringify(document, null, "\t")}\n`, { flag: "wx" });
		await rename(unfinished, path);
	} catch (error) {
		await rm(unfinished, { force: true });
		throw new CliError(`The list of prices cannot be written: ${(error as Error).message}`, {
			code: "file",
			where: path,
			remedy: "check the path and its permissions, or give another one with --out",
			cause: error,
		});
	}
};

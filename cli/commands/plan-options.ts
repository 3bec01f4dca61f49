import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_HOST_CAPACITY, MAX_HOST_CAPACITY } from "../../shared/contract/host.ts";
import { CODEC_KBITS, DEFAULT_CODEC } from "../../shared/plan/codecs.ts";
import { decimal, wholeNumber } from "../options.ts";

/** What several of `plan …` are asked with. */

export const price = decimal({ min: 0 });
export const seconds = decimal({ min: 0 });
export const perHostOption = (): Option =>
	new Option("--per-host <channels>", "channels of a host; measure yours")
		.argParser((text: string) => {
			const value = wholeNumber(1)(text);
			if (value > MAX_HOST_CAPACITY) throw new InvalidArgumentError(`It must be at most ${MAX_HOST_CAPACITY}.`);
			return value;
		})
		.default(DEFAULT_HOST_CAPACITY);
export const codecOption = (): Option =>
	new Option("--codec <name>", "what is sent while people talk")
		.choices(Object.keys(CODEC_KBITS))
		.default(DEFAULT_CODEC);
export const billingOption = (): Option =>
	new Option("--billing <unit>", "of rented hosts").choices(["second", "hour"]).default("second");

/** Collects files of recorded calls. */
export const callsOption = (): Option =>
	new Option(
		"--calls <file>",
		"recorded calls as CSV (campaign calls --csv, all pages); repeatable; - for standard input",
	).argParser((path: string, before: string[] = []) => [...before, path]);

/** Whether an option stands in the command line; else its default counts, or what was measured. */
export const isGiven = (command: Command, name: string): boolean => command.getOptionValueSource(name) === "cli";

import { InvalidArgumentError, Option } from "commander";
import { DEFAULT_HOST_CAPACITY, MAX_HOST_CAPACITY } from "../../shared/contract/host.ts";
import { CODEC_KBITS, DEFAULT_CODEC } from "../../shared/plan/codecs.ts";
import { decimal, wholeNumber } from "../options.ts";

/** What several of `plan …` are asked with. */

/** From a start to the first call: shared/config/burst-settings.ts plans with the same. */
export const BOOT_SEC = 60;
/** After the last call a host waits for 60 s, and calls that are up end: half a minute in the mean. */
export const DRAIN_SEC = 90;

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

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Clock } from "./ports.ts";

const BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id";

const bootId = (): string => {
	try {
		return readFileSync(BOOT_ID_FILE, "utf8").trim();
	} catch {
		// Elsewhere than on Linux the boot has no name: then every start of the agent counts as one, which only makes it more careful.
		return randomUUID();
	}
};

/** The machine's clocks. `process.hrtime` counts from the boot on Linux. */
export const realClock = (): Clock => ({
	bootId: bootId(),
	wallMs: () => Date.now(),
	monotonicMs: () => Number(process.hrtime.bigint() / 1_000n) / 1_000,
	setTimer: (delayMs, fire) => setTimeout(fire, delayMs),
	clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
});

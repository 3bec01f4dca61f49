import { setTimeout as delay } from "node:timers/promises";

/** Long enough for a busy machine; what is waited for normally takes some milliseconds. */
const LIMIT_MS = 45_000;
const POLL_MS = 20;

/** Waits until the condition holds. @throws Error naming `what` where it does not come */
export const eventually = async (condition: () => boolean | Promise<boolean>, what: string): Promise<void> => {
	const deadline = Date.now() + LIMIT_MS;
	while (!(await condition())) {
		if (Date.now() > deadline) throw new Error(`${what}: not within ${LIMIT_MS / 1000} s`);
		await delay(POLL_MS);
	}
};

import { setTimeout as delay } from "node:timers/promises";

/** Between two tries. */
const TRY_MS = 50;

/** Repeats a check until it passes; its last failure is thrown after `limitMs`. */
export const eventually = async (check: () => void | Promise<void>, limitMs = 10_000): Promise<void> => {
	const deadline = Date.now() + limitMs;
	for (;;) {
		try {
			await check();
			return;
		} catch (error) {
			if (Date.now() > deadline) throw error;
			await delay(TRY_MS);
		}
	}
};

/** Runs `run` for every item, at most `limit` at once, in order of their begin; stops beginning at the first failure. */
export const forEachParallel = async <T>(
	items: readonly T[],
	limit: number,
	run: (item: T, index: number) => Promise<void>,
): Promise<void> => {
	let next = 0;
	let failed = false;
	const worker = async (): Promise<void> => {
		while (next < items.length && !failed) {
			const index = next++;
			try {
				await run(items[index] as T, index);
			} catch (error) {
				failed = true;
				throw error;
			}
		}
	};
	// Every begun write ends before the failure is told: nothing goes on in the background.
	const results = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
	const rejected = results.find((result) => result.status === "rejected");
	if (rejected) throw rejected.reason;
};

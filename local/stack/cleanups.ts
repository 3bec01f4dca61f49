/** What was started, to be stopped in the opposite order. */
export class Cleanups {
	readonly #steps: { name: string; stop: () => Promise<void> }[] = [];
	#done: Promise<void> | undefined;

	/** Whether the end has begun. */
	get running(): boolean {
		return this.#done !== undefined;
	}

	add(name: string, stop: () => Promise<void>): void {
		this.#steps.push({ name, stop });
	}

	/** Stops everything, once; a step that fails does not keep the others from running. Throws all failures at the end. */
	run(): Promise<void> {
		this.#done ??= this.#run();
		return this.#done;
	}

	async #run(): Promise<void> {
		const failures: Error[] = [];
		for (const { name, stop } of this.#steps.reverse()) {
			try {
				await stop();
			} catch (cause) {
				failures.push(new Error(`Stopping ${name} failed: ${(cause as Error).message}`, { cause }));
			}
		}
		if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join("\n"));
	}
}

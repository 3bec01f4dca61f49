/** Counts the lines that the control plane writes for syncs. */
export class SyncLog {
	#rest = "";
	#syncs = 0;
	#completed = 0;

	/** Takes a piece of its output. */
	add(text: string): void {
		const lines = (this.#rest + text).split("\n");
		this.#rest = lines.pop() ?? "";
		for (const line of lines) {
			if (!line.includes('"event":"sync"')) continue;
			const { completed = 0, refused = 0 } = JSON.parse(line) as { completed?: number; refused?: number };
			this.#syncs++;
			this.#completed += completed - refused;
		}
	}

	/** Committed syncs, and attempts that they settled. */
	counts(): { syncs: number; completed: number } {
		return { syncs: this.#syncs, completed: this.#completed };
	}
}

/**
 * Largest flow through a network, by augmenting along shortest paths. What may be carried by whom (campaigns by trunks by hosts) is a network,
 * and its largest flow is what all of them together can carry; a share taken in turn would depend on the order.
 */
export class FlowNetwork {
	/** Edges in pairs: an edge and, next to it, its way back. */
	readonly #to: number[] = [];
	readonly #room: number[] = [];
	readonly #from: number[][] = [];

	/** @returns the new node */
	node(): number {
		this.#from.push([]);
		return this.#from.length - 1;
	}

	/** @returns the edge, for {@link widen} and {@link through} */
	edge(from: number, to: number, capacity: number): number {
		const edge = this.#to.length;
		this.#to.push(to, from);
		this.#room.push(capacity, 0);
		this.#from[from]?.push(edge);
		this.#from[to]?.push(edge + 1);
		return edge;
	}

	widen(edge: number, more: number): void {
		this.#room[edge] = (this.#room[edge] ?? 0) + more;
	}

	/** What flows through an edge. */
	through(edge: number): number {
		return this.#room[edge + 1] ?? 0;
	}

	/** Lets as much more flow as can; what left the source before never becomes less. @returns what was added */
	augment(source: number, sink: number): number {
		let added = 0;
		for (;;) {
			const path = this.#path(source, sink);
			if (!path) return added;
			const room = Math.min(...path.map((edge) => this.#room[edge] ?? 0));
			for (const edge of path) {
				this.widen(edge, -room);
				this.widen(edge ^ 1, room);
			}
			added += room;
		}
	}

	#path(source: number, sink: number): number[] | undefined {
		const by = new Map<number, number>();
		const queue = [source];
		for (const node of queue) {
			for (const edge of this.#from[node] ?? []) {
				const next = this.#to[edge] as number;
				if (next === source || by.has(next) || (this.#room[edge] ?? 0) <= 0) continue;
				by.set(next, edge);
				if (next === sink) return this.#back(by, source, sink);
				queue.push(next);
			}
		}
		return undefined;
	}

	#back(by: Map<number, number>, source: number, sink: number): number[] {
		const path: number[] = [];
		for (let node = sink; node !== source; ) {
			const edge = by.get(node) as number;
			path.push(edge);
			node = this.#to[edge ^ 1] as number;
		}
		return path;
	}
}

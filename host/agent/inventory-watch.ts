import type { Inventory } from "../../shared/contract/host.ts";
import type { AgentPorts } from "./ports.ts";

/** Knows what this host has and what of it the control plane was told. */
export class InventoryWatch {
	#current: Inventory | undefined;
	#acknowledged = "";
	/** What the request under way says; `` if nothing. */
	#inRequest = "";
	readonly #ports: Pick<AgentPorts, "host" | "log">;

	constructor(ports: Pick<AgentPorts, "host" | "log">) {
		this.#ports = ports;
	}

	async refresh(): Promise<void> {
		try {
			this.#current = await this.#ports.host.inventory();
		} catch (error) {
			this.#ports.log.error("inventoryFailed", { error });
		}
	}

	/** The control plane does not know of it yet. */
	get changed(): boolean {
		return this.#current !== undefined && JSON.stringify(this.#current) !== this.#acknowledged;
	}

	/** For the next request; undefined where there is nothing new to say. */
	forRequest(always = false): Inventory | undefined {
		const said = always || this.changed ? this.#current : undefined;
		this.#inRequest = said === undefined ? "" : JSON.stringify(said);
		return said;
	}

	/** That request was answered. */
	acknowledged(): void {
		if (this.#inRequest !== "") this.#acknowledged = this.#inRequest;
		this.#inRequest = "";
	}
}

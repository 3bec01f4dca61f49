import type { Inventory } from "../../shared/contract/host.ts";
import type { AgentPorts } from "./ports.ts";
import { Told } from "./told.ts";

/** Knows what this host has and what of it the control plane was told. */
export class InventoryWatch {
	#current: Inventory | undefined;
	readonly #told = new Told<Inventory>();
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
		return this.#told.isNews(this.#current);
	}

	/** For the next request; undefined where there is nothing new to say. */
	forRequest(always = false): Inventory | undefined {
		return this.#told.forRequest(this.#current, always);
	}

	/** That request was answered. */
	acknowledged(): void {
		this.#told.acknowledged();
	}
}

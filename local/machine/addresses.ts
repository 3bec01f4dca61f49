import { StackError } from "../stack/options.ts";

/** Hands out addresses; one that was given back is used again as late as possible, so that what is still on its way finds nobody. */
export class AddressPool {
	readonly #free: string[];
	readonly #size: number;
	constructor(addresses: readonly string[]) {
		this.#free = [...addresses];
		this.#size = addresses.length;
	}

	take(): string {
		const address = this.#free.shift();
		if (address === undefined) throw new StackError(`All ${this.#size} addresses of this stack are in use.`);
		return address;
	}

	give(address: string): void {
		this.#free.push(address);
	}
}

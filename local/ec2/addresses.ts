import { newId } from "./ids.ts";
import { Refusal } from "./refusal.ts";

export interface Address {
	allocationId: string;
	publicAddress: string;
	/** Absent: free. */
	associationId?: string;
	instanceId?: string;
}

/** The account's Elastic IPs. An instance keeps its own while it is stopped and loses it when it is terminated. */
export class AddressPool {
	readonly #addresses: Address[];
	constructor(addresses: Address[]) {
		this.#addresses = addresses.map((address) => ({ ...address }));
	}

	/** Without ids: all. @throws Refusal */
	list(ids: string[]): Address[] {
		return ids.length === 0 ? this.#addresses : ids.map((id) => this.#get(id));
	}

	of(instanceId: string): Address | undefined {
		return this.#addresses.find((address) => address.instanceId === instanceId);
	}

	/** Once more with the same instance: as it is. @throws Refusal where either has another, unless it may be taken away */
	associate(allocationId: string, instanceId: string, mayMove: boolean): Address {
		const address = this.#get(allocationId);
		if (address.instanceId === instanceId) return address;
		const taken = address.instanceId === undefined ? this.of(instanceId) : address;
		if (taken && !mayMove) {
			const says = `resource ${taken.allocationId} is already associated with associate-id ${taken.associationId}`;
			throw new Refusal("Resource.AlreadyAssociated", says);
		}
		this.release(instanceId);
		address.instanceId = instanceId;
		address.associationId = newId("eipassoc");
		return address;
	}

	release(instanceId: string): void {
		const address = this.of(instanceId);
		if (!address) return;
		delete address.instanceId;
		delete address.associationId;
	}

	#get(allocationId: string): Address {
		const address = this.#addresses.find((candidate) => candidate.allocationId === allocationId);
		if (address) return address;
		throw new Refusal("InvalidAllocationID.NotFound", `The allocation ID '${allocationId}' does not exist`);
	}
}

import type { CloudOptions } from "./cloud.ts";
import type { Capacity } from "./faults.ts";
import type { InstanceFacts } from "./instance.ts";
import { Refusal } from "./refusal.ts";

/** What a launch asks for, its parameters understood. */
export interface LaunchRequest {
	templateId: string;
	templateVersion: string;
	type: string;
	subnet: string;
	min: number;
	max: number;
	clientToken: string | undefined;
	/** Of all parameters but the token: a token goes with one request only. */
	fingerprint: string;
	tags: Record<string, string>;
	market: "on-demand" | "spot";
	metadata: InstanceFacts["metadata"];
	shutdownBehavior: string;
}

/** What can be launched: from which template, of which types, in which subnets. */
export class Catalog {
	readonly capacity: Capacity;
	readonly #options: Pick<CloudOptions, "template" | "subnets" | "types">;
	constructor(options: Pick<CloudOptions, "template" | "subnets" | "types">, capacity: Capacity) {
		this.#options = options;
		this.capacity = capacity;
	}

	zone(subnet: string): string {
		return this.#options.subnets.find(({ id }) => id === subnet)?.zone ?? "";
	}

	/** @throws Refusal of what there is not */
	check(request: LaunchRequest): void {
		if (request.templateId !== this.#options.template.id) {
			const says = `The specified launch template, with template ID ${request.templateId}, does not exist.`;
			throw new Refusal("InvalidLaunchTemplateId.NotFound", says);
		}
		if (!/^(\$Latest|\$Default|1)$/.test(request.templateVersion)) {
			const says = `Could not find the specified version ${request.templateVersion} for the launch template.`;
			throw new Refusal("InvalidLaunchTemplateId.VersionNotFound", says);
		}
		if (!this.#options.subnets.some(({ id }) => id === request.subnet)) {
			throw new Refusal("InvalidSubnetID.NotFound", `The subnet ID '${request.subnet}' does not exist`);
		}
		if (!this.#options.types.includes(request.type)) {
			throw new Refusal("InvalidParameterValue", `Invalid value '${request.type}' for InstanceType.`);
		}
		if (!this.capacity.offered(request.type, request.subnet)) {
			const zone = this.zone(request.subnet);
			const says = `Your requested instance type (${request.type}) is not supported in your requested Availability Zone (${zone}).`;
			throw new Refusal("Unsupported", says);
		}
	}
}

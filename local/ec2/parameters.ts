import { Refusal } from "./refusal.ts";

/** Version of the API that is spoken. */
export const API_VERSION = "2016-11-15";

/** Every parameter that is understood, by action; `#` stands for a number. Anything else is refused: it would be ignored otherwise. */
const PARAMETERS: Record<string, readonly string[]> = {
	RunInstances: [
		"LaunchTemplate.LaunchTemplateId",
		"LaunchTemplate.Version",
		"InstanceType",
		"SubnetId",
		"MinCount",
		"MaxCount",
		"ClientToken",
		"TagSpecification.#.ResourceType",
		"TagSpecification.#.Tag.#.Key",
		"TagSpecification.#.Tag.#.Value",
		"MetadataOptions.HttpTokens",
		"MetadataOptions.HttpPutResponseHopLimit",
		"MetadataOptions.HttpEndpoint",
		"InstanceInitiatedShutdownBehavior",
		"InstanceMarketOptions.MarketType",
		"InstanceMarketOptions.SpotOptions.SpotInstanceType",
		"InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior",
	],
	StartInstances: ["InstanceId.#"],
	StopInstances: ["InstanceId.#"],
	TerminateInstances: ["InstanceId.#"],
	DescribeInstances: ["Filter.#.Name", "Filter.#.Value.#", "MaxResults", "NextToken"],
	DescribeAddresses: ["AllocationId.#"],
	AssociateAddress: ["AllocationId", "InstanceId", "AllowReassociation"],
};

/** The parameters of one request. */
export class Parameters {
	readonly action: string;
	readonly #given: Map<string, string>;

	/** @throws Refusal for what is not understood */
	constructor(body: string) {
		this.#given = new Map(new URLSearchParams(body));
		this.action = this.#given.get("Action") ?? "";
		if (this.action === "")
			throw new Refusal("MissingAction", "The request is missing an action or a required parameter.");
		const known = PARAMETERS[this.action];
		const version = this.#given.get("Version");
		if (!known || version !== API_VERSION) {
			throw new Refusal("InvalidAction", `The action ${this.action} is not valid for this web service (${version}).`);
		}
		for (const name of this.#given.keys()) {
			if (name === "Action" || name === "Version" || known.includes(name.replace(/\.\d+(?=\.|$)/g, ".#"))) continue;
			throw new Refusal("UnknownParameter", `The parameter ${name} is not recognized`);
		}
	}

	get(name: string): string | undefined {
		return this.#given.get(name);
	}

	need(name: string): string {
		const value = this.#given.get(name);
		if (value === undefined || value === "") {
			throw new Refusal("MissingParameter", `The request must contain the parameter ${name}`);
		}
		return value;
	}

	/** @throws Refusal where it is not one of these */
	oneOf<T extends string>(name: string, values: readonly T[], missing: T): T {
		const value = this.#given.get(name) ?? missing;
		const found = values.find((candidate) => candidate === value);
		if (found === undefined) {
			throw new Refusal("InvalidParameterValue", `Value (${value}) for parameter ${name} is invalid.`);
		}
		return found;
	}

	int(name: string, range: { min: number; max: number; missing?: number }): number {
		const text = range.missing === undefined ? this.need(name) : (this.#given.get(name) ?? String(range.missing));
		const value = Number(text);
		if (!Number.isInteger(value) || value < range.min || value > range.max) {
			const expected = `Expecting a number from ${range.min} to ${range.max}.`;
			throw new Refusal("InvalidParameterValue", `Value (${text}) for parameter ${name} is invalid. ${expected}`);
		}
		return value;
	}

	/** `name.1`, `name.2` … as far as they go. */
	list(name: string): string[] {
		const values: string[] = [];
		for (let at = 1; this.#given.has(`${name}.${at}`); at++) values.push(this.#given.get(`${name}.${at}`) ?? "");
		return values;
	}

	/** Numbers of a list of structures: those n for which `name.n.member` is given. */
	numbers(name: string, member: string): number[] {
		const found: number[] = [];
		for (let at = 1; this.#given.has(`${name}.${at}.${member}`); at++) found.push(at);
		return found;
	}

	/** All but these, in a form that two equal requests share. */
	fingerprint(without: readonly string[]): string {
		return JSON.stringify([...this.#given].filter(([name]) => !without.includes(name)).sort());
	}
}

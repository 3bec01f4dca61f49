import type { Address } from "./addresses.ts";
import type { LaunchRequest } from "./catalog.ts";
import type { Cloud } from "./cloud.ts";
import type { Instance, View } from "./instance.ts";
import type { Parameters } from "./parameters.ts";
import { Refusal } from "./refusal.ts";
import type { Xml } from "./xml.ts";

/** EC2's own bounds of a page. */
const MIN_PAGE = 5;
const MAX_PAGE = 1_000;
const MAX_COUNT = 1_000;
const MAX_TOKEN_CHARS = 64;
/** Of the states, as EC2 numbers them. */
const STATE_CODES: Record<string, number> = {
	pending: 0,
	running: 16,
	"shutting-down": 32,
	terminated: 48,
	stopping: 64,
	stopped: 80,
};

const stateXml = (name: string): Xml => ({ code: STATE_CODES[name], name });

const instanceXml = ({ facts }: Instance, view: Pick<View, "state" | "launchedAt">): Xml => ({
	instanceId: facts.instanceId,
	imageId: facts.imageId,
	instanceState: stateXml(view.state),
	instanceType: facts.type,
	launchTime: new Date(view.launchedAt).toISOString(),
	placement: { availabilityZone: facts.zone, groupName: "", tenancy: "default" },
	// The network interface of a terminated instance is gone, and the subnet with it.
	subnetId: view.state === "terminated" ? undefined : facts.subnet,
	clientToken: facts.clientToken,
	tagSet: Object.entries(facts.tags).map(([key, value]) => ({ key, value })),
	instanceLifecycle: facts.market === "spot" ? "spot" : undefined,
	metadataOptions: {
		state: "applied",
		httpTokens: facts.metadata.httpTokens,
		httpPutResponseHopLimit: facts.metadata.hopLimit,
		httpEndpoint: facts.metadata.httpEndpoint,
	},
});

const changesXml = (changes: { instance: Instance; before: string }[]): { instancesSet: Xml } => ({
	instancesSet: changes.map(({ instance, before }) => ({
		instanceId: instance.facts.instanceId,
		currentState: stateXml(instance.state),
		previousState: stateXml(before),
	})),
});

const addressXml = (address: Address): Xml => ({
	publicIp: address.publicAddress,
	allocationId: address.allocationId,
	domain: "vpc",
	instanceId: address.instanceId,
	associationId: address.associationId,
});

/** Tags of the instance; those of other resources are checked and forgotten. */
const tagsOf = (parameters: Parameters): Record<string, string> => {
	const tags: Record<string, string> = {};
	const seen = new Set<string>();
	for (const spec of parameters.numbers("TagSpecification", "ResourceType")) {
		// An instance that is not spot has no request to be tagged.
		const spot = parameters.get("InstanceMarketOptions.MarketType") === "spot";
		const made = ["instance", "volume", "network-interface", ...(spot ? ["spot-instances-request"] : [])];
		const resource = parameters.oneOf(`TagSpecification.${spec}.ResourceType`, made, "instance");
		if (seen.has(resource)) {
			const says = `Tag specification resource type must be unique in the request: ${resource}`;
			throw new Refusal("InvalidParameterValue", says);
		}
		seen.add(resource);
		const own = new Set<string>();
		for (const at of parameters.numbers(`TagSpecification.${spec}.Tag`, "Key")) {
			const key = parameters.need(`TagSpecification.${spec}.Tag.${at}.Key`);
			const value = parameters.get(`TagSpecification.${spec}.Tag.${at}.Value`) ?? "";
			if (own.has(key)) {
				throw new Refusal("InvalidParameterValue", `Duplicate tag key '${key}' specified.`);
			}
			if (key.length > 128 || value.length > 256 || key.startsWith("aws:")) {
				throw new Refusal("InvalidParameterValue", `Tag ${key} is too long or reserved.`);
			}
			own.add(key);
			if (resource === "instance") tags[key] = value;
		}
	}
	return tags;
};

const marketOf = (parameters: Parameters): "on-demand" | "spot" => {
	const named = parameters.get("InstanceMarketOptions.MarketType");
	if (named === undefined) return "on-demand";
	parameters.oneOf("InstanceMarketOptions.MarketType", ["spot"], "spot");
	parameters.oneOf("InstanceMarketOptions.SpotOptions.SpotInstanceType", ["one-time"], "one-time");
	parameters.oneOf("InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior", ["terminate"], "terminate");
	return "spot";
};

const launchOf = (parameters: Parameters): LaunchRequest => {
	const clientToken = parameters.get("ClientToken");
	if (clientToken !== undefined && !/^[\x21-\x7e]+$/.test(clientToken)) {
		throw new Refusal("InvalidParameterValue", "Value for parameter ClientToken is invalid. Must be ASCII.");
	}
	if (clientToken !== undefined && clientToken.length > MAX_TOKEN_CHARS) {
		throw new Refusal("InvalidParameterValue", `Invalid client token: longer than ${MAX_TOKEN_CHARS} characters.`);
	}
	const min = parameters.int("MinCount", { min: 1, max: MAX_COUNT });
	return {
		templateId: parameters.need("LaunchTemplate.LaunchTemplateId"),
		templateVersion: parameters.get("LaunchTemplate.Version") ?? "$Default",
		type: parameters.need("InstanceType"),
		subnet: parameters.need("SubnetId"),
		min,
		max: parameters.int("MaxCount", { min, max: MAX_COUNT }),
		clientToken,
		fingerprint: parameters.fingerprint(["ClientToken"]),
		tags: tagsOf(parameters),
		market: marketOf(parameters),
		metadata: {
			httpTokens: parameters.oneOf("MetadataOptions.HttpTokens", ["optional", "required"], "optional"),
			hopLimit: parameters.int("MetadataOptions.HttpPutResponseHopLimit", { min: 1, max: 64, missing: 1 }),
			httpEndpoint: parameters.oneOf("MetadataOptions.HttpEndpoint", ["enabled", "disabled"], "enabled"),
		},
		shutdownBehavior: parameters.oneOf("InstanceInitiatedShutdownBehavior", ["stop", "terminate"], "stop"),
	};
};

/** Whether an instance passes all filters. */
const filterOf = (parameters: Parameters): ((instance: Instance) => boolean) => {
	const filters = parameters.numbers("Filter", "Name").map((at) => ({
		name: parameters.need(`Filter.${at}.Name`),
		values: parameters.list(`Filter.${at}.Value`),
	}));
	const unknown = filters.find(({ name }) => name !== "instance-id" && !name.startsWith("tag:"));
	if (unknown) throw new Refusal("InvalidParameterValue", `The filter '${unknown.name}' is invalid`);
	return ({ facts }) =>
		filters.every(({ name, values }) => {
			const value = name === "instance-id" ? facts.instanceId : facts.tags[name.slice("tag:".length)];
			return value !== undefined && values.includes(value);
		});
};

/** A page of what is asked for. EC2 may give less than a full one, so one may be set that is smaller than was asked for. */
const page = (cloud: Cloud, parameters: Parameters, pageSize: number): { [element: string]: Xml } => {
	const passes = filterOf(parameters);
	const size = Math.min(parameters.int("MaxResults", { min: MIN_PAGE, max: MAX_PAGE, missing: MAX_PAGE }), pageSize);
	const token = parameters.get("NextToken");
	const after =
		token === undefined ? -1 : Number(/^after (\d+)$/.exec(Buffer.from(token, "base64url").toString())?.[1]);
	if (Number.isNaN(after)) throw new Refusal("InvalidNextToken", "The token is not valid.");
	const found = cloud.describe().filter(({ instance }) => instance.facts.number > after && passes(instance));
	const shown = found.slice(0, size);
	const last = shown.length < found.length ? shown.at(-1) : undefined;
	return {
		reservationSet: [...Map.groupBy(shown, ({ instance }) => instance.facts.reservationId)].map(([id, group]) => ({
			reservationId: id,
			ownerId: cloud.account,
			instancesSet: group.map(({ instance, view }) => instanceXml(instance, view)),
		})),
		nextToken: last && Buffer.from(`after ${last.instance.facts.number}`).toString("base64url"),
	};
};

/** Does what a request asks for. @throws Refusal */
export const act = (cloud: Cloud, parameters: Parameters, pageSize: number): { [element: string]: Xml } => {
	switch (parameters.action) {
		case "RunInstances": {
			const instances = cloud.run(launchOf(parameters));
			return {
				reservationId: instances[0]?.facts.reservationId,
				ownerId: cloud.account,
				instancesSet: instances.map((instance) => instanceXml(instance, instance)),
			};
		}
		case "StartInstances":
			return changesXml(cloud.start(parameters.list("InstanceId")));
		case "StopInstances":
			return changesXml(cloud.stop(parameters.list("InstanceId")));
		case "TerminateInstances":
			return changesXml(cloud.terminate(parameters.list("InstanceId")));
		case "DescribeInstances":
			return page(cloud, parameters, pageSize);
		case "DescribeAddresses":
			return { addressesSet: cloud.addresses(parameters.list("AllocationId")).map(addressXml) };
		case "AssociateAddress": {
			const mayMove = parameters.oneOf("AllowReassociation", ["true", "false"], "true") === "true";
			const ids = [parameters.need("AllocationId"), parameters.need("InstanceId")] as const;
			return { return: true, associationId: cloud.associate(...ids, mayMove) };
		}
		default:
			throw new Refusal("InvalidAction", `The action ${parameters.action} is not valid for this web service.`);
	}
};

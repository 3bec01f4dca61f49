import {
	AssociateAddressCommand,
	DescribeAddressesCommand,
	DescribeInstancesCommand,
	type DescribeInstancesCommandInput,
	type EC2Client,
	type Instance,
	type _InstanceType as InstanceType,
	type Reservation,
	RunInstancesCommand,
	type RunInstancesCommandInput,
	StartInstancesCommand,
	StopInstancesCommand,
	TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import type { BurstSettings } from "../config/burst-settings.ts";
import { type Ec2, Ec2Error, type Ec2Instance, type Ec2State, LAUNCH_TAG, STACK_TAG } from "../fleet/ec2.ts";
import type { Offering } from "../fleet/offerings.ts";
import { toEc2Error } from "./ec2-errors.ts";

/**
 * CloudFormation makes a new version of a launch template for every change and leaves the default at the first one: only the latest has
 * the image that was deployed last.
 */
const TEMPLATE_VERSION = "$Latest";
/** As many as EC2 gives in one answer. */
const PAGE_SIZE = 1_000;
/** The metadata service answers the instance itself and nothing that runs behind another hop. */
const METADATA_HOPS = 1;

const toInstance = (instance: Instance, reservation: Pick<Reservation, "OwnerId">): Ec2Instance => {
	const launchId = instance.Tags?.find((tag) => tag.Key === LAUNCH_TAG)?.Value;
	return {
		instanceId: instance.InstanceId ?? "",
		state: (instance.State?.Name ?? "pending") as Ec2State,
		type: instance.InstanceType ?? "",
		// A terminated instance has none any more.
		subnet: instance.SubnetId ?? "",
		imageId: instance.ImageId ?? "",
		account: reservation.OwnerId ?? "",
		...(launchId === undefined ? {} : { launchId }),
		launchedAt: instance.LaunchTime?.getTime() ?? 0,
		market: instance.InstanceLifecycle === "spot" ? "spot" : "on-demand",
	};
};

/**
 * On demand, an instance that shuts itself down keeps its disk: what it has not reported yet is on it. A spot instance that is bought once
 * cannot be stopped, only terminated.
 */
const market = (offering: Offering): Partial<RunInstancesCommandInput> =>
	offering.market === "spot"
		? {
				InstanceMarketOptions: {
					MarketType: "spot",
					SpotOptions: { SpotInstanceType: "one-time", InstanceInterruptionBehavior: "terminate" },
				},
				InstanceInitiatedShutdownBehavior: "terminate",
			}
		: { InstanceInitiatedShutdownBehavior: "stop" };

/**
 * What the launch template leaves open: type, subnet, way of buying, tags. Image, security group, profile and user data are the
 * template's, which names no network interface: subnet and public address go by the subnet (`MapPublicIpOnLaunch`).
 */
const runInput = (
	settings: BurstSettings,
	{ clientToken, offering, count }: { clientToken: string; offering: Offering; count: number },
): RunInstancesCommandInput => {
	const tags = [
		{ Key: STACK_TAG, Value: settings.stack },
		{ Key: LAUNCH_TAG, Value: clientToken },
		{ Key: "Name", Value: `${settings.stack}-burst` },
	];
	return {
		LaunchTemplate: { LaunchTemplateId: settings.launchTemplate, Version: TEMPLATE_VERSION },
		InstanceType: offering.type as InstanceType,
		SubnetId: offering.subnet,
		MinCount: 1,
		MaxCount: count,
		ClientToken: clientToken,
		// All that a launch makes: our role may neither launch nor address what lacks the first tag (infra/burst.yml).
		TagSpecifications: [
			{ ResourceType: "instance", Tags: tags },
			{ ResourceType: "volume", Tags: tags },
			{ ResourceType: "network-interface", Tags: tags },
			...(offering.market === "spot" ? [{ ResourceType: "spot-instances-request" as const, Tags: tags }] : []),
		],
		MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: METADATA_HOPS, HttpEndpoint: "enabled" },
		...market(offering),
	};
};

/** Ids among `ids` that an error names. */
const namedIn = (error: Ec2Error, ids: string[]): string[] => {
	const words = new Set(error.message.split(/[^A-Za-z0-9-]+/));
	return ids.filter((id) => words.has(id));
};

const listed = (ids: string[]): string => ids.join(", ");

/** EC2 by its SDK. Which error means what: ./ec2-errors.ts. */
export const ec2Adapter = (client: EC2Client, settings: BurstSettings): Ec2 => {
	const read = async (input: DescribeInstancesCommandInput): Promise<Ec2Instance[]> => {
		const found: Ec2Instance[] = [];
		let NextToken: string | undefined;
		do {
			const page = await client
				.send(new DescribeInstancesCommand({ ...input, MaxResults: PAGE_SIZE, ...(NextToken ? { NextToken } : {}) }))
				.catch((error: unknown) => {
					throw toEc2Error(error, "EC2 was asked for the instances");
				});
			for (const reservation of page.Reservations ?? []) {
				for (const instance of reservation.Instances ?? []) found.push(toInstance(instance, reservation));
			}
			NextToken = page.NextToken;
		} while (NextToken);
		return found;
	};

	/** By a filter: an id that EC2 does not know is no error, it is only not among them. */
	const readThese = (ids: string[]): Promise<Ec2Instance[]> =>
		read({ Filters: [{ Name: "instance-id", Values: ids }] });

	/**
	 * EC2 carries out all of a call or nothing of it and names the ids that are in the way: asked again without those, so that one instance that may not
	 * be ended (termination protection, a tag taken off) does not keep all others running.
	 * @returns the ids left out, but for those that are gone, with what EC2 said of the last of them.
	 */
	const withoutThoseInTheWay = async (
		instanceIds: string[],
		verb: string,
		send: (ids: string[]) => Promise<unknown>,
	): Promise<{ left: string[]; said?: Ec2Error }> => {
		let ids = [...new Set(instanceIds)];
		const left: string[] = [];
		let said: Ec2Error | undefined;
		while (ids.length > 0) {
			try {
				await send(ids);
				break;
			} catch (cause) {
				const error = toEc2Error(cause, `EC2 was asked to ${verb} ${listed(ids)}`);
				const isGone = error.kind === "notFound";
				const isRefused = error.kind === "configuration" || error.code === "IncorrectInstanceState";
				// Of the message only EC2's own part: ours names them all.
				const named = namedIn(
					cause instanceof Error ? new Ec2Error(error.kind, error.code, cause.message) : error,
					ids,
				);
				if (!(isGone || isRefused) || named.length === 0) throw error;
				if (isRefused) {
					left.push(...named);
					said = error;
				}
				ids = ids.filter((id) => !named.includes(id));
			}
		}
		return { left, ...(said ? { said } : {}) };
	};

	return {
		describe: () => read({ Filters: [{ Name: `tag:${STACK_TAG}`, Values: [settings.stack] }] }),

		launch: async (request) => {
			const { offering, count } = request;
			const answer = await client.send(new RunInstancesCommand(runInput(settings, request))).catch((error: unknown) => {
				const asked = `${count} ${offering.type} in ${offering.subnet}, ${offering.market}`;
				throw toEc2Error(error, `EC2 was asked to launch ${asked}`);
			});
			return (answer.Instances ?? []).map((instance) => toInstance(instance, answer));
		},

		start: async (instanceIds) => {
			if (instanceIds.length === 0) return;
			try {
				await client.send(new StartInstancesCommand({ InstanceIds: instanceIds }));
			} catch (cause) {
				const error = toEc2Error(cause, `EC2 was asked to start ${listed(instanceIds)}`);
				if (error.code !== "IncorrectInstanceState") throw error;
				// The same words for an instance that is stopping, which will be startable, and for one that is gone.
				const startable = (await readThese(instanceIds)).filter(
					({ state }) => state !== "terminated" && state !== "shutting-down",
				);
				const gone = instanceIds.filter((id) => !startable.some(({ instanceId }) => instanceId === id));
				if (gone.length === 0) throw error;
				throw new Ec2Error("notFound", error.code, `${error.message}; gone: ${listed(gone)}`, cause);
			}
		},

		stop: async (instanceIds) => {
			const { left, said } = await withoutThoseInTheWay(instanceIds, "stop", (ids) =>
				client.send(new StopInstancesCommand({ InstanceIds: ids })),
			);
			if (!said) return;
			// Terminated ones are as good as stopped; a pending one that never ran cannot be stopped yet.
			const up = (await readThese(left)).filter(({ state }) => state === "pending" || state === "running");
			if (up.length > 0) throw said;
		},

		terminate: async (instanceIds) => {
			const { said } = await withoutThoseInTheWay(instanceIds, "terminate", (ids) =>
				client.send(new TerminateInstancesCommand({ InstanceIds: ids })),
			);
			if (said) throw said;
		},

		addresses: async () => {
			// Without ids EC2 would list every address of the account.
			if (settings.addressPool.length === 0) return [];
			const answer = await client
				.send(new DescribeAddressesCommand({ AllocationIds: settings.addressPool }))
				.catch((error: unknown) => {
					throw toEc2Error(error, `EC2 was asked for the addresses ${listed(settings.addressPool)}`);
				});
			return (answer.Addresses ?? []).map(({ AllocationId = "", PublicIp = "", InstanceId, AssociationId }) => ({
				allocationId: AllocationId,
				publicAddress: PublicIp,
				// Associated with something that is no instance (a NAT gateway): not free either.
				...(InstanceId || AssociationId ? { instanceId: InstanceId || AssociationId || "" } : {}),
			}));
		},

		associate: async (allocationId, instanceId) => {
			await client
				.send(
					new AssociateAddressCommand({
						AllocationId: allocationId,
						InstanceId: instanceId,
						AllowReassociation: false,
					}),
				)
				.catch((error: unknown) => {
					throw toEc2Error(error, `EC2 was asked to give ${instanceId} the address ${allocationId}`);
				});
		},
	};
};

import type { HostItem } from "../../../shared/store/items.ts";
import type { Input, Statement } from "../memory-dynamo.ts";
import type { ViolationKind } from "../virtual/checks.ts";
import type { Mutation } from "../virtual/control-plane.ts";
import { changed, weakened } from "../virtual/mutations.ts";
import type { FleetViolationKind } from "./fleet-checks.ts";
import type { FleetWalkConfig } from "./fleet-config.ts";

/** Rules of the fleet taken away, one each: what the walk must find. */

const valuesOf = ({ input }: Statement): Record<string, unknown> =>
	(input["ExpressionAttributeValues"] ?? {}) as Record<string, unknown>;
const isHostUpdate = ({ name, input }: Statement): boolean => name === "Update" && input["TableName"] === "hosts";
const withValues = (statement: Statement, values: Record<string, unknown>, over: Input = {}): Statement => ({
	...statement,
	input: { ...statement.input, ...over, ExpressionAttributeValues: { ...valuesOf(statement), ...values } },
});

/** Looks take a draining host for a drained one, and stop it. */
const stopsWhatDrains = (): Mutation => {
	const mutation: Mutation = {
		hits: 0,
		rewriteResult: ({ name, input }, result, { id }) => {
			if (!id.startsWith("look") || name !== "Query" || input["TableName"] !== "hosts" || !result.ok) return undefined;
			for (const host of (result.answer["Items"] ?? []) as HostItem[])
				if (host.state === "draining") host.state = "drained";
			return result;
		},
		rewrite: (statement) => {
			const { [":from"]: from, [":to"]: to } = valuesOf(statement);
			if (!isHostUpdate(statement) || from !== "drained" || to !== "stopping") return undefined;
			mutation.hits++;
			return withValues(statement, { ":from": "draining" });
		},
	};
	return mutation;
};

/** One sync that says live 0 makes a draining host drained, whatever it still holds. */
const drainedAtLiveZero = (): Mutation =>
	changed((statement) => {
		const values = valuesOf(statement);
		const isDraining = isHostUpdate(statement) && values[":state"] === "draining" && ":quiet" in values;
		if (!isDraining || values[":live"] !== 0 || values[":next"] !== undefined) return undefined;
		const UpdateExpression = String(statement.input["UpdateExpression"]).replace("SET ", "SET #state = :next, ");
		return withValues(statement, { ":next": "drained" }, { UpdateExpression });
	});

/** Drains without end while calls wait for their moment: a host that says live 0 often holds some. */
const MANY_DRAINS: Partial<FleetWalkConfig> = {
	trunks: [{ maxChannels: 14, maxCps: 3 }],
	campaigns: [{ cap: 12, contacts: 40, allowDroppedCalls: false }],
	burst: { maxHosts: 4, channelsPerHost: 3, warmHosts: 1, spot: false, offerings: 1, drainDeadlineSec: 30 },
	faults: { network: 4, handlers: 1, hosts: 0, ec2: 0, instances: 0, people: 15, staleIndex: 0 },
};

export interface FleetMutation {
	name: string;
	change: () => Partial<FleetWalkConfig>;
	/** What it may show as. */
	kinds: (FleetViolationKind | ViolationKind)[];
}

export const FLEET_MUTATIONS: FleetMutation[] = [
	{
		name: "a draining host is stopped without waiting for it",
		change: () => ({ mutation: stopsWhatDrains() }),
		kinds: ["stoppedWithCalls"],
	},
	{
		name: "a host is drained as soon as one sync says live 0",
		change: () => ({ ...MANY_DRAINS, mutation: drainedAtLiveZero() }),
		kinds: ["stoppedWithCalls", "neverSettles", "outcomeLost"],
	},
	{
		name: "the fleet's state is written without compare-and-set",
		change: () => ({ mutation: weakened("fleet", ["#state"], "version = :read", "attribute_exists(version)") }),
		kinds: ["moreThanWanted", "unintendedStart", "tooManyInstances"],
	},
	{
		name: "a launch has no ClientToken",
		change: () => ({ forgetsTokens: true }),
		kinds: ["unintendedStart", "tooManyInstances"],
	},
	{
		name: "a host is stopped whatever became of it since it was read",
		change: () => ({
			...MANY_DRAINS,
			mutation: weakened("hosts", [":to", '"stopping"'], "#state = :from", "attribute_exists(#state)"),
		}),
		kinds: ["illegalTransition", "stoppedWithCalls"],
	},
];

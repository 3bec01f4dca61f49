import { STACK_TAG } from "../../../shared/fleet/ec2.ts";
import { MemoryEc2 } from "../memory-ec2.ts";
import { type Action, ADDRESSES, type Ec2Bench, SUBNETS, TYPES } from "./ec2.ts";

const STACK = "burst-dialer-test";
/** Longer than anything takes. */
const SETTLED_MS = 60_000;
const CALLS = {
	DescribeInstances: "describe",
	RunInstances: "launch",
	StartInstances: "start",
	StopInstances: "stop",
	TerminateInstances: "terminate",
	DescribeAddresses: "addresses",
	AssociateAddress: "associate",
} as const satisfies Record<Action, string>;

/** Offerings that `type/subnet`, with `*` for either, names. */
const named = (pattern: string) => {
	const [ofType, ofSubnet] = pattern.split("/");
	return (["on-demand", "spot"] as const).flatMap((market) =>
		TYPES.flatMap((type) => SUBNETS.map((subnet) => ({ type, subnet, market }))).filter(
			({ type, subnet }) => (ofType === "*" || ofType === type) && (ofSubnet === "*" || ofSubnet === subnet),
		),
	);
};

/** EC2 in memory. It has no quota, and of strangers it knows only those with our tag. */
export const openMemory = async (): Promise<Ec2Bench> => {
	let now = Date.UTC(2026, 10, 20, 9);
	const ec2 = new MemoryEc2({
		now: () => now,
		addresses: Object.fromEntries(ADDRESSES.map(({ allocationId, publicAddress }) => [allocationId, publicAddress])),
	});
	const settle = async (): Promise<void> => {
		now += SETTLED_MS;
		ec2.settle();
	};
	const runningOf = (of: { type: string; subnet: string; market: string }): number =>
		ec2.running().filter((one) => one.type === of.type && one.subnet === of.subnet && one.market === of.market).length;
	return {
		ec2,
		stack: STACK,
		setFaults: ({ noCapacity = [], notOffered = [], room = {} }) => {
			for (const offering of named("*/*")) ec2.capacity(offering, Number.POSITIVE_INFINITY);
			for (const offering of [...noCapacity, ...notOffered].flatMap(named)) ec2.capacity(offering, 0);
			for (const [pattern, more] of Object.entries(room)) {
				for (const offering of named(pattern)) ec2.capacity(offering, runningOf(offering) + more);
			}
		},
		throttleNext: (action) => ec2.refuse("throttled", { call: CALLS[action] }),
		forbid: (action) => {
			if (action) ec2.refuse("configuration", { call: CALLS[action], code: "UnauthorizedOperation" });
		},
		lose: async (instanceId, forgotten) => {
			if (forgotten) ec2.lose(instanceId);
			else ec2.die(instanceId);
		},
		addStranger: async (tags) => (tags[STACK_TAG] === STACK ? ec2.addStranger().instanceId : "i-0of0another0stack"),
		settle,
		close: async () => undefined,
	};
};

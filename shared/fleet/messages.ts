import { z } from "zod";
import { DEFAULT_TENANT } from "../store/items.ts";

/**
 * What the fleet's queue brings: requests for a look (of the tick, of campaigns, of hosts, of EventBridge Scheduler) and EC2's own events as
 * EventBridge hands them on. What is decided comes from the state of things, never from here.
 */
export interface FleetRequest {
	tenant: string;
	/** For the log. */
	why: string;
	/** One of a chain of looks that a look asked for: it asks for no more itself. */
	chain: boolean;
	/** The instance that an event of EC2 is about. Others than ours have events too: they ask for no look. */
	instanceId?: string;
	/** The state that the instance came to, and when, as EC2 says it. */
	instanceState?: { state: string; atMs: number };
	/** EC2 takes the (spot) instance away at this moment, ms since 1970. */
	goneAt?: number;
}

/** "Two minutes before": https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html */
const SPOT_NOTICE_MS = 120_000;
const MAX_WHY_CHARS = 200;

const askedSchema = z.object({
	// EC2's list knows no tenants: a look for another one would take all that runs for strangers, and stop it.
	tenant: z.literal(DEFAULT_TENANT),
	why: z.string().min(1).max(1_000),
	chain: z.boolean().default(false),
});

const instanceSchema = z.string().regex(/^i-[0-9a-f]{8,32}$/, "an instance id, as i-0123456789abcdef0");
const eventBase = { source: z.literal("aws.ec2"), time: z.iso.datetime({ offset: true }) };
const eventSchema = z.discriminatedUnion("detail-type", [
	z.object({
		...eventBase,
		"detail-type": z.literal("EC2 Instance State-change Notification"),
		detail: z.object({ "instance-id": instanceSchema, state: z.string().max(32) }),
	}),
	z.object({
		...eventBase,
		"detail-type": z.literal("EC2 Spot Instance Interruption Warning"),
		detail: z.object({ "instance-id": instanceSchema, "instance-action": z.string().max(32) }),
	}),
	z.object({
		...eventBase,
		"detail-type": z.literal("EC2 Instance Rebalance Recommendation"),
		detail: z.object({ "instance-id": instanceSchema }),
	}),
]);

const cut = (why: string): string => (why.length > MAX_WHY_CHARS ? `${why.slice(0, MAX_WHY_CHARS - 1)}…` : why);

/** Reads the body of a message. Throws a ZodError, or a SyntaxError where it is no JSON. */
export const parseFleetMessage = (text: string): FleetRequest => {
	const body: unknown = JSON.parse(text);
	if (typeof body !== "object" || body === null || !("detail-type" in body)) {
		const { tenant, why, chain } = askedSchema.parse(body);
		return { tenant, why: cut(why), chain };
	}
	const event = eventSchema.parse(body);
	const instanceId = event.detail["instance-id"];
	const common = { tenant: DEFAULT_TENANT, chain: false, instanceId };
	switch (event["detail-type"]) {
		case "EC2 Instance State-change Notification":
			return {
				...common,
				why: `${instanceId} is ${event.detail.state}`,
				instanceState: { state: event.detail.state, atMs: Date.parse(event.time) },
			};
		case "EC2 Spot Instance Interruption Warning":
			return {
				...common,
				why: `spot interruption of ${instanceId}: ${event.detail["instance-action"]}`,
				goneAt: Date.parse(event.time) + SPOT_NOTICE_MS,
			};
		case "EC2 Instance Rebalance Recommendation":
			return { ...common, why: `rebalance recommendation for ${instanceId}` };
	}
};

/** Several requests of one tenant become one look. */
export interface WantedLook {
	tenant: string;
	why: string;
	/** Only where every request is of a chain. */
	chain: boolean;
}

/** The looks that a batch of requests asks for: one for each tenant. */
export const looksOf = (requests: FleetRequest[]): WantedLook[] => {
	const looks = new Map<string, { whys: Set<string>; chain: boolean }>();
	for (const { tenant, why, chain } of requests) {
		const look = looks.get(tenant) ?? { whys: new Set<string>(), chain: true };
		look.whys.add(why);
		looks.set(tenant, { whys: look.whys, chain: look.chain && chain });
	}
	return [...looks].map(([tenant, { whys, chain }]) => ({ tenant, why: cut([...whys].join("; ")), chain }));
};

import { z } from "zod";
import { count, duration, facts, instant, NONE, plain, table } from "../format.ts";

/** Capacity of a tier: what it could carry, what is up, what hosts hold of trunks. */
const figures = { capacity: z.number(), live: z.number(), granted: z.number() };
const wantedSchema = z.looseObject({ onDemand: z.number(), spot: z.number() });

const burstHostSchema = z.looseObject({
	hostId: z.string(),
	state: z.string(),
	why: z.string().nullish(),
	capacity: z.number(),
	live: z.number(),
	type: z.string(),
	subnet: z.string(),
	market: z.string(),
	usdPerHour: z.number(),
	startedAt: z.string(),
});

const marginalSchema = z.looseObject({
	choice: z.string(),
	why: z.string(),
	workSec: z.number(),
	usd: z.number(),
	usdRunning: z.number(),
	usdOverhead: z.number(),
	doneAt: z.string(),
	doneAtWithout: z.string().nullish(),
});

const burstSchema = z.looseObject({
	enabled: z.boolean(),
	wanted: wantedSchema.nullish(),
	up: wantedSchema.nullish(),
	decision: z
		.looseObject({
			at: z.string(),
			reason: z.string(),
			limits: z.array(z.string()),
			demand: z.looseObject({
				channels: z.number(),
				campaigns: z.array(z.looseObject({ name: z.string(), channels: z.number(), why: z.string() })),
			}),
			floor: z.looseObject({ hosts: z.number(), from: z.string() }),
			usdPerHour: z.looseObject({ limit: z.number() }),
			marginal: marginalSchema.nullish(),
		})
		.nullish(),
	trouble: z.array(z.string()),
	intents: z.array(z.looseObject({ kind: z.string(), what: z.string(), count: z.number() })),
	bootSec: z.looseObject({ median: z.number().nullish() }),
	usdPerHour: z.number(),
	addresses: z.looseObject({ pool: z.number(), free: z.number(), missing: z.number() }).nullish(),
	hosts: z.array(burstHostSchema),
});

export const fleetSchema = z.looseObject({
	...figures,
	/** Channels kept aside because calls of lost hosts may still be up. */
	lost: z.number().nullish(),
	tiers: z.record(z.string(), z.looseObject(figures)),
	burst: burstSchema.nullish(),
});
type Fleet = z.infer<typeof fleetSchema>;
type Burst = z.infer<typeof burstSchema>;

/** Hosts that were ended long ago say nothing of now. */
const GONE = new Set(["terminated"]);

const both = (wanted: z.infer<typeof wantedSchema> | null | undefined): string =>
	!wanted ? NONE : wanted.spot > 0 ? `${wanted.onDemand} + ${wanted.spot} spot` : String(wanted.onDemand);

const usd = (amount: number): string => `$${amount.toFixed(4)}`;

/** Start another host, or finish later: which was chosen, and the figures of both. */
const describeMarginal = ({ choice, why, ...m }: z.infer<typeof marginalSchema>): string => {
	const chosen = choice === "start" ? "is started" : "is not started";
	if (m.workSec === 0) return `${chosen}: ${why}`;
	const without = m.doneAtWithout ? instant(m.doneAtWithout) : "never";
	return `${chosen}: ${why} It costs ${usd(m.usd)} with its work, ${usd(m.usdRunning)} on hosts that run. All done ${instant(m.doneAt)} with it, ${without} without.`;
};

const describeBurst = (burst: Burst, nowMs: number): string[] => {
	const { decision } = burst;
	const hosts = burst.hosts.filter(({ state }) => !GONE.has(state));
	const lines: string[] = [];
	if (!burst.enabled && hosts.length === 0) {
		return ["", "Burst hosts: off. This deployment has no image for them (docs/fleet.md)."];
	}
	lines.push(
		"",
		facts([
			["burst hosts", `${both(burst.wanted)} wanted, ${both(burst.up)} up or coming`],
			["because", decision?.reason ?? "no look at the fleet was taken yet"],
			["floor", decision && decision.floor.hosts > 0 ? `${decision.floor.hosts} (${decision.floor.from})` : undefined],
			["one more", decision?.marginal ? describeMarginal(decision.marginal) : undefined],
			["limits", decision && decision.limits.length > 0 ? decision.limits.join("; ") : undefined],
			[
				"spend",
				`$${burst.usdPerHour.toFixed(3)} an hour now${decision ? `, limit $${decision.usdPerHour.limit.toFixed(2)}` : ""}`,
			],
			["start takes", burst.bootSec.median ? duration(burst.bootSec.median) : undefined],
			["asked of EC2", burst.intents.map((i) => `${i.kind} ${i.count} (${i.what})`).join("; ") || undefined],
			[
				"addresses",
				burst.addresses
					? `${burst.addresses.free} of ${burst.addresses.pool} Elastic IPs free${burst.addresses.missing > 0 ? `, ${burst.addresses.missing} missing` : ""}`
					: undefined,
			],
			["decided", decision ? instant(decision.at) : undefined],
		]),
	);
	if (decision && decision.demand.campaigns.length > 0) {
		lines.push(
			"",
			table(
				["campaign", "channels", "why"],
				decision.demand.campaigns.map((campaign) => [campaign.name, campaign.channels, campaign.why]),
			),
		);
	}
	for (const text of burst.trouble) lines.push("", `! ${plain(text)}`);
	if (hosts.length > 0) {
		lines.push(
			"",
			table(
				["burst host", "state", "live", "capacity", "type", "subnet", "$/h", "started", "why"],
				hosts.map((host) => [
					host.hostId,
					host.state,
					host.live,
					host.capacity,
					host.market === "spot" ? `${host.type} (spot)` : host.type,
					host.subnet,
					host.usdPerHour.toFixed(4),
					`${duration((nowMs - Date.parse(host.startedAt)) / 1_000)} ago`,
					host.why,
				]),
			),
		);
	}
	return lines;
};

/** The fleet in words. */
export const describeFleet = (fleet: Fleet, nowMs: number): string => {
	const rows = Object.entries(fleet.tiers).map(([tier, n]) => [tier, n.capacity, n.live, n.granted]);
	const lines = [
		table(["tier", "capacity", "live", "granted"], [...rows, ["all", fleet.capacity, fleet.live, fleet.granted]]),
	];
	if (fleet.lost) {
		lines.push("", `${count(fleet.lost)} channels are kept aside: calls of lost hosts may still be up on them.`);
	}
	if (fleet.burst) lines.push(...describeBurst(fleet.burst, nowMs));
	return lines.join("\n");
};

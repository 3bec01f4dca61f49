import { matches } from "./bench.ts";
import { Violation } from "./checks.ts";
import { changed, weakened } from "./mutations.ts";

const MUT: Record<string, () => Partial<WalkConfig>> = {
	none: () => ({}),
	ver: () => ({
		mutation: weakened("contacts", ["#ver = :ver"], "#state = :pending AND #ver = :ver", "#state = :pending"),
	}),
	tomb: () => ({
		mutation: changed((st) =>
			matches(st, "grants", ["Put", '"tomb":true']) ? { instead: { ok: true, answer: {} } } : undefined,
		),
	}),
	empty: () => ({
		mutation: changed((st) =>
			matches(st, "grants", ["Put", '"cands":[]']) && !matches(st, "grants", ["tomb"])
				? { instead: { ok: true, answer: {} } }
				: undefined,
		),
	}),
	commit: () => ({
		mutation: weakened(
			"hosts",
			[":before"],
			"#epoch = :epoch AND #seq = :before AND #state = :state",
			"#seq = :before",
		),
	}),
	stamp: () => ({ mutation: weakened("trunks", [":sRead"], " AND #a.#h.#s = :sRead", "") }),
	settle: () => ({
		mutation: weakened("contacts", ["hist"], "#lease = :lease AND #attempt = :this", "#state = #state", {}),
	}),
	fence: () => ({
		changeAnswer: (_h, kind, body) =>
			kind === "config"
				? { ...(body as object), fenceSec: 1000 }
				: kind === "sync"
					? { ...(body as object), slotValidMs: { carrier: 100000 } }
					: body,
	}),
	slot: () => ({
		changeAnswer: (_h, kind, body) =>
			kind === "sync" ? { ...(body as object), slotValidMs: { carrier: 100000 } } : body,
	}),
	share: () => ({
		changeAnswer: (_h, kind, body) =>
			kind === "sync"
				? {
						...(body as object),
						share: { carrier: 100 },
						campaignShare: { campaign0000000a: 100, campaign0000000b: 100 },
					}
				: body,
	}),
};

import { Random } from "./random.ts";
import { Walk, type WalkConfig } from "./walk.ts";

const [, , from = "1", count = "20", weight = "1"] = process.argv;
const total = { steps: 0, virtualMs: 0, dials: 0, lost: 0, late: 0 };
const kinds: Record<string, number[]> = {};
const t0 = Date.now();
for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
	const r = new Random(seed * 7919);
	const w = Number(weight);
	const config: WalkConfig = {
		seed,
		world: {
			hosts: Array.from({ length: r.int(1, 3) }, (_, i) => ({ id: `h${i + 1}`, cap: r.int(1, 4) })),
			trunks: Array.from({ length: r.int(1, 2) }, (_, i) => ({ id: `c${i + 1}`, maxChannels: r.int(1, 6), maxCps: r.pick([2, 5, 10, 20, 500]) })),
			campaigns: Array.from({ length: r.int(1, 3) }, (_, i) => ({ letter: "abc"[i] as string, trunk: "c1", contacts: r.pick([4, 15, 40]), cap: r.int(1, 5), shards: r.pick([1, 2]) })),
		},
		faults:
			w === 0
				? { network: 0, handlers: 0, hosts: 0, asterisk: 0, partitions: 0, people: 0, staleIndex: 0 }
				: {
						network: w * r.pick([0, 0.3, 1, 3]),
						handlers: w * r.pick([0, 0.3, 1, 3, 6]),
						hosts: w * r.pick([0, 0.3, 1, 3]),
						asterisk: w * r.pick([0, 0.3, 1]),
						partitions: w * r.pick([0, 0.3, 1, 3]),
						people: w * r.pick([0, 0.3, 1]),
						staleIndex: r.pick([0, 1]),
					},
		faultyMs: r.pick([5000, 20000, 40000]),
		retries: r.int(0, 2),
		maxCallSec: r.pick([5, 20]),
		keepsEvents: r.chance(0.5),
	};
	Object.assign(config, (MUT[process.env["MUT"] ?? "none"] as () => object)());
	config.world.campaigns.forEach((c, i) => { c.trunk = `c${(i % config.world.trunks.length) + 1}`; });
	const walk = new Walk(config);
	try {
		const result = await walk.run();
		if (process.env["V"])
			console.log(
				seed,
				JSON.stringify(result),
				JSON.stringify(config.world.campaigns),
				JSON.stringify(config.world.hosts),
				config.faultyMs,
				JSON.stringify(
					Object.fromEntries(
						Object.entries(Object.groupBy(walk.plane.dynamo.items<any>("contacts"), (c) => c.outcome)).map(([k, v]) => [
							k,
							v?.length,
						]),
					),
				),
			);
		for (const k of Object.keys(total) as (keyof typeof total)[]) total[k] += result[k];
	} catch (error) {
		if (!(error instanceof Violation)) {
			console.error("seed", seed);
			throw error;
		}
		(kinds[error.kind] ??= []).push(seed);
		if (process.env["SKIP"]?.split(",").includes(error.kind)) continue;
		if (process.env["STORY"]) {
			const walk = new Walk(config, true);
			await walk.run().catch(() => {});
			console.log(walk.scheduler.story.slice(-Number(process.env["STORY"])).join("\n"));
		}
		console.log(seed, error.message.slice(0, 600), JSON.stringify(config.world));
	}
}
console.log(JSON.stringify(total), JSON.stringify(kinds), Date.now() - t0, "ms");

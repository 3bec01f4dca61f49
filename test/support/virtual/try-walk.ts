import { Violation } from "./checks.ts";
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
			trunks: [{ id: "carrier", maxChannels: r.int(1, 6), maxCps: r.pick([1, 2, 5, 20, 500]) }],
			campaigns: Array.from({ length: r.int(1, 2) }, (_, i) => ({
				letter: "ab"[i] as string,
				trunk: "carrier",
				contacts: r.int(1, 8),
				cap: r.int(1, 4),
				shards: r.pick([1, 2]),
			})),
		},
		faults: { network: w, handlers: w, hosts: w, asterisk: w, partitions: w, people: w, staleIndex: w },
		faultyMs: r.pick([5000, 20000, 60000]),
		retries: r.int(0, 2),
		maxCallSec: r.pick([5, 20]),
		keepsEvents: r.chance(0.5),
	};
	const walk = new Walk(config);
	try {
		const result = await walk.run();
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

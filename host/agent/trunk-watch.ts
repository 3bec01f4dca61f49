import type { HostTrunk, TrunkHealth } from "../../shared/contract/host.ts";
import type { AgentPorts, Timer } from "./ports.ts";
import { Told } from "./told.ts";

/** So many tries in a row without a reply: the carrier does not answer this host. One lost packet means nothing. */
const TRIES_UNTIL_DOWN = 3;
/** Tries that fail at once (no route, no such name) are not closer than a try that waits for its reply. */
const LEAST_GAP_MS = 2_000;
/** A carrier that is down is asked so often, or as often as the trunk says: its return is not to be missed for long. */
const DOWN_INTERVAL_MS = 5_000;

interface Watched {
	trunk: HostTrunk;
	health: "up" | "down" | undefined;
	failures: number;
	timer: Timer | undefined;
}

/** Asks each trunk's carrier whether it answers, as often as the trunk says, and knows what of it the control plane was told. */
export class TrunkWatch {
	readonly #ports: Pick<AgentPorts, "clock" | "log" | "probe">;
	readonly #changed: () => void;
	readonly #watched = new Map<string, Watched>();
	readonly #told = new Told<TrunkHealth>({});
	#stopped = false;

	/** @param changed called when the control plane has to know */
	constructor(ports: Pick<AgentPorts, "clock" | "log" | "probe">, changed: () => void) {
		this.#ports = ports;
		this.#changed = changed;
	}

	/** Other trunks, or the same: what has not changed keeps its result. */
	watch(trunks: readonly HostTrunk[]): void {
		if (this.#ports.probe === undefined || this.#stopped) return;
		const wanted = new Map(trunks.filter(({ qualify }) => qualify !== "off").map((trunk) => [trunk.id, trunk]));
		for (const [id, watched] of this.#watched) {
			const trunk = wanted.get(id);
			if (trunk !== undefined && JSON.stringify(trunk) === JSON.stringify(watched.trunk)) continue;
			if (watched.timer !== undefined) this.#ports.clock.clearTimer(watched.timer);
			this.#watched.delete(id);
		}
		for (const [id, trunk] of wanted) {
			if (this.#watched.has(id)) continue;
			const watched: Watched = { trunk, health: undefined, failures: 0, timer: undefined };
			this.#watched.set(id, watched);
			void this.#try(watched);
		}
		this.#changed();
	}

	stop(): void {
		this.#stopped = true;
		for (const { timer } of this.#watched.values()) if (timer !== undefined) this.#ports.clock.clearTimer(timer);
		this.#watched.clear();
	}

	/** The control plane does not know of it yet. */
	get changed(): boolean {
		return this.#told.isNews(this.#health());
	}

	/** For the next request; undefined where there is nothing to say. `anew`: to an epoch that was told nothing yet. */
	forRequest(anew = false): TrunkHealth | undefined {
		const health = this.#health();
		return this.#told.forRequest(health, anew && Object.keys(health).length > 0);
	}

	/** That request was answered. */
	acknowledged(): void {
		this.#told.acknowledged();
	}

	/** Trunks of which nothing is known yet are left out. */
	#health(): TrunkHealth {
		const known = [...this.#watched].flatMap(([id, { health }]) =>
			health === undefined ? [] : [[id, health] as const],
		);
		return Object.fromEntries(known.sort(([a], [b]) => (a < b ? -1 : 1)));
	}

	async #try(watched: Watched): Promise<void> {
		const { clock, log, probe } = this.#ports;
		const begunMs = clock.monotonicMs();
		let result: "up" | "down" | undefined;
		try {
			result = await probe?.(watched.trunk);
		} catch (error) {
			log.error("probeFailed", { trunk: watched.trunk.id, error });
		}
		const { id, qualify } = watched.trunk;
		if (this.#stopped || this.#watched.get(id) !== watched) return;
		watched.failures = result === "down" ? watched.failures + 1 : 0;
		const before = watched.health;
		if (result !== "down") watched.health = result;
		else if (watched.failures >= TRIES_UNTIL_DOWN) watched.health = "down";
		if (watched.health !== before) {
			const line = { trunk: id, health: watched.health, before, failures: watched.failures };
			if (watched.health === "down") log.warn("trunkHealth", line);
			else log.info("trunkHealth", line);
			this.#changed();
		}
		const everyMs = Number(qualify) * 1_000;
		const doubtful = result === "down" && watched.health !== "down";
		const intervalMs = doubtful ? 0 : result === "down" ? Math.min(everyMs, DOWN_INTERVAL_MS) : everyMs;
		const nextMs = Math.max(begunMs + intervalMs, begunMs + LEAST_GAP_MS) - clock.monotonicMs();
		watched.timer = clock.setTimer(Math.max(0, nextMs), () => {
			watched.timer = undefined;
			void this.#try(watched);
		});
	}
}

import type { ControlClock } from "./control-clock.ts";
import { type DispatchDecision, dispatch } from "./dispatch.ts";
import type { Grants } from "./grants.ts";
import type { Journal } from "./journal.ts";
import type { AgentPorts } from "./ports.ts";
import type { RateMeter } from "./rate.ts";
import type { AgentSettings } from "./settings.ts";
import type { SyncLoop } from "./sync-loop.ts";
import {
	expectedCompletions,
	hungryFor,
	nextSyncAt,
	type SyncFacts,
	targetIntervalMs,
	wantedCalls,
	wantedSlots,
} from "./sync-plan.ts";
import type { Tracker } from "./tracker.ts";
import { freeWithin, lackingCalls, type Usage, usageOf } from "./usage.ts";

/** Before the configuration is known. */
const DEFAULT_MAX_SYNC_INTERVAL_MS = 1_000;

export interface PlannerParts {
	ports: AgentPorts;
	journal: Journal;
	settings: AgentSettings;
	tracker: Tracker;
	grants: Grants;
	clock: ControlClock;
	rate: RateMeter;
	loop: () => SyncLoop;
	foreign: () => number;
	/** A call is taken so long before its slot. */
	leadMs: () => number;
	/** So much of the end of a slot is left to the originate. */
	marginMs: () => number;
}

/** Gathers what the pure decisions need and asks them. */
export class Planner {
	readonly #parts: PlannerParts;

	constructor(parts: PlannerParts) {
		this.#parts = parts;
	}

	usage(): Usage {
		const { journal, tracker, grants } = this.#parts;
		return usageOf(journal.state, tracker.cooling, grants.returning);
	}

	controlNow(): number {
		const { ports, clock } = this.#parts;
		return clock.at(ports.clock.monotonicMs(), ports.clock.wallMs());
	}

	/** Channels of the host that are free. */
	hostFree(usage: Usage): number {
		const capacity = this.#parts.journal.state.config?.capacity ?? 0;
		return Math.max(0, capacity - this.#parts.foreign() - usage.used);
	}

	dispatch(usage: Usage): DispatchDecision {
		const { grants, leadMs, marginMs } = this.#parts;
		return dispatch({
			now: this.controlNow(),
			held: usage.held,
			slots: grants.slots,
			hostFree: this.hostFree(usage),
			trunkFree: freeWithin(grants.share, usage.byTrunk),
			laneFree: freeWithin(grants.laneShare, usage.byLane),
			leadMs: leadMs(),
			marginMs: marginMs(),
		});
	}

	/** Trunks on which a call waits for a slot and whose last slot is used up before an answer could come. */
	#shortOfSlots(decision: DispatchDecision): number {
		const now = this.controlNow();
		const { clock, settings } = this.#parts;
		let short = 0;
		for (const [trunk, lack] of Object.entries(decision.lackSlot)) {
			const slots = decision.slots[trunk];
			const last = slots?.at.at(-1);
			const until = last === undefined ? now : last + (slots?.validMs ?? 0);
			if (until - now <= clock.rttMs + settings.minSyncGapMs) short += lack;
		}
		return short;
	}

	facts(usage: Usage, decision: DispatchDecision): SyncFacts {
		const { ports, journal, settings, tracker, grants, clock, rate, loop } = this.#parts;
		const now = ports.clock.monotonicMs();
		const slotsHeld = new Set(usage.held.map((call) => call.slots));
		let slotsLeft = 0;
		for (const key of slotsHeld) slotsLeft += decision.slots[key]?.at.length ?? 0;
		const config = journal.state.config;
		return {
			lastSendMs: loop().lastSendMs,
			lastAnswerMs: loop().lastAnswerMs,
			emptyOfCalls: grants.emptyOfCalls,
			emptyOfSlots: grants.emptyOfSlots,
			rttMs: clock.rttMs,
			rate: rate.perSecond(now),
			reportable: usage.reportable,
			reportableAt: usage.coolingReports > 0 ? Math.min(...tracker.cooling.values()) : undefined,
			urgentReturns: usage.urgentReturns,
			returns: usage.returns,
			live: usage.used,
			held: usage.held.length,
			lackCall: lackingCalls(usage, grants.laneShare, this.hostFree(usage)),
			lackSlot: this.#shortOfSlots(decision),
			slotsLeft,
			maxSyncIntervalMs: config?.maxSyncIntervalMs ?? DEFAULT_MAX_SYNC_INTERVAL_MS,
			minSyncGapMs: settings.minSyncGapMs,
			batch: settings.batch,
			nextSyncMs: grants.nextSyncMs,
		};
	}

	nextSyncAt(): number | undefined {
		const usage = this.usage();
		return nextSyncAt(this.facts(usage, this.dispatch(usage)));
	}

	/** What the next request asks for. @param accepting false: the host takes no calls */
	wishes(accepting: boolean): {
		usage: Usage;
		want: number;
		prefetch: number;
		slots: Record<string, number>;
		hungry: { calls: boolean; slots: boolean };
	} {
		const { journal, grants, clock } = this.#parts;
		const usage = this.usage();
		const decision = this.dispatch(usage);
		const facts = this.facts(usage, decision);
		const { config } = journal.state;
		if (!accepting || config === undefined) {
			return { usage, want: 0, prefetch: 0, slots: {}, hungry: { calls: false, slots: false } };
		}
		const intervalMs = targetIntervalMs(facts);
		const free = this.hostFree(usage);
		const { want, prefetch } = wantedCalls({
			free,
			capacity: config.capacity,
			held: usage.held.length,
			live: usage.used,
			rate: facts.rate,
			rttMs: clock.rttMs,
			intervalMs,
		});
		// From rest any trunk may be the one; later, what comes without slots is noticed and asked for.
		const fresh = usage.used + usage.held.length === 0 ? want : Math.min(free, facts.lackCall);
		const slots: Record<string, number> = {};
		const trunkIds = new Set(config.trunks.map(({ id }) => id));
		const paced = usage.held.map((call) => call.slots).filter((key) => !trunkIds.has(key));
		for (const id of new Set([...trunkIds, ...paced])) {
			const part = usage.used === 0 ? 0 : (usage.bySlots[id] ?? 0) / usage.used;
			const shape = grants.slotShape[id];
			const wanted = wantedSlots({
				startable: (decision.lackSlot[id] ?? 0) + (trunkIds.has(id) ? fresh : 0),
				expected: part === 0 ? 0 : expectedCompletions(facts.rate * part, intervalMs + clock.rttMs),
				left: decision.slots[id]?.at.length ?? 0,
				intervalMs,
				rttMs: clock.rttMs,
				validMs: grants.slots[id]?.validMs,
				spacingMs: shape?.spacingMs,
				aheadMs: shape?.aheadMs ?? 0,
			});
			if (wanted > 0) slots[id] = wanted;
		}
		return { usage, want, prefetch, slots, hungry: hungryFor(facts) };
	}
}

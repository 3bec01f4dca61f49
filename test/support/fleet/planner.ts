import { type CallMix, holdTimes, type Profile, seedOf } from "./profile.ts";

/** EC2 bills every start for at least so long. */
const MIN_BILLED_SEC = 60;

/** What is paid, and for what. */
export interface Cost {
	/** Billed in all. */
	hostSeconds: number;
	starts: number;
	/** Most hosts at once. */
	most: number;
}
export interface Plan {
	/** Calls stay on the host that made them: it is needed until its last call has ended. */
	fixed: Cost;
	/** As if calls could be moved from host to host: a lower bound that nobody reaches. */
	movable: Cost;
	/** When each burst's last call ends, by its id. */
	endSec: Record<string, number>;
}

/** One campaign in the planner's day. */
interface Load {
	id: string;
	calls: CallMix;
	startSec: number;
	/** Left to dial. */
	due: number;
	channelsAt: (second: number) => number;
	live: number;
	nextHold: () => number;
	endSec: number;
}

const loadsOf = (profile: Profile): Load[] => {
	const load = (id: string, calls: CallMix, rest: Pick<Load, "startSec" | "due" | "channelsAt">): Load => ({
		id,
		calls,
		...rest,
		live: 0,
		nextHold: holdTimes(calls, seedOf(profile, id)),
		endSec: rest.startSec,
	});
	const baseAt = (second: number): number => profile.base.findLast(({ fromSec }) => fromSec <= second)?.channels ?? 0;
	return [
		load("base", profile.baseCalls, { startSec: 0, due: Number.POSITIVE_INFINITY, channelsAt: baseAt }),
		...profile.bursts.map(({ id, calls, startSec, contacts, channels }) =>
			load(id, calls, { startSec, due: contacts, channelsAt: () => channels }),
		),
	];
};

/** Calls of the planner's hosts, by host; the first is all steady hosts together. */
class Placement {
	readonly #live = [0];
	readonly #caps: (host: number) => number;

	constructor(profile: Profile) {
		const steady = profile.steady.hosts * profile.steady.channelsPerHost;
		this.#caps = (host) => (host === 0 ? steady : profile.burst.channelsPerHost);
	}
	/** Burst hosts with calls. */
	get inUse(): number {
		return this.#live.reduce((n, calls, host) => n + (host > 0 && calls > 0 ? 1 : 0), 0);
	}
	/** Hosts in the order in which calls are placed: steady ones, then the fullest. */
	order(): number[] {
		const burst = this.#live.map((_, host) => host).slice(1);
		return [0, ...burst.sort((a, b) => (this.#live[b] ?? 0) - (this.#live[a] ?? 0))];
	}
	/** Places a call on the first host with room; on a new one where there is none. */
	place(order: number[]): number {
		let host = order.find((each) => (this.#live[each] ?? 0) < this.#caps(each));
		if (host === undefined) {
			host = this.#live.push(0) - 1;
			order.push(host);
		}
		this.#live[host] = (this.#live[host] ?? 0) + 1;
		return host;
	}
	end(host: number): void {
		this.#live[host] = (this.#live[host] ?? 0) - 1;
	}
}

/**
 * What somebody pays who knew the day's demand beforehand. All calls are made as early as the campaigns' channels and the carrier's calls per second
 * allow, as if hosts were always there: steady hosts first, then the fullest. A host is there exactly while it is needed: started its boot time
 * before and stopped in the second in which it is needed no more, unless keeping it until it is needed again costs less than another boot. Every
 * start is billed for its boot, except for the seconds in which EC2 says `pending`, and for at least a minute.
 *
 * Two figures, by what "needed" means. `fixed`: a host is needed while it has calls. `movable`: in each second so many hosts are needed as all calls beyond
 * the steady hosts' channels fill, the last one rounded up; as if every call could be moved, or as if its length were known when it is placed.
 */
export const planDay = (profile: Profile): Plan => {
	const loads = loadsOf(profile);
	const steady = profile.steady.hosts * profile.steady.channelsPerHost;
	const placement = new Placement(profile);
	const ends = new Map<number, { load: Load; host: number }[]>();
	const inUse: number[] = [];
	const filled: number[] = [];
	for (let second = 0; second < profile.daySec; second++) {
		for (const { load, host } of ends.get(second) ?? []) {
			placement.end(host);
			load.live--;
			load.endSec = second;
		}
		ends.delete(second);
		const order = placement.order();
		let calls = profile.trunk.maxCps;
		for (const load of loads) {
			if (second < load.startSec) continue;
			const dialed = Math.max(0, Math.min(load.channelsAt(second) - load.live, load.due, calls));
			for (let i = 0; i < dialed; i++) {
				const end = second + load.nextHold();
				const call = { load, host: placement.place(order) };
				const ending = ends.get(end);
				if (ending) ending.push(call);
				else ends.set(end, [call]);
			}
			load.live += dialed;
			load.due -= dialed;
			calls -= dialed;
		}
		const live = loads.reduce((n, load) => n + load.live, 0);
		inUse.push(placement.inUse);
		filled.push(Math.ceil(Math.max(0, live - steady) / profile.burst.channelsPerHost));
	}
	const bootSec = profile.boot.meanSec - profile.pendingSec;
	return {
		fixed: costOf(inUse, bootSec),
		movable: costOf(filled, bootSec),
		endSec: Object.fromEntries(loads.map(({ id, endSec }) => [id, endSec])),
	};
};

/**
 * The least that hosts needed so cost.
 * @param bootSec billed before a started host can be used
 */
export const costOf = (needed: readonly number[], bootSec: number): Cost => {
	let hostSeconds = 0;
	let starts = 0;
	const most = needed.reduce((a, b) => Math.max(a, b), 0);
	for (let k = 1; k <= most; k++) {
		let from: number | undefined;
		let until = 0;
		const end = (): void => {
			if (from === undefined) return;
			starts++;
			hostSeconds += Math.max(MIN_BILLED_SEC, bootSec + until - from);
		};
		for (const [second, hosts] of needed.entries()) {
			if (hosts < k) continue;
			if (from === undefined || second - until > bootSec) {
				end();
				from = second;
			}
			until = second + 1;
		}
		end();
	}
	return { hostSeconds, starts, most };
};

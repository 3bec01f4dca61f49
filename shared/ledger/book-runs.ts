import { PUBLIC_IPV4_USD_PER_HOUR, VOLUME_GB } from "../config/burst-settings.ts";
import type { BurstHost } from "../fleet/counting.ts";
import { burstHosts } from "../fleet/counting.ts";
import type { Ec2Instance } from "../fleet/ec2.ts";
import { hostIdOf } from "../fleet/ec2.ts";
import { getItem, update } from "../store/db.ts";
import {
	bookKey,
	type DiskItem,
	diskEntry,
	type HostItem,
	type HostState,
	type RunItem,
	runEntry,
} from "../store/items.ts";
import { DAY_MS } from "../time/clock.ts";
import { type Book, type LedgerDeps, putNew, readBook, reopen, ttlOf } from "./books.ts";
import { dayOf, daysBetween } from "./days.ts";

/**
 * Enters the runs of instances and their volumes. EC2's events give the moments from which and until which it bills; they may come late, twice, in another order, or
 * not at all. Where none came, a look at EC2's list does it, with the moments at which EC2 was asked.
 */

/** EC2 gives the time of an event in whole seconds, rounded down. */
const EVENT_ROUNDING_MS = 1_000;

type RunKey = Pick<RunItem, "book" | "entry">;

const newRun = (host: BurstHost, day: string, more: Partial<RunItem> = {}): RunItem => ({
	book: bookKey(host.tenant, day),
	entry: runEntry(host.hostId, host.inst.startId),
	ttl: ttlOf(day),
	hostId: host.hostId,
	startId: host.inst.startId,
	type: host.inst.type,
	market: host.inst.market,
	usdPerHour: Math.round((host.inst.usdPerHour - PUBLIC_IPV4_USD_PER_HOUR) * 1e9) / 1e9,
	ipv4UsdPerHour: PUBLIC_IPV4_USD_PER_HOUR,
	startedAt: host.inst.startedAt,
	...more,
});

const markRunning = (deps: LedgerDeps, { book, entry }: RunKey, atMs: number) =>
	update<RunItem>(deps.db, {
		TableName: deps.tables.ledger,
		Key: { book, entry },
		ConditionExpression: "attribute_exists(book) AND (attribute_not_exists(runningAt) OR runningAt > :at)",
		UpdateExpression: "SET runningAt = :at",
		ExpressionAttributeValues: { ":at": atMs },
	});

/** A look takes for the end when EC2 was asked to stop an instance, and EC2 begins at once: an event so much later is of its termination, long after. */
const STOP_BEGINS_MS = 5 * 60_000;

/** An event's word replaces what a look took for the end; of two events the earlier counts: `stopping` comes before `stopped`. */
const markEnded = (deps: LedgerDeps, { book, entry }: RunKey, atMs: number, byEvent: boolean) =>
	update<RunItem>(deps.db, {
		TableName: deps.tables.ledger,
		Key: { book, entry },
		ConditionExpression: byEvent
			? "attribute_exists(book) AND (attribute_not_exists(endedAt) OR endedAt > :at OR (attribute_not_exists(endedByEvent) AND endedAt > :before))"
			: "attribute_exists(book) AND attribute_not_exists(endedAt)",
		UpdateExpression: `SET endedAt = :at${byEvent ? ", endedByEvent = :true" : ""}`,
		ExpressionAttributeValues: { ":at": atMs, ...(byEvent ? { ":true": true, ":before": atMs - STOP_BEGINS_MS } : {}) },
	});

/** The run of a host that an event of that moment is about: the last that was started before it. */
const runAt = (book: Book, hostId: string, atMs: number): RunItem | undefined =>
	book.runs
		.filter((run) => run.hostId === hostId && run.startedAt <= atMs + EVENT_ROUNDING_MS)
		.sort((a, b) => b.startedAt - a.startedAt)[0];

/** States after which EC2 bills an instance no more. */
const OFF: readonly string[] = ["stopping", "stopped", "shutting-down", "terminated"];
/** States of a host whose instance is off, or about to be. */
const OVER: readonly HostState[] = ["stopping", "stopped", "terminated", "recovered"];
/** States after which its volume is gone. */
const ENDED: readonly string[] = ["terminated"];

/** Enters that an instance came to a state. Harmless when repeated, and for an instance that is not ours. */
export const noteInstanceState = async (
	deps: LedgerDeps,
	tenant: string,
	instanceId: string,
	state: string,
	atMs: number,
): Promise<void> => {
	const hostId = hostIdOf(instanceId);
	const day = dayOf(atMs);
	const item = await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant, hostId });
	const [host] = burstHosts(item ? [item] : []);
	if (state === "running") {
		if (host && host.inst.startedAt <= atMs + EVENT_ROUNDING_MS) {
			const run = await putNew(deps, newRun(host, day, { runningAt: atMs }));
			if (run.runningAt !== atMs) await markRunning(deps, run, atMs);
			await reopen(deps, tenant, day);
		}
		return;
	}
	if (!OFF.includes(state)) return;
	for (const each of daysBetween(atMs, Math.max(atMs, deps.now()))) {
		const book = await readBook(deps, tenant, each);
		let run = runAt(book, hostId, atMs);
		if (!run && each === day) {
			// It ran over midnight, and no look has entered it in the new book yet.
			const before = runAt(await readBook(deps, tenant, dayOf(atMs - DAY_MS)), hostId, atMs);
			if (before && before.endedAt === undefined) {
				run = await putNew<RunItem>(deps, { ...before, book: bookKey(tenant, day), ttl: ttlOf(day) });
			}
		}
		if (run) await markEnded(deps, run, atMs, true);
		const disk = ENDED.includes(state) ? book.disks.find((one) => one.hostId === hostId) : undefined;
		if (disk) await endDisk(deps, disk, atMs);
		if (run || disk) await reopen(deps, tenant, each);
	}
};

const endDisk = (deps: LedgerDeps, { book, entry }: Pick<DiskItem, "book" | "entry">, atMs: number) =>
	update<DiskItem>(deps.db, {
		TableName: deps.tables.ledger,
		Key: { book, entry },
		ConditionExpression: "attribute_exists(book) AND (attribute_not_exists(#to) OR #to > :at)",
		UpdateExpression: "SET #to = :at",
		ExpressionAttributeNames: { "#to": "to" },
		ExpressionAttributeValues: { ":at": atMs },
	});

/** Enters the run of a host whose instance EC2 shows running. One of yesterday brings the moments that are known of it. */
const bookRun = async (deps: LedgerDeps, host: BurstHost, book: Book, yesterday: Book | undefined): Promise<void> => {
	const entry = runEntry(host.hostId, host.inst.startId);
	if (book.runs.some((run) => run.entry === entry)) return;
	const before = yesterday?.runs.find((run) => run.entry === entry);
	const { runningAt, endedAt, endedByEvent } = before ?? {};
	await putNew(
		deps,
		newRun(host, book.day, {
			...(runningAt === undefined ? {} : { runningAt }),
			...(endedAt === undefined ? {} : { endedAt }),
			...(endedByEvent ? { endedByEvent } : {}),
		}),
	);
};

/** Runs of the book that EC2's list shows over, though no event said so: until when. */
const overdue = (book: Book, hosts: readonly BurstHost[], instances: readonly Ec2Instance[], now: number) => {
	const byHost = new Map(hosts.map((host) => [host.hostId, host]));
	const running = new Set(
		instances.flatMap(({ instanceId, state }) => (OFF.includes(state) ? [] : [hostIdOf(instanceId)])),
	);
	return book.runs.flatMap((run) => {
		if (run.endedAt !== undefined) return [];
		const host = byHost.get(run.hostId);
		const same = host?.inst.startId === run.startId;
		// EC2's list lags by seconds: only where the host's own state says that it is over, too.
		if (same && (running.has(run.hostId) || !OVER.includes(host?.state ?? "terminated"))) return [];
		return [{ run, at: Math.max(run.runningAt ?? run.startedAt, Math.min(now, (same && host?.inst.stopAt) || now)) }];
	});
};

/** Enters what runs and what volumes there are. @param instances EC2's list; undefined: it could not be read */
export const bookRuns = async (
	deps: LedgerDeps,
	tenant: string,
	hosts: readonly HostItem[],
	instances: readonly Ec2Instance[] | undefined,
	book: Book,
): Promise<void> => {
	const burst = burstHosts([...hosts]);
	const states = new Map((instances ?? []).map(({ instanceId, state }) => [hostIdOf(instanceId), state]));
	const running = burst.filter(({ hostId }) => states.get(hostId) === "running");
	const unknown = running.filter(
		({ hostId, inst }) => !book.runs.some(({ entry }) => entry === runEntry(hostId, inst.startId)),
	);
	const yesterday = unknown.length > 0 ? await readBook(deps, tenant, dayOf(Date.parse(book.day) - DAY_MS)) : undefined;
	for (const host of unknown) await bookRun(deps, host, book, yesterday);
	if (instances) {
		for (const { run, at } of overdue(book, burst, instances, deps.now())) {
			await markEnded(deps, run, at, false);
			deps.log.warn("ledger.runEndedUnheard", { hostId: run.hostId, startId: run.startId, at });
		}
	}
	for (const host of burst) {
		const disk = book.disks.find(({ hostId }) => hostId === host.hostId);
		const gone = host.state === "terminated";
		if (!disk && !gone) {
			const entry = diskEntry(host.hostId);
			const ttl = ttlOf(book.day);
			const item = { book: bookKey(tenant, book.day), entry, ttl, hostId: host.hostId };
			await putNew<DiskItem>(deps, { ...item, gb: VOLUME_GB, from: host.createdAt });
		} else if (disk && gone && disk.to === undefined) {
			await endDisk(deps, disk, host.inst.stopAt ?? deps.now());
		}
	}
};

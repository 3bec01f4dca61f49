import type { Deps } from "../deps.ts";
import type { Ec2Instance } from "../fleet/ec2.ts";
import { PriceError } from "../prices/price-error.ts";
import type { HostItem } from "../store/items.ts";
import { DAY_MS } from "../time/clock.ts";
import { bookRuns } from "./book-runs.ts";
import { bookUse, isBooked } from "./book-use.ts";
import { type LedgerDeps, readBook } from "./books.ts";
import { dayOf } from "./days.ts";
import { closeDay } from "./read-ledger.ts";
import { readLedgerPrices } from "./read-prices.ts";

/** What a host did is written so often at most, not by each of the looks that are made every few seconds: an entry of many campaigns has many KB. */
const WRITE_EVERY_MS = 60_000;

/**
 * Keeps the day's book: what runs, and what every host did. Run by each look at the fleet, at least once a minute; what one leaves out the next enters. Throws
 * AggregateError where something could not be entered, once all else is.
 * @param instances EC2's list; undefined: it was not read, and runs are left as they stand
 */
export const keepBooks = async (
	deps: LedgerDeps & Pick<Deps, "settings">,
	tenant: string,
	channelsPerHost: number,
	hosts: readonly HostItem[],
	instances: readonly Ec2Instance[] | undefined,
): Promise<void> => {
	const day = dayOf(deps.now());
	const book = await readBook(deps, tenant, day);
	const failures: unknown[] = [];
	/** What cannot be entered keeps nothing else out of the book. */
	const attempt = async (what: string, run: () => Promise<void>): Promise<void> => {
		try {
			await run();
		} catch (error) {
			failures.push(new Error(`${what} could not be entered in the book of ${day}`, { cause: error }));
		}
	};
	await attempt("what runs", () => bookRuns(deps, tenant, hosts, instances, book));
	for (const host of hosts) {
		const known = book.uses.find(({ hostId }) => hostId === host.hostId);
		if (known && (isBooked(known, host) || deps.now() < (known.at ?? 0) + WRITE_EVERY_MS)) continue;
		// A host that is off has done nothing since its last book, which has it all.
		const idle = host.state === "stopped" || host.state === "terminated" || host.state === "new";
		if (!known && idle && Object.keys(host.acc).length === 0) continue;
		await attempt(`what host ${host.hostId} did`, () => bookUse(deps, host, day, known));
	}
	try {
		await closeDay(deps, tenant, dayOf(deps.now() - DAY_MS), () => readLedgerPrices(deps, tenant, channelsPerHost));
	} catch (error) {
		// The books stand: the day is counted up once there is a price.
		if (!(error instanceof PriceError)) throw error;
		deps.log.error("ledger.unpriced", { why: error.message, remedy: error.remedy });
	}
	if (failures.length > 0)
		throw new AggregateError(failures, `${failures.length} thing(s) are not in the book of ${day}`);
};

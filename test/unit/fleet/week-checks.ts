import { expect, test } from "@jest/globals";
import { VirtualWeek } from "../../support/fleet/virtual-week.ts";
import type { Bill } from "../../support/fleet/week-bill.ts";
import { ledgerOf } from "../../support/fleet/week-ledger.ts";
import { WEEKS, type WeekName } from "../../support/fleet/week-profiles.ts";

/** Of the whole bill: what the fleet may cost beyond what no plan that knew the week could do without. */
const MOST = 1.05;

const CENT = 0.005;

/** The product's ledger against the simulator's own bill, line by line, to the cent. */
const checkLedger = async (week: VirtualWeek, name: string): Promise<void> => {
	const own = week.billed();
	const ledger = await ledgerOf(week.fleet);
	for (const [line, usd] of Object.entries(own) as [keyof Bill, number][]) {
		process.stderr.write(`${name}: ${line} $${usd.toFixed(4)}, by the ledger $${ledger.bill[line].toFixed(4)}\n`);
	}
	for (const [line, usd] of Object.entries(own) as [keyof Bill, number][]) {
		expect({ line, cents: Math.abs(ledger.bill[line] - usd) < CENT }).toEqual({ line, cents: true });
		// Days that were counted up when they were over say the same, but for the control plane, of which they count more than attempts.
		if (line === "controlPlaneUsd" || line === "totalUsd") continue;
		expect({ line, kept: Math.abs(ledger.kept[line] - usd) < CENT }).toEqual({ line, kept: true });
	}
	expect(ledger.shared).toBeCloseTo(ledger.bill.totalUsd, 4);
	expect(ledger.attempts).toBe(week.fleet.usage.calls.reduce((n, { attempts }) => n + attempts, 0));
};

/** A week of the fleet in virtual time: its bill against the bound, deadlines held. A file for each week, so that they run side by side. */
export const checkWeek = (name: WeekName): void => {
	test(`${name}: a week costs at most ${MOST} of what no plan that knew it could pay less than`, async () => {
		const profile = WEEKS[name];
		const week = new VirtualWeek(profile);
		const result = await week.run();
		const { ratio, bill, least, missed, early, baseServed, starts, looks } = result;
		const cents = (usd: number): string => `$${usd.toFixed(2)}`;
		process.stderr.write(
			`${name}: ${ratio.total.toFixed(4)} of the bound (${cents(bill.totalUsd)} of ${cents(least.totalUsd)}), burst seconds alone ${ratio.burst.toFixed(3)}; ${missed.length} deadlines missed, done ${(100 * early.mean).toFixed(0)} % of the time before; ${starts} starts, ${looks} looks; base load served ${(100 * baseServed).toFixed(1)} %\n`,
		);
		expect(result).toMatchObject({ missed: [], undone: 0, stillRunning: 0, failures: 0 });
		expect(ratio.total).toBeLessThanOrEqual(MOST);
		// Nobody does with less than the bound: something would not be counted.
		expect(ratio.burst).toBeGreaterThanOrEqual(1);
		expect(bill.egressUsd).toBeGreaterThanOrEqual(least.egressUsd);
		// Being cheap by not serving the base load does not count: hosts come about a boot late, at rising edges only.
		expect(baseServed).toBeGreaterThan(0.97);
		// Each burst host's seconds are in exactly one part; all of them are in the bill.
		const { boot, work, drain } = result.parts;
		expect(Math.abs(boot + work + drain - result.burstSec)).toBeLessThanOrEqual(60 * starts);
		// What the hosts counted is what was called.
		const calls = week.fleet.usage.calls;
		await checkLedger(week, name);
		expect(calls.reduce((n, { attempts }) => n + attempts, 0)).toBe(
			week.fleet.load.campaigns.reduce((n, { ended }) => n + ended, 0),
		);
	}, 600_000);
};

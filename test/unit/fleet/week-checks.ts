import { expect, test } from "@jest/globals";
import { VirtualWeek } from "../../support/fleet/virtual-week.ts";
import { WEEKS, type WeekName } from "../../support/fleet/week-profiles.ts";

/** Of the whole bill: what the fleet may cost beyond what no plan that knew the week could do without. */
const MOST = 1.05;

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
		expect(calls.reduce((n, { attempts }) => n + attempts, 0)).toBe(
			week.fleet.load.campaigns.reduce((n, { ended }) => n + ended, 0),
		);
	}, 600_000);
};

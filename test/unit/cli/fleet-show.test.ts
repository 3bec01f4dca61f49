import { describe, expect, test } from "@jest/globals";
import { describeFleet, fleetSchema } from "../../../cli/commands/fleet-show.ts";
import { decide } from "../../../shared/fleet/decide.ts";
import { showBurst } from "../../../shared/fleet/show.ts";
import type { FleetItem } from "../../../shared/store/items.ts";
import { campaign, type InputOver, input, NOW, SETTINGS } from "../fleet/decide-fixtures.ts";

/** A decision as it is shown: through the API's answer and the command. */
const shown = (over: InputOver): { burst: ReturnType<typeof showBurst>; text: string } => {
	const given = input(over);
	const fleet = {
		...given.fleet,
		decision: decide(given).decision,
		noCapacity: {},
		strangers: {},
		ghosts: {},
	} as unknown as FleetItem;
	const burst = showBurst(
		{ fleet, floor: undefined, budget: undefined, schedules: [] },
		given.hosts,
		given.settings,
		NOW,
	);
	const answer = fleetSchema.parse(
		JSON.parse(JSON.stringify({ capacity: 120, live: 0, granted: 0, tiers: {}, burst })),
	);
	return { burst, text: describeFleet(answer, NOW) };
};
const list = (due: number, over = {}) => campaign({ due, pending: due, dueIsBound: false, ...over });
const dear = { ...SETTINGS, types: [{ type: "x.large", usdPerHour: 5 }], maxUsdPerHour: 1_000 };

describe("one host more, or done later", () => {
	test("a host that is started: what it costs, and when all is done with it and without it", () => {
		const { burst, text } = shown({ campaigns: [list(100_000)] });
		expect(burst.decision?.marginal).toMatchObject({ choice: "start", doneAt: expect.stringMatching(/^2026-11-02T/) });
		expect(text).toMatch(/one more +is started: .* all is done .* sooner\./);
		expect(text).toMatch(
			/It costs \$\d\.\d{4} with its work, \$\d\.\d{4} on hosts that run\. All done .* with it, .* without\./,
		);
	});
	test("a host that is not worth it", () => {
		const { burst, text } = shown({ campaigns: [list(2_000)], settings: dear });
		expect(burst.decision?.marginal?.choice).toBe("wait");
		expect(text).toMatch(/one more +is not started: .* more than the \$\d\.\d+ that is worth it \(BURST_MAX_OVERHEAD/);
	});
	test("without a steady host: never done without it", () => {
		const { burst, text } = shown({ campaigns: [list(1_000, { cap: 120 })], hosts: [] });
		expect(burst.decision?.marginal).toMatchObject({ doneAtWithout: null, soonerSec: null });
		expect(text).toMatch(/with it, never without\./);
	});
	test("nothing for a host to do: only why", () => {
		const { text } = shown({ campaigns: [list(1_000, { cap: 100 })] });
		expect(text).toMatch(/one more +is not started: The steady hosts carry all of it\.$/m);
	});
	test("nothing is due: nothing is said of it", () => {
		const { burst, text } = shown({ campaigns: [] });
		expect(burst.decision?.marginal).toBeNull();
		expect(text).not.toContain("one more");
	});
	test("a decision of an earlier version has none", () => {
		const { burst } = shown({ campaigns: [] });
		const { marginal: _, ...decision } = burst.decision ?? { marginal: null };
		const old = { capacity: 0, live: 0, granted: 0, tiers: {}, burst: { ...burst, decision } };
		expect(describeFleet(fleetSchema.parse(JSON.parse(JSON.stringify(old))), NOW)).not.toContain("one more");
	});
});

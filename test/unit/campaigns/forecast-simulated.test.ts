import { describe, expect, test } from "@jest/globals";
import { forecast } from "../../../shared/campaigns/forecast.ts";
import type { Retry } from "../../../shared/contract/campaign.ts";
import type { Outcome } from "../../../shared/contract/outcome.ts";
import { slotSpacingMs } from "../../../shared/sync/slots.ts";
import { type Looked, simulateList } from "../../support/list-scheduling.ts";
import type { Random } from "../../support/virtual/random.ts";
import { NOW } from "./forecast-fixtures.ts";

/**
 * Forecasts against list scheduling of drawn calls. For lists of a thousand and more, of at least twenty turns of their channels: where everything is over
 * after a few turns the longest call decides, and that is chance.
 */

/** Calls as people have them: ringing, talking for about as long as they like, busy, wrong numbers, nobody there. */
const draw =
	(answerRate: number, talkSec: number) =>
	(random: Random): { outcome: Outcome; holdSec: number } => {
		if (random.chance(answerRate)) {
			const talk = -Math.log(1 - random.next()) * talkSec;
			return { outcome: "answered", holdSec: 5 + random.next() * 14 + Math.min(600, talk) };
		}
		if (random.chance(0.7)) return { outcome: "noAnswer", holdSec: 30 };
		return random.chance(0.5) ? { outcome: "busy", holdSec: 3 } : { outcome: "invalidNumber", holdSec: 2 };
	};

const RETRIES: Record<string, Retry> = {
	none: {},
	"within the list's time": { noAnswer: { afterSec: 60, max: 1 } },
	"hours later": { busy: { afterSec: 300, max: 2 }, noAnswer: { afterSec: 3_600, max: 2 } },
};
/** Of a cap, what slots let through: they are spaced by so much of a second / maxCps. */
const SLOTS_SEC = slotSpacingMs(1) / 1_000;
const MOST_OFF = 0.1;

const forecastAt = (look: Looked, contacts: number, channels: number, cps: number, retry: Retry) => {
	const isLater = look.attempts + look.inProgress >= contacts && look.lastDueSec !== undefined;
	return forecast({
		...look,
		now: NOW + look.atSec * 1_000,
		startAt: NOW,
		limits: { ringTimeoutSec: 30, maxCallSec: 600 },
		retry,
		channels,
		cps,
		lastDueAt: isLater ? NOW + (look.lastDueSec ?? 0) * 1_000 : undefined,
	});
};

describe.each([
	// contacts, channels, calls per second
	[1_000, 20, 10],
	[1_000, 50, 20],
	[5_000, 100, 10],
	[5_000, 100, 2],
	[20_000, 200, 50],
])("%d contacts on %d channels at %d calls/s", (contacts, channels, cps) => {
	test.each(
		Object.keys(RETRIES).flatMap((name) => [
			{ name, seed: 1, answerRate: 0.38, talkSec: 30 },
			{ name, seed: 2, answerRate: 0.25, talkSec: 20 },
			{ name, seed: 3, answerRate: 0.55, talkSec: 40 },
		]),
	)("retries: $name; $answerRate answered, talk of $talkSec s", ({ name, seed, answerRate, talkSec }) => {
		const retry = RETRIES[name] as Retry;
		let asked = false;
		const { endSec, looks } = simulateList(
			{ seed, contacts, channels, spacingSec: SLOTS_SEC / cps, retry, draw: draw(answerRate, talkSec) },
			// Once, when half of the contacts are done.
			({ done }) => {
				if (asked || done < contacts / 2) return false;
				asked = true;
				return true;
			},
		);
		expect(looks).toHaveLength(1);
		const found = forecastAt(looks[0] as Looked, contacts, channels, cps, retry);
		expect(found.basis).toBe("measured");
		const finishSec = ((found.finishAt ?? Number.NaN) - NOW) / 1_000;
		expect(Math.abs(finishSec - endSec) / endSec).toBeLessThan(MOST_OFF);
	});
});

import { describe, expect, test } from "@jest/globals";
import { type CallRecord, callsCsv } from "../../../shared/campaigns/calls.ts";
import { parseCalls } from "../../../shared/plan/calls-csv.ts";
import {
	busyChannels,
	HistoryError,
	measureCalls,
	type RecordedCall,
	recordedDemand,
} from "../../../shared/plan/history.ts";
import { ProfileError } from "../../../shared/plan/profile.ts";

const START = Date.parse("2026-12-01T14:00:00Z");
const at = (sec: number): string => new Date(START + sec * 1_000).toISOString();
/** Seconds after START: begun, answered, ended. */
const call = (started: number, answered: number | undefined, ended: number): RecordedCall => ({
	startedMs: START + started * 1_000,
	answeredMs: answered === undefined ? undefined : START + answered * 1_000,
	endedMs: START + ended * 1_000,
});

const record = (n: number, started: number | null, answered: number | null, ended: number | null): CallRecord => ({
	callId: `call-${n}`,
	contactId: `c-${n}`,
	number: "+12025550123",
	kind: null,
	attempt: 1,
	hostId: "h1",
	trunk: "carrier-a",
	outcome: "answered",
	cause: null,
	sipCode: null,
	startedAt: started === null ? null : at(started),
	ringingAt: null,
	answeredAt: answered === null ? null : at(answered),
	endedAt: ended === null ? null : at(ended),
	vars: { name: 'Smith, "Ann"\nof two lines' },
});

const mistakes = (...texts: string[]): string => {
	try {
		parseCalls(texts.map((text, i) => ({ name: `${i + 1}.csv`, text })));
	} catch (error) {
		if (!(error instanceof ProfileError)) throw error;
		return [error.message, ...error.mistakes.map(({ path, message }) => `${path}: ${message}`)].join("\n");
	}
	throw new Error("it was taken");
};

describe("recorded calls as CSV", () => {
	test("as they are exported, of several files; what is no call of a known length is counted apart", () => {
		const first = callsCsv([record(1, 0, 12, 42), record(2, 5, null, 30), record(3, null, null, null)]);
		const second = callsCsv([record(4, 60, 61, 70), record(5, 80, null, null)]);
		const read = parseCalls([
			{ name: "a.csv", text: first },
			{ name: "b.csv", text: second },
		]);
		expect(read).toEqual({
			calls: [call(0, 12, 42), call(5, undefined, 30), call(60, 61, 70)],
			notDialed: 1,
			withoutEnd: 1,
		});
	});

	test("with other columns around, semicolons and a byte order mark", () => {
		const text = `\ufeffendedAt;x;answeredAt;startedAt\n${at(9)};1;;${at(0)}\n`;
		expect(parseCalls([{ name: "a.csv", text }]).calls).toEqual([call(0, undefined, 9)]);
	});

	const head = "callId,startedAt,answeredAt,endedAt\n";
	test.each<[string[], string[]]>([
		[[""], ["must name the columns startedAt, answeredAt, endedAt"]],
		[["hour,channels\n0,1\n"], ["startedAt, answeredAt, endedAt are missing"]],
		[["startedAt,endedAt\n"], ["answeredAt is missing"]],
		[[head], ["no call in it that was dialed"]],
		[[`${head}1,,,\n`], ["no call in it that was dialed"]],
		[[`${head}1,"${at(0)}\n`], ["1.csv is no CSV"]],
		[
			[`${head}1,${at(0)},,${at(5)}\n2,noon,,${at(5)}\n3,${at(5)},,${at(0)}\n4,${at(0)},${at(9)},${at(5)}\n`],
			[
				'1.csv line 3: startedAt is "noon", not a time',
				"1.csv line 4: endedAt is before startedAt",
				"1.csv line 5: answeredAt is not between startedAt and endedAt",
			],
		],
		[
			[`${head}1,${at(0)},,${at(5)}\n`, `${head}1,${at(0)},,${at(5)}\n`],
			["2.csv line 2: callId 1 is there twice: first in 1.csv line 2"],
		],
		[[`${head}1,2026-12-01,,${at(5)}\n`], ['startedAt is "2026-12-01"']],
	])("%j is refused", (texts, words) => {
		for (const each of words) expect(mistakes(...texts)).toContain(each);
	});
});

describe("busy channels", () => {
	test("steps begin at whole multiples; an empty one in between is there", () => {
		const { fromMs, busy, mean, highest } = busyChannels([call(70, 75, 100), call(200, undefined, 230)], 60);
		expect(fromMs).toBe(START + 60_000);
		expect(mean).toEqual([0.5, 0, 0.5]);
		expect(busy).toEqual([1, 0, 1]);
		expect(highest).toEqual([1, 0, 1]);
	});

	test("what lasts for less than a hundredth of the step does not count", () => {
		// A channel all the time and one for 80 s, ten more for 0.5 s and for 1 s of 100.
		const base = [call(0, 0, 100), call(0, 0, 80)];
		const burst = (sec: number) => Array.from({ length: 10 }, () => call(50, undefined, 50 + sec));
		expect(busyChannels([...base, ...burst(0.5)], 100).busy).toEqual([2]);
		expect(busyChannels([...base, ...burst(1)], 100).busy).toEqual([2]);
		expect(busyChannels([...base, ...burst(1.1)], 100).busy).toEqual([12]);
		expect(busyChannels([...base, ...burst(0.5)], 100).highest).toEqual([12]);
	});

	test("it is no less than the mean, however short", () => {
		const short = Array.from({ length: 1_000 }, () => call(50, undefined, 50.9));
		expect(busyChannels([call(0, 0, 100), ...short], 100)).toMatchObject({ mean: [10], busy: [10], highest: [1_001] });
	});

	test("a call that ends when another begins does not overlap it", () => {
		expect(busyChannels([call(0, 0, 30), call(30, 30, 60)], 60).highest).toEqual([1]);
	});

	test("calls of no length, and more than a year of steps", () => {
		expect(() => busyChannels([call(5, undefined, 5)], 60)).toThrow(HistoryError);
		expect(() => busyChannels([call(0, 0, 10), call(400 * 86_400, undefined, 400 * 86_400 + 1)], 3_600)).toThrow(
			"at most 8,784",
		);
	});
});

describe("what calls were like", () => {
	test("rates and means", () => {
		expect(measureCalls([call(0, 12, 42), call(0, 8, 18), call(0, undefined, 25), call(0, undefined, 15)])).toEqual({
			calls: 4,
			answered: 2,
			answerRate: 0.5,
			ringSec: 10,
			talkSec: 20,
			noAnswerRingSec: 20,
			holdSec: 25,
			talkShare: 0.4,
			channelSec: 100,
			allTalkSec: 40,
		});
	});

	test("where nobody answered", () => {
		expect(measureCalls([call(0, undefined, 10)])).toMatchObject({
			answerRate: 0,
			ringSec: 0,
			talkSec: 0,
			talkShare: 0,
		});
	});

	test("a demand has the traffic and the attempts that were recorded, not those of the channels reserved", () => {
		const calls = [call(0, 10, 30), call(20, undefined, 50), call(70, 80, 90)];
		const demand = recordedDemand(calls, 60);
		expect(demand).toMatchObject({ from: "2026-12-01T14:00:00.000Z", channels: [2, 1] });
		const reservedSec = 3 * 60;
		expect(reservedSec / demand.holdSec).toBeCloseTo(3, 4);
		expect(reservedSec * demand.talkShare).toBeCloseTo(30, 3);
		expect(demand.measured).toMatchObject({ holdSec: 26.667, channelSec: 80 });
	});
});

import { describe, expect, test } from "@jest/globals";
import { formatCallId, laneOf, laneOfCall, parseCallId } from "../../../shared/contract/ids.ts";
import { divide, heldOf, type Lane, onTrunk } from "../../../shared/sync/lanes.ts";
import { newTrunk } from "../../support/items.ts";

const CAMPAIGN = "01m8gt4n1dcac16k";
const lane = (trunkIndex: number, weight: number, room: number): Lane => ({
	trunkIndex,
	weight,
	room,
	trunk: newTrunk(`carrier-${trunkIndex}`, { maxChannels: 10, maxCps: 10, numbering: "private" }),
});
const contacts = (count: number, not?: number) =>
	Array.from({ length: count }, (_, i) => ({
		contactKey: `contact${i}`,
		attempt: 1,
		...(not === undefined ? {} : { not }),
	}));
const sizes = (divided: Map<number, unknown[]>): Record<number, number> =>
	Object.fromEntries([...divided].map(([trunkIndex, list]) => [trunkIndex, list.length]));

describe("a call names its trunk", () => {
	const ref = { campaignId: CAMPAIGN, contactKey: "894tznkypw15zqta", attempt: 12, ver: 3, epoch: 2, seq: 5 };
	test("there and back, in a callId of the same length", () => {
		const first = formatCallId(ref);
		const second = formatCallId({ ...ref, trunkIndex: 2 });
		expect(second).toHaveLength(first.length);
		expect(parseCallId(first)).toEqual(ref);
		expect(parseCallId(second)).toEqual({ ...ref, trunkIndex: 2 });
		expect(laneOfCall(first)).toBe(CAMPAIGN);
		expect(laneOfCall(second)).toBe(`${CAMPAIGN}/2`);
	});
	test("what is held is counted over all trunks, and of one", () => {
		const held = { [CAMPAIGN]: 2, [`${CAMPAIGN}/1`]: 3, "01m8gt4n1dcac16m": 5 };
		expect(heldOf(held, CAMPAIGN)).toBe(5);
		const campaigns = new Map([
			[CAMPAIGN, { trunk: "a", trunks: ["a", "b"].map((id) => ({ id, weight: 1 })) }],
			["01m8gt4n1dcac16m", { trunk: "b" }],
		]);
		expect(onTrunk(campaigns, "a", held)).toEqual({ [CAMPAIGN]: 2 });
		expect(onTrunk(campaigns, "b", held)).toEqual({ [CAMPAIGN]: 3, "01m8gt4n1dcac16m": 5 });
		expect(laneOf({ campaignId: CAMPAIGN })).toBe(CAMPAIGN);
	});
});

describe("contacts are divided over trunks", () => {
	test("in proportion to the weights, the same way at every repeat", () => {
		const lanes = [lane(0, 3, 5_000), lane(1, 1, 5_000)];
		const divided = divide(contacts(4_000), lanes);
		expect(divided.get(0)?.length).toBeGreaterThan(2_850);
		expect(divided.get(0)?.length).toBeLessThan(3_150);
		expect(divide(contacts(4_000), lanes)).toEqual(divided);
	});
	test("what one has no room for goes to the others; a trunk that leaves moves only its own", () => {
		expect(sizes(divide(contacts(100), [lane(0, 3, 10), lane(1, 1, 200)]))).toEqual({ 0: 10, 1: 90 });
		const three = divide(contacts(300), [lane(0, 1, 300), lane(1, 1, 300), lane(2, 1, 300)]);
		const two = divide(contacts(300), [lane(0, 1, 300), lane(1, 1, 300)]);
		for (const i of [0, 1]) expect(two.get(i)).toEqual(expect.arrayContaining(three.get(i) ?? []));
	});
	test("a contact is kept from the trunk that refused it, unless there is no other", () => {
		expect(sizes(divide(contacts(50, 0), [lane(0, 100, 60), lane(1, 1, 60)]))).toEqual({ 0: 0, 1: 50 });
		expect(sizes(divide(contacts(50, 0), [lane(0, 100, 60), lane(1, 1, 0)]))).toEqual({ 0: 50, 1: 0 });
		expect(sizes(divide(contacts(50, 0), [lane(0, 1, 60)]))).toEqual({ 0: 50 });
	});
	test("a trunk without weight gets what no other can take", () => {
		expect(sizes(divide(contacts(50), [lane(0, 0, 60), lane(1, 1, 30)]))).toEqual({ 0: 20, 1: 30 });
	});
	test("nothing is lost where no trunk has room, and nothing is made of no trunk", () => {
		expect(sizes(divide(contacts(5), [lane(0, 1, 0), lane(1, 1, 0)]))[0]).toBeLessThanOrEqual(5);
		const none = divide(contacts(5), [lane(0, 1, 0), lane(1, 1, 0)]);
		expect((none.get(0)?.length ?? 0) + (none.get(1)?.length ?? 0)).toBe(5);
		expect(divide(contacts(5), [])).toEqual(new Map());
	});
});

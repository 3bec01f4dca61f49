import { describe, expect, test } from "@jest/globals";
import { itemBytes, valueBytes, type Wire } from "../../../local/metering/item-size.ts";
import { readUnits, writeUnits } from "../../../local/metering/units.ts";

describe("sizes by DynamoDB's rules", () => {
	test.each<[Wire, number]>([
		[{ S: "abc" }, 3],
		[{ S: "é" }, 2],
		[{ N: "0" }, 1],
		[{ N: "7" }, 2],
		[{ N: "1795415593860" }, 7],
		[{ N: "-12.5" }, 4],
		[{ N: "1200" }, 2],
		[{ B: "AAAA" }, 3],
		[{ BOOL: true }, 1],
		[{ NULL: true }, 1],
		[{ SS: ["ab", "c"] }, 3],
		[{ NS: ["1", "22"] }, 4],
		[{ L: [{ S: "a" }, { S: "bc" }] }, 3 + 2 + 3],
		[{ M: { k: { S: "v" } } }, 3 + 1 + 2],
	])("%j takes %d bytes", (value, bytes) => {
		expect(valueBytes(value)).toBe(bytes);
	});

	test("an item is its names and values", () => {
		expect(itemBytes({ name: { S: "abc" }, n: { N: "1" } })).toBe(4 + 3 + 1 + 2);
	});

	test.each([
		[0, 1],
		[1024, 1],
		[1025, 2],
	])("%d bytes are written for %d units", (bytes, units) => {
		expect(writeUnits(bytes)).toBe(units);
	});

	test.each([
		[0, true, 1],
		[0, false, 0.5],
		[4096, true, 1],
		[4097, true, 2],
		[4097, false, 1],
	])("%d bytes are read (consistent: %s) for %d units", (bytes, consistent, units) => {
		expect(readUnits(bytes, consistent)).toBe(units);
	});
});

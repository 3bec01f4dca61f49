import { describe, expect, test } from "@jest/globals";
import { linesOfInvocation, ownLineBytes } from "../../../local/metering/lambda-log.ts";
import { emptyUse, sourceOf, type UseBySource, useBetween, withUnits } from "../../../local/metering/use.ts";
import { Meter } from "../../../local/metering/write-units.ts";

const TABLE = { TableName: "t", KeySchema: [{ AttributeName: "id" }] };
const put = (id: string, bytes: number) => ({
	TableName: "t",
	Item: { id: { S: id }, text: { S: "x".repeat(bytes) } },
});

describe("by source", () => {
	test("an invocation's source is its function, with the route where there is one", () => {
		expect(sourceOf("sync-host", { routeKey: "GET /v1/hosts/{hostId}/peek" })).toBe(
			"sync-host GET /v1/hosts/{hostId}/peek",
		);
		expect(sourceOf("tick-minute", { source: "aws.events" })).toBe("tick-minute");
		expect(sourceOf("tick-minute", null)).toBe("tick-minute");
	});

	test("units are counted for whoever said who it is, and for all together", () => {
		const meter = new Meter([TABLE]);
		meter.observe("PutItem", put("a", 10), {}, false, "one");
		meter.observe("PutItem", put("b", 1_500), {}, false, "other");
		meter.observe("PutItem", put("c", 10), {}, false);
		expect(meter.totals()["t"]?.["PutItem"]).toMatchObject({ requests: 3, writeUnits: 4 });
		const bySource = meter.totalsBySource();
		expect(Object.keys(bySource)).toEqual(["one", "other"]);
		expect(bySource["other"]?.["t"]?.["PutItem"]).toMatchObject({ requests: 1, writeUnits: 2 });
	});

	test("between two readings: only what came after the first, sources that began later with all they used", () => {
		const units = (n: number) => ({
			t: {
				PutItem: { requests: n, items: n, writeUnits: 2 * n, indexWriteUnits: 0, readUnits: 0, failedConditions: 0 },
			},
		});
		const reading = (n: number): UseBySource =>
			withUnits(
				{
					old: { ...emptyUse(), invocations: n, logBytes: 100 * n, requests: { "SQS SendMessage": n }, memoryMb: 512 },
				},
				{ old: units(n), ...(n > 3 ? { young: units(1) } : {}) },
			);
		const between = useBetween(reading(3), reading(5));
		expect(between["old"]).toMatchObject({
			invocations: 2,
			logBytes: 200,
			memoryMb: 512,
			requests: { "SQS SendMessage": 2 },
		});
		expect(between["old"]?.units["t"]?.["PutItem"]).toMatchObject({ requests: 2, writeUnits: 4 });
		expect(between["young"]?.units["t"]?.["PutItem"]).toMatchObject({ requests: 1, writeUnits: 2 });
	});
});

describe("a query that finds nothing costs the least there is, whatever an emulator says", () => {
	test.each([
		[true, 1],
		[false, 0.5],
	])("consistent: %s", (ConsistentRead, readUnits) => {
		const meter = new Meter([TABLE]);
		const said = { Items: [], ConsumedCapacity: { TableName: "t", CapacityUnits: 0 } };
		meter.observe("Query", { TableName: "t", ConsistentRead }, said, false);
		expect(meter.totals()["t"]?.["Query"]).toMatchObject({ requests: 1, readUnits });
	});
});

describe("the lines of a log", () => {
	test("as text Lambda adds three lines to an invocation, in JSON two, from warnings on none", () => {
		expect(linesOfInvocation({ format: "Text", systemLevel: "INFO" })).toEqual({ lines: 3, bytes: 263 });
		expect(linesOfInvocation({ format: "JSON", systemLevel: "INFO" }).lines).toBe(2);
		expect(linesOfInvocation({ format: "JSON", systemLevel: "WARN" })).toEqual({ lines: 0, bytes: 0 });
	});

	test("in JSON a line without a time gets one; bytes are those of UTF-8", () => {
		expect(ownLineBytes('{"a":"ä"}', { format: "Text", systemLevel: "INFO" })).toBe(10);
		expect(ownLineBytes('{"a":"ä"}', { format: "JSON", systemLevel: "WARN" })).toBe(10 + 39);
		const timed = '{"timestamp":"2026-11-28T00:00:00Z"}';
		expect(ownLineBytes(timed, { format: "JSON", systemLevel: "WARN" })).toBe(timed.length);
	});
});

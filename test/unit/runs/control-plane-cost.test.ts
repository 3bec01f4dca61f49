import { describe, expect, test } from "@jest/globals";
import { emptyUse, type UseBySource } from "../../../local/metering/use.ts";
import { costOf } from "../../../local/runs/control-plane-cost.ts";
import type { CountedRun } from "../../../local/runs/control-plane-load.ts";
import { controlPlaneTable } from "../../../local/runs/control-plane-table.ts";
import { growthOf } from "../../../local/runs/control-plane-units.ts";
import { SyncLog } from "../../../local/runs/sync-log.ts";
import { PriceBook } from "../../../shared/prices/price-book.ts";
import { PriceError } from "../../../shared/prices/price-error.ts";

const totals = (writeUnits: number, readUnits: number, requests = 1, indexWriteUnits = 0) => ({
	requests,
	items: requests,
	writeUnits,
	indexWriteUnits,
	readUnits,
	failedConditions: 0,
});
const SYNC = "sync-host POST /v1/hosts/{hostId}/sync";

/** Ten syncs, forty attempts. */
const USE: UseBySource = {
	[SYNC]: {
		...emptyUse(),
		invocations: 10,
		memoryMb: 512,
		ms: 400,
		logLines: 20,
		logBytes: 4_480,
		units: {
			"s-contacts": { UpdateItem: totals(80, 0, 80, 40), BatchGetItem: totals(0, 40), Query: totals(0, 5, 10) },
			"s-suppression": { BatchGetItem: totals(0, 50, 10) },
			"s-hosts": { GetItem: totals(0, 10, 10), UpdateItem: totals(10, 0, 10) },
		},
	},
	"tick-minute": { ...emptyUse(), invocations: 2, memoryMb: 512, units: { "s-campaigns": { Query: totals(0, 4, 2) } } },
	"read-campaigns GET /v1/campaigns": {
		...emptyUse(),
		invocations: 7,
		memoryMb: 512,
		units: { "s-campaigns": { Query: totals(0, 999) } },
	},
	pollers: { ...emptyUse(), requests: { "SQS ReceiveMessage": 4 }, units: {} },
};
const RUN: CountedRun = {
	hosts: 3,
	seconds: 60,
	attempts: 40,
	syncs: 10,
	callsPerSec: 0.7,
	channelsBusy: 20,
	use: USE,
	contacts: 100,
	imported: {
		"import-contacts": {
			...emptyUse(),
			invocations: 1,
			memoryMb: 512,
			units: { "s-contacts": { PutItem: totals(100, 0, 100, 100) } },
		},
	},
};
const price = (product: string, unit: string, usd: number) => ({
	...{ product, unit, usd, region: "all", date: "2026-11-01", source: "a test", certainty: "seen" as const },
});
const PRICES = [
	price("dynamodb.write", "write unit", 1e-6),
	price("dynamodb.read", "read unit", 1e-7),
	price("api.request", "request", 1e-6),
	price("lambda.request", "request", 2e-7),
	price("lambda.duration", "GB-second", 1e-5),
	price("logs.ingest", "GB", 0.5),
	price("sqs.request", "request", 4e-7),
];
const book = new PriceBook("us-east-1", undefined, PRICES);

describe("a million attempts", () => {
	const cost = costOf(RUN, book);
	const of = (item: string) => cost.rows.find((row) => row.item === item);

	test("each item is counted for an attempt and priced by the book", () => {
		// Of syncs 130 in 40 attempts, of the import 2.
		expect(of("writeUnits")).toMatchObject({ perAttempt: 3.25 + 2, usdPerMillion: 5.25 });
		// 105 of syncs, 4 of the tick; what the run itself looked at is nobody's attempt.
		expect(of("readUnits")).toMatchObject({ perAttempt: 109 / 40, usdPerMillion: 0.2725 });
		expect(of("apiRequests")).toMatchObject({ perAttempt: 0.25, usdPerMillion: 0.25 });
		expect(of("logBytes")).toMatchObject({ perAttempt: 125, usdPerMillion: 0.0625 });
		// Five pollers ask where here one does.
		expect(of("sqsRequests")).toMatchObject({ perAttempt: 0.5 });
		expect(cost.requestsOfPeople).toBe(7);
	});

	test("the parts and the rows are the same money", () => {
		const rows = cost.rows.reduce((sum, { usdPerMillion }) => sum + usdPerMillion, 0);
		const parts = Object.values(cost.partsUsdPerMillion).reduce((sum, usd) => sum + usd, 0);
		expect(rows).toBeCloseTo(cost.usdPerMillion, 4);
		expect(parts).toBeCloseTo(cost.usdPerMillion, 4);
	});

	test("what grows with attempts is told from what grows with syncs", () => {
		expect(cost.units.perAttempt).toMatchObject({ writeUnits: 3, readUnits: 2, apiRequests: 0, logBytes: 0 });
		// Host, lists, and a tenth of five units of the index.
		expect(cost.units.perSync).toMatchObject({ writeUnits: 1, readUnits: 2.5, apiRequests: 1, gbSeconds: 0.06 });
		expect(cost.units.perContact).toMatchObject({ writeUnits: 2 });
		expect(cost.units.standingPerHour).toMatchObject({ invocations: 120, readUnits: 240 });
	});

	test("a price that is missing is none of zero", () => {
		const without = new PriceBook("us-east-1", undefined, PRICES.slice(0, -1));
		expect(() => costOf(RUN, without)).toThrow(PriceError);
	});

	test("the table says whether it is within the limit", () => {
		const bench = { bench: "control plane" as const, region: "us-east-1", full: cost, slow: cost, warnings: [] };
		const table = (withinLimit: boolean) => controlPlaneTable({ ...bench, limitUsdPerMillion: 5, withinLimit });
		expect(table(false)).toContain("OVER the limit of $5.000");
		expect(table(true)).toContain("within the limit of $5.000");
		expect(table(true)).toMatch(/write units +5\.250 +\$0\.000001 +\$5\.250/);
	});
});

test("what each source grows with", () => {
	expect(growthOf(SYNC)).toBe("syncs");
	expect(growthOf("sync-host GET /v1/hosts/{hostId}/peek")).toBe("peeks");
	expect(growthOf("import-contacts")).toBe("contacts");
	expect(growthOf("create-campaign POST /v1/campaigns")).toBe("contacts");
	expect(growthOf("recover-hosts")).toBe("standing");
	expect(growthOf("read-campaigns GET /v1/campaigns")).toBe("people");
});

test("syncs and what they settle are read from the log, however it is cut, refused completions not", () => {
	const log = new SyncLog();
	const text = [
		'{"event":"request"}',
		'{"event":"sync","completed":3,"refused":1}',
		'{"event":"sync","completed":4,"refused":0}',
		"",
	].join("\n");
	for (const piece of [text.slice(0, 30), text.slice(30, 77), text.slice(77)]) log.add(piece);
	expect(log.counts()).toEqual({ syncs: 2, completed: 6 });
});

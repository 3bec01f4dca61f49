import { beforeEach, describe, expect, test } from "@jest/globals";
import { priceBookOf, readOwnPrices } from "../../../shared/prices/read-prices.ts";
import { FLEET_PRICES_ID } from "../../../shared/store/items.ts";
import { createToken } from "../../../shared/tokens/tokens.ts";
import { runCommand } from "../../support/cli-harness.ts";
import { MemoryDynamo } from "../../support/memory-dynamo.ts";
import { type Api, startApi, TENANT } from "./harness.ts";

const CAMPAIGN = {
	kind: "campaign",
	contacts: 100_000,
	withinSec: 7_200,
	answerRate: 0.35,
	ringSec: 12,
	talkSec: 30,
	noAnswerRingSec: 25,
};
const SPLIT = { kind: "split", channels: [40, 40, 1_000, 300], ownedUsdPerHour: 0.05 };
const OWN = { currency: "USD", date: "2026-11-01" };
/** `OWN` as it is kept. */
const KEPT = { ...OWN, prices: [], discounts: [] };

let dynamo: MemoryDynamo;
let api: Api;
beforeEach(async () => {
	dynamo = new MemoryDynamo();
	api = await startApi(dynamo.client());
});

const plan = (body: unknown, options: { token?: string | null } = {}) =>
	api.call("POST", "/v1/plan", { body, ...options });
const put = (body: unknown) => api.call("PUT", "/v1/prices", { body });
const stored = () => dynamo.items("fleet").filter((item) => item["id"] === FLEET_PRICES_ID);

const refused = async (
	request: Promise<Awaited<ReturnType<typeof plan>>>,
	code: string,
	path: string,
	words: string,
) => {
	const { status, body } = await request;
	expect({ status, code: body.error?.code }).toEqual({ status: 422, code });
	expect(body.error.details).toContainEqual({ path, message: expect.stringContaining(words) });
	return body.error;
};

describe("POST /v1/plan", () => {
	/** The same clock on both sides, so that ages agree. */
	const byCommand = async (line: string, stdin: string) => {
		api.clock.now = Date.parse("2026-12-01T14:00:00Z");
		const { out, code } = await runCommand([...line.split(" "), "--json"], { stdin });
		expect(code).toBe(0);
		return JSON.parse(out);
	};

	test.each<[unknown, string, string]>([
		[{ kind: "hosts", channels: 1_000, perHost: 120 }, "plan hosts --channels 1000 --per-host 120", ""],
		[
			{ kind: "table", pricePerHour: 0.2, hours: 10, hosts: 4, days: 22 },
			"plan table --price 0.20 --hours 10 --hosts 4 --days 22",
			"",
		],
		[
			{ kind: "table", pricePerHour: 0.2, hours: 9.5, hosts: 4, days: 22, today: true, billing: "hour" },
			"plan table --price 0.20 --hours 9.5 --hosts 4 --days 22 --today --billing hour",
			"",
		],
		[{ kind: "campaign", contacts: 5_000, withinSec: 3_600 }, "plan campaign --contacts 5000 --within 1h", ""],
		[
			{ ...CAMPAIGN, codec: "g729", retries: 2, usedGb: 100, region: "eu-west-1", rentedUsdPerHour: 0.1 },
			"plan campaign --contacts 100000 --within 2h --answer-rate 0.35 --ring 12 --talk 30 --no-answer-ring 25 --codec g729 --retries 2 --egress-used 100 --region eu-west-1 --rented-price 0.1",
			"",
		],
		[SPLIT, "plan split --profile - --owned-price 0.05", "hour,channels\n0,40\n1,40\n2,1000\n3,300\n"],
		[
			{
				kind: "split",
				channels: [0, 130],
				stepSec: 600,
				ownedUsdPerMonth: 100,
				billing: "hour",
				perHost: 60,
				bootSec: 5,
				drainSec: 0,
				volumeGb: 20,
				warmHosts: 0,
				talkShare: 0.5,
				holdSec: 60,
			},
			"plan split --profile - --step 10m --owned-price 100/month --billing hour --per-host 60 --boot 5 --drain 0 --volume 20 --warm 0 --talk-share 0.5 --hold 60",
			"hour,channels\n0,0\n1,130\n",
		],
	])("%j is what the command line says", async (body, line, stdin) => {
		const expected = await byCommand(line, stdin);
		const reply = await plan(body);
		expect(reply.status).toBe(200);
		expect(reply.body).toEqual(expected);
	});

	test("counts with the stored prices, or with those that are sent", async () => {
		const { body: plain } = await plan(CAMPAIGN);
		expect(plain.carrierUsd).toBeNull();
		await put({ ...OWN, carrier: { usdPerMin: 0.004 } });
		expect((await plan(CAMPAIGN)).body.carrierUsd).toBe(70);
		// Whole minutes: 30 s of talk are billed as 60.
		const prices = { ...OWN, carrier: { usdPerMin: 0.004, incrementSec: 60 } };
		expect((await plan({ ...CAMPAIGN, prices })).body.carrierUsd).toBe(140);
		expect((await plan({ ...CAMPAIGN, prices: OWN })).body.carrierUsd).toBeNull();
	});

	test("what an own host costs may be stored", async () => {
		const { ownedUsdPerHour: _, ...open } = SPLIT;
		await refused(plan(open), "ownedPriceMissing", "ownedUsdPerHour", "What an own host costs is not known");
		await put({ ...OWN, colocation: { usdPerMonth: 36.5 } });
		expect((await plan(open)).body.rule.ownedUsdPerHour).toBe(0.05);
	});

	test("steps of the carrier that a split cannot count are said", async () => {
		const prices = { ...OWN, carrier: { usdPerMin: 0.004, incrementSec: 60 } };
		expect((await plan({ ...SPLIT, prices })).body.warnings).toContainEqual(
			expect.stringContaining("carrier: steps of 60 s are not counted"),
		);
	});

	test("stores nothing", async () => {
		const before = JSON.stringify(dynamo.items("fleet"));
		await plan(SPLIT);
		expect(JSON.stringify(dynamo.items("fleet"))).toBe(before);
	});

	test.each<[unknown, string, string]>([
		[{}, "kind", "must be hosts, table, campaign or split"],
		[[], "", "expected object"],
		[{ kind: "dream" }, "kind", "must be hosts, table, campaign or split"],
		[{ kind: "hosts", channels: 0 }, "channels", ""],
		[{ kind: "hosts", channels: 5, perHost: "many" }, "perHost", ""],
		[{ kind: "hosts", channels: 5, colour: "red" }, "colour", "is not a known field"],
		[{ kind: "table", pricePerHour: 0, hours: 10, hosts: 4, days: 22 }, "pricePerHour", "must be above 0"],
		[{ kind: "table", pricePerHour: -1, hours: 25, hosts: 4, days: 22 }, "hours", ""],
		[{ ...CAMPAIGN, answerRate: 1.5 }, "answerRate", ""],
		[{ ...CAMPAIGN, retries: 5 }, "retries", ""],
		[{ ...CAMPAIGN, codec: "g723" }, "codec", ""],
		[{ ...CAMPAIGN, blocking: 0 }, "blocking", ""],
		[{ ...CAMPAIGN, withinSec: 0 }, "withinSec", ""],
		[{ ...SPLIT, channels: [] }, "channels", ""],
		[{ ...SPLIT, channels: [0, 0] }, "channels", "has no demand"],
		[{ ...SPLIT, channels: [1, -1] }, "channels[1]", ""],
		[{ ...SPLIT, channels: [1.5] }, "channels[0]", ""],
		[{ ...SPLIT, channels: Array(8_785).fill(1) }, "channels", ""],
		[{ ...SPLIT, ownedUsdPerMonth: 5 }, "ownedUsdPerMonth", "by the hour too"],
		[{ ...SPLIT, stepSec: 0 }, "stepSec", ""],
	])("%j is refused at %s", async (body, path, words) => {
		await refused(plan(body), "badPlan", path, words);
	});

	test("every mistake is named at once", async () => {
		const error = await refused(
			plan({ ...CAMPAIGN, contacts: 0, ringSec: -1, talkSec: "long" }),
			"badPlan",
			"contacts",
			"",
		);
		expect(error.details.map(({ path }: { path: string }) => path)).toEqual(["contacts", "ringSec", "talkSec"]);
	});

	test.each<[unknown, string, string, string]>([
		[
			{ ...CAMPAIGN, ringSec: 0, talkSec: 0, noAnswerRingSec: 0 },
			"noCallTime",
			"talkSec",
			"No call would last any time",
		],
		[{ ...CAMPAIGN, contacts: 9_000_000_000_000 }, "tooMuchLoad", "withinSec", "erlangs: no fleet"],
		[{ ...SPLIT, channels: [100_000] }, "tooManyHosts", "channels", "needs 834 hosts; at most 500"],
	])("%j cannot be planned", async (body, code, path, words) => {
		await refused(plan(body), code, path, words);
	});

	describe("a price that cannot be used is an error, never a zero", () => {
		test.each<[Record<string, unknown>, string]>([
			[{ region: "mars-1" }, "no price of ec2.on-demand.c7g.large in mars-1, US dollars per hour"],
			[{ type: "x9.huge" }, "no price of ec2.on-demand.x9.huge in us-east-1"],
		])("missing: %j", async (more, words) => {
			const error = await refused(plan({ ...CAMPAIGN, ...more }), "price", "prices", words);
			expect(error.message).toContain("To mend it: give it in your own prices");
			await refused(
				plan({ kind: "table", pricePerHour: 0.2, hours: 10, hosts: 4, days: 22, today: true, ...more }),
				"price",
				"prices",
				words,
			);
		});

		const own = (...prices: unknown[]) => ({ ...OWN, prices });
		const address = { product: "ec2.ipv4", unit: "hour", usd: 0.004 };
		test.each<[string, unknown, string, string]>([
			["negative", own({ ...address, usd: -1 }), "prices.prices[0].usd", "is negative"],
			["in another currency", { ...own(address), currency: "EUR" }, "prices.currency", "only US dollars (USD)"],
			[
				"per another unit",
				own({ ...address, unit: "month" }),
				"prices.prices[0].unit",
				"priced per hour, not per month",
			],
			["of no product", own({ ...address, product: "fax" }), "prices.prices[0].product", "no product that is counted"],
			["there twice", own(address, address), "prices.prices[1]", "is there twice"],
		])("%s", async (_, prices, path, words) => {
			const { status, body } = await plan({ ...CAMPAIGN, prices });
			expect(status).toBe(422);
			expect(body.error.details).toContainEqual({ path, message: expect.stringContaining(words) });
		});

		test("for a region and for all: matched twice", async () => {
			const prices = own(address, { ...address, region: "us-east-1" });
			await refused(plan({ ...CAMPAIGN, prices }), "price", "prices", "Two prices fit: ec2.ipv4 in");
		});

		test("tiers with a gap", async () => {
			const tier = { product: "egress", unit: "GB", usd: 0.05 };
			const prices = own({ ...tier, fromGb: 0, toGb: 10 }, { ...tier, fromGb: 20 });
			await refused(plan({ ...CAMPAIGN, prices }), "price", "prices", "do not follow each other");
		});

		test("an old one counts, and is named", async () => {
			const prices = { ...own(address), date: "2026-01-01" };
			const { status, body } = await plan({ ...CAMPAIGN, prices });
			expect(status).toBe(200);
			expect(body.warnings).toContain("ec2.ipv4 in us-east-1, $0.004 per hour: 305 days old");
		});
	});

	test("needs an operator's token", async () => {
		expect((await plan(SPLIT, { token: null })).status).toBe(401);
		const { token } = await createToken(api.deps, { tenant: TENANT, name: "h", kind: "host", hostId: "h1" });
		expect((await plan(SPLIT, { token })).status).toBe(403);
		expect((await api.call("PUT", "/v1/prices", { body: OWN, token })).status).toBe(403);
		expect((await api.call("GET", "/v1/prices", { token })).status).toBe(403);
		expect(stored()).toEqual([]);
	});

	test("a body that is no JSON is 400", async () => {
		expect((await plan("{")).status).toBe(400);
		expect((await plan("")).status).toBe(400);
	});
});

describe("own prices", () => {
	test("are put, shown as they may be put again, and replaced", async () => {
		expect(await api.call("GET", "/v1/prices")).toMatchObject({ status: 404, body: { error: { code: "notFound" } } });
		const first = {
			...OWN,
			carrier: { usdPerMin: 0.004 },
			prices: [{ product: "ec2.ipv4", unit: "hour", usd: 0.004 }],
		};
		const reply = await put(first);
		expect(reply).toMatchObject({ status: 200, body: { carrier: { usdPerMin: 0.004, incrementSec: 1 } } });
		const shown = await api.call("GET", "/v1/prices");
		expect(shown.body).toEqual(reply.body);
		expect((await put(shown.body)).body).toEqual(shown.body);
		expect((await put(OWN)).body).toEqual(KEPT);
		expect((await api.call("GET", "/v1/prices")).body).toEqual(KEPT);
		expect(stored()).toMatchObject([{ tenant: TENANT, id: "#prices", updatedAt: api.clock.now, own: KEPT }]);
	});

	test("are read by others: the prices, and a book of a region", async () => {
		expect(await readOwnPrices(api.deps, TENANT)).toBeUndefined();
		expect((await priceBookOf(api.deps, TENANT, "us-east-1")).usd("ec2.ipv4").toNumber()).toBe(0.005);
		await put({ ...OWN, prices: [{ product: "ec2.ipv4", unit: "hour", usd: 0.004 }] });
		expect(await readOwnPrices(api.deps, TENANT)).toMatchObject({ date: "2026-11-01" });
		expect((await priceBookOf(api.deps, TENANT, "eu-west-1")).usd("ec2.ipv4").toNumber()).toBe(0.004);
		expect(await readOwnPrices(api.deps, "other")).toBeUndefined();
	});

	test("do not get in the way of the fleet's schedules", async () => {
		await put(OWN);
		expect((await api.call("GET", "/v1/fleet/schedules")).body.items).toEqual([]);
	});

	test("with mistakes are refused with all of them, and what was stored stays", async () => {
		await put(OWN);
		const { status, body } = await put({
			currency: "EUR",
			date: "yesterday",
			colocation: { usdPerMonth: -1 },
			carrier: { usdPerMin: 0.01, incrementSec: 0.5 },
			prices: [{ product: "ec2.ipv4", unit: "hour", usd: -1 }],
		});
		expect(status).toBe(422);
		expect(body.error.code).toBe("price");
		expect(body.error.details.map(({ path }: { path: string }) => path)).toEqual(
			expect.arrayContaining(["currency", "date", "colocation.usdPerMonth", "carrier.incrementSec", "prices[0].usd"]),
		);
		expect((await api.call("GET", "/v1/prices")).body).toEqual(KEPT);
	});

	test.each<[unknown, string, string]>([
		[{ ...OWN, prices: Array(401).fill({ product: "ec2.ipv4", unit: "hour", usd: 1 }) }, "prices", "400"],
		[{ ...OWN, carrier: { usdPerMin: 0.01, incrementSec: 30 } }, "carrier.incrementSec", "must be 1, 6 or 60 seconds"],
		[{ ...OWN, prices: [{ product: "ec2.ipv4", unit: "day", usd: 1 }] }, "prices[0].unit", "per hour, not per day"],
		[[], "", ""],
		[{ ...OWN, colour: "red" }, "", "colour"],
	])("%j are refused at %s", async (body, path, words) => {
		await refused(put(body), "price", path, words);
		expect(stored()).toEqual([]);
	});

	test("that no item could hold are refused", async () => {
		const prices = Array.from({ length: 400 }, (_, i) => ({
			product: `ec2.on-demand.c7g.${i}large`,
			unit: "hour",
			usd: 1,
			source: "\u20ac".repeat(500),
		}));
		await refused(put({ ...OWN, prices }), "tooLarge", "prices", "too long");
	});
});

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { runCommand, startTestServer } from "../support/cli-harness.ts";
import { type FakePriceList, type FakeProduct, productsOf, startFakePriceList } from "../support/fake-price-list.ts";

const TYPES = { "c7g.large": "0.0775000000", "c7g.2xlarge": "0.3100000000" };
const REFRESH = "prices refresh --region eu-west-1 --type c7g.large";

let folder: string;
let list: string;
let fake: FakePriceList;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "burst-prices-"));
	list = join(folder, ".config", "burst-dialer-prices.json");
	fake = await startFakePriceList([...productsOf("eu-west-1", "EU-", TYPES), ...productsOf("us-east-1", "", TYPES)]);
});
afterEach(async () => {
	await fake.server.stop();
	await rm(folder, { recursive: true });
});

const cli = (line: string, env: Record<string, string> = fake.env) =>
	runCommand(line.split(" "), { home: folder, env });
const written = async (path = list) =>
	JSON.parse(await readFile(path, "utf8")) as { currency: string; prices: Record<string, unknown>[] };
const change = (sku: string, more: Partial<FakeProduct>): void => {
	fake.products = fake.products.map((product) => (product.sku === sku ? { ...product, ...more } : product));
};
const file = async (name: string, content: string): Promise<string> => {
	const path = join(folder, name);
	await writeFile(path, content);
	return path;
};

describe("prices refresh", () => {
	test("writes one usable price of every product, with day, SKU and unit", async () => {
		const run = await cli(`${REFRESH} --json`);
		expect(run).toMatchObject({ code: 0, err: "" });
		const { currency, prices } = await written();
		expect(currency).toBe("USD");
		expect(prices.map(({ product, usd, fromGb, toGb }) => [product, usd, fromGb, toGb])).toEqual([
			["api.request", 0.00000111, undefined, undefined],
			["dynamodb.read", 1.415e-7, undefined, undefined],
			["dynamodb.write", 7.05e-7, undefined, undefined],
			["ec2.gp3", 0.088, undefined, undefined],
			["ec2.ipv4", 0.005, undefined, undefined],
			["ec2.on-demand.c7g.large", 0.0775, undefined, undefined],
			["egress", 0, 0, 100],
			["egress", 0.09, 100, 10_240],
			["egress", 0.085, 10_240, 51_200],
			["egress", 0.07, 51_200, 153_600],
			["egress", 0.05, 153_600, undefined],
			["lambda.duration", 0.0000133334, undefined, undefined],
			["lambda.request", 2e-7, undefined, undefined],
			["logs.ingest", 0.57, undefined, undefined],
			["sqs.request", 4e-7, undefined, undefined],
		]);
		expect(prices.find(({ product }) => product === "ec2.on-demand.c7g.large")).toEqual({
			product: "ec2.on-demand.c7g.large",
			region: "eu-west-1",
			unit: "hour",
			usd: 0.0775,
			date: "2026-12-01",
			source: "AWS Price List API, AmazonEC2 SKU c7glargeEUWEST1",
			certainty: "seen",
		});
		const answer = JSON.parse(run.out);
		expect(answer.refreshed).toHaveLength(prices.length);
		expect(Object.keys(answer.notRefreshed)).toEqual(["ec2.spot", "ec2.savings-plan-1y"]);
		expect(fake.asked()[0]).toMatchObject({
			ServiceCode: "AmazonEC2",
			FormatVersion: "aws_v1",
			Filters: expect.arrayContaining([{ Type: "TERM_MATCH", Field: "instanceType", Value: "c7g.large" }]),
		});
	});

	test("says what is not refreshed, and leaves nothing unfinished behind", async () => {
		const { code, out } = await cli(REFRESH);
		expect(code).toBe(0);
		expect(out).toContain(`15 prices of eu-west-1 are written to ${list}`);
		expect(out).toContain("ec2.spot: spot prices change all the time");
		expect(await readdir(join(folder, ".config"))).toEqual(["burst-dialer-prices.json"]);
	});

	test("asks page by page", async () => {
		fake.pageSize = 1;
		expect((await cli(REFRESH)).code).toBe(0);
		const addresses = fake.asked().filter(({ ServiceCode }) => ServiceCode === "AmazonVPC");
		expect(addresses.map(({ NextToken }) => NextToken)).toEqual([undefined, "page-1"]);
		expect((await written()).prices).toHaveLength(15);
	});

	test("of several regions and types; what was there of others stays", async () => {
		expect((await cli("prices refresh --region us-east-1 --type c7g.2xlarge")).code).toBe(0);
		change("c7glargeEUWEST1", { dimensions: [{ unit: "Hrs", price: { USD: "0.0800000000" } }] });
		await cli(REFRESH);
		expect((await cli("prices refresh --region eu-west-1 --type c7g.2xlarge")).code).toBe(0);
		const { prices } = await written();
		const onDemand = prices.filter(({ product }) => String(product).startsWith("ec2.on-demand"));
		expect(onDemand.map(({ region, product, usd }) => [region, product, usd])).toEqual([
			["eu-west-1", "ec2.on-demand.c7g.2xlarge", 0.31],
			["eu-west-1", "ec2.on-demand.c7g.large", 0.08],
			["us-east-1", "ec2.on-demand.c7g.2xlarge", 0.31],
		]);
		expect(prices.filter(({ product, region }) => product === "egress" && region === "eu-west-1")).toHaveLength(5);
	});

	test("to another file, and beside other settings", async () => {
		const out = join(folder, "mine.json");
		expect((await cli(`${REFRESH} --out ${out}`)).code).toBe(0);
		expect((await written(out)).prices).toHaveLength(15);
		expect((await cli(`--config ${folder}/other/settings.json ${REFRESH}`)).code).toBe(0);
		expect((await written(join(folder, "other", "burst-dialer-prices.json"))).prices).toHaveLength(15);
		const nowhere = await cli(`${REFRESH} --out ${out}/deeper.json`);
		expect(nowhere).toMatchObject({ code: 1, out: "" });
		expect(nowhere.err).toContain("The list of prices cannot be");
	});

	describe("stores nothing where a product", () => {
		const refused = async (...words: string[]) => {
			const run = await cli(REFRESH);
			expect(run).toMatchObject({ code: 1, out: "" });
			for (const each of words) expect(run.err).toContain(each);
			await expect(readFile(list)).rejects.toThrow("ENOENT");
			return run;
		};

		test("is not there: product, region, filters", async () => {
			fake.products = fake.products.filter(({ sku }) => sku !== "INUSEEUWEST1");
			await refused(
				"ec2.ipv4 in eu-west-1: AWS has no such product; products that it answered: IDLEEUWEST1 (EU-PublicIPv4:IdleAddress)",
				"asked for AmazonVPC group=VPCPublicIPv4Address regionCode=eu-west-1",
				"nothing was stored",
			);
		});

		test("is there twice: with all SKUs", async () => {
			const [twin] = fake.products.filter(({ sku }) => sku === "GP3EUWEST1");
			if (!twin) throw new Error("no gp3");
			fake.products.push({ ...twin, sku: "TWIN" });
			await refused("ec2.gp3 in eu-west-1: AWS has 2 such products", "GP3EUWEST1 (EU-EBS:VolumeUsage.gp3), TWIN (");
		});

		test.each<[string, FakeProduct["dimensions"], string]>([
			["has another currency", [{ unit: "Hrs", price: { CNY: "0.5" } }], "is priced in CNY, not in USD"],
			["has another unit", [{ unit: "Quantity", price: { USD: "0.1" } }], "is priced per Quantity, not per Hrs"],
			["is negative", [{ unit: "Hrs", price: { USD: "-0.1" } }], "costs $-0.1: a price cannot be negative"],
			["costs nothing", [{ unit: "Hrs", price: { USD: "0.0000000000" } }], "costs $0, which cannot be"],
			["costs no number", [{ unit: "Hrs", price: { USD: "cheap" } }], 'costs "cheap", which is no number'],
			["has no offer", [], "has 0 on-demand offers"],
			[
				"has tiers with a gap",
				[
					{ to: "5", unit: "Hrs", price: { USD: "0.1" } },
					{ from: "6", unit: "Hrs", price: { USD: "0.1" } },
				],
				"tiers that do not follow each other",
			],
		])("%s", async (_, dimensions, words) => {
			change("c7glargeEUWEST1", { dimensions });
			await refused("ec2.on-demand.c7g.large in eu-west-1: SKU c7glargeEUWEST1", words);
		});

		test("is of an unknown type; all mistakes are told together", async () => {
			change("LOGSEUWEST1", { dimensions: [{ unit: "TB", price: { USD: "1" } }] });
			const run = await cli(`${REFRESH} --type x9.huge`);
			expect(run.code).toBe(1);
			expect(run.err).toContain("ec2.on-demand.x9.huge in eu-west-1: AWS has no such product");
			expect(run.err).toContain("logs.ingest in eu-west-1: SKU LOGSEUWEST1 is priced per TB, not per GB");
			await expect(readFile(list)).rejects.toThrow("ENOENT");
		});

		test("cannot be asked for: access denied, wrong credentials, a failing service", async () => {
			fake.failure = { status: 400, type: "AccessDeniedException", message: "not authorized: pricing:GetProducts" };
			await refused("may not ask for prices: not authorized", "allow them pricing:GetProducts");
			fake.failure = { status: 400, type: "UnrecognizedClientException", message: "The security token is invalid" };
			await refused("There are no AWS credentials that work: The security token is invalid");
			fake.failure = { status: 400, type: "InvalidParameterException", message: "no such field" };
			await refused("The AWS Price List cannot be asked: no such field", "nothing was stored");
		});
	});

	test("keeps the list that was there when AWS is away", async () => {
		await cli(REFRESH);
		const before = await readFile(list, "utf8");
		await fake.server.stop();
		const run = await cli(REFRESH);
		expect(run).toMatchObject({ code: 1, out: "" });
		expect(run.err).toContain("The AWS Price List cannot be asked");
		expect(await readFile(list, "utf8")).toBe(before);
	});

	test("without credentials", async () => {
		const saved = { ...process.env };
		// The SDK looks further by itself: nothing may be found there.
		for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
		Object.assign(process.env, {
			AWS_EC2_METADATA_DISABLED: "true",
			AWS_SHARED_CREDENTIALS_FILE: join(folder, "none"),
			AWS_CONFIG_FILE: join(folder, "none"),
		});
		try {
			const run = await cli(REFRESH, { AWS_ENDPOINT_URL_PRICING: fake.server.url });
			expect(run).toMatchObject({ code: 1, out: "" });
			expect(run.err).toContain("There are no AWS credentials that work");
			expect(fake.server.seen).toEqual([]);
		} finally {
			for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
			Object.assign(process.env, saved);
		}
	});

	test.each([
		["--region Ireland", "a region as in eu-west-1"],
		["--type large", "an instance type as in c7g.large"],
	])("%s is no command", async (option, words) => {
		const run = await cli(`prices refresh ${option}`);
		expect(run).toMatchObject({ code: 2, out: "" });
		expect(run.err).toContain(words);
		expect(fake.server.seen).toEqual([]);
	});
});

describe("what was refreshed", () => {
	const CAMPAIGN = "plan campaign --contacts 1000 --within 1h --region eu-west-1 --json";

	test("counts in plans instead of the shipped prices", async () => {
		const before = JSON.parse((await cli(CAMPAIGN)).out);
		expect(before.warnings).toContainEqual(expect.stringContaining("ec2.on-demand.c7g.large in eu-west-1"));
		change("c7glargeEUWEST1", { dimensions: [{ unit: "Hrs", price: { USD: "0.1550000000" } }] });
		await cli(REFRESH);
		const after = JSON.parse((await cli(CAMPAIGN)).out);
		expect(after.hostUsd).toBeCloseTo(before.hostUsd * 2, 5);
		// The free GB of the account are not AWS's to say in a region.
		expect(after.warnings).toEqual(["egress in eu-west-1, tiers per GB: not verified"]);
		expect(after.prices).toContainEqual(expect.objectContaining({ product: "ec2.ipv4", date: "2026-12-01" }));
	});

	test("grows old like any price", async () => {
		await cli(REFRESH);
		const { currency, prices } = await written();
		const aged = prices.map((price) => ({ ...price, date: "2026-08-01" }));
		await writeFile(list, JSON.stringify({ currency, prices: aged }));
		const { warnings } = JSON.parse((await cli(CAMPAIGN)).out);
		expect(warnings).toContain("ec2.on-demand.c7g.large in eu-west-1, $0.0775 per hour: 122 days old");
	});

	test.each([
		["{", "is not JSON"],
		['{"currency":"EUR","prices":[]}', "only US dollars"],
		['{"currency":"USD","prices":[{"product":"ec2.ipv4"}]}', "prices.0.region"],
	])("is refused where the file is %s", async (content, words) => {
		await cli(REFRESH);
		await writeFile(list, content);
		for (const line of [CAMPAIGN, "prices show", REFRESH]) {
			const run = await cli(line);
			expect(run.code).not.toBe(0);
			expect(run.err).toContain(words);
			expect(run.err).toContain("prices refresh");
		}
		expect(await readFile(list, "utf8")).toBe(content);
		// What needs no price does not look.
		expect((await cli("plan hosts --channels 5")).code).toBe(0);
	});
});

describe("prices show", () => {
	const shown = async (line: string) =>
		JSON.parse((await cli(`${line} --json`)).out).items as Record<string, unknown>[];

	test("lists what counts, with day, age, source and list", async () => {
		await cli(REFRESH);
		const own = await file(
			"own.json",
			'{"currency":"USD","date":"2026-11-01","prices":[{"product":"ec2.ipv4","unit":"hour","usd":0.004}],"discounts":[{"product":"ec2.gp3","percent":50}]}',
		);
		const items = await shown(`prices show --region eu-west-1 --prices ${own}`);
		const of = (product: string) => items.filter((item) => item["product"] === product);
		expect(of("ec2.ipv4")).toMatchObject([{ usd: 0.004, list: "own", ageDays: 30, region: "eu-west-1" }]);
		expect(of("ec2.gp3")).toMatchObject([{ usd: 0.044, list: "refreshed", ageDays: 0 }]);
		expect(of("ec2.on-demand.c8g.large")).toMatchObject([{ list: "shipped", date: null, ageDays: null }]);
		expect(of("egress")).toHaveLength(5);
		expect(of("ec2.savings-plan-1y")).toMatchObject([{ usd: 0.73, unit: "of on-demand" }]);
	});

	test("in words, of all regions, before anything was refreshed", async () => {
		const { code, out } = await cli("prices show");
		expect(code).toBe(0);
		expect(out).toMatch(/^ec2\.ipv4 +us-east-1 +\$0\.005 +hour +2026-04-01 +244 +shipped +old /m);
		expect(out).toMatch(/^egress 100 to 10240 +eu-west-1 /m);
		expect(out).toContain("which is not there yet: burst-dialer prices refresh");
		expect((await cli("prices show --region ap-south-1 --json")).out).toContain("ec2.savings-plan-1y");
	});
});

describe("prices set and get", () => {
	const OWN = { currency: "USD", date: "2026-11-01", prices: [] };

	test("go to the API", async () => {
		const server = await startTestServer(({ method, body }) => ({ json: method === "PUT" ? JSON.parse(body) : OWN }));
		try {
			const env = { BURST_DIALER_URL: server.url, BURST_DIALER_TOKEN: "t" };
			const path = await file("own.json", JSON.stringify(OWN));
			expect((await cli(`prices set ${path}`, env)).out).toContain("Your own prices are stored");
			expect(JSON.parse((await cli("prices get", env)).out)).toEqual(OWN);
			expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(["PUT /v1/prices", "GET /v1/prices"]);
		} finally {
			await server.stop();
		}
	});

	test("show what the API refuses, with the file", async () => {
		const details = [{ path: "prices[0].usd", message: "is negative: a price cannot be" }];
		const server = await startTestServer(() => ({
			status: 422,
			json: { error: { code: "price", message: "The prices cannot be used.", details } },
		}));
		try {
			const path = await file("own.json", JSON.stringify(OWN));
			const run = await cli(`prices set ${path}`, { BURST_DIALER_URL: server.url, BURST_DIALER_TOKEN: "t" });
			expect(run).toMatchObject({ code: 1, out: "" });
			expect(run.err).toContain("prices[0].usd: is negative");
			expect(run.err).toContain("own.json");
		} finally {
			await server.stop();
		}
	});
});

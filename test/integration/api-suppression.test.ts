import { beforeEach, describe, expect, test } from "@jest/globals";
import { reserveCall } from "../../shared/callees/reserve-call.ts";
import { CONFIG_ID, type ConfigItem, calleeKey, type SuppressedItem } from "../../shared/store/items.ts";
import { ADD_BUDGET_MS } from "../../shared/suppression/add-numbers.ts";
import { callingRules, RULES_FRESH_MS } from "../../shared/suppression/calling-policy.ts";
import { MAX_SUPPRESSION_LISTS } from "../../shared/suppression/lists.ts";
import { readSuppression } from "../../shared/suppression/read-suppression.ts";
import { suppressedBy } from "../../shared/suppression/suppressed-by.ts";
import { type Hooks, MemoryDynamo, type Statement } from "../support/memory-dynamo.ts";
import { type Api, startApi, TENANT, US_TRUNK, usNumber } from "../unit/api/harness.ts";

/** Do-not-call lists, opt-outs and the calling policy through the API. */

const DAY = 86_400_000;
let dynamo: MemoryDynamo;
let api: Api;
let hooks: Hooks;

beforeEach(async () => {
	dynamo = new MemoryDynamo();
	hooks = {};
	api = await startApi(
		dynamo.client({
			before: (statement) => hooks.before?.(statement),
			after: (statement, result) => hooks.after?.(statement, result),
		}),
	);
	await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK });
});

const set = (list: string, body: unknown) => api.call("PUT", `/v1/suppression/${list}`, { body });
const add = (list: string, body: unknown, options: { query?: string; type?: string } = {}) =>
	api.call("POST", `/v1/suppression/${list}/numbers${options.query ?? ""}`, {
		body,
		...(options.type ? { headers: { "content-type": options.type } } : {}),
	});
const lists = async () => (await api.call("GET", "/v1/suppression")).body.items;
const show = async (number: string) =>
	(await api.call("GET", `/v1/suppression/numbers/${encodeURIComponent(number)}`)).body;
const isSuppressed = async (number: string): Promise<string | undefined> => {
	const { lists, numbers } = await readSuppression(api.deps, TENANT, [number]);
	return suppressedBy(numbers.get(number), lists, { purpose: "marketing" })?.list;
};
const config = () => dynamo.peek<ConfigItem>("trunks", { tenant: TENANT, trunkId: CONFIG_ID });

describe("lists", () => {
	test("that of opt-outs is always there", async () => {
		expect(await lists()).toEqual([
			{
				name: "opt-outs",
				scope: "all",
				kind: "own",
				maxAgeDays: null,
				count: 0,
				updatedAt: null,
				ageDays: null,
				stale: false,
			},
		]);
	});

	test("are made, changed with their numbers kept, and deleted", async () => {
		expect(await set("dnc", { scope: "named" })).toMatchObject({ status: 201, body: { name: "dnc", count: 0 } });
		await add("dnc", [usNumber(1)]);
		expect(await set("dnc", { scope: ["marketing"], kind: "register" })).toMatchObject({
			status: 200,
			body: { scope: ["marketing"], kind: "register", maxAgeDays: 31, count: 1, stale: false },
		});
		expect(await set("dnc", { scope: "all" })).toMatchObject({ body: { kind: "own", maxAgeDays: null, count: 1 } });
		expect(await isSuppressed(usNumber(1))).toBe("dnc");
		expect((await api.call("DELETE", "/v1/suppression/dnc")).body).toMatchObject({ name: "dnc", count: 1 });
		expect(await isSuppressed(usNumber(1))).toBeUndefined();
		expect((await api.call("DELETE", "/v1/suppression/dnc")).status).toBe(404);
		expect((await add("dnc", [usNumber(1)])).status).toBe(404);
	});

	test("of a name that was there before begin empty", async () => {
		await set("dnc", { scope: "all" });
		await add("dnc", [usNumber(1)]);
		await api.call("DELETE", "/v1/suppression/dnc");
		api.clock.now += 1_000;
		await set("dnc", { scope: "all" });
		expect(await isSuppressed(usNumber(1))).toBeUndefined();
		expect(await add("dnc", [usNumber(1)])).toMatchObject({ body: { added: 1 } });
		expect(await isSuppressed(usNumber(1))).toBe("dnc");
	});

	test("grow old where they are registers, and become young when they are loaded to the end", async () => {
		await set("us", { scope: "all", kind: "register", maxAgeDays: 10 });
		const us = async () => (await lists()).find(({ name }: { name: string }) => name === "us");
		expect(await us()).toMatchObject({ stale: true, ageDays: null });
		await add("us", [usNumber(1)], { query: "?more=true" });
		expect(await us()).toMatchObject({ stale: true, count: 1 });
		await add("us", [usNumber(2)]);
		expect(await us()).toMatchObject({ stale: false, ageDays: 0, count: 2 });
		api.clock.now += 10 * DAY + 1;
		expect(await us()).toMatchObject({ stale: true, ageDays: 10 });
		expect(await show(usNumber(9))).toMatchObject({ lists: [], staleLists: ["us"] });
		expect(await add("us", [usNumber(1)])).toMatchObject({ body: { added: 0, already: 1 } });
		expect(await us()).toMatchObject({ stale: false, ageDays: 0, count: 2 });
	});

	test.each([
		["dnc", {}, 400, "scope"],
		["dnc", { scope: "some" }, 400, "scope"],
		["dnc", { scope: [] }, 400, "scope"],
		["dnc", { scope: ["marketing", "marketing"] }, 400, "scope"],
		["dnc", { scope: "all", maxAgeDays: 31 }, 400, "maxAgeDays"],
		["dnc", { scope: "all", kind: "register", maxAgeDays: 0 }, 400, "maxAgeDays"],
		["dnc", { scope: "all", colour: "red" }, 400, "colour"],
		["DNC", { scope: "all" }, 400, ""],
		["numbers", { scope: "all" }, 400, ""],
		["opt-outs", { scope: "named" }, 422, undefined],
	])("PUT %s %j is %i", async (list, body, status, path) => {
		const reply = await set(list, body);
		expect(reply.status).toBe(status);
		if (path !== undefined) {
			expect(reply.body.error.details.map((detail: { path: string }) => detail.path)).toContain(path);
		}
		expect(dynamo.items("suppression")).toEqual([]);
	});

	test("there are at most 50", async () => {
		for (let i = 1; i < MAX_SUPPRESSION_LISTS; i++) expect((await set(`l-${i}`, { scope: "named" })).status).toBe(201);
		expect(await set("one-more", { scope: "named" })).toMatchObject({
			status: 422,
			body: { error: { code: "tooManyLists" } },
		});
		expect((await set("l-1", { scope: "all" })).status).toBe(200);
	});
});

describe("numbers of a list", () => {
	beforeEach(() => set("dnc", { scope: "all" }));

	test.each([
		["application/json", JSON.stringify([usNumber(1), { number: usNumber(2), id: "c-1" }, "bad", usNumber(1)])],
		["application/x-ndjson", `"${usNumber(1)}"\n{"number":"${usNumber(2)}"}\n"bad"\n"${usNumber(1)}"\n`],
		["text/csv", `\ufeffnumber;name\r\n${usNumber(1)};A\r\n${usNumber(2)};B\r\nbad;C\r\n${usNumber(1)};D\r\n`],
	])("come as %s", async (type, body) => {
		const line = type === "text/csv" ? 4 : 3;
		const reply = await add("dnc", body, { type });
		expect(reply).toMatchObject({
			status: 200,
			body: { added: 2, already: 1, rejectedCount: 1, privateNumbers: 0, complete: true },
		});
		expect(reply.body.rejected).toEqual([{ line, number: "bad", reason: expect.stringContaining("E.164") }]);
		expect((await add("dnc", body, { type })).body).toMatchObject({ added: 0, already: 3, complete: true });
		expect(await isSuppressed(usNumber(2))).toBe("dnc");
		expect((await lists())[0]).toMatchObject({ name: "dnc", count: 2 });
	});

	test("without a + are counted apart: they are private numbers", async () => {
		expect((await add("dnc", ["2025550123", usNumber(1)])).body).toMatchObject({ added: 2, privateNumbers: 1 });
		expect(await isSuppressed("2025550123")).toBe("dnc");
		expect(await isSuppressed("+12025550123")).toBeUndefined();
	});

	test("are taken off one by one", async () => {
		await add("dnc", [usNumber(1), usNumber(2)]);
		const path = `/v1/suppression/dnc/numbers/${usNumber(1)}`;
		expect(await api.call("DELETE", path)).toMatchObject({ status: 200, body: { list: "dnc", number: usNumber(1) } });
		expect(await api.call("DELETE", path)).toMatchObject({ status: 404 });
		expect(await isSuppressed(usNumber(1))).toBeUndefined();
		expect((await lists())[0]).toMatchObject({ count: 1 });
	});

	test("keep since when they are on which list", async () => {
		await set("other", { scope: "named" });
		const first = new Date(api.clock.now).toISOString();
		await add("dnc", [usNumber(1)]);
		api.clock.now += DAY;
		await add("dnc", [usNumber(1)]);
		await add("other", [usNumber(1)]);
		expect((await show(usNumber(1))).lists).toMatchObject([
			{ list: "dnc", scope: "all", since: first },
			{ list: "other", scope: "named", since: new Date(api.clock.now).toISOString() },
		]);
	});

	test("too many for one request are stored as far as its time goes, and the rest by its repeat", async () => {
		const body = ["number", ...Array.from({ length: 2_500 }, (_, n) => usNumber(n))].join("\n");
		let writes = 0;
		hooks.before = ({ name }) => {
			if (name === "Update" && ++writes === 1_500) api.clock.now += ADD_BUDGET_MS;
		};
		const first = (await add("dnc", body, { type: "text/csv" })).body;
		expect(first).toMatchObject({ added: 2_000, complete: false, nextLine: 2_002 });
		expect((await lists())[0]).toMatchObject({ count: 2_000, updatedAt: null });
		const second = (await add("dnc", body, { type: "text/csv", query: `?fromLine=${first.nextLine}` })).body;
		expect(second).toMatchObject({ added: 500, already: 0, complete: true });
		expect((await lists())[0]).toMatchObject({ count: 2_500, ageDays: 0 });
		expect(await isSuppressed(usNumber(2_499))).toBe("dnc");
	});

	test("of a request that fails in between are counted, and its repeat does the rest", async () => {
		let writes = 0;
		hooks.before = ({ name }) => {
			if (name === "Update" && ++writes === 300)
				throw Object.assign(new Error("slow down"), { name: "ThrottlingException" });
		};
		const body = Array.from({ length: 600 }, (_, n) => usNumber(n));
		expect(await add("dnc", body)).toMatchObject({ status: 503 });
		const stored = dynamo.items<SuppressedItem>("suppression").length - 1;
		expect(stored).toBeGreaterThan(200);
		expect(stored).toBeLessThan(600);
		expect((await lists())[0]).toMatchObject({ count: stored, updatedAt: null });
		expect((await add("dnc", body)).body).toMatchObject({ added: 600 - stored, already: stored });
		expect((await lists())[0]).toMatchObject({ count: 600 });
	});

	test("go nowhere when their list is deleted meanwhile", async () => {
		let deleted = false;
		hooks.before = async ({ name, input }) => {
			if (deleted || name !== "Update" || !String(input["Key"].callee).includes("+")) return;
			deleted = true;
			await api.call("DELETE", "/v1/suppression/dnc");
		};
		expect(await add("dnc", [usNumber(1)])).toMatchObject({ status: 409, body: { error: { code: "listDeleted" } } });
		expect(await isSuppressed(usNumber(1))).toBeUndefined();
		expect((await lists()).map(({ name }: { name: string }) => name)).toEqual(["opt-outs"]);
	});

	test.each([
		["nothing", "", "application/json", 400],
		["an object", "{}", "application/json", 400],
		["no list", "hello", "text/plain", 400],
		["an empty array", "[]", "application/json", 422],
		["bad rows only", '["x", 5]', "application/json", 422],
		["no header", `${usNumber(1)}\n${usNumber(2)}\n`, "text/csv", 422],
	])("%s is refused and leaves the list as it is", async (_what, body, type, status) => {
		const before = JSON.stringify(dynamo.items("suppression"));
		const reply = await add("dnc", body, { type });
		expect(reply.status).toBe(status);
		expect(reply.body.error.message.length).toBeGreaterThan(10);
		expect(JSON.stringify(dynamo.items("suppression"))).toBe(before);
	});

	test.each(["?fromLine=0", "?fromLine=x", "?more=maybe", "?colour=red"])("%s is 400", async (query) => {
		expect((await add("dnc", [usNumber(1)], { query })).status).toBe(400);
	});
	test("only an operator may", async () => {
		const { body } = await api.call("POST", "/v1/hosts", { body: { hostId: "h1" } });
		for (const token of [null, body.token]) {
			expect((await api.call("POST", "/v1/opt-outs", { token, body: { number: usNumber(1) } })).status).not.toBe(201);
		}
		expect(dynamo.items("suppression")).toHaveLength(1);
	});
});

describe("an opt-out", () => {
	const optOut = (body: unknown) => api.call("POST", "/v1/opt-outs", { body });

	test("is there at once, once, and says so to the syncs without a new configuration", async () => {
		const version = config()?.version;
		const since = new Date(api.clock.now).toISOString();
		const body = { number: usNumber(1), campaignId: "01kb0z5c8hqx4v7m", note: "said so" };
		expect(await optOut(body)).toMatchObject({ status: 201, body: { list: "opt-outs", since, already: false } });
		expect(await isSuppressed(usNumber(1))).toBe("opt-outs");
		expect(config()).toMatchObject({ version, optOutAt: api.clock.now });
		api.clock.now += 1_000;
		expect(await optOut({ number: usNumber(1) })).toMatchObject({ status: 200, body: { since, already: true } });
		expect(config()?.optOutAt).toBe(api.clock.now);
		expect((await show(usNumber(1))).lists).toEqual([
			{
				list: "opt-outs",
				scope: "all",
				since,
				addedBy: expect.any(String),
				campaignId: "01kb0z5c8hqx4v7m",
				note: "said so",
			},
		]);
		expect((await lists())[0]).toMatchObject({ name: "opt-outs", count: 1 });
	});

	test("is on the list before the syncs hear of it", async () => {
		const order: string[] = [];
		hooks.before = ({ name, input }: Statement) => {
			if (name === "Update") order.push(`${input["TableName"]} ${Object.values(input["Key"]).join(" ")}`);
		};
		await optOut({ number: usNumber(1) });
		expect(order.slice(0, 2)).toEqual([`suppression ${TENANT}#${usNumber(1)}`, `trunks ${TENANT} ${CONFIG_ID}`]);
	});

	test("whose request died after any write is completed by its repeat", async () => {
		for (let dies = 1; dies <= 5; dies++) {
			const number = usNumber(dies);
			let writes = 0;
			hooks.after = ({ name }) => {
				if (name === "Update" && ++writes === dies) throw new Error("died");
			};
			const first = await optOut({ number });
			hooks = {};
			if (first.status === 201) break;
			api.clock.now += 1_000;
			expect((await optOut({ number })).status).toBe(200);
			expect(await isSuppressed(number)).toBe("opt-outs");
			expect(config()?.optOutAt).toBe(api.clock.now);
		}
	});

	test("is counted also where two are the first at the same time", async () => {
		let others = 0;
		hooks.before = async ({ input }) => {
			if (!String(input["ConditionExpression"]).includes("attribute_not_exists(#list)") || others++ > 0) return;
			await optOut({ number: usNumber(2) });
		};
		await optOut({ number: usNumber(1) });
		expect(others).toBe(2);
		expect((await lists())[0]).toMatchObject({ name: "opt-outs", count: 2 });
	});

	test("also comes by the list's own route, many at once", async () => {
		await add("opt-outs", [usNumber(1), usNumber(2)]);
		expect(config()?.optOutAt).toBe(api.clock.now);
		expect(await isSuppressed(usNumber(2))).toBe("opt-outs");
		expect((await optOut({ number: usNumber(2) })).body.already).toBe(true);
	});

	test("does not set the moment back where a clock lags", async () => {
		await optOut({ number: usNumber(1) });
		const at = api.clock.now;
		api.clock.now -= 500;
		expect((await optOut({ number: usNumber(2) })).status).toBe(201);
		expect(config()?.optOutAt).toBe(at);
	});

	test.each([
		[{}, "number"],
		[{ number: "12-34" }, "number"],
		[{ number: usNumber(1), campaignId: "x" }, "campaignId"],
		[{ number: usNumber(1), note: "x".repeat(201) }, "note"],
		[{ number: usNumber(1), colour: "red" }, "colour"],
	])("%j is 400", async (body, path) => {
		const reply = await optOut(body);
		expect(reply.status).toBe(400);
		expect(reply.body.error.details.map((detail: { path: string }) => detail.path)).toContain(path);
		expect(dynamo.items("suppression")).toEqual([]);
	});

	test("its list can be neither changed nor deleted, and nothing is logged of its number", async () => {
		await optOut({ number: usNumber(1), note: "private" });
		expect((await api.call("DELETE", "/v1/suppression/opt-outs")).status).toBe(422);
		await api.call("DELETE", `/v1/suppression/opt-outs/numbers/${usNumber(1)}`);
		expect(await isSuppressed(usNumber(1))).toBeUndefined();
		const text = JSON.stringify(api.logs);
		expect(text).not.toContain(usNumber(1).slice(1));
		expect(text).not.toContain("private");
	});
});

describe("the calling policy", () => {
	const put = (body: unknown) => api.call("PUT", "/v1/calling-policy", { body });

	test("is replaced as a whole, and is known within 10 s", async () => {
		expect((await api.call("GET", "/v1/calling-policy")).body).toEqual({});
		expect((await callingRules(api.deps, TENANT)).policy).toEqual({});
		const policy = { calleeLimit: { max: 3, perHours: 24 } };
		expect(await put(policy)).toMatchObject({ status: 200, body: policy });
		expect((await api.call("GET", "/v1/calling-policy")).body).toEqual(policy);
		expect((await callingRules(api.deps, TENANT)).policy).toEqual({});
		api.clock.now += RULES_FRESH_MS;
		expect((await callingRules(api.deps, TENANT)).policy).toEqual(policy);
		expect((await put({})).body).toEqual({});
		expect((await api.call("GET", "/v1/calling-policy")).body).toEqual({});
	});

	test("that cannot be read is an error, and is read again", async () => {
		hooks.before = () => {
			throw new Error("away");
		};
		await expect(callingRules(api.deps, TENANT)).rejects.toThrow("away");
		await expect(readSuppression(api.deps, TENANT, [usNumber(1)])).rejects.toThrow("away");
		hooks = {};
		expect((await callingRules(api.deps, TENANT)).lists).toHaveLength(1);
	});

	test.each([
		[{ calleeLimit: {} }, "calleeLimit"],
		[{ calleeLimit: { max: 3 } }, "calleeLimit"],
		[{ calleeLimit: { max: 51, perHours: 24 } }, "calleeLimit.max"],
		[{ calleeLimit: { max: 3, perHours: 721 } }, "calleeLimit.perHours"],
		[{ calleeLimit: { minGapSec: 0 } }, "calleeLimit.minGapSec"],
		[{ limit: 3 }, "limit"],
	])("%j is 400", async (body, path) => {
		const reply = await put(body);
		expect(reply.status).toBe(400);
		expect(reply.body.error.details.map((detail: { path: string }) => detail.path)).toContain(path);
	});

	test("a number shows its calls, and when it may be called again", async () => {
		await put({ calleeLimit: { max: 2, perHours: 24, minGapSec: 3_600 } });
		const limits = { limits: [{ max: 9, perHours: 24, rule: "r" }] };
		const times: string[] = [];
		for (const tag of ["a", "b"]) {
			await reserveCall(api.deps, TENANT, usNumber(1), limits, tag);
			times.unshift(new Date(api.clock.now).toISOString());
			api.clock.now += 7_200_000;
		}
		expect(await show(usNumber(1))).toEqual({
			number: usNumber(1),
			lists: [],
			staleLists: [],
			calls: times,
			waitUntil: new Date(Date.parse(times[1] as string) + DAY + 30_000).toISOString(),
		});
		expect(dynamo.peek("callees", calleeKey(TENANT, usNumber(1)))?.["ver"]).toBe(2);
		expect((await api.call("GET", "/v1/suppression/numbers/x")).status).toBe(400);
	});
});

describe("a campaign", () => {
	const create = (over: object) =>
		api.call("POST", "/v1/campaigns", {
			body: { name: "n", trunk: "carrier-a", then: { wait: 1 }, contacts: [{ number: usNumber(1) }], ...over },
		});

	test("keeps the lists that it names and its own limit", async () => {
		await set("dnc", { scope: "named" });
		const calleeLimit = { max: 2, perHours: 48 };
		const { body } = await create({ suppressionLists: ["dnc", "opt-outs", "dnc"], calleeLimit });
		expect((await api.call("GET", `/v1/campaigns/${body.campaignId}`)).body).toMatchObject({
			suppressionLists: ["dnc", "opt-outs"],
			calleeLimit,
		});
		const plain = (await create({})).body.campaignId;
		expect((await api.call("GET", `/v1/campaigns/${plain}`)).body).toMatchObject({
			suppressionLists: [],
			calleeLimit: null,
		});
	});

	test("may only name lists that are there", async () => {
		await set("dnc", { scope: "named" });
		const reply = await create({ suppressionLists: ["dcn", "dnc", "other"] });
		expect(reply).toMatchObject({ status: 422, body: { error: { code: "unknownSuppressionList" } } });
		expect(reply.body.error.details.map((detail: { path: string }) => detail.path)).toEqual([
			"suppressionLists[0]",
			"suppressionLists[2]",
		]);
		expect(dynamo.items("campaigns")).toEqual([]);
	});
});

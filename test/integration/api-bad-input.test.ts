import { beforeAll, describe, expect, test } from "@jest/globals";
import { createToken, revokeToken } from "../../shared/tokens/tokens.ts";
import { MemoryDynamo } from "../support/memory-dynamo.ts";
import { type Api, PRIVATE_TRUNK, type Reply, startApi, TENANT, US_TRUNK, usNumber } from "../unit/api/harness.ts";

/** Whatever is wrong with a request: the status and the body of the design, saying what and where, and nothing stored by half. */

const dynamo = new MemoryDynamo();
let api: Api;

beforeAll(async () => {
	api = await startApi(dynamo.client());
	await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK });
	await api.call("PUT", "/v1/trunks/private", { body: PRIVATE_TRUNK });
});

const TABLES = [
	...["campaigns", "contacts", "hosts", "grants", "trunks", "idempotency", "suppression", "fleet"],
] as const;
const everything = (): string => JSON.stringify(TABLES.map((table) => dynamo.items(table)));

/** Does a request that must be refused and must leave everything as it is. */
const refused = async (request: () => Promise<Reply>, status: number, path?: string): Promise<Reply> => {
	const before = everything();
	const objects = api.objects.stored.size;
	const reply = await request();
	expect({ status: reply.status, body: reply.body }).toMatchObject({
		status,
		body: { error: { code: expect.any(String), message: expect.any(String), details: expect.any(Array) } },
	});
	expect(reply.body.error.message.length).toBeGreaterThan(10);
	if (path !== undefined) {
		expect(reply.body.error.details.map((detail: { path: string }) => detail.path)).toContain(path);
	}
	expect(everything()).toBe(before);
	expect(api.objects.stored.size).toBe(objects);
	return reply;
};

const campaign = (over: Record<string, unknown> = {}) => ({
	name: "n",
	trunk: "carrier-a",
	then: { wait: 5 },
	contacts: [{ number: usNumber(1) }],
	...over,
});
const post = (body: unknown, path = "/v1/campaigns", headers: Record<string, string> = {}) =>
	api.call("POST", path, { body, headers });

/** What Asterisk, SIP or a shell could take for more than text. */
const INJECTIONS = [
	"x\r\nX-Evil: 1",
	"x\ny",
	"x\u0000y",
	// biome-ignore lint/suspicious/noTemplateCurlyInString: Asterisk's syntax, not ours
	"${SHELL(id)}",
	"$[1+1]",
	"a&SIP/evil",
	"a;b",
	"a,b",
	"a/b",
	"../../etc/passwd",
	"a|b",
	"<sip:evil@example.com>",
	'a"b',
	"a b",
	"",
	"x".repeat(100),
];

describe("bodies", () => {
	test.each([
		["nothing", ""],
		["half an object", '{"name": "x"'],
		["words", "hello"],
		["not UTF-8", Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
	])("%s is 400", (_what, body) => refused(() => post(body), 400));

	test.each([
		["an array", []],
		["null", null],
		["a text", "campaign"],
		["nothing in it", {}],
	])("%s instead of a campaign is 400", (_what, body) => refused(() => post(JSON.stringify(body)), 400));

	test("too long is 413 and names the uploads", async () => {
		for (const size of [4_000_001, 20_000_000]) {
			const reply = await refused(() => post(Buffer.alloc(size, 32)), 413);
			expect(reply.body.error.message).toContain("/uploads");
		}
	});

	test.each([
		[{ colour: "red" }, "colour"],
		[{ name: 7 }, "name"],
		[{ name: "" }, "name"],
		[{ maxChannels: "many" }, "maxChannels"],
		[{ maxChannels: 0 }, "maxChannels"],
		[{ maxChannels: 1e9 }, "maxChannels"],
		[{ ringTimeoutSec: 0 }, "ringTimeoutSec"],
		[{ maxCallSec: 1e9 }, "maxCallSec"],
		[{ startAt: "tomorrow" }, "startAt"],
		[{ deadline: "soon" }, "deadline"],
		[{ allowDroppedCalls: "yes" }, "allowDroppedCalls"],
		[{ contacts: [] }, "contacts"],
		[{ contacts: "all" }, "contacts"],
		[{ then: undefined }, "then"],
		[{ then: { shout: "hey" } }, "then"],
		[{ then: { play: "a", wait: 5 } }, "then"],
		[{ then: { wait: 0 } }, "then.wait"],
		[{ retry: { busy: { afterSec: 0, max: 1 } } }, "retry.busy.afterSec"],
		[{ retry: { busy: { afterSec: 5, max: 99 } } }, "retry.busy.max"],
		[{ retry: { answered: { afterSec: 5, max: 1 } } }, "retry.answered"],
		[{ amd: true }, "amd"],
		[{ amd: {} }, "amd.enabled"],
		[{ amd: { enabled: "yes" } }, "amd.enabled"],
		[{ amd: { enabled: true, onMachine: "shout" } }, "amd.onMachine"],
		[{ amd: { enabled: true, onHuman: "play" } }, "amd.onHuman"],
		[{ trunk: 5 }, "trunk"],
		[{ trunk: undefined }, "trunk"],
		[{ trunks: [{ id: "carrier" }] }, "trunk"],
		[{ trunk: undefined, trunks: [] }, "trunks"],
		[{ trunk: undefined, trunks: [{ id: "a" }, { id: "a" }] }, "trunks"],
		[{ trunk: undefined, trunks: [{ id: "a", weight: 0 }] }, "trunks[0].weight"],
		[{ callerId: "100", callerIds: ["100"] }, "callerId"],
		[{ callerIds: [] }, "callerIds"],
		[{ purpose: "fun" }, "purpose"],
		[{ maxCps: 0 }, "maxCps"],
		[{ maxCps: 1.5 }, "maxCps"],
		[{ priority: 0 }, "priority"],
		[{ priority: 101 }, "priority"],
		[{ window: { from: "8:00", to: "21:00" } }, "window.from"],
		[{ window: { from: "21:00", to: "08:00" } }, "window.to"],
		[{ window: { from: "08:00", to: "08:00" } }, "window.to"],
		[{ window: { from: "08:00", to: "24:00" } }, "window.to"],
		[{ window: { from: "08:00", to: "21:00", days: [8] } }, "window.days[0]"],
		[{ window: { from: "08:00", to: "21:00", timeZone: "Mars/Olympus" } }, "window.timeZone"],
		[{ window: { from: "08:00", to: "21:00", holidays: ["2026-13-01"] } }, "window.holidays[0]"],
		[{ retry: { busy: { afterSec: 5, max: 1, growth: 0.5 } } }, "retry.busy.growth"],
	])("%j is 400 at %s", (over, path) => refused(() => post(campaign(over as Record<string, unknown>)), 400, path));

	test.each(["webhook"])("%s is not built yet: 422", async (field) => {
		const reply = await refused(() => post(campaign({ [field]: 1 })), 422, field);
		expect(reply.body.error.message).toContain(field);
	});
	test("an unknown campaign to take contacts from is 422", () =>
		refused(
			() => post(campaign({ contacts: undefined, from: { campaignId: "0".repeat(16), outcomes: ["busy"] } })),
			422,
			"from.campaignId",
		));
	test("an unknown trunk is 422", () => refused(() => post(campaign({ trunk: "nowhere" })), 422, "trunk"));
	test("a caller id that is not the trunk's is 422", () =>
		refused(() => post(campaign({ callerId: "+13055550100" })), 422, "callerId"));
});

describe("numbers", () => {
	const bad = [
		"12025550123",
		"+1",
		"+1202555012x",
		"+12025550123;phone-context=evil",
		"+12025550123@evil.example",
		"+12025550123&PJSIP/evil",
		"+12025550123\r\nX: 1",
		" +12025550123",
		"+12025550123 ext. 5",
		"tel:+12025550123",
		"+19005550123",
		"+881612345678",
		"+870773123456",
		"+8835100012345",
		"+447012345678",
		"+491805123456",
		"+442079460000",
		"+18765550123",
		"+11115550123",
		"",
		...INJECTIONS,
	];
	test("a list of nothing but bad ones is 422 with every reason, and nothing is stored", async () => {
		const reply = await refused(() => post(campaign({ contacts: bad.map((number) => ({ number })) })), 422);
		expect(reply.body.error).toMatchObject({ code: "noUsableContacts", rejectedCount: bad.length });
		for (const row of reply.body.error.rejected) expect(row.reason).toMatch(/number: (is|must)/);
	});
	test.each([...bad, 12025550123, null, ["+12025550123"]])("a test call to %j is refused", async (number) => {
		const status = typeof number === "string" ? 422 : 400;
		await refused(() => post({ trunk: "carrier-a", number, then: { wait: 1 } }, "/v1/calls"), status, "number");
	});
	test.each(["+12025550123", "12a", "1".repeat(33), "", "*21#", "1&2"])("a private trunk refuses %j", (number) =>
		refused(() => post({ trunk: "private", number, then: { wait: 1 } }, "/v1/calls"), 422, "number"),
	);
	test.each(INJECTIONS)("caller id %j is 400", (callerId) =>
		refused(() => post(campaign({ callerId })), 400, "callerId"),
	);
});

describe("variables, sounds, contexts", () => {
	test.each(["PJSIP_HEADER(add,X)", "__X", "_X", "CALLERID(num)", "a-b", "a b", "1a", "", "x".repeat(65), "a\n", "ä"])(
		"variable name %j is refused",
		async (name) => {
			const contacts = [{ number: usNumber(1), vars: { [name]: "v" } }];
			const reply = await refused(() => post(campaign({ contacts })), 422);
			expect(reply.body.error.rejected[0].reason).toContain("variable's name");
		},
	);
	test("the name __proto__ is refused too", async () => {
		const body = JSON.stringify(campaign()).replace('"+12025550001"', '"+12025550001","vars":{"__proto__":"v"}');
		expect(body).toContain("__proto__");
		await refused(() => post(body), 400, "contacts[0].vars.__proto__");
	});
	// biome-ignore lint/suspicious/noTemplateCurlyInString: Asterisk's syntax, not ours
	test.each(["${SHELL(id)}", "a$[1+1]", "a\nb", "a\r\nb", "a\u0000b", "a\tb", "x".repeat(257), 5, null, { a: 1 }])(
		"variable value %j is refused",
		(value) => refused(() => post(campaign({ contacts: [{ number: usNumber(1), vars: { name: value } }] })), 422),
	);
	test("what is only text to the dialplan is taken as text", async () => {
		const value = 'Smith & Sons; (a/b), <c> | "d" 100 %';
		const reply = await post(
			{ trunk: "carrier-a", number: usNumber(1), then: { wait: 1 }, vars: { name: value } },
			"/v1/calls",
		);
		expect(reply.status).toBe(201);
	});
	test("too many or too long variables are refused", async () => {
		const vars = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`v${i}`, "x"]));
		await refused(() => post(campaign({ contacts: [{ number: usNumber(1), vars }] })), 422);
		const long = { a: "x".repeat(256), b: "x".repeat(256) };
		await refused(() => post(campaign({ contacts: [{ number: usNumber(1), vars: long }] })), 422);
	});
	test.each(INJECTIONS)("sound %j is 400", (play) =>
		refused(() => post(campaign({ then: { play } })), 400, "then.play"),
	);
	test.each(INJECTIONS)("context %j is 400", (context) =>
		refused(() => post(campaign({ then: { context } })), 400, "then.context"),
	);
	test.each(INJECTIONS)("extension %j is 400", (extension) =>
		refused(() => post(campaign({ then: { context: "burst-a", extension } })), 400, "then.extension"),
	);
	test.each(INJECTIONS.filter((text) => !text.startsWith("xx")))("contact id %j is refused", (id) =>
		refused(() => post(campaign({ contacts: [{ number: usNumber(1), id }] })), 422),
	);
});

describe("trunks", () => {
	const put = (over: Record<string, unknown>, id = "carrier-b") =>
		api.call("PUT", `/v1/trunks/${id}`, { body: { ...US_TRUNK, ...over } });
	describe.each(["host", "username", "secretRef"])("%s", (field) => {
		test.each(INJECTIONS)("%j is 400", (value) => refused(() => put({ [field]: value }), 400, field));
	});
	test.each(INJECTIONS)("endpoint %j is 400", (value) =>
		refused(() => put({ type: "existing", host: undefined, endpoint: value }), 400, "endpoint"),
	);
	test.each(INJECTIONS.filter((text) => text !== ""))("prefix %j is 400", (prefix) =>
		refused(() => put({ format: { number: { prefix } } }), 400, "format.number.prefix"),
	);
	test.each(INJECTIONS)("caller id %j is 400", (value) =>
		refused(() => put({ callerIds: [value] }), 400, "callerIds[0]"),
	);
	test.each(["A", "a;b", "a b", "a%0Ab", "-a", "x".repeat(33)])("id %s is 400", (id) =>
		refused(() => put({}, id), 400),
	);
	test.each([
		[{ host: undefined }, "host"],
		[{ endpoint: "PJSIP/x" }, "endpoint"],
		[{ type: "existing" }, "endpoint"],
		[{ type: "existing", endpoint: "PJSIP/x" }, "host"],
		[{ type: "sip" }, "type"],
		[{ port: 0 }, "port"],
		[{ maxCps: 0 }, "maxCps"],
		[{ maxChannels: 1_000_000 }, "maxChannels"],
		[{ codecs: [] }, "codecs"],
		[{ codecs: ["mp3"] }, "codecs[0]"],
		[{ qualify: -1 }, "qualify"],
		[{ hosts: ["A;B"] }, "hosts[0]"],
		[{ hosts: [] }, "hosts"],
		[{ countries: ["usa"] }, "countries[0]"],
		[{ secretRef: "host:carrier" }, "username"],
		[{ type: "iax2", format: { callerIdIn: "pai" } }, "format.callerIdIn"],
		[{ colour: "red" }, "colour"],
	])("%j is 400 at %s", (over, path) => refused(() => put(over as Record<string, unknown>), 400, path));
	test("caller ids that are nobody's, and a trunk that may dial nothing, are 422", async () => {
		await refused(() => put({ callerIds: ["+15555550100"] }), 422, "callerIds[0]");
		await refused(() => put({ callerIds: ["4711"] }), 422, "callerIds[0]");
		await refused(() => put({ numbering: "private" }), 422, "callerIds[0]");
		await refused(() => put({ callerIds: [] }), 422, "countries");
	});
});

describe("plans and prices", () => {
	test.each<[unknown, string]>([
		[{ kind: "hosts", channels: "many" }, "channels"],
		[{ kind: "split", channels: [5], ownedUsdPerHour: -1 }, "ownedUsdPerHour"],
		[{ kind: "split", channels: [5], ownedUsdPerHour: 1, prices: { currency: "USD" } }, "prices.date"],
		[{ kind: "campaign", contacts: 1e99, withinSec: 60 }, "contacts"],
	])("the plan %j is 422 at %s", (body, path) => refused(() => post(body, "/v1/plan"), 422, path));
	test.each<[unknown, string]>([
		[{ currency: "EUR", date: "2026-11-01" }, "currency"],
		[{ currency: "USD", date: "2026-11-01", spot: { usdPerHour: -1 } }, "spot.usdPerHour"],
	])("the prices %j are 422 at %s", (body, path) => refused(() => api.call("PUT", "/v1/prices", { body }), 422, path));
	test("fields of a prototype are refused in both", async () => {
		const body = '{"currency":"USD","date":"2026-11-01","__proto__":{"a":1}}';
		await refused(() => api.call("PUT", "/v1/prices", { body }), 400, "__proto__");
		await refused(() => api.call("POST", "/v1/plan", { body }), 400, "__proto__");
	});
});

describe("hosts", () => {
	test.each([
		[{ hostId: "H;1" }, "hostId"],
		[{ hostId: "h#inventory" }, "hostId"],
		[{ hostId: "h1", capacity: 100_000 }, "capacity"],
		[{ hostId: "h1", capacity: 0 }, "capacity"],
		[{ hostId: "h1", region: "a/b" }, "region"],
		[{ hostId: "h1", token: "mine" }, "token"],
	])("%j is 400 at %s", (body, path) => refused(() => post(body, "/v1/hosts"), 400, path));
});

describe("tokens", () => {
	const get = (token: string | null) => api.call("GET", "/v1/campaigns", { token });
	const make = (kind: "operator" | "host", more: { hostId?: string; expiresAt?: number } = {}) =>
		createToken(api.deps, { tenant: TENANT, name: "t", kind, ...more });

	test("none, nonsense and unknown are 401", async () => {
		for (const token of [null, "x", "bd_op_short", `bd_op_${"A".repeat(32)}`, "a b"]) {
			const reply = await refused(() => get(token), 401);
			expect(reply.headers["www-authenticate"]).toBe("Bearer");
		}
		const basic = { authorization: "Basic dXNlcjpwdw==" };
		await refused(() => api.call("GET", "/v1/campaigns", { token: null, headers: basic }), 401);
	});
	test("expired and revoked are 401, at the latest when the cache has forgotten them", async () => {
		const soon = await make("operator", { expiresAt: api.clock.now + 1_000 });
		expect((await get(soon.token)).status).toBe(200);
		api.clock.now += 1_001;
		await refused(() => get(soon.token), 401);
		const other = await make("operator");
		expect((await get(other.token)).status).toBe(200);
		expect(await revokeToken(api.deps, TENANT, other.tokenId)).toBe(true);
		api.clock.now += 10_001;
		await refused(() => get(other.token), 401);
	});
	test("a token is of one kind and of one host: 403", async () => {
		await post({ hostId: "h1" }, "/v1/hosts");
		const { token } = (await post({ hostId: "h2" }, "/v1/hosts")).body;
		await refused(() => get(token), 403);
		await refused(() => api.call("GET", "/v1/hosts/h1/peek", { token }), 403);
		await refused(() => api.call("POST", "/v1/hosts/h1/sync", { token, body: {} }), 403);
		await refused(() => api.call("GET", "/v1/hosts/h1/peek"), 403);
		expect((await api.call("GET", "/v1/hosts/h2/config", { token })).status).toBe(200);
	});
	test("the token is looked at before the body", () =>
		refused(() => api.call("POST", "/v1/campaigns", { token: "x", body: "{" }), 401));
});

describe("lists", () => {
	let campaignId: string;
	beforeAll(async () => {
		campaignId = (await post({ ...campaign(), contacts: undefined })).body.campaignId;
	});
	const add = (body: unknown, type: string) =>
		post(body, `/v1/campaigns/${campaignId}/contacts`, { "content-type": type });
	test.each([
		["text/html", "<p>"],
		["text/csv; charset=iso-8859-1", "number\n1"],
		["application/json", '{"number":"x"}'],
		["application/json", "[1,"],
	])("%s %j is 400", (type, body) => refused(() => add(body, type), 400));
	test.each([
		["text/csv", "phone\n+12025550123"],
		["text/csv", "number,first name\n+12025550123,x"],
		["text/csv", "number"],
		["text/csv", Buffer.from("number,n\xe4me\n", "latin1")],
		["text/csv", Buffer.from("\uFEFFnumber\n", "utf16le")],
		["application/x-ndjson", "\n\n"],
		["application/json", "[]"],
		["text/csv", "number\nx\ny"],
	])("%s %j is 422", (type, body) => refused(() => add(body, type), 422));
	test("an unknown campaign is 404", () =>
		refused(() => post([{ number: usNumber(1) }], `/v1/campaigns/${"0".repeat(16)}/contacts`), 404));
	test("Latin-1 rows are rejected one by one", async () => {
		const bytes = Buffer.from(`number,name\n${usNumber(1)},M\xfcller\n${usNumber(2)},Lee\n`, "latin1");
		const reply = await add(bytes, "text/csv");
		expect(reply.body).toMatchObject({ accepted: 1, rejectedCount: 1, rejected: [{ line: 2 }] });
	});
});

describe("syncs", () => {
	let token: string;
	const sync = (over: Record<string, unknown>) =>
		api.call("POST", "/v1/hosts/h3/sync", {
			token,
			body: { epoch: 1, seq: 1, state: "up", live: 0, want: 0, completed: [], returned: [], ...over },
		});
	beforeAll(async () => {
		token = (await post({ hostId: "h3", capacity: 10 }, "/v1/hosts")).body.token;
		await api.call("POST", "/v1/hosts/h3/hello", { token, body: { nonce: "12345678" } });
	});
	test.each([
		[{ epoch: 0 }, "epoch"],
		[{ seq: "1" }, "seq"],
		[{ want: -1 }, "want"],
		[{ state: "dancing" }, "state"],
		[{ completed: "all" }, "completed"],
		[{ slots: { "A;B": 1 } }, "slots.A;B"],
		[{ returned: Array.from({ length: 201 }, () => "x") }, "returned"],
	])("%j is 400 at %s", (over, path) => refused(() => sync(over), 400, path));
	test("a stale epoch and a seq from the future are 409", async () => {
		expect((await refused(() => sync({ epoch: 9 }), 409)).body.error.code).toBe("staleEpoch");
		expect((await refused(() => sync({ seq: 7 }), 409)).body.error.code).toBe("seqAhead");
	});
	test("one bad completion is refused by itself, the sync goes on, and want is cut", async () => {
		const unknown = `${"0".repeat(16)}-${"0".repeat(16)}-01-0001-0001-000001`;
		const reply = await sync({
			want: 100_000,
			completed: [{ callId: unknown, outcome: "answered" }, { callId: "x", outcome: "fine" }, 7],
			returned: [5, "nonsense"],
		});
		expect(reply.status).toBe(200);
		expect(reply.body.refused.map((entry: { callId: string }) => entry.callId).sort()).toEqual(
			["", "", "nonsense", unknown, "x"].sort(),
		);
		expect(reply.body.calls.length).toBeLessThanOrEqual(10);
	});
});

test("what is not there is 404, what cannot be a path is 400", async () => {
	const { token } = (await post({ hostId: "h4" }, "/v1/hosts")).body;
	const inventory = { sounds: [], contexts: [] };
	await api.call("POST", "/v1/hosts/h4/hello", { token, body: { nonce: "12345678", inventory } });
	await refused(() => api.call("GET", `/v1/campaigns/${"0".repeat(16)}`), 404);
	await refused(() => api.call("GET", "/v1/campaigns/no-such"), 404);
	await refused(() => api.call("POST", "/v1/hosts/no-such/drain"), 404);
	await refused(() => api.call("POST", "/v1/hosts/h4%23inventory/drain"), 404);
	const longId = "x".repeat(3_000);
	await refused(() => api.call("GET", `/v1/campaigns/${longId}`), 404);
	await refused(() => post([], `/v1/campaigns/${longId}/contacts`, { "idempotency-key": "k" }), 404);
	await refused(() => api.call("GET", "/v1/campaigns/%ff"), 400);
	await refused(() => post(campaign(), "/v1/campaigns", { "idempotency-key": "with space" }), 400);
});

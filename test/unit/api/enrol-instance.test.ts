import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { make } from "../../../functions/enrol-instance/handler.ts";
import type { ApiDeps } from "../../../shared/contacts/ports.ts";
import { hostIdOf } from "../../../shared/fleet/ec2.ts";
import { ENROL_WITHIN_MS, type EnrolDeps, enrolInstance } from "../../../shared/hosts/enrol-instance.ts";
import { jsonLog } from "../../../shared/log.ts";
import type { HostItem, Instance, TokenItem } from "../../../shared/store/items.ts";
import { hashToken } from "../../../shared/tokens/tokens.ts";
import { TENANT, testDeps } from "../../support/control-plane.ts";
import { newHost } from "../../support/items.ts";
import { MemoryDynamo } from "../../support/memory-dynamo.ts";

/** Fast enough to be made for each run; AWS's own have 1,024 bits too. */
const keyPair = () => generateKeyPairSync("rsa", { modulusLength: 1_024 });
const AWS = keyPair();
const STRANGER = keyPair();

const INSTANCE_ID = "i-0123456789abcdef0";
const HOST_ID = hostIdOf(INSTANCE_ID);
const STARTED_AT = Date.parse("2026-11-02T10:00:00Z");
const NONCE = "n".repeat(32);
const OTHER_NONCE = "m".repeat(32);

const documentOf = (over: Record<string, unknown> = {}): string =>
	JSON.stringify(
		{
			accountId: "123456789012",
			architecture: "arm64",
			availabilityZone: "eu-west-1a",
			billingProducts: null,
			imageId: "ami-0aaaaaaaaaaaaaaaa",
			instanceId: INSTANCE_ID,
			instanceType: "c7g.large",
			pendingTime: "2026-11-02T10:00:01Z",
			privateIp: "10.0.0.7",
			region: "eu-west-1",
			version: "2017-09-30",
			...over,
		},
		null,
		2,
	);
const sign = (document: string, key: KeyObject = AWS.privateKey): string =>
	// In lines, as the metadata service gives it.
	(
		createSign("RSA-SHA256")
			.update(document)
			.sign(key, "base64")
			.match(/.{1,76}/g) ?? []
	).join("\n");
const request = (over: Record<string, unknown> = {}, nonce = NONCE) => {
	const document = documentOf(over);
	return { document, signature: sign(document), nonce };
};

let dynamo: MemoryDynamo;
let now: number;
let logs: Record<string, unknown>[];
let deps: EnrolDeps;

const instance = (over: Partial<Instance> = {}): Instance => ({
	instanceId: INSTANCE_ID,
	launchId: "launch-1",
	type: "c7g.large",
	subnet: "subnet-1",
	market: "on-demand",
	usdPerHour: 0.08,
	imageId: "ami-0aaaaaaaaaaaaaaaa",
	account: "123456789012",
	startId: "start-1",
	startedAt: STARTED_AT,
	...over,
});
const putHost = async (over: Partial<HostItem> = {}, inst: Partial<Instance> = {}): Promise<void> => {
	const item: HostItem = {
		...newHost(HOST_ID, 120, STARTED_AT),
		tier: "burst",
		state: "launching",
		inst: instance(inst),
		...over,
	};
	await deps.db.send(new PutCommand({ TableName: deps.tables.hosts, Item: item }));
};
const host = (): HostItem => dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId: HOST_ID }) as HostItem;
const works = (token: string): boolean => {
	const item = dynamo.peek<TokenItem>("tokens", { tokenHash: hashToken(token) });
	return item !== undefined && item.revokedAt === undefined && item.kind === "host" && item.hostId === HOST_ID;
};
const working = (): string[] =>
	dynamo
		.items<TokenItem>("tokens")
		.filter((token) => token.revokedAt === undefined)
		.map((token) => token.tokenHash);
const enrol = (input = request()) => enrolInstance(deps, TENANT, input);
const enrolDeps = (client: ReturnType<MemoryDynamo["client"]>): EnrolDeps => ({
	...testDeps(client, () => now, { log: jsonLog((line) => logs.push(JSON.parse(line))) }),
	identity: { region: "eu-west-1", keys: [AWS.publicKey] },
});
const refusals = (): unknown[] => logs.filter(({ event }) => event === "enrol.refused").map(({ reason }) => reason);

beforeEach(() => {
	dynamo = new MemoryDynamo();
	now = STARTED_AT + 30_000;
	logs = [];
	deps = enrolDeps(dynamo.client());
});

describe("an instance that we started", () => {
	test.each(["launching", "booting"] as const)("is enrolled while it is %s", async (state) => {
		await putHost({ state });
		const answer = await enrol();
		expect(answer).toEqual({ hostId: HOST_ID, token: expect.stringMatching(/^bd_host_/) });
		expect(works(answer.token)).toBe(true);
		expect(host()).toMatchObject({
			state: "booting",
			inst: { enrolledStart: "start-1", tokenHash: hashToken(answer.token) },
		});
		expect(logs).toMatchObject([{ event: "enrol.enrolled", hostId: HOST_ID, sinceStartMs: 30_000, repeat: false }]);
	});

	test("is told the address that carriers know", async () => {
		await putHost({}, { addressId: "eipalloc-1", publicAddress: "192.0.2.7" });
		expect(await enrol()).toMatchObject({ publicAddress: "192.0.2.7" });
	});

	test("is not kept waiting for an address that is still to come", async () => {
		await putHost({}, { addressId: "eipalloc-1" });
		expect(await enrol()).not.toHaveProperty("publicAddress");
	});

	test("asks again with its nonce because the answer was lost: the first token is void, nothing is raised", async () => {
		await putHost();
		const first = await enrol();
		const again = await enrol();
		expect(works(again.token)).toBe(true);
		expect(works(first.token)).toBe(false);
		expect(host().inst?.failure).toBeUndefined();
		expect(logs.map(({ event }) => event)).toEqual(["enrol.enrolled", "enrol.enrolled"]);
	});

	test("is enrolled at its next start with another nonce, and the token of the start before is void", async () => {
		await putHost();
		const first = await enrol();
		now += 3_600_000;
		await putHost({}, { ...host().inst, startId: "start-2", startedAt: now - 20_000 });
		const second = await enrol(request({ pendingTime: new Date(now - 19_000).toISOString() }, OTHER_NONCE));
		expect(works(second.token)).toBe(true);
		expect(works(first.token)).toBe(false);
		expect(host().inst).toMatchObject({ enrolledStart: "start-2", tokenHash: hashToken(second.token) });
	});

	test("a write that is repeated because its answer was lost enrols it", async () => {
		await putHost();
		deps = enrolDeps(
			dynamo.client({
				rewriteResult: (statement, result) =>
					statement.name === "Update" && result.ok ? dynamo.perform(statement) : result,
			}),
		);
		const answer = await enrol();
		expect(works(answer.token)).toBe(true);
		expect(working()).toEqual([hashToken(answer.token)]);
	});
});

describe("somebody else with the same start", () => {
	test("is refused; the first token is void, the start has failed, and an alarm is raised", async () => {
		await putHost();
		const first = await enrol();
		await expect(enrol(request({}, OTHER_NONCE))).rejects.toMatchObject({ status: 403, code: "enrolledTwice" });
		expect(works(first.token)).toBe(false);
		expect(working()).toEqual([]);
		expect(host().inst?.failure).toMatch(/twice/);
		expect(logs.at(-1)).toMatchObject({ level: "error", event: "enrol.second", hostId: HOST_ID });
		// Neither gets in any more.
		await expect(enrol()).rejects.toMatchObject({ code: "enrolledTwice" });
		await expect(enrol(request({}, OTHER_NONCE))).rejects.toMatchObject({ code: "enrolledTwice" });
		expect(working()).toEqual([]);
	});

	test.each(["active", "draining"] as const)("is found out while the host is %s, too", async (state) => {
		await putHost();
		const first = await enrol();
		await putHost({ ...host(), state });
		await expect(enrol(request({}, OTHER_NONCE))).rejects.toMatchObject({ code: "enrolledTwice" });
		expect(works(first.token)).toBe(false);
		expect(host()).toMatchObject({ state, inst: { failure: expect.any(String) } });
	});

	test("at the same moment: one write comes first, the other finds it, no token works", async () => {
		await putHost();
		const plain = deps;
		let winner: { token: string } | undefined;
		deps = enrolDeps(
			dynamo.client({
				before: async ({ name, input }) => {
					if (name === "Update" && input["TableName"] === "hosts" && winner === undefined) {
						winner = { token: "" };
						winner = await enrolInstance(plain, TENANT, request({}, OTHER_NONCE));
					}
				},
			}),
		);
		await expect(enrol()).rejects.toMatchObject({ code: "enrolledTwice" });
		expect(winner?.token).toMatch(/^bd_host_/);
		expect(working()).toEqual([]);
	});

	test("an instance that was started by hand after we stopped it raises nothing", async () => {
		await putHost();
		await enrol();
		await putHost({ ...host(), state: "stopped" });
		now += 60_000;
		await expect(enrol(request({ pendingTime: new Date(now).toISOString() }, OTHER_NONCE))).rejects.toMatchObject({
			status: 409,
			code: "wait",
		});
		expect(refusals()).toEqual(["notStarting"]);
	});
});

describe("what is refused", () => {
	test.each<[string, Record<string, unknown>, string, number]>([
		["another account", { accountId: "999999999999" }, "account", 403],
		["another region", { region: "us-east-1" }, "region", 403],
		["another image", { imageId: "ami-0bbbbbbbbbbbbbbbb" }, "image", 403],
		["a stranger with our tag, but no host", { instanceId: "i-0fffffffffffffff0" }, "unknownInstance", 409],
		["a document of an earlier start", { pendingTime: "2026-11-02T08:00:00Z" }, "earlierStart", 409],
		["a document of the future", { pendingTime: "2026-11-02T11:00:00Z" }, "clock", 409],
		["a document without a time", { pendingTime: undefined }, "document", 403],
		["an instance id that is none", { instanceId: "i-../#state" }, "document", 403],
	])("%s", async (_, over, reason, status) => {
		await putHost();
		await expect(enrol(request(over))).rejects.toMatchObject({ status });
		expect(refusals()).toEqual([reason]);
		expect(host()).toMatchObject({ state: "launching", inst: instance() });
		expect(working()).toEqual([]);
	});

	test("a document whose time lies within the clocks' tolerance is taken", async () => {
		await putHost();
		await enrol(request({ pendingTime: "2026-11-02T09:59:50Z" }));
		expect(host().state).toBe("booting");
	});

	test.each([
		"active",
		"draining",
		"drained",
		"stopping",
		"stopped",
		"terminated",
		"lost",
		"recovered",
		"new",
	] as const)("a host that is %s", async (state) => {
		await putHost({ state });
		await expect(enrol()).rejects.toMatchObject({ status: 409, code: "wait" });
		expect(host().state).toBe(state);
		expect(working()).toEqual([]);
	});

	test("a start that was too long ago", async () => {
		await putHost();
		now = STARTED_AT + ENROL_WITHIN_MS + 1;
		await expect(enrol()).rejects.toMatchObject({ status: 403, code: "tooLate" });
		now = STARTED_AT + ENROL_WITHIN_MS;
		await enrol();
	});

	test("a start that has failed already", async () => {
		await putHost({}, { failure: "boot deadline" });
		await expect(enrol()).rejects.toMatchObject({ code: "wait" });
	});

	test("a steady host, whatever its name", async () => {
		await putHost({ tier: "steady" });
		await expect(enrol()).rejects.toMatchObject({ code: "wait" });
		expect(refusals()).toEqual(["unknownInstance"]);
	});

	test("a cloned disk: another instance with this one's nonce is judged by its own document", async () => {
		await putHost();
		await enrol();
		await expect(enrol(request({ instanceId: "i-0fffffffffffffff0" }))).rejects.toMatchObject({ code: "wait" });
		expect(host().inst?.failure).toBeUndefined();
	});

	test.each<[string, (good: ReturnType<typeof request>) => Partial<ReturnType<typeof request>>]>([
		["another key", ({ document }) => ({ signature: sign(document, STRANGER.privateKey) })],
		["a changed document", ({ document }) => ({ document: document.replace("10.0.0.7", "10.0.0.8") })],
		["a space more", ({ document }) => ({ document: `${document}\n` })],
		["no base64", () => ({ signature: "!!! not base64 !!!" })],
		["base64 of something", () => ({ signature: Buffer.from("something").toString("base64") })],
		["nothing but spaces", () => ({ signature: "   " })],
		[
			"the signature of another document",
			() => ({ signature: sign(documentOf({ instanceId: "i-0fffffffffffffff0" })) }),
		],
	])("a signature that does not fit: %s", async (_, change) => {
		await putHost();
		const good = request();
		await expect(enrol({ ...good, ...change(good) })).rejects.toMatchObject({ status: 403, code: "identityRefused" });
		// Nothing of what was not signed is logged.
		expect(logs).toEqual([{ level: "warn", event: "enrol.refused", reason: "signature" }]);
	});

	test("something signed that is no document", async () => {
		for (const document of ["not json", "null", "[]", '"text"']) {
			await expect(enrol({ document, signature: sign(document), nonce: NONCE })).rejects.toMatchObject({
				code: "identityRefused",
			});
		}
	});

	test("a host that changes all the time: the caller is sent back, no token is left", async () => {
		await putHost();
		let n = 0;
		deps = enrolDeps(
			dynamo.client({
				before: async ({ name, input }) => {
					if (name !== "Update" || input["TableName"] !== "hosts") return;
					const item = host();
					await dynamo
						.client()
						.send(
							new PutCommand({ TableName: "hosts", Item: { ...item, inst: { ...item.inst, startId: `s-${n++}` } } }),
						);
				},
			}),
		);
		await expect(enrol()).rejects.toMatchObject({ status: 503 });
		expect(working()).toEqual([]);
	});
});

test("neither document nor signature, nonce or token is logged", async () => {
	await putHost();
	const { token } = await enrol();
	await enrol(request({}, OTHER_NONCE)).catch(() => undefined);
	await enrol(request({ accountId: "999999999999" })).catch(() => undefined);
	const text = JSON.stringify(logs);
	for (const secret of [token, hashToken(token), NONCE, OTHER_NONCE, "10.0.0.7", request().signature.slice(0, 20)]) {
		expect(text).not.toContain(secret);
	}
});

describe("over HTTP", () => {
	const call = async (body: unknown, raw?: string) => {
		const handler = make(
			() => deps as unknown as ApiDeps,
			() => deps.identity,
		);
		const answer = await handler({
			rawPath: "/v1/hosts/enrol",
			headers: {},
			requestContext: { requestId: "r", http: { method: "POST" } },
			body: raw ?? JSON.stringify(body),
		} as unknown as APIGatewayProxyEventV2);
		return { status: answer.statusCode, body: JSON.parse(answer.body ?? "") };
	};

	test("needs no token", async () => {
		await putHost();
		expect(await call(request())).toEqual({ status: 201, body: { hostId: HOST_ID, token: expect.any(String) } });
	});

	test.each<[string, unknown, string | undefined, number]>([
		["no body", undefined, "", 400],
		["no JSON", undefined, "{", 400],
		["nothing in it", {}, undefined, 400],
		["an unknown field", { ...request(), tenant: "other" }, undefined, 400],
		["a short nonce", { ...request(), nonce: "short" }, undefined, 400],
		["a long document", { ...request(), document: "x".repeat(8_193) }, undefined, 400],
		["a long body", undefined, `{"document": "${"x".repeat(20_000)}"}`, 413],
		["a number as document", { ...request(), document: 1 }, undefined, 400],
	])("refuses %s", async (_, body, raw, status) => {
		expect((await call(body, raw)).status).toBe(status);
	});

	test("a refusal says why", async () => {
		expect(await call({ ...request(), signature: "AAAA" })).toMatchObject({
			status: 403,
			body: { error: { code: "identityRefused" } },
		});
	});
});

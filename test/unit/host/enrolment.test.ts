import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { make } from "../../../functions/enrol-instance/handler.ts";
import { type AgentConfig, AgentConfigError, agentConfigSchema } from "../../../host/agent/config-file.ts";
import { EnrolRefusedError, meaningOfEnrolment, pauseMs } from "../../../host/agent/enrolment.ts";
import { MetadataError, metadataService } from "../../../host/agent/metadata.ts";
import type { Clock, Log } from "../../../host/agent/ports.ts";
import { controlPlaneOf, whoAmI } from "../../../host/agent/who.ts";
import {
	type DocumentSigner,
	type MetadataService,
	makeSigner,
	startMetadata,
} from "../../../local/machine/metadata.ts";
import type { ApiDeps } from "../../../shared/contacts/ports.ts";
import { hostIdOf } from "../../../shared/fleet/ec2.ts";
import { identitySettings } from "../../../shared/hosts/identity.ts";
import type { HostItem, TokenItem } from "../../../shared/store/items.ts";
import { hashToken } from "../../../shared/tokens/tokens.ts";
import { TENANT, testDeps } from "../../support/control-plane.ts";
import { newHost } from "../../support/items.ts";
import { MemoryDynamo } from "../../support/memory-dynamo.ts";

/** The agent's enrolment against the control plane's own function and a metadata service, over HTTP on this machine. */

const INSTANCE = "i-0123456789abcdef0";
const CLONE = "i-0fedcba9876543210";
const START = Date.parse("2026-11-02T10:00:00Z");
const API = "http://127.0.0.1";

let dir: string;
let signer: DocumentSigner;
let metadata: MetadataService | undefined;
let server: Server;
let dynamo: MemoryDynamo;
/** Time passes only in pauses. */
let now: number;
let posts: { nonce: string }[];
/** What is answered before the function is asked, oldest first. */
let answers: { status: number; body?: unknown }[];
let log: { level: string; event: string; fields: Record<string, unknown> }[];

const clock: Clock = {
	bootId: "boot",
	wallMs: () => now,
	monotonicMs: () => now,
	setTimer: (delayMs, fire) => {
		now += delayMs;
		return setImmediate(fire);
	},
	clearTimer: () => undefined,
};
const line =
	(level: string): Log["info"] =>
	(event, fields = {}) => {
		log.push({ level, event, fields });
	};
const ports = { clock, random: () => 1, log: { info: line("info"), warn: line("warn"), error: line("error") } };
const events = () => log.map(({ event }) => event);

const stateDir = () => join(dir, "state");
const config = (over: Partial<AgentConfig> = {}): AgentConfig =>
	agentConfigSchema.parse({
		identity: { metadataUrl: metadata?.url },
		controlPlaneUrl: `${API}:${(server.address() as AddressInfo).port}`,
		stateDir: stateDir(),
		secretsDir: join(dir, "secrets"),
		asterisk: { ari: "http://127.0.0.1:8088/ari", username: "x", passwordFile: join(dir, "password") },
		...over,
	});

/** The instance is started: its metadata are those of a new start. */
const boot = async (instanceId = INSTANCE, over: { userData?: string; publicAddress?: string } = {}): Promise<void> => {
	await metadata?.stop();
	const identity = {
		instanceId,
		imageId: "ami-0aaaaaaaaaaaaaaaa",
		instanceType: "c7g.large",
		account: "123456789012",
		region: "eu-west-1",
		zone: "eu-west-1a",
		pendingAt: now,
		userData: "",
		...over,
	};
	metadata = await startMetadata({ identity, address: "127.0.0.1", signer });
	const hostId = hostIdOf(instanceId);
	const standing = dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId });
	const item: HostItem = {
		...newHost(hostId, 120, now),
		tier: "burst",
		state: "launching",
		inst: {
			...standing?.inst,
			instanceId,
			launchId: "launch-1",
			type: "c7g.large",
			subnet: "subnet-1",
			market: "on-demand",
			usdPerHour: 0.08,
			imageId: identity.imageId,
			account: identity.account,
			startId: `start-${now}`,
			startedAt: now,
		},
	};
	await dynamo.client().send(new PutCommand({ TableName: "hosts", Item: item }));
};
const saved = async () => JSON.parse(await readFile(join(stateDir(), "instance.json"), "utf8"));
const works = (token: string): boolean => {
	const item = dynamo.peek<TokenItem>("tokens", { tokenHash: hashToken(token) });
	return item !== undefined && item.revokedAt === undefined;
};

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "burst-dialer-enrolment-"));
	signer ??= await makeSigner();
	dynamo = new MemoryDynamo();
	now = START;
	posts = [];
	answers = [];
	log = [];
	const handler = make(
		() => testDeps(dynamo.client(), () => now) as ApiDeps,
		() => identitySettings("eu-west-1", signer.publicKey),
	);
	server = createServer((req, res) => {
		const chunks: Buffer[] = [];
		req.on("data", (chunk: Buffer) => chunks.push(chunk));
		req.on("end", async () => {
			const body = Buffer.concat(chunks).toString("utf8");
			posts.push(JSON.parse(body));
			const first = answers.shift();
			if (first) {
				res.writeHead(first.status).end(first.body === undefined ? "<html>" : JSON.stringify(first.body));
				return;
			}
			const answer = await handler({
				rawPath: req.url,
				headers: {},
				requestContext: { requestId: "r", http: { method: req.method } },
				body,
			} as unknown as APIGatewayProxyEventV2);
			res.writeHead(answer.statusCode ?? 500).end(answer.body);
		});
	}).listen(0, "127.0.0.1");
	await new Promise((resolve) => server.once("listening", resolve));
});
afterEach(async () => {
	await metadata?.stop();
	metadata = undefined;
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	await rm(dir, { recursive: true, force: true });
});

describe("an instance's start", () => {
	test("is enrolled once; a restart of the agent asks nobody", async () => {
		await boot();
		const who = await whoAmI(config(), ports);
		expect(who?.hostId).toBe(hostIdOf(INSTANCE));
		const token = await who?.readToken();
		expect(works(token ?? "")).toBe(true);
		expect(await saved()).toMatchObject({ instanceId: INSTANCE, hostId: hostIdOf(INSTANCE), token });
		expect((await stat(join(stateDir(), "instance.json"))).mode & 0o777).toBe(0o600);

		const again = await whoAmI(config(), ports);
		expect(await again?.readToken()).toBe(token);
		expect(posts).toHaveLength(1);
		expect(JSON.stringify(log)).not.toContain(token);
	});

	test("the next one has another nonce and another token, and keeps the journal", async () => {
		await boot();
		const first = await (await whoAmI(config(), ports))?.readToken();
		await writeFile(join(stateDir(), "journal.ndjson"), "journal");
		now += 3_600_000;
		await boot();
		const second = await (await whoAmI(config(), ports))?.readToken();
		expect(second).not.toBe(first);
		expect([works(first ?? ""), works(second ?? "")]).toEqual([false, true]);
		expect(posts[1]?.nonce).not.toBe(posts[0]?.nonce);
		expect(await readFile(join(stateDir(), "journal.ndjson"), "utf8")).toBe("journal");
	});

	test("the nonce is on disk before it is sent: a crash in between asks with the same", async () => {
		await boot();
		answers.push({ status: 503 });
		expect(await whoAmI(config(), ports, { limitMs: 0 })).toBeUndefined();
		const { nonce, token } = await saved();
		expect(token).toBeUndefined();
		await whoAmI(config(), ports);
		expect(posts.map((post) => post.nonce)).toEqual([nonce, nonce]);
	});

	test("an answer that was lost: asked again with the same nonce", async () => {
		await boot();
		// The first one is carried out, and not answered.
		await whoAmI(config(), ports);
		const first = (await saved()).token;
		const { token: _, hostId: __, ...before } = await saved();
		await writeFile(join(stateDir(), "instance.json"), JSON.stringify(before), { mode: 0o600 });
		const token = await (await whoAmI(config(), ports))?.readToken();
		expect([works(first), works(token ?? "")]).toEqual([false, true]);
	});

	test("has the address that the fleet gave it, else its own", async () => {
		const nats: unknown[] = [];
		await boot(INSTANCE, { publicAddress: "192.0.2.9" });
		const options = { onNat: async (nat: { address: string | undefined }) => void nats.push(nat.address) };
		await whoAmI(config(), ports, options);
		expect(nats).toEqual(["192.0.2.9"]);
		now += 3_600_000;
		await boot(INSTANCE, { publicAddress: "192.0.2.9" });
		const item = dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId: hostIdOf(INSTANCE) }) as HostItem;
		const given = { ...item, inst: { ...item.inst, publicAddress: "198.51.100.4" } };
		await dynamo.client().send(new PutCommand({ TableName: "hosts", Item: given }));
		expect((await whoAmI(config(), ports, options))?.nat).toEqual({
			address: "198.51.100.4",
			localNets: ["127.0.0.1/32", "127.0.0.0/8"],
		});
		expect(nats).toEqual(["192.0.2.9", "192.0.2.9", "198.51.100.4"]);
		// It is remembered: the metadata service may still say the old one.
		expect((await whoAmI(config(), ports))?.nat?.address).toBe("198.51.100.4");
	});
});

describe("a state folder that is another's", () => {
	const put = async (files: Record<string, string>): Promise<void> => {
		await mkdir(stateDir(), { recursive: true });
		for (const [name, text] of Object.entries(files)) await writeFile(join(stateDir(), name), text);
	};

	test("a copied disk: token and journal are moved away, and the clone gets its own", async () => {
		await boot();
		const first = await (await whoAmI(config(), ports))?.readToken();
		await put({ "journal.ndjson": "theirs", "agent.lock": "1 1" });
		await mkdir(join(stateDir(), "from-i-0aaaaaaaa-earlier"));
		await boot(CLONE);
		const who = await whoAmI(config(), ports);
		expect(who?.hostId).toBe(hostIdOf(CLONE));
		const token = await who?.readToken();
		expect(token).not.toBe(first);
		expect(posts[1]?.nonce).not.toBe(posts[0]?.nonce);
		const names = (await readdir(stateDir())).sort();
		const moved = names.find((name) => name.startsWith(`from-${INSTANCE}-`)) ?? "";
		expect(names).toEqual(["agent.lock", "from-i-0aaaaaaaa-earlier", moved, "instance.json"].sort());
		expect((await readdir(join(stateDir(), moved))).sort()).toEqual(["instance.json", "journal.ndjson"]);
		expect(events()).toContain("stateOfAnotherInstance");
		// The first one is as it was.
		expect(works(first ?? "")).toBe(true);
	});

	test.each([
		["a journal of nobody known", { "journal.ndjson": "theirs" }],
		["a record that cannot be read", { "journal.ndjson": "theirs", "instance.json": "{" }],
		["a record of something else", { "journal.ndjson": "theirs", "instance.json": '{"instanceId": "i-1"}' }],
	])("%s is moved away too", async (_, files) => {
		await put(files as Record<string, string>);
		await boot();
		await whoAmI(config(), ports);
		const names = (await readdir(stateDir())).sort();
		expect(names).toEqual([expect.stringMatching(/^from-unknown-/), "instance.json"]);
		expect(await readFile(join(stateDir(), names[0] ?? "", "journal.ndjson"), "utf8")).toBe("theirs");
	});

	test("an empty one is nobody's: nothing is moved", async () => {
		await boot();
		await whoAmI(config(), ports);
		expect(await readdir(stateDir())).toEqual(["instance.json"]);
	});
});

describe("refusals", () => {
	const error = (code: string, message = "why") => ({ error: { code, message, details: [] } });

	test("what passes is waited for", async () => {
		await boot();
		answers.push({ status: 503 }, { status: 429 }, { status: 502, body: {} }, { status: 409, body: error("wait") });
		expect(await whoAmI(config(), ports)).toBeDefined();
		expect(new Set(posts.map(({ nonce }) => nonce)).size).toBe(1);
		expect(log.filter(({ event }) => event === "notEnrolled").map(({ fields }) => fields["meaning"])).toEqual([
			"busy",
			"busy",
			"busy",
			"wait",
		]);
	});

	test.each(["enrolledTwice", "tooLate"])("%s is final: said once, not asked again", async (code) => {
		await boot();
		answers.push({ status: 403, body: error(code, "because") });
		await expect(whoAmI(config(), ports)).rejects.toThrow(EnrolRefusedError);
		expect(posts).toHaveLength(1);
		await boot();
		answers.push({ status: 403, body: error(code, "because") });
		await expect(whoAmI(config(), ports)).rejects.toThrow(/because.*started again/s);
	});

	test("another refusal is tried seldom, and in the end no more", async () => {
		await boot();
		answers.push(...Array.from({ length: 100 }, () => ({ status: 403, body: error("identityRefused") })));
		await expect(whoAmI(config(), ports)).rejects.toThrow(EnrolRefusedError);
		expect(posts.length).toBeLessThan(25);
		expect(posts.length).toBeGreaterThan(10);
		expect(now - START).toBeGreaterThanOrEqual(15 * 60_000);
	});

	test("a control plane that is away is asked until it is there", async () => {
		await boot();
		answers.push(...Array.from({ length: 300 }, () => ({ status: 503 })));
		// It was away for longer than a start is taken: the control plane says so itself.
		await expect(whoAmI(config(), ports)).rejects.toThrow(/tooLate/);
		expect(posts).toHaveLength(301);
	});

	test.each([
		[{ status: 201, body: { hostId: "burst-1", token: "t" } }, "enrolled"],
		[{ status: 200, body: { hostId: "burst-1" } }, "refused"],
		[{ status: 200, body: undefined }, "refused"],
		[{ status: 400, body: error("badRequest") }, "refused"],
		[{ status: 403, body: error("identityRefused") }, "refused"],
		[{ status: 403, body: undefined }, "refused"],
		[{ status: 404, body: error("notFound") }, "refused"],
		[{ status: 403, body: error("enrolledTwice") }, "final"],
		[{ status: 403, body: error("tooLate") }, "final"],
		[{ status: 409, body: error("wait") }, "wait"],
		[{ status: 408, body: undefined }, "busy"],
		[{ status: 429, body: undefined }, "busy"],
		[{ status: 500, body: undefined }, "busy"],
		[{ status: 504, body: undefined }, "busy"],
	] as const)("%j means %s", (answer, meaning) => {
		expect(meaningOfEnrolment(answer)).toBe(meaning);
	});

	test("pauses double up to their longest", () => {
		expect([0, 1, 2, 10, 1_000].map((n) => pauseMs("busy", n, 1))).toEqual([200, 400, 800, 5_000, 5_000]);
		expect(pauseMs("refused", 0, 0)).toBe(2_500);
		expect(pauseMs("refused", 50, 1)).toBe(60_000);
	});
});

describe("a token that is refused later", () => {
	test("is asked for again by the same nonce, and not more often than now and then", async () => {
		await boot();
		const who = await whoAmI(config(), ports);
		const first = await who?.readToken();
		const second = await who?.readToken();
		expect(second).not.toBe(first);
		expect(works(second ?? "")).toBe(true);
		expect((await saved()).token).toBe(second);
		// At once again: nobody is asked.
		expect(await who?.readToken()).toBe(second);
		expect(posts).toHaveLength(2);
		now += 5_001;
		answers.push({ status: 403, body: { error: { code: "enrolledTwice", message: "why" } } });
		expect(await who?.readToken()).toBe(second);
		now += 5_001;
		expect(await who?.readToken()).toBe(second);
		expect(posts).toHaveLength(3);
		expect(events()).toContain("tokenNotRenewed");
	});
});

describe("the address of the control plane", () => {
	const url = "https://api.example.com";

	test("comes from the user data where the configuration has none", async () => {
		const userData = JSON.stringify({ burstDialer: { controlPlaneUrl: config().controlPlaneUrl } });
		await boot(INSTANCE, { userData });
		const { controlPlaneUrl: _, ...rest } = config();
		expect(await whoAmI(rest as AgentConfig, ports)).toBeDefined();
	});

	test("is missing: said where it may stand", async () => {
		await boot(INSTANCE, { userData: "#!/bin/sh\necho" });
		const { controlPlaneUrl: _, ...rest } = config();
		await expect(whoAmI(rest as AgentConfig, ports)).rejects.toThrow(/controlPlaneUrl.*user data/s);
	});

	test.each([
		[undefined, undefined],
		["", undefined],
		["null", undefined],
		["[1]", undefined],
		["#cloud-config", undefined],
		[JSON.stringify({ other: 1 }), undefined],
		[JSON.stringify({ burstDialer: {} }), undefined],
		[JSON.stringify({ burstDialer: { controlPlaneUrl: url } }), url],
	])("user data %j: %s", (text, expected) => {
		expect(controlPlaneOf(text)).toBe(expected);
	});

	test.each(["http://api.example.com", 1, "", "ftp://127.0.0.1"])("%j is refused", (controlPlaneUrl) => {
		expect(() => controlPlaneOf(JSON.stringify({ burstDialer: { controlPlaneUrl } }))).toThrow(AgentConfigError);
	});
});

describe("the metadata service", () => {
	test("is asked by version 2, and says what is not there", async () => {
		await boot();
		const service = metadataService(metadata?.url ?? "");
		expect(await service.userData()).toBeUndefined();
		expect(await service.localNets()).toEqual(["127.0.0.1/32", "127.0.0.0/8"]);
		expect(JSON.parse((await service.identity()).document)).toMatchObject({ instanceId: INSTANCE });
	});

	test("gets a token of its own again where one was refused", async () => {
		await boot();
		const service = metadataService(metadata?.url ?? "");
		await service.identity();
		const { url } = metadata as MetadataService;
		const port = Number(new URL(url).port);
		await metadata?.stop();
		await expect(service.userData()).rejects.toThrow(MetadataError);
		// Another service on the same port knows no token of the first one.
		const bare = createServer((req, res) => {
			const token = req.headers["x-aws-ec2-metadata-token"];
			if (req.method === "PUT") res.end("fresh");
			else res.writeHead(token === "fresh" ? 200 : 401).end("data");
		}).listen(port, "127.0.0.1");
		await new Promise((resolve) => bare.once("listening", resolve));
		metadata = { url, stop: async () => void bare.close() };
		expect(await service.userData()).toBe("data");
	});

	test("that is not there at first is waited for", async () => {
		await boot();
		const { url } = metadata as MetadataService;
		await metadata?.stop();
		const waiting = whoAmI(config(), ports);
		const until = Date.now() + 10_000;
		while (!events().includes("noMetadata") && Date.now() < until)
			await new Promise((resolve) => setImmediate(resolve));
		metadata = { url, stop: async () => undefined };
		const back = await startMetadataAt(Number(new URL(url).port));
		metadata = back;
		expect((await waiting)?.hostId).toBe(hostIdOf(INSTANCE));
	});
});

/** The same instance's metadata on a given port. */
const startMetadataAt = async (port: number): Promise<MetadataService> => {
	const identity = {
		instanceId: INSTANCE,
		imageId: "ami-0aaaaaaaaaaaaaaaa",
		instanceType: "c7g.large",
		account: "123456789012",
		region: "eu-west-1",
		zone: "eu-west-1a",
		pendingAt: START,
		userData: "",
	};
	const inner = await startMetadata({ identity, address: "127.0.0.1", signer });
	const proxy = createServer(async (req, res) => {
		const { host: _, ...headers } = req.headers;
		const answer = await fetch(`${inner.url}${req.url}`, {
			method: req.method ?? "GET",
			headers: headers as Record<string, string>,
		});
		res.writeHead(answer.status).end(await answer.text());
	}).listen(port, "127.0.0.1");
	await new Promise((resolve) => proxy.once("listening", resolve));
	return {
		url: `http://127.0.0.1:${port}`,
		stop: async () => {
			proxy.closeAllConnections();
			proxy.close();
			await inner.stop();
		},
	};
};

test("a host that was told who it is asks nobody", async () => {
	await writeFile(join(dir, "token"), "told\n", { mode: 0o600 });
	const { identity: _, ...rest } = config();
	const who = await whoAmI({ ...rest, hostId: "host-a", tokenFile: join(dir, "token") } as AgentConfig, ports);
	expect(await who?.readToken()).toBe("told");
	expect(who?.nat).toBeUndefined();
	expect(posts).toEqual([]);
});

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, SQSEvent } from "aws-lambda";
import { make as addContacts } from "../../../functions/add-contacts/handler.ts";
import { make as changeCampaign } from "../../../functions/change-campaign/handler.ts";
import { make as checkHealth } from "../../../functions/check-health/handler.ts";
import { make as createCampaign } from "../../../functions/create-campaign/handler.ts";
import { make as importContacts } from "../../../functions/import-contacts/handler.ts";
import type { Runtime } from "../../../functions/lambda/runtime.ts";
import { make as manageFleet } from "../../../functions/manage-fleet/handler.ts";
import { make as manageHosts } from "../../../functions/manage-hosts/handler.ts";
import { make as manageSuppression } from "../../../functions/manage-suppression/handler.ts";
import { make as manageTrunks } from "../../../functions/manage-trunks/handler.ts";
import { make as placeCall } from "../../../functions/place-call/handler.ts";
import { make as planCost } from "../../../functions/plan-cost/handler.ts";
import { make as readCampaigns } from "../../../functions/read-campaigns/handler.ts";
import { make as readLedger } from "../../../functions/read-ledger/handler.ts";
import { make as recoverHosts } from "../../../functions/recover-hosts/handler.ts";
import { make as scaleFleet } from "../../../functions/scale-fleet/handler.ts";
import { make as sweepCampaigns } from "../../../functions/sweep-campaigns/handler.ts";
import { make as syncHost } from "../../../functions/sync-host/handler.ts";
import { make as tickMinute } from "../../../functions/tick-minute/handler.ts";
import { type BurstSettings, parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import type { QueueName } from "../../../shared/config/resources.ts";
import { parseSettings, type Settings } from "../../../shared/config/settings.ts";
import type { ApiDeps, Objects, QueueMessage } from "../../../shared/contacts/ports.ts";
import type { SchedulerEntry } from "../../../shared/fleet/deps.ts";
import { jsonLog } from "../../../shared/log.ts";
import type { Db } from "../../../shared/store/db.ts";
import { createToken } from "../../../shared/tokens/tokens.ts";
import { PROJECT_TABLE_NAMES } from "../../support/memory-dynamo.ts";
import { MemoryEc2 } from "../../support/memory-ec2.ts";

/** All functions in this process on a given database, with queues, a bucket, EC2 and its Scheduler in memory, and a clock that the test moves. */

export const TENANT = "default";

/** Those that say when a campaign will be done: it depends on the burst hosts that may be started. */
const FORECASTING = {
	"create-campaign": createCampaign,
	"read-campaigns": readCampaigns,
	"change-campaign": changeCampaign,
} as const;
const HTTP = {
	"add-contacts": addContacts,
	"place-call": placeCall,
	"manage-trunks": manageTrunks,
	"manage-hosts": manageHosts,
	"manage-suppression": manageSuppression,
	"read-ledger": readLedger,
	"sync-host": syncHost,
	"plan-cost": planCost,
	"check-health": checkHealth,
} as const;
const QUEUE = {
	imports: importContacts,
	sweeps: sweepCampaigns,
	recovery: recoverHosts,
} as const;

/** Routes as serverless.yml has them: a route that is missing there is missing here. */
const routesOf = (file: string): { pattern: RegExp; name: string }[] => {
	const routes: { pattern: RegExp; name: string }[] = [];
	let name = "";
	for (const line of readFileSync(file, "utf8").split("\n")) {
		name = /^ {2}([a-z-]+):$/.exec(line)?.[1] ?? name;
		const route = /^ {6}- httpApi: (\S+ \S+)$/.exec(line)?.[1];
		if (route) routes.push({ name, pattern: new RegExp(`^${route.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`) });
	}
	return routes;
};
const ROUTES = routesOf(new URL("../../../serverless.yml", import.meta.url).pathname);

/** The bucket in memory: what is there, by key. */
export const memoryObjects = (): Objects & { stored: Map<string, Buffer>; pieceBytes: number } => {
	const stored = new Map<string, Buffer>();
	const find = (key: string): Buffer => {
		const object = stored.get(key);
		if (!object) throw new Error(`there is no object ${key}`);
		return object;
	};
	const objects = {
		stored,
		/** Streams come in pieces of this size. */
		pieceBytes: 10_000,
		put: async (key: string, body: string) => {
			stored.set(key, Buffer.from(body));
		},
		get: async (key: string, range?: { start: number; end: number }) =>
			range ? find(key).subarray(range.start, range.end) : find(key),
		stream: async (key: string, start: number) => {
			const object = find(key);
			return (async function* () {
				for (let at = start; at < object.length; at += objects.pieceBytes) {
					yield object.subarray(at, at + objects.pieceBytes);
				}
			})();
		},
		size: async (key: string) => stored.get(key)?.length,
		presignPost: async (key: string, bytes: number) => ({
			uploadUrl: "http://127.0.0.1:1/bucket",
			fields: { key, bytes: String(bytes) },
		}),
	};
	return objects;
};

export interface Reply {
	status: number;
	// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever it expects
	body: any;
	text: string;
	headers: Record<string, string>;
}
export interface CallOptions {
	/** Absent: the operator's; `null`: none. */
	token?: string | null;
	/** An object is sent as JSON; text and bytes as they are. */
	body?: unknown;
	headers?: Record<string, string>;
	base64?: boolean;
}

export interface Api {
	deps: ApiDeps;
	objects: ReturnType<typeof memoryObjects>;
	clock: { now: number };
	token: string;
	logs: Record<string, unknown>[];
	ec2: MemoryEc2;
	/** Entries of EventBridge Scheduler, by name. */
	entries: Map<string, SchedulerEntry>;
	/** Messages not delivered yet. */
	waiting: Record<QueueName, QueueMessage[]>;
	call(method: string, path: string, options?: CallOptions): Promise<Reply>;
	/** Delivers all messages of a queue, and those they cause, delays ignored. @returns failures */
	deliver(queue: QueueName, max?: number): Promise<number>;
	tick(): Promise<void>;
}

/** @param burst settings of the burst; without a launch template there are no burst hosts */
export const startApi = async (
	db: Db,
	settings: Partial<Settings> = {},
	burst: Partial<BurstSettings> = {},
): Promise<Api> => {
	const clock = { now: Date.parse("2026-11-02T10:00:00Z") };
	const logs: Record<string, unknown>[] = [];
	const waiting: Record<QueueName, QueueMessage[]> = { imports: [], sweeps: [], recovery: [], fleet: [] };
	const objects = memoryObjects();
	let seed = 1;
	const deps: ApiDeps = {
		db,
		tables: PROJECT_TABLE_NAMES as ApiDeps["tables"],
		now: () => clock.now,
		random: () => {
			seed = (seed * 48_271) % 2_147_483_647;
			return seed / 2_147_483_647;
		},
		log: jsonLog((line) => logs.push(JSON.parse(line))),
		settings: { ...parseSettings({}), ...settings },
		queues: {
			send: async (queue, messages) => {
				// As SQS has it: text.
				waiting[queue].push(...(JSON.parse(JSON.stringify(messages)) as QueueMessage[]));
			},
		},
		objects,
	};
	const runtime: Runtime = () => deps;
	const burstSettings: BurstSettings = { ...parseBurstSettings({ BURST_STACK: "test" }), ...burst };
	const ec2 = new MemoryEc2({ now: () => clock.now });
	const entries = new Map<string, SchedulerEntry>();
	const fleetDeps = { ...deps, burst: burstSettings, ec2 };
	const scheduleDeps = {
		...deps,
		scheduler: {
			put: async (entry: SchedulerEntry) => void entries.set(entry.name, entry),
			remove: async (name: string) => void entries.delete(name),
		},
	};
	const http = {
		...Object.fromEntries(Object.entries(HTTP).map(([name, make]) => [name, make(runtime)])),
		...Object.fromEntries(
			Object.entries(FORECASTING).map(([name, make]) => [name, make(runtime, () => burstSettings)]),
		),
		"manage-fleet": manageFleet(
			() => scheduleDeps,
			() => burstSettings,
		),
	};
	const queues = {
		...Object.fromEntries(Object.entries(QUEUE).map(([name, make]) => [name, make(runtime)])),
		fleet: scaleFleet(() => fleetDeps),
	};
	const { token } = await createToken(deps, { tenant: TENANT, name: "test", kind: "operator" });

	const call: Api["call"] = async (method, path, options = {}) => {
		const [rawPath = "", rawQueryString = ""] = path.split("?");
		const name = ROUTES.find((route) => route.pattern.test(`${method} ${rawPath}`))?.name;
		if (!name) throw new Error(`serverless.yml has no ${method} ${rawPath}`);
		const bytes =
			options.body === undefined
				? undefined
				: options.body instanceof Uint8Array
					? Buffer.from(options.body)
					: Buffer.from(typeof options.body === "string" ? options.body : JSON.stringify(options.body));
		const base64 = options.base64 ?? options.body instanceof Uint8Array;
		const token = options.token === undefined ? api.token : options.token;
		const event = {
			version: "2.0",
			rawPath,
			rawQueryString,
			headers: {
				...(bytes ? { "content-type": "application/json" } : {}),
				...(token === null ? {} : { authorization: `Bearer ${token}` }),
				...options.headers,
			},
			queryStringParameters: Object.fromEntries(new URLSearchParams(rawQueryString)),
			requestContext: { requestId: randomUUID(), http: { method, path: rawPath } },
			isBase64Encoded: base64,
			...(bytes ? { body: bytes.toString(base64 ? "base64" : "utf8") } : {}),
		} as unknown as APIGatewayProxyEventV2;
		const handler = http[name as keyof typeof http] as (
			event: APIGatewayProxyEventV2,
		) => Promise<APIGatewayProxyStructuredResultV2>;
		const result = await handler(event);
		const text = result.body ?? "";
		const headers = (result.headers ?? {}) as Record<string, string>;
		const isJson = headers["content-type"]?.startsWith("application/json");
		return { status: result.statusCode ?? 0, text, headers, body: isJson ? JSON.parse(text) : undefined };
	};

	const deliver: Api["deliver"] = async (queue, max = 10_000) => {
		const handler = queues[queue as keyof typeof queues] as (
			event: SQSEvent,
		) => Promise<{ batchItemFailures: unknown[] }>;
		let failures = 0;
		for (let n = 0; n < max; n++) {
			const message = waiting[queue].shift();
			if (!message) break;
			const record = {
				messageId: randomUUID(),
				body: JSON.stringify(message.body),
				attributes: { ApproximateReceiveCount: "1" },
			};
			const answer = await handler({ Records: [record] } as unknown as SQSEvent);
			failures += answer.batchItemFailures.length;
		}
		return failures;
	};
	const tick = tickMinute(runtime, () => burstSettings);
	const api: Api = { deps, objects, ec2, entries, clock, token, logs, waiting, call, deliver, tick };
	return api;
};

/** A trunk for test numbers in the US. */
export const US_TRUNK = {
	type: "pjsip",
	host: "sip.example.com",
	maxChannels: 100,
	maxCps: 10,
	callerIds: ["+12025550100"],
};
export const PRIVATE_TRUNK = { type: "pjsip", host: "127.0.0.1", maxChannels: 50, maxCps: 50, numbering: "private" };

/** A number of the US that is reserved for examples; n from 0 to 9999 (by the area code's exchange). */
export const usNumber = (n: number): string => `+1202555${String(n).padStart(4, "0")}`;

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { z } from "zod";
import { readYaml } from "../../../local/aws/yaml-file.ts";
import { tendMessageSchema } from "../../../shared/campaigns/tend.ts";
import { importMessageSchema } from "../../../shared/contacts/run-message.ts";
import { uploadSchema } from "../../../shared/contacts/uploads.ts";
import {
	campaignPatchSchema,
	campaignSchema,
	contactRowSchema,
	testCallSchema,
} from "../../../shared/contract/campaign.ts";
import { enrolInstanceSchema, scaleSchema, scheduleSchema } from "../../../shared/contract/fleet.ts";
import { enrolHostSchema, helloRequestSchema, syncRequestSchema } from "../../../shared/contract/host.ts";
import { parseCallId } from "../../../shared/contract/ids.ts";
import { planSchema } from "../../../shared/contract/plan.ts";
import {
	callingPolicySchema,
	optOutSchema,
	suppressedRowSchema,
	suppressionListSchema,
} from "../../../shared/contract/suppression.ts";
import { trunkSchema } from "../../../shared/contract/trunk.ts";
import { parseFleetMessage } from "../../../shared/fleet/messages.ts";
import { ownPricesSchema } from "../../../shared/prices/price-data.ts";

const FOLDER = join(process.cwd(), "events");

const httpEventSchema = z.strictObject({
	version: z.literal("2.0"),
	routeKey: z.string(),
	rawPath: z.string().startsWith("/v1/"),
	rawQueryString: z.string(),
	headers: z.record(z.string().regex(/^[a-z-]+$/), z.string()),
	queryStringParameters: z.record(z.string(), z.string()).optional(),
	pathParameters: z.record(z.string(), z.string()).optional(),
	requestContext: z.object({
		http: z.object({
			method: z.string(),
			path: z.string(),
			sourceIp: z.string(),
			userAgent: z.string(),
			protocol: z.string(),
		}),
		requestId: z.string().min(1),
		routeKey: z.string(),
		stage: z.literal("$default"),
		timeEpoch: z.int(),
	}),
	body: z.string().optional(),
	isBase64Encoded: z.boolean(),
});
const sqsEventSchema = z.strictObject({
	Records: z
		.array(
			z.object({
				messageId: z.uuid(),
				receiptHandle: z.string(),
				body: z.string(),
				attributes: z.object({ ApproximateReceiveCount: z.string(), SentTimestamp: z.string() }),
				md5OfBody: z.string().regex(/^[0-9a-f]{32}$/),
				eventSource: z.literal("aws:sqs"),
				eventSourceARN: z.string(),
				awsRegion: z.string(),
			}),
		)
		.length(1),
});
const scheduledEventSchema = z.object({
	"detail-type": z.literal("Scheduled Event"),
	source: z.literal("aws.events"),
	time: z.iso.datetime(),
	detail: z.strictObject({}),
});

/** Bodies of requests that have one, by route; a list in CSV is looked at by itself. */
const BODIES: Record<string, z.ZodType> = {
	"POST /v1/campaigns": campaignSchema.safeExtend({ contacts: z.array(contactRowSchema) }),
	"PATCH /v1/campaigns/{campaignId}": campaignPatchSchema,
	"POST /v1/campaigns/{campaignId}/uploads": uploadSchema,
	"POST /v1/calls": testCallSchema,
	"PUT /v1/trunks/{trunkId}": trunkSchema,
	"PUT /v1/suppression/{list}": suppressionListSchema,
	"POST /v1/suppression/{list}/numbers": z.array(suppressedRowSchema),
	"POST /v1/opt-outs": optOutSchema,
	"PUT /v1/calling-policy": callingPolicySchema,
	"POST /v1/hosts": enrolHostSchema,
	"POST /v1/hosts/enrol": enrolInstanceSchema,
	"POST /v1/plan": planSchema,
	"PUT /v1/prices": ownPricesSchema,
	"POST /v1/fleet/scale": scaleSchema,
	"PUT /v1/fleet/schedules/{name}": scheduleSchema,
	"POST /v1/hosts/{hostId}/hello": helloRequestSchema,
	"POST /v1/hosts/{hostId}/sync": syncRequestSchema,
};
const CSV_ROUTE = "POST /v1/campaigns/{campaignId}/contacts";

/** How each function reads a message: it throws where it cannot. */
const MESSAGES: Record<string, (text: string) => unknown> = {
	"import-contacts": (text) => importMessageSchema.parse(JSON.parse(text)),
	"sweep-campaigns": (text) => tendMessageSchema.parse(JSON.parse(text)),
	"recover-hosts": (text) => z.strictObject({ tenant: z.string() }).parse(JSON.parse(text)),
	"scale-fleet": parseFleetMessage,
};

type Trigger = { httpApi: string } | { sqs: { arn: { "Fn::GetAtt": [string, string] } } } | { schedule: string };
const { functions } = readYaml(join(process.cwd(), "serverless.yml")) as {
	functions: Record<string, { events: Trigger[] }>;
};
const triggers = Object.entries(functions).flatMap(([name, fn]) =>
	fn.events.map((trigger) => ({
		fn: name,
		trigger: "httpApi" in trigger ? trigger.httpApi : "sqs" in trigger ? trigger.sqs.arn["Fn::GetAtt"][0] : "schedule",
	})),
);

const read = (file: string): unknown => JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
/** The trigger that an event is a sample of. */
const triggerOf = (event: unknown): string => {
	const { routeKey, Records } = event as { routeKey?: string; Records?: { eventSourceARN: string }[] };
	if (routeKey) return routeKey;
	const queue = Records?.[0]?.eventSourceARN.split("-").at(-1);
	return queue ? `${queue[0]?.toUpperCase()}${queue.slice(1)}Queue` : "schedule";
};
const files = readdirSync(FOLDER)
	.filter((file) => file.endsWith(".json"))
	.map((file) => ({ file, fn: file.split(".")[0] ?? "", event: read(file) }));

describe("sample events", () => {
	test("there is one for each trigger, named after its function", () => {
		const sampled = new Set(files.map(({ fn, event }) => `${fn}: ${triggerOf(event)}`));
		expect([...sampled].sort()).toEqual(triggers.map(({ fn, trigger }) => `${fn}: ${trigger}`).sort());
	});

	test("the fleet's queue has one for each kind of message that comes to it", () => {
		const rules = readYaml(join(process.cwd(), "infra/burst.yml")) as {
			Resources: Record<string, { Type: string; Properties: { EventPattern?: { "detail-type": string[] } } }>;
		};
		const routed = Object.values(rules.Resources).flatMap(
			({ Properties }) => Properties.EventPattern?.["detail-type"] ?? [],
		);
		const bodies = files
			.filter(({ fn }) => fn === "scale-fleet")
			.flatMap(({ event }) => sqsEventSchema.parse(event).Records.map(({ body }) => JSON.parse(body)));
		const kinds = bodies.flatMap((body) => body["detail-type"] ?? []);
		expect(kinds.sort()).toEqual(routed.sort());
		expect(kinds).toHaveLength(3);
		expect(bodies.filter((body) => body.why !== undefined).map((body) => body.tenant)).toEqual(["default", "default"]);
	});

	const http = files.filter(({ event }) => triggerOf(event).includes(" "));
	test.each(http)("$file is a request of API Gateway, payload 2.0", ({ event: raw }) => {
		const event = httpEventSchema.parse(raw);
		const [method, path = ""] = event.routeKey.split(" ");
		expect(event.requestContext.http).toMatchObject({ method, path: event.rawPath });
		expect(event.requestContext.routeKey).toBe(event.routeKey);
		const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => event.pathParameters?.[name] ?? "");
		expect(event.rawPath).toBe(filled);
		expect(new URLSearchParams(event.queryStringParameters).toString()).toBe(event.rawQueryString);
		if (event.body !== undefined) {
			expect(event.headers["content-length"]).toBe(String(Buffer.byteLength(event.body)));
			if (event.routeKey === CSV_ROUTE) expect(event.body).toMatch(/^number,/);
			else expect(BODIES[event.routeKey]?.safeParse(JSON.parse(event.body)).error).toBeUndefined();
		} else expect(BODIES).not.toHaveProperty([event.routeKey]);
	});

	const queued = files.filter(({ event }) => triggerOf(event).endsWith("Queue"));
	test.each(queued)("$file is a batch of one message", ({ fn, event }) => {
		for (const record of sqsEventSchema.parse(event).Records) {
			expect(record.md5OfBody).toBe(createHash("md5").update(record.body).digest("hex"));
			expect(MESSAGES[fn]?.(record.body)).toBeDefined();
		}
	});

	test("the schedule's is one of EventBridge", () => {
		expect(scheduledEventSchema.safeParse(read("tick-minute.json")).error).toBeUndefined();
	});

	test("the sync completes a call by a well-formed id", () => {
		const { body } = httpEventSchema.parse(read("sync-host.sync.json"));
		const [completed] = syncRequestSchema.parse(JSON.parse(body ?? "")).completed;
		expect(parseCallId(completed?.callId ?? "")).toMatchObject({ attempt: 1, epoch: 2, seq: 5 });
	});
});

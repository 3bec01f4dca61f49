import { fileURLToPath } from "node:url";
import { GetQueueAttributesCommand, SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { eventually } from "../support/local-toy/eventually.ts";

const TOY = fileURLToPath(new URL("../support/local-toy/serverless.yml", import.meta.url));
const ACCOUNT = "000000000000";

let stack: Stack;
let output = "";
beforeAll(async () => {
	stack = await startStack({
		steady: 0,
		carrier: "none",
		serverlessFile: TOY,
		onOutput: (text) => {
			output += text;
		},
	});
}, 60_000);
afterAll(async () => {
	await stack?.stop();
}, 30_000);

const url = (queue: string): string => `${stack.aws.sqsEndpoint}/${ACCOUNT}/${queue}`;
const noteOf = async (id: string): Promise<{ n: number; what: Record<string, unknown> } | undefined> => {
	const db = DynamoDBDocumentClient.from(stack.aws.clients.dynamo);
	const answer = await db.send(new GetCommand({ TableName: "toy-local-things", Key: { id }, ConsistentRead: true }));
	return answer.Item as { n: number; what: Record<string, unknown> } | undefined;
};
interface Echo {
	event: Record<string, unknown>;
	env: Record<string, string>;
}

describe("the gateway", () => {
	test("gives a function the event that API Gateway gives it", async () => {
		const { status, body } = await stack.client.request<Echo>("GET", "/echo/a%20b/parts/2?x=1&y=2&x=3", undefined, {
			"X-Custom": "Value",
		});
		expect(status).toBe(200);
		expect(body.event).toMatchObject({
			version: "2.0",
			routeKey: "GET /echo/{id}/parts/{part}",
			rawPath: "/echo/a%20b/parts/2",
			rawQueryString: "x=1&y=2&x=3",
			queryStringParameters: { x: "1,3", y: "2" },
			pathParameters: { id: "a b", part: "2" },
			headers: { "x-custom": "Value" },
			isBase64Encoded: false,
			requestContext: { http: { method: "GET", path: "/echo/a%20b/parts/2" }, stage: "$default" },
		});
		expect(body.event).not.toHaveProperty("body");
		expect(body.env).toMatchObject({ COLOUR: "green" });
	});

	test("prefers a literal path to a parameter", async () => {
		const { body } = await stack.client.request<Echo>("GET", "/echo/fixed");
		expect(body.event["routeKey"]).toBe("GET /echo/fixed");
	});

	test("passes text as it is and other bodies as base64", async () => {
		const send = async (type: string, bytes: Uint8Array) => {
			const answer = await fetch(`${stack.api}/echo`, {
				method: "POST",
				body: bytes,
				headers: { "content-type": type },
			});
			return ((await answer.json()) as Echo).event;
		};
		expect(await send("text/csv", Buffer.from("zoë"))).toMatchObject({ body: "zoë", isBase64Encoded: false });
		for (const [type, bytes] of [
			["application/octet-stream", Buffer.from("abc")],
			["application/x-ndjson", Buffer.from("{}\n")],
			["text/csv", Buffer.from("zo\xeb", "latin1")],
		] as const) {
			expect(await send(type, bytes)).toMatchObject({ body: bytes.toString("base64"), isBase64Encoded: true });
		}
	});

	test("refuses a body that is too large, and the sender hears it", async () => {
		const answer = await fetch(`${stack.api}/echo`, {
			method: "POST",
			body: Buffer.alloc(20_000_000, 65),
			headers: { "content-type": "text/plain" },
		});
		expect(answer.status).toBe(413);
		expect(await answer.json()).toMatchObject({ error: { code: "bodyTooLarge", details: [] } });
	});

	test.each([
		["GET", "/nowhere", 404],
		["DELETE", "/echo", 404],
		["GET", "/echo/%zz", 400],
	])("%s %s is answered %i with an error's body", async (method, path, status) => {
		const answer = await stack.client.request<{ error: { code: string; message: string } }>(method, path);
		expect(answer.status).toBe(status);
		expect(answer.body.error.message).not.toBe("");
	});

	test("a result without statusCode is the body", async () => {
		const answer = await stack.client.request("POST", "/misbehave/nothing");
		expect(answer).toEqual({ status: 200, body: { plain: "object" } });
	});

	test("a function that throws is a 500, and the log says why", async () => {
		const answer = await stack.client.request("POST", "/misbehave/throw");
		expect(answer.status).toBe(500);
		expect(answer.body).toMatchObject({ error: { code: "internal" } });
		await eventually(() => expect(output).toContain("as asked for"));
	});

	test("an answer larger than Lambda passes on is a 500", async () => {
		expect((await stack.client.request("POST", "/misbehave/huge")).status).toBe(500);
	});

	test("a function that is too slow is a 503, and writes nothing afterwards", async () => {
		const answer = await stack.client.request("POST", "/misbehave/late");
		expect(answer.status).toBe(503);
		// The function's code goes on for half a second; a later write of another invocation shows that the time has passed.
		await new Promise((resolve) => setTimeout(resolve, 1_000));
		expect(await noteOf("written after the time limit")).toBeUndefined();
	});
});

describe("crash plans", () => {
	test.each([
		[1, []],
		[2, ["first"]],
		[3, ["first", "second"]],
		[4, ["first", "second", "third"]],
	])("a function that dies before its write %i leaves %j", async (beforeWrite, written) => {
		const id = `crash-${beforeWrite}`;
		await stack.controlPlane.setCrashPlan({ functionName: "write-three", beforeWrite, eventContains: id, times: 1 });
		const answer = await stack.client.request("POST", `/three/${id}`);
		expect(answer.status).toBe(beforeWrite > 3 ? 204 : 500);
		const found = await Promise.all(["first", "second", "third"].map((part) => noteOf(`${id} ${part}`)));
		expect(["first", "second", "third"].filter((_, i) => found[i] !== undefined)).toEqual(written);
		// Once only: the repeat does it all.
		expect((await stack.client.request("POST", `/three/${id}`)).status).toBe(204);
		expect(await noteOf(`${id} third`)).toBeDefined();
		expect((await stack.faultCounts())["deaths"]).toBe(beforeWrite > 3 ? 0 : 1);
		await stack.controlPlane.setCrashPlan(undefined);
	});
});

describe("queues and schedules", () => {
	const countOf = async (queue: string): Promise<number> => {
		const { Attributes } = await stack.aws.clients.sqs.send(
			new GetQueueAttributesCommand({
				QueueUrl: url(queue),
				AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
			}),
		);
		return (
			Number(Attributes?.["ApproximateNumberOfMessages"]) +
			Number(Attributes?.["ApproximateNumberOfMessagesNotVisible"])
		);
	};

	test("only the messages that failed come again, and end among the dead letters", async () => {
		const bodies = ["good 1", "fail 1", "good 2"];
		await stack.aws.clients.sqs.send(
			new SendMessageBatchCommand({
				QueueUrl: url("toy-local-work"),
				Entries: bodies.map((MessageBody, i) => ({ Id: String(i), MessageBody })),
			}),
		);
		await eventually(async () => expect(await countOf("toy-local-WorkDeadLetters")).toBe(1), 20_000);
		await eventually(async () => expect(await countOf("toy-local-work")).toBe(0), 20_000);
		expect((await noteOf("message good 1"))?.n).toBe(1);
		expect((await noteOf("message good 2"))?.n).toBe(1);
		expect(await noteOf("message fail 1")).toMatchObject({ n: 2, what: { receives: "2" } });
	}, 45_000);

	test("a schedule runs at the start and when asked, with EventBridge's event", async () => {
		await eventually(async () => expect((await noteOf("tick"))?.n).toBeGreaterThanOrEqual(1));
		const before = (await noteOf("tick"))?.n ?? 0;
		await stack.controlPlane.tick();
		expect(await noteOf("tick")).toMatchObject({ n: before + 1, what: { type: "Scheduled Event" } });
		await eventually(async () => expect((await noteOf("message from the tick"))?.n).toBe(before + 1));
	});
});

describe("the control plane's process", () => {
	test("says what it used", async () => {
		const before = await stack.controlPlane.usage();
		await stack.client.request("POST", "/three/usage");
		const after = await stack.controlPlane.usage();
		expect((after.requests["DynamoDB"] ?? 0) - (before.requests["DynamoDB"] ?? 0)).toBeGreaterThanOrEqual(3);
		expect(after.invocations["write-three"]).toBe((before.invocations["write-three"] ?? 0) + 1);
		expect(after.memory.most).toBeGreaterThanOrEqual(after.memory.now / 2);
	});

	test("killed and started again it has the same address and the same data", async () => {
		const db = DynamoDBDocumentClient.from(stack.aws.clients.dynamo);
		await db.send(new PutCommand({ TableName: "toy-local-things", Item: { id: "before", n: 1 } }));
		await stack.controlPlane.kill();
		await expect(fetch(`${stack.api}/echo/1`)).rejects.toThrow();
		await stack.controlPlane.start();
		expect((await stack.client.request("GET", "/echo/1")).status).toBe(200);
		expect((await noteOf("before"))?.n).toBe(1);
	}, 30_000);
});

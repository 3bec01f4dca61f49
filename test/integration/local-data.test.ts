import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { startAws } from "../../local/aws/aws.ts";
import { createResources } from "../../local/aws/create-resources.ts";
import { readDefinitions } from "../../local/aws/definitions.ts";
import { readServerlessFile } from "../../local/aws/serverless-file.ts";
import { startStack } from "../../local/stack/stack.ts";
import { eventually } from "../support/local-toy/eventually.ts";

const TOY = fileURLToPath(new URL("../support/local-toy/serverless.yml", import.meta.url));
const PROJECT = fileURLToPath(new URL("../../serverless.yml", import.meta.url));
const TABLE = "toy-local-things";
const BUCKET = "toy-local-uploads";
const TIMEOUT_MS = 60_000;

let dir: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), "local-data-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const toy = (more: object = {}) =>
	startStack({ steady: 0, carrier: "none", serverlessFile: TOY, dataDir: dir, ...more });

describe("a data folder", () => {
	test(
		"keeps tables, messages and objects for the next start",
		async () => {
			const first = await toy();
			const { dynamo, s3, sqs } = first.aws.clients;
			await DynamoDBDocumentClient.from(dynamo).send(
				new PutCommand({ TableName: TABLE, Item: { id: "kept", group: "g", at: 1 } }),
			);
			await s3.send(
				new PutObjectCommand({ Bucket: BUCKET, Key: "lists/ä b.csv", Body: "kept", ContentType: "text/csv" }),
			);
			// Nobody takes it any more: it waits for the next start.
			await first.controlPlane.stop();
			const QueueUrl = `${first.aws.sqsEndpoint}/000000000000/toy-local-work`;
			await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "kept" }));
			await first.stop();

			const second = await toy();
			try {
				const db = DynamoDBDocumentClient.from(second.aws.clients.dynamo);
				const query = new QueryCommand({
					TableName: TABLE,
					IndexName: "byGroup",
					KeyConditionExpression: "#group = :group",
					ExpressionAttributeNames: { "#group": "group" },
					ExpressionAttributeValues: { ":group": "g" },
				});
				expect((await db.send(query)).Items).toEqual([{ id: "kept", group: "g", at: 1 }]);
				const object = await second.aws.clients.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: "lists/ä b.csv" }));
				expect(await object.Body?.transformToString()).toBe("kept");
				expect(object.ContentType).toBe("text/csv");
				await eventually(async () => {
					const note = await db.send(new GetCommand({ TableName: TABLE, Key: { id: "message kept" } }));
					expect(note.Item?.["n"]).toBe(1);
				});
			} finally {
				await second.stop();
			}
		},
		TIMEOUT_MS,
	);

	test(
		"is used by one stack at a time; its secrets are the owner's alone",
		async () => {
			const stack = await toy();
			try {
				await expect(toy()).rejects.toThrow(/in use by another stack/);
				expect(readdirSync(dir)).toContain("stack.json");
				expect(statSync(join(dir, "stack.json")).mode & 0o077).toBe(0);
			} finally {
				await stack.stop();
			}
		},
		TIMEOUT_MS,
	);
});

test(
	"functions apart have their own environment only",
	async () => {
		const stack = await startStack({ steady: 0, carrier: "none", serverlessFile: TOY, isolation: "apart" });
		try {
			const { body } = await stack.client.request<{ env: object }>("GET", "/echo/1");
			expect(body.env).toEqual({ COLOUR: "green", NAME: "echo" });
			expect((await stack.client.request("POST", "/misbehave/throw")).status).toBe(500);
			expect((await stack.client.request("POST", "/misbehave/late")).status).toBe(503);
			await stack.controlPlane.setCrashPlan({ functionName: "write-three", beforeWrite: 2, times: 1 });
			expect((await stack.client.request("POST", "/three/apart")).status).toBe(500);
			expect((await stack.client.request("POST", "/three/apart")).status).toBe(204);
		} finally {
			await stack.stop();
		}
	},
	TIMEOUT_MS,
);

test(
	"an AWS elsewhere is used as it is, and its tables are made once",
	async () => {
		const elsewhere = await startAws({ kind: "embedded", dir, keep: false, env: {}, onOutput: () => {} });
		try {
			for (const round of [1, 2]) {
				const stack = await startStack({
					steady: 0,
					carrier: "none",
					serverlessFile: TOY,
					aws: "external",
					env: elsewhere.env,
				});
				try {
					expect(stack.aws.children).toEqual([]);
					expect((await stack.client.request("POST", `/three/round ${round}`)).status).toBe(204);
				} finally {
					await stack.stop();
				}
			}
			const db = DynamoDBDocumentClient.from(elsewhere.clients.dynamo);
			for (const round of [1, 2]) {
				const key = { id: `round%20${round} third` };
				const answer = await db.send(new GetCommand({ TableName: TABLE, Key: { id: decodeURIComponent(key.id) } }));
				expect(answer.Item).toBeDefined();
			}
		} finally {
			await elsewhere.stop();
		}
	},
	TIMEOUT_MS,
);

test("an AWS elsewhere that is not named is an error that says what to set", async () => {
	const starting = startStack({ steady: 0, carrier: "none", serverlessFile: TOY, aws: "external", env: {} });
	await expect(starting).rejects.toThrow(/AWS_ENDPOINT_URL_DYNAMODB/);
});

describe("the project's own definitions", () => {
	test(
		"are all created, twice without harm; forms take a large list and no larger one",
		async () => {
			const aws = await startAws({ kind: "embedded", dir, keep: false, env: {}, onOutput: () => {} });
			try {
				const sources = { stage: "local", region: aws.region, accountId: "000000000000", env: {} };
				const file = await readServerlessFile(PROJECT, sources);
				const definitions = readDefinitions(file, { region: aws.region, queueUrl: (name) => name });
				const log = { info: () => {}, warn: () => {}, error: () => {} };
				const urls = await createResources(aws.clients, definitions, log);
				expect(Object.keys(await createResources(aws.clients, definitions, log))).toEqual(Object.keys(urls));
				expect(definitions.tables.length).toBeGreaterThanOrEqual(7);

				const bytes = Buffer.alloc(15_000_000, 65);
				const { url, fields } = await createPresignedPost(aws.clients.s3 as never, {
					Bucket: definitions.buckets[0]?.name ?? "",
					Key: "list",
					Conditions: [["content-length-range", 1, bytes.length]],
				});
				const post = async (file_: Buffer) => {
					const form = new FormData();
					for (const [name, value] of Object.entries(fields)) form.append(name, value);
					form.append("file", new Blob([new Uint8Array(file_)]));
					const answer = await fetch(url, { method: "POST", body: form });
					return { status: answer.status, text: await answer.text() };
				};
				expect(await post(bytes)).toMatchObject({ status: 204 });
				expect(await post(Buffer.concat([bytes, Buffer.from("x")]))).toMatchObject({
					status: 400,
					text: expect.stringContaining("EntityTooLarge"),
				});
				const object = await aws.clients.s3.send(
					new GetObjectCommand({ Bucket: definitions.buckets[0]?.name, Key: "list", Range: "bytes=0-4" }),
				);
				expect(await object.Body?.transformToString()).toBe("AAAAA");
				const none = aws.clients.s3.send(new GetObjectCommand({ Bucket: definitions.buckets[0]?.name, Key: "other" }));
				await expect(none).rejects.toMatchObject({ name: "NoSuchKey" });
			} finally {
				await aws.stop();
			}
		},
		TIMEOUT_MS,
	);
});

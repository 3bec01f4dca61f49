import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { type Stack, startStack } from "../stack/stack.ts";
import { RunError, setTrunk, showCampaign } from "./run-campaign.ts";

const ROWS = 100_000;
/** Rows of the list that must be counted as duplicates and as bad. */
const DUPLICATES = 50;
const BAD_ROWS = 25;
/** Puts of the comparison: enough for a steady rate. */
const BARE_PUTS = 20_000;
/** As many at once as the importing function keeps under way. */
const BARE_CONCURRENCY = 64;
const POLL_MS = 250;

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** How many conditional puts a second the emulated table takes, with nothing around them. */
const bareRate = async (stack: Stack, run: number): Promise<number> => {
	const table = stack.tables["ContactsTable"];
	if (!table) throw new RunError("the stack has no table of contacts");
	const client = new DynamoDBClient({
		endpoint: stack.aws.env["AWS_ENDPOINT_URL_DYNAMODB"] ?? "",
		region: stack.aws.region,
		credentials: { accessKeyId: "local", secretAccessKey: "local" },
	});
	const db = DynamoDBDocumentClient.from(client);
	let next = 0;
	const startedAt = performance.now();
	await Promise.all(
		Array.from({ length: BARE_CONCURRENCY }, async () => {
			while (next < BARE_PUTS) {
				const i = next++;
				await db.send(
					new PutCommand({
						TableName: table,
						Item: {
							shardKey: `bare#${run}#${i % 4}`,
							contactKey: `k${i}`,
							contactId: `k${i}`,
							number: String(10_000_000 + i),
							state: "pending",
							attempt: 1,
							ver: 1,
							dueAt: i,
							imp: "bare#0",
						},
						ConditionExpression: "attribute_not_exists(contactKey)",
					}),
				);
			}
		}),
	);
	const seconds = (performance.now() - startedAt) / 1_000;
	client.destroy();
	return BARE_PUTS / seconds;
};

/** A CSV list with a few duplicates and bad rows. */
const makeList = (): string => {
	const rows = ["number,name"];
	for (let i = 0; i < ROWS - DUPLICATES - BAD_ROWS; i++) rows.push(`${20_000_000 + i},contact ${i}`);
	for (let i = 0; i < DUPLICATES; i++) rows.push(`${20_000_000 + i},again`);
	for (let i = 0; i < BAD_ROWS; i++) rows.push(`bad${i},nobody`);
	return `${rows.join("\n")}\n`;
};

const request = async <T>(stack: Stack, method: string, path: string, body?: unknown): Promise<T> => {
	const answer = await stack.client.request<T>(method, path, body);
	if (answer.status >= 300) throw new RunError(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
	return answer.body;
};

/** What the report says of bad rows and duplicates. */
const rejectedOf = (view: unknown) => {
	const [list] =
		(view as { imports?: { duplicates?: number; rejectedCount?: number; rejected?: unknown[] }[] }).imports ?? [];
	return { duplicates: list?.duplicates, rows: list?.rejectedCount, first: list?.rejected?.[0] };
};

/** Imports 100,000 contacts by an upload; compares the rate with bare conditional puts on the same table in the same run. */
export const benchImport = async (say: (line: string) => void) => {
	const stack = await startStack({ port: 0, steady: 0, carrier: "embedded", asterisk: "simulated", say });
	try {
		await setTrunk(stack, { maxChannels: 100, maxCps: 100 });
		const before = await bareRate(stack, 1);
		const list = makeList();
		const { campaignId } = await request<{ campaignId: string }>(stack, "POST", "/v1/campaigns", {
			name: "import",
			trunk: "carrier",
			then: { wait: 1 },
			// Far ahead: nothing is dialed here.
			startAt: new Date(Date.now() + 86_400_000).toISOString(),
		});
		const path = `/v1/campaigns/${campaignId}/uploads`;
		const upload = await request<{ uploadId: string; uploadUrl: string; fields: Record<string, string> }>(
			stack,
			"POST",
			path,
			{ bytes: Buffer.byteLength(list), format: "csv" },
		);
		const form = new FormData();
		for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
		form.append("file", new Blob([list], { type: "text/csv" }), "list.csv");
		const sent = await fetch(upload.uploadUrl, { method: "POST", body: form });
		if (!sent.ok) throw new RunError(`the upload was refused: ${sent.status} ${await sent.text()}`);
		const startedAt = performance.now();
		await request(stack, "POST", `${path}/${upload.uploadId}/complete`);
		let view = await showCampaign(stack, campaignId);
		while (view.state === "importing") {
			await new Promise((done) => setTimeout(done, POLL_MS));
			view = await showCampaign(stack, campaignId);
		}
		const seconds = (performance.now() - startedAt) / 1_000;
		const after = await bareRate(stack, 2);
		const bare = Math.max(before, after);
		return {
			bench: "import",
			// The process runs all functions at once, so it is more than the importing one takes.
			controlPlaneMb: Math.round((await stack.controlPlane.usage()).memory.most / 2 ** 20),
			rows: ROWS,
			state: view.state,
			accepted: view.counts.total,
			seconds: round(seconds, 2),
			rowsPerSec: round(ROWS / seconds, 0),
			barePutsPerSec: round(bare, 0),
			ofBareRate: round(ROWS / seconds / bare, 3),
			rejected: rejectedOf(view),
		};
	} finally {
		await stack.stop();
	}
};

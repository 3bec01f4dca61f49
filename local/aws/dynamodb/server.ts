import type { IncomingMessage, ServerResponse } from "node:http";
import { FaultyDynamo } from "../../faults/dynamodb.ts";
import type { DynamoFaults, FaultCounts } from "../../faults/plan.ts";
import { seededRandom } from "../../faults/random.ts";
import { Meter, type MeterTotals } from "../../metering/write-units.ts";
import { metered } from "./metered.ts";
import { closeServer, dynaliteUpstream, httpServer, httpUpstream, listen, type Upstream } from "./upstream.ts";

export interface DynamoServerOptions {
	/** 0: a free one. */
	port?: number;
	/** Folder to keep the data in; in memory without. Not with `external`. */
	path?: string;
	/** Address of a DynamoDB elsewhere, which must not check signatures: requests arrive there under another host name. */
	external?: string;
	faults: DynamoFaults;
	seed: number;
	/** Counts what DynamoDB would charge. */
	meter: boolean;
}

export interface DynamoServer {
	endpoint: string;
	faultCounts(): FaultCounts;
	setFaults(faults: DynamoFaults): void;
	meterTotals(): MeterTotals;
	meterTotalsBySource(): Record<string, MeterTotals>;
	stop(): Promise<void>;
}

const bodyOf = async (req: IncomingMessage): Promise<string> => {
	const chunks: Buffer[] = [];
	for await (const chunk of req) chunks.push(chunk);
	return Buffer.concat(chunks).toString("utf8");
};

/** DynamoDB on a port of 127.0.0.1: the emulator (or one elsewhere) behind the fault layer. */
export const startDynamoServer = async (options: DynamoServerOptions): Promise<DynamoServer> => {
	const service: Upstream = options.external ? httpUpstream(options.external) : await dynaliteUpstream(options.path);
	const meter = options.meter ? new Meter() : undefined;
	const upstream = meter ? metered(service, meter) : service;
	const layer = new FaultyDynamo(upstream, options.faults, seededRandom(options.seed), () => dynaliteUpstream());

	const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
		const operation = String(req.headers["x-amz-target"] ?? "").split(".")[1] ?? "";
		const delivered = await layer.send({ operation, headers: req.headers, body: await bodyOf(req) });
		if (delivered.kind === "hang") return;
		if (delivered.kind === "cut") {
			req.socket.destroy();
			return;
		}
		res.writeHead(delivered.answer.status, delivered.answer.headers);
		res.end(delivered.answer.body);
	};
	const server = httpServer((req, res) => {
		answer(req, res).catch((error: unknown) => {
			process.stderr.write(`DynamoDB: ${error instanceof Error ? error.stack : error}\n`);
			if (!res.headersSent) res.writeHead(500, { "content-type": "application/x-amz-json-1.0" });
			res.end(JSON.stringify({ __type: "InternalServerError", message: String(error) }));
		});
	});
	const port = await listen(server, options.port ?? 0);
	return {
		endpoint: `http://127.0.0.1:${port}`,
		meterTotals: () => meter?.totals() ?? {},
		meterTotalsBySource: () => meter?.totalsBySource() ?? {},
		faultCounts: () => layer.counts,
		setFaults: (faults) => {
			layer.faults = faults;
		},
		stop: async () => {
			await closeServer(server);
			await layer.stop();
			await upstream.close();
		},
	};
};

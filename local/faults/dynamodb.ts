import type { DynamoAnswer, DynamoRequest, Upstream } from "../aws/dynamodb/upstream.ts";
import { FaultDraws } from "./draws.ts";
import { derive, LaggingReplica } from "./lagging-replica.ts";
import type { DynamoFaults, FaultCounts } from "./plan.ts";

/** What the caller gets: an answer; its connection cut; or nothing, ever. */
export type Delivered = { kind: "answer"; answer: DynamoAnswer } | { kind: "cut" } | { kind: "hang" };

export const WRITES = new Set(["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"]);
const READS = new Set(["GetItem", "BatchGetItem", "Query", "Scan"]);

const THROTTLED: DynamoAnswer = {
	status: 400,
	headers: { "content-type": "application/x-amz-json-1.0" },
	body: JSON.stringify({
		__type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
		message: "The level of configured provisioned throughput for the table was exceeded. (injected)",
	}),
};

const COUNTED = [
	"throttled",
	"cutAfterWrite",
	"hungAfterWrite",
	"unprocessed",
	"laggedWrites",
	/** Reads whose answer was really different from the table's state. */
	"staleReads",
];

/** Takes about half of a batch's requests out, at least one and never all. @returns what was taken out, if it can be divided. */
const takeOut = (
	requestItems: Record<string, unknown>,
): { rest: Record<string, unknown>; out: Record<string, unknown> } | undefined => {
	const rest: Record<string, unknown> = {};
	const out: Record<string, unknown> = {};
	let kept = 0;
	let taken = 0;
	for (const [table, value] of Object.entries(requestItems)) {
		const list = (Array.isArray(value) ? value : (value as { Keys: unknown[] }).Keys) as unknown[];
		const half = Math.ceil(list.length / 2);
		const put = (target: Record<string, unknown>, part: unknown[]) => {
			if (part.length > 0) target[table] = Array.isArray(value) ? part : { ...(value as object), Keys: part };
		};
		put(rest, list.slice(0, half));
		put(out, list.slice(half));
		kept += half;
		taken += list.length - half;
	}
	return kept > 0 && taken > 0 ? { rest, out } : undefined;
};

/** The fault layer in front of DynamoDB. */
export class FaultyDynamo {
	readonly #upstream: Upstream;
	readonly #random: () => number;
	readonly #makeCopy: () => Promise<Upstream>;
	#replica: Promise<LaggingReplica> | undefined;
	#faults: DynamoFaults;
	readonly #draws: FaultDraws;

	/** @param makeCopy an empty emulator for the late copy; asked for when the faults want one */
	constructor(upstream: Upstream, faults: DynamoFaults, random: () => number, makeCopy: () => Promise<Upstream>) {
		this.#upstream = upstream;
		this.#faults = faults;
		this.#random = random;
		this.#draws = new FaultDraws(random, COUNTED);
		this.#makeCopy = makeCopy;
	}

	get counts(): FaultCounts {
		return this.#draws.counts;
	}

	/** Changes what goes wrong from now on. */
	set faults(faults: DynamoFaults) {
		this.#faults = faults;
		// A copy that exists goes on being filled, so that it is right when it is needed again.
		this.#replica?.then((replica) => {
			replica.lagMs = faults.indexLagMs;
		});
	}

	async send(request: DynamoRequest): Promise<Delivered> {
		const { operation } = request;
		const isWrite = WRITES.has(operation);
		if (!isWrite && !READS.has(operation)) return { kind: "answer", answer: await this.#upstream.send(request) };
		if (this.#draws.strikes(this.#faults.throttleRate, "throttled")) return { kind: "answer", answer: THROTTLED };
		const replica = await this.#late(request);
		if (!isWrite) return { kind: "answer", answer: await this.#read(request, replica) };
		const answer = await this.#inPart(request, "UnprocessedItems", (part) => this.#write(part, replica));
		if (answer.status !== 200) return { kind: "answer", answer };
		if (this.#draws.strikes(this.#faults.cutAfterWriteRate, "cutAfterWrite")) return { kind: "cut" };
		if (this.#draws.strikes(this.#faults.hangAfterWriteRate, "hungAfterWrite")) return { kind: "hang" };
		return { kind: "answer", answer };
	}

	/** The late copy, with all of the request's tables in it. */
	async #late(request: DynamoRequest): Promise<LaggingReplica | undefined> {
		if (!this.#replica) {
			if (this.#faults.indexLagMs <= 0) return undefined;
			const { indexLagMs } = this.#faults;
			this.#replica = this.#makeCopy().then(
				(copy) => new LaggingReplica(this.#upstream, copy, indexLagMs, this.#random),
			);
		}
		const replica = await this.#replica;
		await replica.prepare(request);
		return replica;
	}

	async #write(request: DynamoRequest, replica: LaggingReplica | undefined): Promise<DynamoAnswer> {
		const answer = await this.#upstream.send(request);
		if (answer.status === 200 && replica) this.#draws.count("laggedWrites", replica.written(request));
		return answer;
	}

	async #read(request: DynamoRequest, replica: LaggingReplica | undefined): Promise<DynamoAnswer> {
		const input = JSON.parse(request.body);
		const answer = await this.#inPart(request, "UnprocessedKeys", (part) => this.#upstream.send(part));
		const late =
			this.#faults.indexLagMs > 0 &&
			!input.ConsistentRead &&
			(input.IndexName !== undefined || (this.#faults.lagBaseReads && request.operation !== "BatchGetItem"));
		if (!late || !replica || answer.status !== 200) return answer;
		const old = await replica.read(request);
		if (old.status !== 200) return answer;
		if (old.body !== answer.body) this.#draws.count("staleReads");
		return old;
	}

	/** A batch, perhaps only half of it. */
	async #inPart(
		request: DynamoRequest,
		member: "UnprocessedItems" | "UnprocessedKeys",
		send: (part: DynamoRequest) => Promise<DynamoAnswer>,
	): Promise<DynamoAnswer> {
		if (!request.operation.startsWith("Batch") || !this.#draws.chance(this.#faults.unprocessedRate))
			return send(request);
		const input = JSON.parse(request.body);
		const parts = takeOut(input.RequestItems);
		if (!parts) return send(request);
		const answer = await send(derive(request, request.operation, { ...input, RequestItems: parts.rest }));
		if (answer.status !== 200) return answer;
		this.#draws.count("unprocessed");
		const output = JSON.parse(answer.body);
		const body = JSON.stringify({ ...output, [member]: { ...output[member], ...parts.out } });
		// The checksum and the length were those of the whole answer.
		const { "x-amz-crc32": _, "content-length": __, ...headers } = answer.headers;
		return { ...answer, headers, body };
	}

	async stop(): Promise<void> {
		await (await this.#replica)?.stop();
	}
}

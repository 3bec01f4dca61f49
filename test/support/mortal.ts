import { type Api, startApi, US_TRUNK } from "../unit/api/harness.ts";
import { MemoryDynamo, type Statement } from "./memory-dynamo.ts";

/**
 * A function that dies between any two of its writes. The nth write and everything after it fails until the process is
 * "started again"; then the caller repeats its request, SQS its message, or only the tick comes by.
 */
export interface Mortal {
	api: Api;
	dynamo: MemoryDynamo;
	/** From now on, dies before its nth write; `undefined`: lives. */
	diesBefore(write: number | undefined): void;
	writes(): number;
}

const WRITES = new Set(["Put", "Update", "Delete"]);

export const startMortal = async (): Promise<Mortal> => {
	const dynamo = new MemoryDynamo();
	let limit: number | undefined;
	let count = 0;
	const live = (isWrite: boolean): void => {
		if (isWrite) count++;
		if (limit !== undefined && count >= limit) throw new Error("the function died");
	};
	const api = await startApi(
		dynamo.client({
			before: async (statement: Statement) => live(WRITES.has(statement.name)),
		}),
		{ importChunkRows: 100 },
	);
	await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK });
	const { send } = api.deps.queues;
	api.deps.queues.send = async (queue, messages) => {
		live(true);
		await send(queue, messages);
	};
	const { put } = api.objects;
	api.objects.put = async (key, body) => {
		live(true);
		await put(key, body);
	};
	return {
		api,
		dynamo,
		diesBefore: (write) => {
			limit = write;
			count = 0;
		},
		writes: () => count,
	};
};

/** The minute's tick and what it causes, until nothing is left to do. */
export const tickThrough = async ({ api }: Mortal): Promise<void> => {
	for (let i = 0; i < 4; i++) {
		api.clock.now += 300_000;
		await api.tick();
		await api.deliver("sweeps");
		await api.deliver("imports");
	}
};

import { createHash } from "node:crypto";
import { failImport } from "./finish-import.ts";
import { type ImportState, uploadKey } from "./import-items.ts";
import { openList, splitterFor } from "./parse.ts";
import type { ApiDeps } from "./ports.ts";
import { saveSplit } from "./save-split.ts";
import { ListError, MAX_RECORD_BYTES, type RecordRange } from "./split.ts";
import { endIfComplete, storedChunks } from "./store-chunk.ts";

/** A chunk of an upload: a run of records. */
export interface ChunkRange {
	n: number;
	start: number;
	end: number;
	/** Line of the first record. */
	line: number;
}

/** Where a splitting goes on. */
export interface SplitAt {
	offset: number;
	line: number;
	/** The next chunk's number. */
	n: number;
}

/** Messages are sent in bunches of so many. */
const SEND_BUNCH = 50;

const hashOf = async (deps: ApiDeps, key: string): Promise<string> => {
	const hash = createHash("sha256");
	for await (const bytes of await deps.objects.stream(key, 0)) hash.update(bytes);
	return hash.digest("hex");
};

/** Finds out how the list is to be read; throws {@link ListError}. */
const open = async (deps: ApiDeps, item: ImportState, key: string): Promise<ReturnType<typeof openList>> => {
	const size = await deps.objects.size(key);
	if (size === undefined) throw new ListError("The list was not uploaded, or has expired.");
	if (item.sha256 !== undefined && (await hashOf(deps, key)) !== item.sha256) {
		throw new ListError("The uploaded list does not have the sha256 that was announced.");
	}
	const headBytes = Math.min(size, MAX_RECORD_BYTES + 3);
	if (headBytes === 0) throw new ListError("The list is empty.");
	const head = await deps.objects.get(key, { start: 0, end: headBytes });
	return openList(head, headBytes === size, item.wanted);
};

/**
 * Cuts an uploaded list into chunks and sends each to be stored. Streams it; stops at the deadline and sends itself on. The
 * cuts depend on nothing but the list, so a repeat sends the same chunks again, and each is stored once.
 */
export const splitUpload = async (
	deps: ApiDeps,
	tenant: string,
	campaignId: string,
	item: ImportState,
	from: SplitAt | undefined,
	deadline: number,
): Promise<void> => {
	const { importId } = item;
	if (item.state !== "open") {
		await endIfComplete(deps, tenant, campaignId, item);
		return;
	}
	// Split already, and asked for again: messages were lost. Only what has no result is sent.
	const stored = item.split ? await storedChunks(deps, tenant, campaignId, importId) : new Set<number>();
	const key = uploadKey(tenant, campaignId, importId);
	let shape = item.shape;
	let at = from;
	// As it was when the splitting began: another deployment may have another figure.
	let rowsPerChunk = item.chunkRows ?? deps.settings.importChunkRows;
	if (!shape || !at) {
		try {
			const { offset, line, ...found } = await open(deps, item, key);
			shape = found;
			at = { offset, line, n: 0 };
		} catch (error) {
			if (!(error instanceof ListError)) throw error;
			await failImport(deps, tenant, campaignId, importId, error.message);
			return;
		}
		const saved = await saveSplit(deps, item, { shape, chunkRows: item.chunkRows ?? deps.settings.importChunkRows });
		rowsPerChunk = saved?.chunkRows ?? rowsPerChunk;
	}

	const splitter = splitterFor(shape, at);
	let n = at.n;
	let pending: RecordRange[] = [];
	let bunch: ChunkRange[] = [];
	const send = async (): Promise<void> => {
		await deps.queues.send(
			"imports",
			bunch.map((chunk) => ({ body: { kind: "chunk", tenant, campaignId, importId, ...chunk } })),
		);
		bunch = [];
	};
	const cut = (records: RecordRange[]): void => {
		const [first, last] = [records[0], records.at(-1)];
		if (!first || !last) return;
		if (!stored.has(n)) bunch.push({ n, start: first.start, end: last.end, line: first.line });
		n++;
	};
	const take = async (records: RecordRange[]): Promise<void> => {
		pending.push(...records);
		while (pending.length >= rowsPerChunk) {
			cut(pending.slice(0, rowsPerChunk));
			pending = pending.slice(rowsPerChunk);
		}
		if (bunch.length >= SEND_BUNCH) await send();
	};

	const size = await deps.objects.size(key);
	if (size === undefined) throw new Error(`The uploaded list ${key} is gone before it was split`);
	let failure: string | undefined;
	try {
		if (at.offset < size) {
			for await (const bytes of await deps.objects.stream(key, at.offset)) {
				await take(splitter.push(bytes));
				if (deps.now() < deadline || !splitter.restartable) continue;
				// What is pending is looked at again: the next part begins with its first record.
				const next = pending[0] ?? { start: splitter.position.offset, line: splitter.position.line };
				await send();
				await saveSplit(deps, item, { chunks: n, split: false });
				await deps.queues.send("imports", [
					{ body: { kind: "split", tenant, campaignId, importId, from: { offset: next.start, line: next.line, n } } },
				]);
				return;
			}
		}
		await take(splitter.end());
	} catch (error) {
		if (!(error instanceof ListError)) throw error;
		// Chunks may be stored already: what could be read is taken, and the import says what was not.
		failure = error.message;
	}
	cut(pending);
	await send();
	const final = await saveSplit(deps, item, { chunks: n, split: true, ...(failure === undefined ? {} : { failure }) });
	if (final) await endIfComplete(deps, tenant, campaignId, final);
};

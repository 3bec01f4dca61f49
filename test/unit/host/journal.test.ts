import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Journal } from "../../../host/agent/journal.ts";
import { JournalDamagedError, JournalFile, type JournalFs } from "../../../host/agent/journal-file.ts";
import { type JournalStore, JournalWriteError } from "../../../host/agent/ports.ts";
import { realClock } from "../../../host/agent/real-clock.ts";
import type { JournalRecord } from "../../../host/agent/records.ts";
import { emptyState } from "../../../host/agent/state.ts";

let dir: string;
let file: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "burst-dialer-journal-"));
	file = join(dir, "journal.ndjson");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const hello = (nonce: string): JournalRecord => ({ t: "hello", nonce });
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

const reopened = async (): Promise<JournalRecord[]> => {
	const journal = new JournalFile(dir);
	const records = await journal.load();
	await journal.close();
	return records;
};

describe("the journal's file", () => {
	test("keeps records over a restart, readable by its owner only", async () => {
		const journal = new JournalFile(dir);
		expect(await journal.load()).toEqual([]);
		await journal.append([hello("a"), hello("b")]);
		await journal.append([hello("c")]);
		await journal.close();
		expect(await reopened()).toEqual([hello("a"), hello("b"), hello("c")]);
		expect((await stat(file)).mode & 0o077).toBe(0);
	});

	test.each(['{"t":"hello","non', '{"t":"hello","nonce":"x"}', "\0\0\0\0", "\0\0\0\n"])(
		"cuts a torn last line off: %j",
		async (torn) => {
			const journal = new JournalFile(dir);
			await journal.load();
			await journal.append([hello("a")]);
			await journal.close();
			await appendFile(file, torn);
			const again = new JournalFile(dir);
			expect(await again.load()).toEqual([hello("a")]);
			await again.append([hello("b")]);
			await again.close();
			expect(await reopened()).toEqual([hello("a"), hello("b")]);
		},
	);

	test("refuses a damaged line in the middle and says which, and what to do", async () => {
		await writeFile(file, `${JSON.stringify(hello("a"))}\n{"t":"hel\n${JSON.stringify(hello("c"))}\n`);
		const load = new JournalFile(dir).load();
		await expect(load).rejects.toThrow(JournalDamagedError);
		await expect(new JournalFile(dir).load()).rejects.toThrow(/Line 2 .*journal\.ndjson.*Restore the file/s);
	});

	test("a compaction replaces everything by the snapshot; one that a crash interrupted does no harm", async () => {
		const journal = new JournalFile(dir);
		await journal.load();
		await journal.append([hello("a")]);
		const snapshot: JournalRecord = { t: "snapshot", state: { ...emptyState(), epoch: 7 } };
		await journal.compact(() => [snapshot]);
		expect(journal.size()).toBe(0);
		await journal.append([hello("b")]);
		await journal.close();
		await writeFile(`${file}.new`, "half a snapsh");
		expect(await reopened()).toEqual([snapshot, hello("b")]);
	});

	test("a full disk: the append fails, and what half of it was written is not read again", async () => {
		let room = 100;
		const fs: JournalFs = {
			write: async (handle, data, position) => {
				const fits = data.subarray(0, Math.max(0, room));
				await handle.write(fits, 0, fits.length, position);
				room -= data.length;
				if (room < 0) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
			},
			sync: (handle) => handle.datasync(),
		};
		const journal = new JournalFile(dir, { fs });
		await journal.load();
		await journal.append([hello("a")]);
		await expect(journal.append([hello("b".repeat(200))])).rejects.toThrow(JournalWriteError);
		room = 1_000;
		await journal.append([hello("c")]);
		await journal.close();
		expect(await reopened()).toEqual([hello("a"), hello("c")]);
	});

	test("a compaction that fails leaves the old journal in force", async () => {
		let fail = false;
		const fs: JournalFs = {
			write: async (handle, data, position) => {
				if (fail) throw new Error("ENOSPC");
				await handle.write(data, 0, data.length, position);
			},
			sync: (handle) => handle.datasync(),
		};
		const journal = new JournalFile(dir, { fs });
		await journal.load();
		await journal.append([hello("a")]);
		fail = true;
		await expect(journal.compact(() => [hello("snapshot")])).rejects.toThrow(JournalWriteError);
		fail = false;
		await journal.append([hello("b")]);
		await journal.close();
		expect(await reopened()).toEqual([hello("a"), hello("b")]);
	});
});

describe("the journal's writer", () => {
	const memory = (options: { compactAt?: number } = {}) => {
		const batches: JournalRecord[][] = [];
		const pending: { resolve: () => void; reject: (error: Error) => void }[] = [];
		const snapshots: JournalRecord[][] = [];
		const store: JournalStore = {
			compactAt: options.compactAt ?? Number.POSITIVE_INFINITY,
			size: () => batches.length,
			load: async () => [],
			append: (records) => {
				batches.push(records);
				return new Promise((resolve, reject) => pending.push({ resolve, reject }));
			},
			compact: async (snapshot) => {
				snapshots.push(snapshot());
				batches.length = 0;
			},
		};
		return { store, batches, pending, snapshots };
	};
	const settle = () => new Promise((resolve) => setImmediate(resolve));

	test("many records share one flush, in order, and durable() waits for its own", async () => {
		const { store, batches, pending } = memory();
		const journal = new Journal({ journal: store, clock: realClock(), log: quiet }, () => undefined);
		journal.record(hello("a"));
		journal.record(hello("b"));
		await settle();
		let done = false;
		journal.record(hello("c"));
		journal.record(hello("d"));
		void journal.durable().then(() => {
			done = true;
		});
		expect(batches).toEqual([[hello("a"), hello("b")]]);
		pending[0]?.resolve();
		await settle();
		expect(done).toBe(false);
		expect(batches[1]).toEqual([hello("c"), hello("d")]);
		pending[1]?.resolve();
		await settle();
		expect(done).toBe(true);
	});

	test("what could not be written is kept, in order, and said; it recovers", async () => {
		const { store, batches, pending } = memory();
		const timers: (() => void)[] = [];
		const clock = {
			...realClock(),
			setTimer: (_: number, fire: () => void) => timers.push(fire),
			clearTimer: () => undefined,
		};
		const said: string[] = [];
		let changes = 0;
		const log = { ...quiet, error: (event: string) => said.push(event) };
		const journal = new Journal({ journal: store, clock, log }, () => changes++);
		journal.record(hello("a"));
		await settle();
		journal.record(hello("b"));
		pending[0]?.reject(new JournalWriteError("no space left"));
		await settle();
		expect(journal.healthy).toBe(false);
		expect(said).toEqual(["journalWriteFailed"]);
		journal.record(hello("c"));
		timers[0]?.();
		await settle();
		expect(batches[1]).toEqual([hello("a"), hello("b"), hello("c")]);
		pending[1]?.resolve();
		await settle();
		expect(journal.healthy).toBe(true);
		expect(changes).toBe(2);
	});

	test("compacts when the journal is long, with nothing unsaved", async () => {
		const { store, pending, snapshots } = memory({ compactAt: 0 });
		const journal = new Journal({ journal: store, clock: realClock(), log: quiet }, () => undefined);
		journal.record({ t: "epoch", epoch: 4 });
		await settle();
		pending[0]?.resolve();
		await settle();
		expect(snapshots).toEqual([[{ t: "snapshot", state: { ...emptyState(), epoch: 4 } }]]);
		journal.record(hello("after"));
		await settle();
		expect(await readFile(file, "utf8").catch(() => "no file")).toBe("no file");
		expect(pending).toHaveLength(2);
	});
});

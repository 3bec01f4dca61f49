import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** Who this instance is, as its own document says; the control plane has it checked. */
export const documentSchema = z.object({
	instanceId: z.string().regex(/^i-[0-9a-f]{8,32}$/),
	/** Of the last launch or start. */
	pendingTime: z.string().min(1).max(64),
});

/** `instance.json` in stateDir: which start of which instance the folder belongs to, and how it was enrolled. */
const instanceSchema = documentSchema.extend({
	/** Drawn once for each start. */
	nonce: z.string().min(16).max(64),
	/** Once the start is enrolled. */
	hostId: z.string().min(1).optional(),
	token: z.string().min(1).optional(),
	publicAddress: z.string().optional(),
});
export type InstanceRecord = z.infer<typeof instanceSchema>;

const FILE = "instance.json";
/** Not of the state: the lock is this process's own, and what was moved away stays where it is. */
const STAYS = (name: string): boolean => name === "agent.lock" || name.startsWith("agent.lock.") || /^from-/.test(name);
const NONCE_BYTES = 24;

/** Whole or not at all, durable, and for the agent's user only. */
const writeSafely = async (folder: string, name: string, text: string): Promise<void> => {
	const temporary = join(folder, `${name}.new`);
	const file = await open(temporary, "w", 0o600);
	try {
		await file.writeFile(text);
		await file.sync();
	} finally {
		await file.close();
	}
	await rename(temporary, join(folder, name));
	await syncFolder(folder);
};

const syncFolder = async (folder: string): Promise<void> => {
	const handle = await open(folder, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
};

export const saveInstance = (stateDir: string, record: InstanceRecord): Promise<void> =>
	writeSafely(stateDir, FILE, `${JSON.stringify(record, null, "\t")}\n`);

/** The folder's record; `undefined` where there is none, `"damaged"` where it cannot be read. */
const readInstance = async (stateDir: string): Promise<InstanceRecord | undefined | "damaged"> => {
	const text = await readFile(join(stateDir, FILE), "utf8").catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return undefined;
		throw error;
	});
	if (text === undefined) return undefined;
	try {
		return instanceSchema.parse(JSON.parse(text));
	} catch {
		// Whose the folder is cannot be said: as if it were another's.
		return "damaged";
	}
};

/** Moves all state into a folder of its own, the record last: what a crash leaves is moved at the next try. */
const moveAway = async (stateDir: string, from: string, wallMs: number): Promise<string | undefined> => {
	const names = (await readdir(stateDir)).filter((name) => !STAYS(name));
	if (names.length === 0) return undefined;
	const stamp = new Date(wallMs).toISOString().replaceAll(/[:.]/g, "-");
	const folder = join(stateDir, `from-${from}-${stamp}`);
	await mkdir(folder, { recursive: true, mode: 0o700 });
	for (const name of [...names.filter((name) => name !== FILE), ...names.filter((name) => name === FILE)]) {
		await rename(join(stateDir, name), join(folder, name));
	}
	await syncFolder(folder);
	await syncFolder(stateDir);
	return folder;
};

export interface ClaimedState {
	record: InstanceRecord;
	/** Where another instance's state was put. */
	movedTo?: string;
}

/**
 * Makes the state folder this instance's, at this start of it. State of another instance (a copied disk) is moved away: its token and its journal are
 * not ours. A new start of the same instance keeps its journal, and gets a nonce of its own, which is on disk before anybody is asked.
 */
export const claimState = async (
	stateDir: string,
	{ instanceId, pendingTime }: z.infer<typeof documentSchema>,
	wallMs: number,
): Promise<ClaimedState> => {
	await mkdir(stateDir, { recursive: true, mode: 0o700 });
	const known = await readInstance(stateDir);
	let movedTo: string | undefined;
	if (known === undefined || known === "damaged" || known.instanceId !== instanceId) {
		const from = known === undefined || known === "damaged" ? "unknown" : known.instanceId;
		movedTo = await moveAway(stateDir, from, wallMs);
	} else if (known.pendingTime === pendingTime) return { record: known };
	const record: InstanceRecord = { instanceId, pendingTime, nonce: randomBytes(NONCE_BYTES).toString("base64url") };
	await saveInstance(stateDir, record);
	return { record, ...(movedTo === undefined ? {} : { movedTo }) };
};

import { readFileSync } from "node:fs";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** Another agent works on the same stateDir: two would dial the same calls twice. */
export class AlreadyRunningError extends Error {
	override readonly name = "AlreadyRunningError";
}

/** When the process was started, in clock ticks since boot: tells a process from a later one of the same number. */
const startOf = (pid: number): string => {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		// The name in parentheses may hold anything; the fields after it are plain.
		return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
	} catch {
		return "";
	}
};

/** Names the machine's present boot: after another one process numbers and ticks mean others. `` where the system does not say. */
const bootId = (): string => {
	try {
		return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
	} catch {
		return "";
	}
};

const isAlive = (pid: number): boolean => {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
};

const isHeld = (content: string): boolean => {
	const [pidText = "", start = "", boot = ""] = content.trim().split(" ");
	const pid = Number(pidText);
	if (boot !== "" && boot !== bootId()) return false;
	return Number.isInteger(pid) && pid > 0 && isAlive(pid) && (start === "" || startOf(pid) === start);
};

/**
 * Takes the lock of a stateDir for this process.
 * @returns gives it back
 * @throws AlreadyRunningError while the process that holds it lives
 */
export const takeLock = async (stateDir: string): Promise<() => Promise<void>> => {
	await mkdir(stateDir, { recursive: true, mode: 0o700 });
	const path = join(stateDir, "agent.lock");
	const mine = `${process.pid} ${startOf(process.pid)} ${bootId()}\n`;
	const refuse = (content: string): never => {
		throw new AlreadyRunningError(
			`An agent with process number ${content.split(" ")[0]} already works on ${stateDir}. Stop it, or give this one a stateDir and a hostId of its own.`,
		);
	};
	for (;;) {
		try {
			const file = await open(path, "wx", 0o600);
			await file.writeFile(mine);
			await file.close();
			return () => rm(path, { force: true });
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
		}
		const seen = await readFile(path, "utf8").catch(() => undefined);
		if (seen === undefined) continue;
		if (isHeld(seen)) refuse(seen);
		// Of several that find a stale lock one moves it away; one that moved a fresh lock puts it back.
		const aside = `${path}.${process.pid}`;
		await rename(path, aside).catch((error: NodeJS.ErrnoException) => {
			if (error.code !== "ENOENT") throw error;
		});
		const moved = await readFile(aside, "utf8").catch(() => undefined);
		if (moved !== undefined && moved !== seen && isHeld(moved)) {
			await link(aside, path).catch(() => undefined);
			await rm(aside, { force: true });
			refuse(moved);
		}
		await rm(aside, { force: true });
	}
};

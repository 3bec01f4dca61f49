import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** How a program is started: `argv` comes before its own arguments, `env` is added to the environment. */
export interface Runnable {
	argv: [string, ...string[]];
	env: Record<string, string>;
	/** Where it comes from, for people. */
	from: string;
	version: string;
}

/** Daemons are there, but often not on an ordinary user's PATH. */
const SBIN = ["/usr/sbin", "/usr/local/sbin"];

/** The program's full path, or undefined where neither PATH nor the folders of daemons have one of that name. */
export const onPath = async (name: string): Promise<string | undefined> => {
	for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), ...SBIN]) {
		if (folder === "") continue;
		const path = join(folder, name);
		try {
			await access(path, constants.X_OK);
			return path;
		} catch {
			// Not in this folder: the next.
		}
	}
	return undefined;
};

/** Programs that print their version take no longer; apt may. */
const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;

/** Both outputs of a program, whatever it exits with; rejects only where it cannot be started. */
export const outputOf = async (
	argv: readonly [string, ...string[]],
	args: string[],
	env: Record<string, string> = {},
): Promise<{ code: number; text: string }> => {
	try {
		const { stdout, stderr } = await exec(argv[0], [...argv.slice(1), ...args], {
			env: { ...process.env, ...env },
			maxBuffer: OUTPUT_LIMIT_BYTES,
		});
		return { code: 0, text: stdout + stderr };
	} catch (error) {
		const { code, stdout, stderr } = error as { code?: number | string; stdout?: string; stderr?: string };
		if (typeof code === "number") return { code, text: `${stdout ?? ""}${stderr ?? ""}` };
		throw error;
	}
};

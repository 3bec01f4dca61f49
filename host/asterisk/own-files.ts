import { open, readFile, rename } from "node:fs/promises";

/** The agent's folder below Asterisk's; the operator's files include what is in it. */
export const OWN_FOLDER = "burst-dialer";

/** A file's text; undefined where there is none. */
export const readText = (file: string): Promise<string | undefined> =>
	readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return undefined;
		throw error;
	});

/** Whole or not at all, and durable. */
export const writeFileSafely = async (path: string, text: string): Promise<void> => {
	const temporary = `${path}.new`;
	const file = await open(temporary, "w", 0o640);
	try {
		await file.writeFile(text);
		await file.sync();
	} finally {
		await file.close();
	}
	await rename(temporary, path);
};

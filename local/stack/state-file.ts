import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { StackError } from "./options.ts";

/** What a start leaves to the next one of the same data folder: tokens are told once, so they are kept here, readable by the owner only. */
export interface StackState {
	operatorToken?: string;
	hosts: Record<string, { token: string }>;
}

export const readState = (path: string): StackState => {
	let text: string;
	try {
		text = readFileSync(path, "utf8");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return { hosts: {} };
		throw error;
	}
	try {
		return JSON.parse(text) as StackState;
	} catch (cause) {
		throw new StackError(`${path} is damaged. Remove it: new tokens are made at the next start.`, { cause });
	}
};

export const writeState = (path: string, state: StackState): void => {
	writeFileSync(`${path}.new`, JSON.stringify(state, null, "\t"), { mode: 0o600 });
	renameSync(`${path}.new`, path);
};

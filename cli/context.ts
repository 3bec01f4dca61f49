import type { Command } from "commander";
import { ApiClient } from "./client.ts";
import type { Io } from "./io.ts";
import { type GlobalOptions, resolveConnection } from "./settings.ts";

/** What a command's action works with. */
export class Context {
	readonly io: Io;
	readonly options: GlobalOptions;

	constructor(io: Io, command: Command) {
		this.io = io;
		this.options = command.optsWithGlobals<GlobalOptions>();
	}

	get json(): boolean {
		return this.options.json === true;
	}

	async client(): Promise<ApiClient> {
		return new ApiClient(await resolveConnection(this.io, this.options));
	}

	/** The command's result: one JSON document with `--json`, else words. */
	result(document: unknown, words: string): void {
		this.io.out.write(this.json ? `${JSON.stringify(document, null, 2)}\n` : words === "" ? "" : `${words}\n`);
	}

	/** Something for people beside the result; never mixed into a JSON document. */
	note(words: string): void {
		(this.json ? this.io.err : this.io.out).write(`${words}\n`);
	}
}

/** Quotes a word for a shell, where it needs it: for commands that the user is told to repeat. */
export const shellWord = (word: string): string =>
	/^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

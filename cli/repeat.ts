import { NoAnswerError } from "./client.ts";
import { type Context, shellWord } from "./context.ts";
import { CliError, withContext } from "./errors.ts";

/** Options that are left out of a command that is shown again: the key is put in anew, a token is a secret. */
const LEFT_OUT = ["--key", "--token"];

/** The command line as it was given, for a shell. */
export const commandLine = (argv: string[]): string => {
	const kept: string[] = [];
	for (let i = 0; i < argv.length; i++) {
		const word = argv[i] ?? "";
		if (LEFT_OUT.includes(word)) i++;
		else if (!LEFT_OUT.some((option) => word.startsWith(`${option}=`))) kept.push(shellWord(word));
	}
	return ["burst-dialer", ...kept].join(" ");
};

/**
 * Runs a request that creates something. If no answer came, or one that leaves it open, the error says how to repeat it
 * without doing it twice: the API answers a repeated Idempotency-Key with the first answer.
 */
export const repeatable = async <T>(context: Context, key: string, run: () => Promise<T>): Promise<T> => {
	try {
		return await run();
	} catch (error) {
		if (!(error instanceof CliError)) throw error;
		const status = error.status ?? 0;
		if (!(error instanceof NoAnswerError || status >= 500 || status === 429)) throw error;
		throw withContext(error, {
			remedy:
				`${error.remedy ? `${error.remedy}.\n  ` : ""}It is not known whether the request had an effect. Repeat it within ` +
				`24 h by this command, which does nothing twice:\n    ${commandLine(context.io.argv)} --key ${shellWord(key)}`,
		});
	}
};

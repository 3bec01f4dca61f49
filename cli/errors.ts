import type { ErrorDetail } from "../shared/contract/errors.ts";

/** Exit codes of the command; they are part of its interface. */
export const EXIT_OK = 0;
/** A request failed, a file could not be read, a watched campaign failed. */
export const EXIT_FAILED = 1;
/** The command line itself is wrong; nothing was sent. */
export const EXIT_USAGE = 2;
/** Ctrl-C while watching: 128 + SIGINT, as shells count. */
export const EXIT_INTERRUPTED = 130;

/** An error that is shown to the user as it is: what, where, how to mend. Never with a stack trace. */
export class CliError extends Error {
	override readonly name: string = "CliError";
	readonly exitCode: number;
	readonly code: string;
	readonly details: ErrorDetail[];
	/** Where it happened: a file, a request. */
	readonly where: string | undefined;
	/** What the user can do about it. */
	readonly remedy: string | undefined;
	readonly status: number | undefined;

	constructor(
		message: string,
		options: {
			exitCode?: number;
			code?: string;
			details?: ErrorDetail[];
			where?: string | undefined;
			remedy?: string | undefined;
			status?: number | undefined;
			cause?: unknown;
		} = {},
	) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause });
		this.exitCode = options.exitCode ?? EXIT_FAILED;
		this.code = options.code ?? "failed";
		this.details = options.details ?? [];
		this.where = options.where;
		this.remedy = options.remedy;
		this.status = options.status;
	}
}

/** The command line is wrong. */
export const usageError = (message: string, remedy?: string): CliError =>
	new CliError(message, { exitCode: EXIT_USAGE, code: "usage", remedy });

/** The error with another remedy or place, everything else kept. */
export const withContext = (error: CliError, context: { where?: string; remedy?: string }): CliError =>
	new CliError(error.message, {
		exitCode: error.exitCode,
		code: error.code,
		details: error.details,
		where: context.where ?? error.where,
		remedy: context.remedy ?? error.remedy,
		status: error.status,
		cause: error.cause,
	});

/** Details shown at most; a list of ten thousand bad rows helps nobody. */
const MAX_DETAILS_SHOWN = 20;

/** The error in words for people, several lines, no trailing line break. */
export const describeError = (error: CliError): string => {
	const lines = [`Error: ${error.message}${error.status ? ` (${error.status} ${error.code})` : ""}`];
	for (const detail of error.details.slice(0, MAX_DETAILS_SHOWN)) {
		lines.push(`  ${detail.path === "" ? "the whole body" : detail.path}: ${detail.message}`);
	}
	if (error.details.length > MAX_DETAILS_SHOWN) {
		lines.push(`  … and ${error.details.length - MAX_DETAILS_SHOWN} more`);
	}
	if (error.where) lines.push(`  Where: ${error.where}`);
	if (error.remedy) lines.push(`  To mend it: ${error.remedy}`);
	return lines.join("\n");
};

/** The error as the one JSON document of `--json`: the shape of the API's own errors. */
export const errorDocument = (error: CliError): Record<string, unknown> => ({
	error: {
		code: error.code,
		message: error.message,
		details: error.details,
		...(error.status === undefined ? {} : { status: error.status }),
		...(error.where === undefined ? {} : { where: error.where }),
		...(error.remedy === undefined ? {} : { remedy: error.remedy }),
	},
});

/** One line per decision, with its inputs. Secrets are never among the fields. */
export type LogFields = Record<string, unknown>;
export interface Log {
	info(event: string, fields?: LogFields): void;
	warn(event: string, fields?: LogFields): void;
	/** `error` keeps its chain of causes. */
	error(event: string, fields?: LogFields & { error?: unknown }): void;
}

const describe = (error: unknown): unknown =>
	error instanceof Error
		? {
				name: error.name,
				message: error.message,
				stack: error.stack,
				...(error.cause === undefined ? {} : { cause: describe(error.cause) }),
			}
		: error;

/** Structured JSON lines, written by `write`. */
export const jsonLog = (write: (line: string) => void, common: LogFields = {}): Log => {
	const line = (level: string, event: string, fields: LogFields = {}): void => {
		const shown = "error" in fields ? { ...fields, error: describe(fields["error"]) } : fields;
		write(JSON.stringify({ level, event, ...common, ...shown }));
	};
	return {
		info: (event, fields) => line("info", event, fields),
		warn: (event, fields) => line("warn", event, fields),
		error: (event, fields) => line("error", event, fields),
	};
};

import type { Log } from "./ports.ts";

const describe = (error: unknown): unknown =>
	error instanceof Error
		? {
				name: error.name,
				message: error.message,
				...(error.stack === undefined ? {} : { stack: error.stack }),
				...(error.cause === undefined ? {} : { cause: describe(error.cause) }),
			}
		: error;

/** Structured lines for the service manager's log. */
export const lineLog = (write: (line: string) => void, common: Record<string, unknown>, now: () => number): Log => {
	const line = (level: string, event: string, fields: Record<string, unknown> = {}): void => {
		const shown = "error" in fields ? { ...fields, error: describe(fields["error"]) } : fields;
		write(JSON.stringify({ at: new Date(now()).toISOString(), level, event, ...common, ...shown }));
	};
	return {
		info: (event, fields) => line("info", event, fields),
		warn: (event, fields) => line("warn", event, fields),
		error: (event, fields) => line("error", event, fields),
	};
};

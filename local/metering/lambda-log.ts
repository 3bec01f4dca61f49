/** How a function's log is set up in serverless.yml. */
export interface Logging {
	format: "Text" | "JSON";
	/** The least of Lambda's own lines that is written; only with `JSON`. */
	systemLevel: "DEBUG" | "INFO" | "WARN";
}

/** Bytes that CloudWatch adds to every line (PutLogEvents: the sum of all messages in UTF-8, and 26 bytes for each). */
export const LINE_OVERHEAD_BYTES = 26;

const ID = "8f507cfc-d5b1-4a43-8c8f-4c4a3e0f4b4f";
const TIME = "2026-09-21T13:38:42.123Z";
/** The lines that Lambda adds to each invocation, as its documents show them. */
const TEXT_LINES = [
	`START RequestId: ${ID} Version: $LATEST`,
	`END RequestId: ${ID}`,
	`REPORT RequestId: ${ID}\tDuration: 123.45 ms\tBilled Duration: 124 ms\tMemory Size: 512 MB\tMax Memory Used: 95 MB\t`,
];
const JSON_LINES = [
	{ time: TIME, type: "platform.start", record: { requestId: ID, version: "$LATEST" } },
	{
		time: TIME,
		type: "platform.report",
		record: {
			requestId: ID,
			metrics: { durationMs: 123.45, billedDurationMs: 124, memorySizeMB: 512, maxMemoryUsedMB: 95 },
			status: "success",
		},
	},
].map((line) => JSON.stringify(line));
/** In JSON, a line without a time gets one. */
const ADDED_TIME_BYTES = `"timestamp":"${TIME}",`.length;

const sizeOf = (lines: readonly string[]): { lines: number; bytes: number } => ({
	lines: lines.length,
	bytes: lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0),
});

/** What Lambda writes of an invocation that goes well. */
export const linesOfInvocation = ({ format, systemLevel }: Logging): { lines: number; bytes: number } =>
	sizeOf(format === "Text" ? TEXT_LINES : systemLevel === "WARN" ? [] : JSON_LINES);

/** What a line of the function's own code comes to, without the overhead. */
export const ownLineBytes = (line: string, { format }: Logging): number =>
	Buffer.byteLength(line) + (format === "JSON" && !line.includes('"timestamp":') ? ADDED_TIME_BYTES : 0);

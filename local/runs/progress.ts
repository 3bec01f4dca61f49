import type { Progress } from "./run-campaign.ts";

/** A line without a terminal is written at most so often. */
const PLAIN_EVERY_MS = 2_000;

const clock = (seconds: number): string =>
	`${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** One line of progress: what is done, live channels, attempts per second lately, time left at the rate so far. */
export const progressLine = (progress: Progress, attemptsPerSec: number, leftSec: number | undefined): string =>
	[
		progress.state.padEnd(9),
		`${progress.done}/${progress.total} contacts`,
		`${progress.liveChannels} calls in hand`,
		`${attemptsPerSec.toFixed(1)} calls/s`,
		leftSec === undefined ? "" : `${clock(leftSec)} left`,
	]
		.filter(Boolean)
		.join("  ");

/** Shows progress on a terminal as one line that is written over, elsewhere as a line every two seconds. */
export const progressPrinter = (
	out: { isTTY?: boolean; write(text: string): unknown },
	now: () => number = Date.now,
): { show(progress: Progress): void; end(): void } => {
	let first: { at: number; done: number } | undefined;
	let before: { at: number; attempts: number } | undefined;
	let written = 0;
	let open = false;
	return {
		show(progress) {
			const at = now();
			first ??= { at, done: progress.done };
			const rate = before && at > before.at ? ((progress.attempts - before.attempts) * 1_000) / (at - before.at) : 0;
			before = { at, attempts: progress.attempts };
			const doneSince = progress.done - first.done;
			const left = doneSince > 0 ? ((progress.total - progress.done) * (at - first.at)) / doneSince / 1_000 : undefined;
			const line = progressLine(progress, rate, left);
			if (out.isTTY) {
				out.write(`\r\u001b[K${line}`);
				open = true;
			} else if (at - written >= PLAIN_EVERY_MS) {
				written = at;
				out.write(`${line}\n`);
			}
		},
		end() {
			if (open) out.write("\n");
		},
	};
};

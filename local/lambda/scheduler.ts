import { randomUUID } from "node:crypto";
import type { Log } from "../../shared/log.ts";
import type { Schedule } from "./functions.ts";
import type { Runtime } from "./runtime.ts";

export interface Scheduler {
	/** Runs every schedule now. */
	tick(): Promise<void>;
	stop(): Promise<void>;
}

const scheduledEvent = (schedule: Schedule, now: number) => ({
	version: "0",
	id: randomUUID(),
	"detail-type": "Scheduled Event",
	source: "aws.events",
	account: "000000000000",
	time: new Date(now).toISOString(),
	region: "us-east-1",
	resources: [`arn:aws:events:us-east-1:000000000000:rule/${schedule.functionName}`],
	detail: {},
});

/**
 * EventBridge's rules: each function at its rate, the first time at once, so that work left from before is taken up.
 * @param tickSec replaces the rate of one minute, for tests in quicker time
 */
export const startScheduler = (options: {
	schedules: Schedule[];
	runtime: Runtime;
	log: Log;
	tickSec?: number;
}): Scheduler => {
	const running = new Set<Promise<void>>();
	const fire = async (schedule: Schedule): Promise<void> => {
		try {
			await options.runtime.invoke(schedule.functionName, schedule.input ?? scheduledEvent(schedule, Date.now()));
		} catch (error) {
			options.log.error("schedule.failed", { function: schedule.functionName, error });
		}
	};
	const start = (schedule: Schedule): Promise<void> => {
		const run = fire(schedule);
		running.add(run);
		run.finally(() => running.delete(run));
		return run;
	};
	const timers = options.schedules.map((schedule) => {
		const everySec = options.tickSec === undefined ? schedule.everySec : (schedule.everySec / 60) * options.tickSec;
		start(schedule);
		return setInterval(() => start(schedule), everySec * 1000);
	});
	return {
		tick: async () => {
			await Promise.all(options.schedules.map(start));
		},
		stop: async () => {
			for (const timer of timers) clearInterval(timer);
			await Promise.all(running);
		},
	};
};

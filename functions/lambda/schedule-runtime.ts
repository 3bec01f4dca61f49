import { schedulerAdapter } from "../../shared/aws/scheduler.ts";
import type { ScheduleDeps } from "../../shared/fleet/deps.ts";
import { fromEnvironment } from "./runtime.ts";

/** Gives the function of schedules what it works with; called at every invocation, so it must be cheap after the first. */
export type ScheduleRuntime = () => ScheduleDeps;

let built: ScheduleDeps | undefined;

/** The deployed runtime: built once per cold start. Apart from the others', which need no Scheduler. */
export const schedulesFromEnvironment: ScheduleRuntime = () => {
	built ??= { ...fromEnvironment(), scheduler: schedulerAdapter(process.env) };
	return built;
};

import {
	ConflictException,
	CreateScheduleCommand,
	type CreateScheduleCommandInput,
	DeleteScheduleCommand,
	ResourceNotFoundException,
	SchedulerClient,
	UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import { ConfigError } from "../config/config-error.ts";
import type { Scheduler, SchedulerEntry } from "../fleet/deps.ts";

/** EventBridge Scheduler answers within tens of milliseconds; after this the attempt is given up and made again. */
const TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 1_000;
const MAX_ATTEMPTS = 4;
/** A firing that comes later than this is of no use: the minute's decision reads the same schedules. */
const MAX_EVENT_AGE_SEC = 300;
const MAX_RETRIES = 5;

/** Environment variables: the group of the entries, the role by which they send, the ARN of the queue that they send to. */
export const SCHEDULE_ENV = {
	group: "BURST_SCHEDULE_GROUP",
	role: "BURST_SCHEDULE_ROLE",
	target: "BURST_SCHEDULE_TARGET",
} as const;
type Names = Record<keyof typeof SCHEDULE_ENV, string>;

const namesOf = (env: Record<string, string | undefined>): Names => {
	const missing = Object.values(SCHEDULE_ENV).filter((variable) => !env[variable]);
	if (missing.length > 0) throw new ConfigError(missing.map((variable) => `${variable}: is missing`));
	return Object.fromEntries(Object.entries(SCHEDULE_ENV).map(([key, variable]) => [key, env[variable]])) as Names;
};

let made: SchedulerClient | undefined;
/** The process's client of EventBridge Scheduler. */
const schedulerClient = (): SchedulerClient => {
	made ??= new SchedulerClient({
		maxAttempts: MAX_ATTEMPTS,
		requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: TIMEOUT_MS, throwOnRequestTimeout: true },
	});
	return made;
};

const inputOf = ({ group, role, target }: Names, entry: SchedulerEntry): CreateScheduleCommandInput => ({
	Name: entry.name,
	GroupName: group,
	ScheduleExpression: entry.cron,
	ScheduleExpressionTimezone: entry.timeZone,
	FlexibleTimeWindow: { Mode: "OFF" },
	Target: {
		Arn: target,
		RoleArn: role,
		Input: JSON.stringify(entry.message),
		RetryPolicy: { MaximumEventAgeInSeconds: MAX_EVENT_AGE_SEC, MaximumRetryAttempts: MAX_RETRIES },
	},
});

/**
 * Entries of EventBridge Scheduler in the group, and by the role, that the environment names.
 * @param client for tests; the process's own otherwise
 */
export const schedulerAdapter = (
	env: Record<string, string | undefined>,
	client: Pick<SchedulerClient, "send"> = schedulerClient(),
): Scheduler => ({
	async put(entry) {
		const input = inputOf(namesOf(env), entry);
		try {
			await client.send(new CreateScheduleCommand(input));
		} catch (error) {
			if (!(error instanceof ConflictException)) throw error;
			// An update replaces all of the entry.
			await client.send(new UpdateScheduleCommand(input));
		}
	},
	async remove(name) {
		try {
			await client.send(new DeleteScheduleCommand({ Name: name, GroupName: namesOf(env).group }));
		} catch (error) {
			if (!(error instanceof ResourceNotFoundException)) throw error;
		}
	},
});

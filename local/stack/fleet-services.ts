import { join } from "node:path";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { jsonLog, type Log } from "../../shared/log.ts";
import type { Aws } from "../aws/aws.ts";
import { type Definitions, LOCAL_ACCOUNT } from "../aws/definitions.ts";
import { startEventBus } from "../aws/event-bus.ts";
import { readEventRules } from "../aws/event-rules.ts";
import type { ServerlessFile } from "../aws/serverless-file.ts";
import type { MachinesOptions } from "../machine/machines.ts";
import { machineClock } from "../scheduler/scheduler.ts";
import { type EmulatedScheduler, startScheduler } from "../scheduler/server.ts";
import { type Burst, type BurstPlan, startBurst } from "./burst.ts";
import type { Cleanups } from "./cleanups.ts";

/**
 * Starts what the fleet's functions ask beside the data: EventBridge Scheduler always; with burst hosts EC2, whose events go to the queues that
 * the deployment's rules name.
 */
export const startFleetServices = async (options: {
	aws: Aws;
	file: ServerlessFile;
	definitions: Definitions;
	queueUrl: (name: string) => string;
	/** Of the stack. */
	dir: string;
	/** Whether schedules are meant to be found again by a later start. */
	keep: boolean;
	plan: BurstPlan | undefined;
	machines: Omit<MachinesOptions, "dir" | "signer"> | undefined;
	onOutput: (text: string) => void;
	cleanups: Cleanups;
}): Promise<{ scheduler: EmulatedScheduler; bursting: Burst | undefined }> => {
	const { aws, definitions, queueUrl, dir, plan, machines, cleanups } = options;
	const logOf = (service: string): Log => jsonLog((line) => options.onOutput(`${line}\n`), { service });
	const scheduler = await startScheduler({
		clock: machineClock,
		account: LOCAL_ACCOUNT,
		region: aws.region,
		groups: definitions.scheduleGroups,
		queues: definitions.queues.map(({ name }) => name),
		send: async (queue, input) => {
			await aws.clients.sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(queue), MessageBody: input }));
		},
		log: logOf("scheduler"),
		...(options.keep ? { file: join(dir, "schedules.json") } : {}),
	});
	cleanups.add("the scheduler", () => scheduler.stop());
	if (!plan || !machines) return { scheduler, bursting: undefined };
	const bus = startEventBus({
		rules: readEventRules(options.file, definitions),
		queueUrl,
		sqs: aws.clients.sqs,
		account: LOCAL_ACCOUNT,
		region: aws.region,
	});
	const bursting = await startBurst(plan, {
		definitions,
		region: aws.region,
		machines: { ...machines, dir: join(dir, "machines") },
		bus,
		log: logOf("ec2"),
	});
	cleanups.add("EC2", () => bursting.stop());
	return { scheduler, bursting };
};

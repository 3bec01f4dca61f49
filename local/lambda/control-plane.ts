import type { Log } from "../../shared/log.ts";
import { connect } from "../aws/connect.ts";
import { readDefinitions } from "../aws/definitions.ts";
import { readServerlessFile } from "../aws/serverless-file.ts";
import { TemplateError } from "../aws/template-error.ts";
import { FaultyApi } from "../faults/api.ts";
import { FaultyMessages } from "../faults/messages.ts";
import type { ApiFaults, FaultCounts, MessageFaults } from "../faults/plan.ts";
import { seededRandom } from "../faults/random.ts";
import type { SourceUse } from "../metering/use.ts";
import { startApi } from "./api.ts";
import type { CrashPlan } from "./execute.ts";
import { readFunctions } from "./functions.ts";
import { requestCounts } from "./invocation.ts";
import { startPoller } from "./poller.ts";
import { createRuntime } from "./runtime.ts";
import { startScheduler } from "./scheduler.ts";
import { useOfProcess } from "./use-of-process.ts";

export interface ControlPlaneOptions {
	serverlessFile: string;
	stage: string;
	/** 0: a free one. */
	port: number;
	/** AWS_* variables and settings that every function gets. */
	env: Record<string, string>;
	/** Parameters of serverless.yml that differ. */
	params?: Record<string, string>;
	/** URLs of the queues by name, as the service gave them. */
	queueUrls: Record<string, string>;
	isolation: "shared" | "apart";
	/** Replaces the minute of schedules. */
	tickSec?: number;
	seed: number;
	faults: { api: ApiFaults; messages: MessageFaults };
}

/** What the control plane used since its process started. */
export interface Usage {
	/** To AWS, by service, with the queues' pollers. Functions that run apart are not seen. */
	requests: Record<string, number>;
	/** By function. */
	invocations: Record<string, number>;
	/** By source; see local/metering/use.ts. Functions that run apart are not seen. */
	sources: Record<string, SourceUse>;
	/** Of the whole process, bytes: now, and the most so far. */
	memory: { now: number; most: number };
}

export interface ControlPlane {
	url: string;
	port: number;
	tick(): Promise<void>;
	invoke(functionName: string, event: unknown): Promise<unknown>;
	setFaults(faults: { api?: ApiFaults; messages?: MessageFaults }): void;
	faultCounts(): FaultCounts;
	usage(): Usage;
	setCrashPlan(plan: CrashPlan | null): void;
	stop(): Promise<void>;
}

/** API Gateway, Lambda, the queues' pollers and EventBridge: everything that serverless.yml defines besides the data. */
export const startControlPlane = async (options: ControlPlaneOptions, log: Log): Promise<ControlPlane> => {
	const region = options.env["AWS_REGION"] ?? "us-east-1";
	const file = await readServerlessFile(options.serverlessFile, {
		stage: options.stage,
		region,
		accountId: "000000000000",
		env: options.env,
		...(options.params === undefined ? {} : { params: options.params }),
	});
	const queueUrl = (name: string): string => {
		const url = options.queueUrls[name];
		if (!url) throw new TemplateError(`There is no queue ${name}.`);
		return url;
	};
	const { functions, triggers } = readFunctions(file, readDefinitions(file, { region, queueUrl }));
	const runtime = createRuntime({ functions, isolation: options.isolation, commonEnv: options.env });
	const random = seededRandom(options.seed);
	const api = new FaultyApi(options.faults.api, random);
	const messages = new FaultyMessages(options.faults.messages, random);

	await runtime.warm();
	const server = await startApi({ port: options.port, routes: triggers.routes, runtime, faults: api, log });
	const clients = connect(options.env);
	const { sqs } = clients;
	const pollers = triggers.queues.map((mapping) =>
		startPoller({ mapping, queueUrl: queueUrl(mapping.queueName), region, sqs, runtime, faults: messages, log }),
	);
	const scheduler = startScheduler({
		schedules: triggers.schedules,
		runtime,
		log,
		...(options.tickSec === undefined ? {} : { tickSec: options.tickSec }),
	});
	return {
		url: server.url,
		port: server.port,
		tick: () => scheduler.tick(),
		invoke: (functionName, event) => runtime.invoke(functionName, event),
		setFaults: (faults) => {
			if (faults.api) api.faults = faults.api;
			if (faults.messages) messages.faults = faults.messages;
		},
		faultCounts: () => ({ ...api.counts, ...messages.counts, deaths: runtime.deaths() }),
		usage: () => ({
			requests: requestCounts(),
			invocations: runtime.invocations(),
			sources: useOfProcess(),
			// maxRSS is in kilobytes.
			memory: { now: process.memoryUsage.rss(), most: process.resourceUsage().maxRSS * 1024 },
		}),
		setCrashPlan: (plan) => runtime.setCrashPlan(plan ?? undefined),
		stop: async () => {
			await scheduler.stop();
			await Promise.all(pollers.map((poller) => poller.stop()));
			await server.stop();
			await runtime.stop();
			for (const client of Object.values(clients)) client.destroy();
		},
	};
};

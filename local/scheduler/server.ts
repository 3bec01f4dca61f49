import type { IncomingMessage, ServerResponse } from "node:http";
import type { z } from "zod";
import { closeServer, httpServer, listen } from "../aws/dynamodb/upstream.ts";
import { type Entry, nameSchema, scheduleSchema } from "./entries.ts";
import { SchedulerCore, type SchedulerOptions, SchedulerRefusal } from "./scheduler.ts";

/** The emulated EventBridge Scheduler. */
export interface EmulatedScheduler {
	endpoint: string;
	/** Entries as they are kept. */
	entries(): Entry[];
	stop(): Promise<void>;
}

const parse = <S extends z.ZodType>(schema: S, value: unknown): z.output<S> => {
	const parsed = schema.safeParse(value);
	if (parsed.success) return parsed.data;
	const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
	throw new SchedulerRefusal(
		400,
		"ValidationException",
		`${mistakes.length} validation error(s): ${mistakes.join("; ")}`,
	);
};

const bodyOf = async (req: IncomingMessage): Promise<unknown> => {
	const chunks: Buffer[] = [];
	for await (const chunk of req) chunks.push(chunk);
	try {
		return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
	} catch (cause) {
		throw new SchedulerRefusal(400, "SerializationException", `The body is no JSON: ${(cause as Error).message}`);
	}
};

/** The REST API for what the project calls; anything else is refused. */
export const startScheduler = async (
	options: SchedulerOptions & { account: string; region: string },
): Promise<EmulatedScheduler> => {
	const { account, region, log } = options;
	const core = new SchedulerCore(options);
	const arnOf = (group: string, name: string): string =>
		`arn:aws:scheduler:${region}:${account}:schedule/${group}/${name}`;
	const shown = ({ createdAt, changedAt, ...entry }: Entry): Record<string, unknown> => ({
		...entry,
		Arn: arnOf(entry.GroupName, entry.Name),
		CreationDate: createdAt / 1_000,
		LastModificationDate: changedAt / 1_000,
	});

	const answer = async (req: IncomingMessage): Promise<unknown> => {
		const url = new URL(req.url ?? "/", "http://localhost");
		const name = /^\/schedules\/([^/]+)$/.exec(url.pathname)?.[1];
		const method = req.method ?? "GET";
		if (name === undefined || !["POST", "PUT", "GET", "DELETE"].includes(method))
			throw new SchedulerRefusal(
				400,
				"UnknownOperationException",
				`The local Scheduler does not know ${method} ${url.pathname}.`,
			);
		const Name = parse(nameSchema, decodeURIComponent(name));
		const group = url.searchParams.get("groupName") ?? "default";
		switch (method) {
			case "GET":
				return shown(core.get(group, Name));
			case "DELETE":
				core.delete(group, Name);
				return {};
			default: {
				const body = parse(scheduleSchema, await bodyOf(req));
				if (method === "POST") core.create(Name, body);
				else core.update(Name, body);
				return { ScheduleArn: arnOf(body.GroupName, Name) };
			}
		}
	};
	const respond = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
		let status = 200;
		let code: string | undefined;
		let body: unknown;
		try {
			body = await answer(req);
		} catch (error) {
			const refusal =
				error instanceof SchedulerRefusal
					? error
					: new SchedulerRefusal(500, "InternalServerException", (error as Error).message);
			if (refusal.code !== "ResourceNotFoundException")
				log.warn("scheduler.refused", { code: refusal.code, message: refusal.message });
			({ status, code } = refusal);
			body = { Message: refusal.message };
		}
		const text = JSON.stringify(body);
		res.writeHead(status, {
			"content-type": "application/json",
			"content-length": Buffer.byteLength(text),
			...(code === undefined ? {} : { "x-amzn-errortype": code }),
		});
		res.end(text);
	};
	const server = httpServer((req, res) => {
		respond(req, res).catch((error: unknown) => {
			log.warn("scheduler.requestFailed", { error });
			res.destroy();
		});
	});
	const port = await listen(server, 0);
	return {
		endpoint: `http://127.0.0.1:${port}`,
		entries: () => core.list(),
		stop: async () => {
			await closeServer(server);
			await core.stop();
		},
	};
};

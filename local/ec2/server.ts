import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { closeServer, httpServer, listen } from "../aws/dynamodb/upstream.ts";
import { act } from "./actions.ts";
import { Cloud, type CloudOptions } from "./cloud.ts";
import { API_VERSION, Parameters } from "./parameters.ts";
import { Refusal } from "./refusal.ts";
import type { EmulatedEc2 } from "./types.ts";
import { answerXml, errorXml, type Xml } from "./xml.ts";

export interface Ec2Options extends CloudOptions {
	/** 0: a free one. */
	port?: number;
	/** Most instances in one answer, whatever was asked for. */
	pageSize?: number;
}

/**
 * As much of EC2 as the project uses: its query API for instances and addresses. Requests' signatures are not checked, nobody's
 * permissions are; an action or a parameter that it does not know is refused.
 */
export const startEc2 = async (options: Ec2Options): Promise<EmulatedEc2> => {
	const cloud = new Cloud(options);
	const calls: Record<string, number> = {};

	/** Counts down the faults that are for the next so many calls. */
	const due = (fault: "throttle" | "loseAnswers"): boolean => {
		if (cloud.faults[fault] <= 0) return false;
		cloud.faults[fault]--;
		return true;
	};

	const throttled = (action: string): boolean => {
		const left = cloud.faults.throttleAction[action] ?? 0;
		if (left > 0) cloud.faults.throttleAction[action] = left - 1;
		return left > 0 || due("throttle");
	};

	const carryOut = (body: string): { action: string; answer: { [element: string]: Xml } } => {
		const parameters = new Parameters(body);
		const { action } = parameters;
		calls[action] = (calls[action] ?? 0) + 1;
		if (throttled(action)) throw new Refusal("RequestLimitExceeded", "Request limit exceeded.", 503);
		if (cloud.faults.refuse.includes(action)) {
			throw new Refusal("UnauthorizedOperation", "You are not authorized to perform this operation.", 403);
		}
		return { action, answer: act(cloud, parameters, options.pageSize ?? Number.POSITIVE_INFINITY) };
	};

	const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
		const requestId = randomUUID();
		const send = (status: number, body: string): void => {
			res.writeHead(status, { "content-type": "text/xml;charset=UTF-8", "content-length": Buffer.byteLength(body) });
			res.end(body);
		};
		try {
			const { action, answer: said } = carryOut(await text(req));
			if (due("loseAnswers")) res.destroy();
			else send(200, answerXml(action, API_VERSION, requestId, said));
		} catch (error) {
			const refusal = error instanceof Refusal ? error : new Refusal("InternalError", String(error), 500);
			// What the emulator does not know is a mistake of the caller's or a gap here: never to be overlooked.
			const loud = /^(InternalError|InvalidAction|UnknownParameter|MissingAction)$/.test(refusal.code);
			const fields = { code: refusal.code, message: refusal.message };
			if (loud) options.log.error("ec2.refused", { ...fields, error });
			else options.log.info("ec2.refused", fields);
			send(refusal.status, errorXml(requestId, refusal.code, refusal.message));
		}
	};

	const server = httpServer((req, res) => void answer(req, res));
	let stopped: Promise<void> | undefined;
	const port = await listen(server, options.port ?? 0);
	return {
		endpoint: `http://127.0.0.1:${port}`,
		setFaults: (faults) => cloud.setFaults(faults),
		lose: (instanceId, { forgotten = false } = {}) => cloud.lose(instanceId, forgotten),
		interrupt: async (instanceId, noticeMs) => cloud.interrupt(instanceId, noticeMs),
		recommendRebalance: (instanceId) => cloud.recommendRebalance(instanceId),
		addStranger: async (tags) => cloud.addStranger(tags),
		history: () => cloud.history(),
		calls: () => ({ ...calls }),
		stop: () => {
			stopped ??= closeServer(server).then(() => cloud.cut());
			return stopped;
		},
	};
};

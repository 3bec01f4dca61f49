import type { QueueName } from "../config/resources.ts";
import type { Deps } from "../deps.ts";

/** A message as it is sent: a JSON body, and when it may be received. */
export interface QueueMessage {
	body: Record<string, unknown>;
	/** Whole seconds, at most 900. */
	delaySec?: number;
}

export interface Queues {
	/** Sends all messages, or throws. */
	send(queue: QueueName, messages: QueueMessage[]): Promise<void>;
}

/** The bucket of uploaded and staged lists. */
export interface Objects {
	put(key: string, body: string): Promise<void>;
	/** Bytes `start` to `end` (exclusive), or the whole object. */
	get(key: string, range?: { start: number; end: number }): Promise<Uint8Array>;
	/** The object from byte `start` on, in pieces. */
	stream(key: string, start: number): Promise<AsyncIterable<Uint8Array>>;
	/** @returns undefined where there is no such object */
	size(key: string): Promise<number | undefined>;
	/** A form that uploads exactly `bytes` bytes to `key`, valid for `expiresSec`. */
	presignPost(
		key: string,
		bytes: number,
		expiresSec: number,
	): Promise<{ uploadUrl: string; fields: Record<string, string> }>;
}

/** What the functions around the lists need beyond {@link Deps}. A function uses only what it was given names for. */
export interface ApiDeps extends Deps {
	objects: Objects;
}

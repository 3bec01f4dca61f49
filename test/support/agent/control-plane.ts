import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { CompletedCall, GrantedCall, Then } from "../../../shared/contract/call.ts";
import type { HelloRequest, HostTrunk, SyncRequest, SyncResponse } from "../../../shared/contract/host.ts";
import { formatCallId, newCampaignId } from "../../../shared/contract/ids.ts";

export interface Contact {
	number: string;
	then?: Then;
	vars?: Record<string, string>;
	ringTimeoutSec?: number;
	maxCallSec?: number;
	callerId?: string;
	trunk?: string;
	amd?: GrantedCall["amd"];
}

export interface FakeOptions {
	capacity: number;
	trunks: HostTrunk[];
	/** Channels of the one campaign. */
	cap: number;
	fenceSec?: number;
	/** Distance of slots and how long each is valid, ms. */
	slotSpacingMs?: number;
	slotValidMs?: number;
}

export type RequestKind = "hello" | "sync" | "peek" | "config";

const errorBody = (code: string): unknown => ({ error: { code, message: code, details: [] } });

const body = async (request: IncomingMessage): Promise<string> => {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks).toString("utf8");
};

let instances = 0;

/**
 * One host's control plane for tests of the agent: hands out contacts by the protocol's rules (an answer per seq, repeated as it was), and keeps
 * what is reported. What each call is granted, and that nothing is granted or settled twice, is checked here.
 */
export class FakeControlPlane {
	/** Another one for each: an Asterisk that outlives a test has queued events of that test's calls, and a callId is never used twice. */
	readonly campaignId = newCampaignId(1_800_000_000_000 + ++instances, Buffer.from([1, 2, 3, 4]));
	readonly completed = new Map<string, CompletedCall>();
	readonly numbers = new Map<string, string>();
	readonly returned: string[] = [];
	readonly syncs: SyncRequest[] = [];
	readonly hellos: HelloRequest[] = [];
	readonly problems: string[] = [];
	/** Answers a request in another way: a status, or `lose` (carried out, but the connection is cut). */
	disturb: (kind: RequestKind, request: SyncRequest | undefined) => number | "lose" | undefined = () => undefined;
	paused = false;
	drain = false;
	hangups: string[] = [];
	cap: number;
	readonly #options: FakeOptions;
	#waiting: Contact[] = [];
	#held = new Map<string, Contact>();
	#epoch = 0;
	#seq = 0;
	#bytes = "";
	#answer = "";
	#ver = 0;
	#nextDialAt = 0;
	#server: Server | undefined;
	url = "";

	constructor(options: FakeOptions) {
		this.#options = options;
		this.cap = options.cap;
	}

	async start(): Promise<void> {
		const server = createServer((request, response) => {
			this.#serve(request, response).catch((error: unknown) => {
				this.problems.push(String(error));
				response.writeHead(500).end();
			});
		});
		this.#server = server;
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	}

	async stop(): Promise<void> {
		this.#server?.closeAllConnections();
		await new Promise((resolve) => this.#server?.close(resolve));
	}

	add(...contacts: Contact[]): void {
		this.#waiting.push(...contacts);
	}

	/** Nothing to hand out and nothing out. */
	get done(): boolean {
		return this.#waiting.length === 0 && this.#held.size === 0;
	}

	/** Completions of a number. */
	outcomesOf(number: string): CompletedCall[] {
		return [...this.completed.values()].filter(({ callId }) => this.numbers.get(callId) === number);
	}

	/** The host is declared lost: what it held is forgotten here. */
	endEpoch(): void {
		this.#epoch++;
		this.#held.clear();
		this.#bytes = "";
	}

	async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const text = await body(request);
		const kind = (request.url ?? "").split("?")[0]?.split("/").at(-1) as RequestKind;
		const authorized = request.headers.authorization === "Bearer the-token";
		const answer = authorized ? this.handle(kind, text, Date.now()) : { status: 401, body: errorBody("unauthorized") };
		if (answer === "lost") request.socket.destroy();
		else response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
	}

	/** One request, carried out; `lost`: its answer is not to arrive. */
	handle(kind: RequestKind, text: string, now: number): { status: number; body: unknown } | "lost" {
		const request = text === "" ? undefined : (JSON.parse(text) as SyncRequest);
		const disturbance = this.disturb(kind, request);
		if (typeof disturbance === "number") return { status: disturbance, body: errorBody("disturbed") };
		const answer = this.#answerTo(kind, text, request, now);
		return disturbance === "lose" ? "lost" : answer;
	}

	#answerTo(
		kind: RequestKind,
		text: string,
		request: SyncRequest | undefined,
		now: number,
	): { status: number; body: unknown } {
		if (kind === "hello") {
			this.hellos.push(JSON.parse(text) as HelloRequest);
			this.#epoch++;
			this.#seq = 0;
			return { status: 200, body: { epoch: this.#epoch, now, configVersion: 1 } };
		}
		if (kind === "config") {
			const { capacity, trunks, fenceSec } = this.#options;
			const times = { fenceSec: fenceSec ?? 15, maxSyncIntervalMs: 1_000, peekIntervalMs: 300 };
			return { status: 200, body: { configVersion: 1, capacity, trunks, ...times } };
		}
		if (kind === "peek") {
			const work = this.#waiting.length > 0 && !this.paused && !this.drain;
			return { status: 200, body: { work, drain: this.drain, configVersion: 1, now, nextPeekMs: 300 } };
		}
		if (request === undefined) return { status: 400, body: errorBody("badRequest") };
		if (request.epoch !== this.#epoch) return { status: 409, body: errorBody("staleEpoch") };
		if (request.seq === this.#seq) {
			if (text !== this.#bytes) this.problems.push(`seq ${request.seq} was repeated with other bytes`);
			return { status: 200, body: JSON.parse(this.#answer) };
		}
		if (request.seq !== this.#seq + 1)
			return { status: 409, body: errorBody(request.seq > this.#seq ? "seqAhead" : "seqOld") };
		const answer = this.#sync(request, now);
		this.#seq = request.seq;
		this.#bytes = text;
		this.#answer = JSON.stringify(answer);
		return { status: 200, body: answer };
	}

	#sync(request: SyncRequest, now: number): SyncResponse {
		this.syncs.push(request);
		for (const call of request.completed) {
			if (this.completed.has(call.callId)) this.problems.push(`${call.callId} was reported twice`);
			this.completed.set(call.callId, call);
			this.#held.delete(call.callId);
		}
		for (const callId of request.returned) {
			const contact = this.#held.get(callId);
			this.returned.push(callId);
			this.#held.delete(callId);
			if (contact !== undefined) this.#waiting.unshift(contact);
		}
		const room = this.paused || this.drain ? 0 : Math.min(request.want, this.cap + request.prefetch - this.#held.size);
		const calls: GrantedCall[] = this.#waiting
			.splice(0, Math.max(0, room))
			.map((contact) => this.#grant(contact, request.seq));
		const slots: Record<string, number[]> = {};
		const slotValidMs: Record<string, number> = {};
		const spacing = this.#options.slotSpacingMs ?? 2;
		for (const { id } of this.#options.trunks) {
			const from = Math.max(now, this.#nextDialAt);
			const count = this.#held.size === 0 ? 0 : (request.slots[id] ?? 0);
			slots[id] = Array.from({ length: count }, (_, i) => from + i * spacing);
			slotValidMs[id] = this.#options.slotValidMs ?? 300;
			if (count > 0) this.#nextDialAt = from + count * spacing;
		}
		return {
			seq: request.seq,
			now,
			calls,
			slots,
			slotValidMs,
			share: Object.fromEntries(this.#options.trunks.map(({ id }) => [id, this.cap])),
			campaignShare: { [this.campaignId]: this.cap },
			recall: this.paused ? [...this.#held.keys()] : [],
			hangup: this.hangups.splice(0),
			refused: [],
			drain: this.drain,
			configVersion: 1,
			audioVersion: 0,
			nextSyncMs: 1_000,
		};
	}

	#grant(contact: Contact, seq: number): GrantedCall {
		const callId = formatCallId({
			campaignId: this.campaignId,
			contactKey: "0".repeat(16),
			attempt: 1,
			ver: ++this.#ver,
			epoch: this.#epoch,
			seq,
		});
		this.#held.set(callId, contact);
		this.numbers.set(callId, contact.number);
		return {
			callId,
			campaignId: this.campaignId,
			number: contact.number,
			trunk: contact.trunk ?? this.#options.trunks[0]?.id ?? "",
			callerId: contact.callerId ?? "12025550100",
			ringTimeoutSec: contact.ringTimeoutSec ?? 3,
			maxCallSec: contact.maxCallSec ?? 60,
			then: contact.then ?? { wait: 30 },
			vars: contact.vars ?? {},
			...(contact.amd === undefined ? {} : { amd: contact.amd }),
		};
	}
}

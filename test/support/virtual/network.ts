import type { HttpAnswer } from "../../../host/agent/ports.ts";
import { ApiError } from "../../../shared/contract/errors.ts";
import {
	helloRequestSchema,
	peekQuerySchema,
	type SyncRequest,
	type SyncResponse,
} from "../../../shared/contract/host.ts";
import type { Deps } from "../../../shared/deps.ts";
import { parseSyncRequest, withRefused } from "../../../shared/hosts/parse-sync.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { hostConfig } from "../../../shared/sync/host-config.ts";
import { peek } from "../../../shared/sync/peek.ts";
import { sync } from "../../../shared/sync/sync.ts";
import type { Answers, Carrier } from "./checks.ts";
import type { Execution, VirtualControlPlane } from "./control-plane.ts";
import type { HostRequest } from "./host.ts";
import type { Scheduler, Waiting } from "./scheduler.ts";
import { TENANT } from "./world.ts";

/** A message between a host and the control plane. */
export interface MessageDetail {
	request: HostRequest;
	/** Loses it. */
	drop(): void;
	/** Sends it a second time; requests only. */
	duplicate?(): void;
}

export interface NetworkOptions {
	/** How long a message is under way, ms; undefined: until the test delivers it. */
	latency: () => number | undefined;
	/** After a lost message the host learns of it so much later, ms. */
	timeout: () => number;
	/** Changes answers on their way to the host: to take a rule away. */
	changeAnswer?: (hostId: string, kind: HostRequest["kind"], body: unknown) => unknown;
}

/** A sync as the function does it: what cannot be read of a request is refused, the rest is carried out. */
const syncParsed = async (deps: Deps, hostId: string, body: string): Promise<SyncResponse> => {
	const parsed = parseSyncRequest(JSON.parse(body));
	return withRefused(await sync(deps, { tenant: TENANT, hostId }, parsed.request), parsed.refused);
};

/** Carries requests to executions of the control plane, and answers back. */
export class VirtualNetwork {
	/** Hosts that are cut off. */
	readonly cut = new Set<string>();
	/** The control plane answers nobody. */
	away = false;
	readonly #scheduler: Scheduler;
	readonly #plane: VirtualControlPlane;
	readonly #carrier: Carrier;
	readonly #answers: Answers;
	readonly #options: NetworkOptions;
	/** By host: the newest sync that it sent. Answers to older ones are its past. */
	readonly #newest = new Map<string, string>();

	constructor(parts: {
		scheduler: Scheduler;
		plane: VirtualControlPlane;
		carrier: Carrier;
		answers: Answers;
		options: NetworkOptions;
	}) {
		this.#scheduler = parts.scheduler;
		this.#plane = parts.plane;
		this.#carrier = parts.carrier;
		this.#answers = parts.answers;
		this.#options = parts.options;
	}

	readonly send = (request: HostRequest): void => {
		if (request.kind === "sync") {
			const { epoch, seq } = JSON.parse(request.body as string) as SyncRequest;
			this.#newest.set(request.hostId, `${epoch}#${seq}`);
		}
		this.#message("request", request, () => this.#arrive(request), true);
	};

	#message(kind: "request" | "answer", request: HostRequest, deliver: () => void, mayDouble: boolean): void {
		const latency = this.#options.latency();
		const label = `${kind} ${request.kind} ${request.hostId}`;
		const detail: MessageDetail = {
			request,
			drop: () => {
				this.#scheduler.remove(waiting);
				this.#scheduler.tell(`lost: ${label}`);
				this.#loseLater(request);
			},
			...(mayDouble ? { duplicate: () => this.#message(kind, request, deliver, false) } : {}),
		};
		const waiting: Waiting = this.#scheduler.add({
			kind,
			owner: "network",
			label,
			deadline: latency === undefined ? undefined : this.#scheduler.now + latency,
			detail,
			run: () => {
				if (this.cut.has(request.hostId) || this.away) this.#loseLater(request);
				else deliver();
			},
		});
	}
	#loseLater(request: HostRequest): void {
		const at = this.#scheduler.now + this.#options.timeout();
		this.#scheduler.add({
			kind: "timer",
			owner: "network",
			label: `${request.hostId} gives ${request.kind} up`,
			notBefore: at,
			deadline: at,
			run: () => request.fail(new Error("no answer")),
		});
	}

	#arrive(request: HostRequest): void {
		const ref = { tenant: TENANT, hostId: request.hostId };
		const { kind } = request;
		const run = async (deps: Deps): Promise<unknown> => {
			switch (kind) {
				case "hello":
					return hello(deps, ref, helloRequestSchema.parse(request.body));
				case "sync":
					return syncParsed(deps, ref.hostId, request.body as string);
				case "peek":
					return peek(deps, ref, peekQuerySchema.parse(request.body));
				case "config":
					return hostConfig(deps, ref);
			}
		};
		const name =
			kind === "sync" ? `sync ${request.hostId} ${this.#newest.get(request.hostId)}` : `${kind} ${request.hostId}`;
		const execution = this.#plane.start(name, run, (ended) => this.#answered(request, ended));
		if (kind !== "peek")
			this.#scheduler.tell(() => `begins: ${execution.id} ${kind === "sync" ? (request.body as string) : ""}`);
	}

	#answered(request: HostRequest, { id, ended }: Execution): void {
		if (!ended) return;
		let answer: HttpAnswer;
		if (ended.ok) answer = { status: 200, body: JSON.parse(JSON.stringify(ended.value)) };
		else if (ended.error instanceof ApiError) answer = { status: ended.error.status, body: ended.error.toBody() };
		else answer = { status: 500, body: { error: { code: "internal", message: String(ended.error) } } };
		const { status, body } = answer;
		if (request.kind !== "peek" || status !== 200)
			this.#scheduler.tell(() => `ends: ${id} ${status} ${JSON.stringify(body)}`);
		let calls: string[] = [];
		if (request.kind === "sync" && answer.status === 200) {
			const { epoch, seq } = JSON.parse(request.body as string) as SyncRequest;
			calls = (answer.body as SyncResponse).calls.map((call) => call.callId);
			if (this.#newest.get(request.hostId) === `${epoch}#${seq}`)
				this.#answers.check(request.hostId, epoch, seq, calls);
		}
		if (answer.status === 200 && this.#options.changeAnswer)
			answer = { ...answer, body: this.#options.changeAnswer(request.hostId, request.kind, answer.body) };
		this.#message(
			"answer",
			request,
			() => {
				for (const callId of calls) this.#carrier.onGrant(callId);
				request.answer(answer);
			},
			false,
		);
	}
}

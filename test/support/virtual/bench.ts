import type { CompletedCall, GrantedCall } from "../../../shared/contract/call.ts";
import { ApiError } from "../../../shared/contract/errors.ts";
import {
	DEFAULT_SLOT_LEAD_MS,
	type HelloResponse,
	type SyncRequest,
	type SyncResponse,
	syncRequestSchema,
} from "../../../shared/contract/host.ts";
import { recoverHosts } from "../../../shared/recovery/recover-hosts.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { syncRequest } from "../control-plane.ts";
import { Answers, Carrier } from "./checks.ts";
import {
	type ControlPlaneOptions,
	type Execution,
	type StatementDetail,
	VirtualControlPlane,
} from "./control-plane.ts";
import { Random } from "./random.ts";
import { Scheduler, type Waiting } from "./scheduler.ts";
import { campaignIdOf, hostOf, setUp, TENANT, type WorldConfig } from "./world.ts";

/** A host that a test plays by hand: it keeps just what the protocol needs of it. */
export interface HandHost {
	hostId: string;
	epoch: number;
	/** The last accepted. */
	seq: number;
	/** Calls that it was granted and has not settled, by callId. */
	held: Map<string, GrantedCall>;
}

/** For schedules told step by step: executions of the real control plane, moved on statement by statement. */
export class Bench {
	readonly scheduler = new Scheduler();
	readonly random = new Random(1);
	readonly plane: VirtualControlPlane;
	readonly carrier: Carrier;
	readonly answers = new Answers();
	readonly config: WorldConfig;

	constructor(config: WorldConfig, options: ControlPlaneOptions = {}) {
		this.config = config;
		this.plane = new VirtualControlPlane(this.scheduler, this.random, options);
		this.carrier = new Carrier(config, campaignIdOf);
		setUp(this.plane.dynamo, config, this.scheduler.now);
	}

	get dynamo() {
		return this.plane.dynamo;
	}

	advance(ms: number): void {
		this.scheduler.jumpTo(this.scheduler.now + ms);
	}
	/** The indexes catch up. */
	index(): void {
		this.dynamo.applyIndexUpdates();
	}

	#next(execution: Execution): Waiting | undefined {
		return this.scheduler.find((waiting) => waiting.owner === execution.id);
	}
	/** Carries out the execution's statements up to, not including, the first that matches: table and words of its expressions or its name. */
	async until(execution: Execution, table: string, ...words: string[]): Promise<void> {
		await this.scheduler.settle();
		for (;;) {
			const next = this.#next(execution);
			if (!next) throw new Error(`${execution.id} ended before it came to ${table} ${words.join(" ")}`);
			const matching = [...this.scheduler.waiting].find(
				(waiting) =>
					waiting.owner === execution.id && matches((waiting.detail as StatementDetail).statement, table, words),
			);
			if (matching) return;
			await this.scheduler.run(next);
		}
	}
	/** Carries out one statement. */
	async step(execution: Execution): Promise<void> {
		await this.scheduler.settle();
		const next = this.#next(execution);
		if (!next) throw new Error(`${execution.id} has nothing to go on with`);
		await this.scheduler.run(next);
	}
	/** Carries out all the rest; returns what came of it. */
	async finish<T>(execution: Execution): Promise<T> {
		await this.scheduler.settle();
		for (let next = this.#next(execution); next; next = this.#next(execution)) await this.scheduler.run(next);
		if (!execution.ended) throw new Error(`${execution.id} hangs`);
		if (!execution.ended.ok) throw execution.ended.error;
		return execution.ended.value as T;
	}
	/** As {@link finish}, where an error answer is expected or harmless: its code, or the value. */
	async outcome<T>(execution: Execution): Promise<T | string> {
		try {
			return await this.finish<T>(execution);
		} catch (error) {
			if (error instanceof ApiError) return error.code;
			throw error;
		}
	}
	kill(execution: Execution): void {
		this.plane.kill(execution);
	}

	async hello(hostId: string): Promise<HandHost> {
		const answer = await this.finish<HelloResponse>(
			this.plane.start(`hello ${hostId}`, (deps) =>
				hello(deps, { tenant: TENANT, hostId }, { nonce: `nonce-${hostId}-${this.random.next()}` }),
			),
		);
		return { hostId, epoch: answer.epoch, seq: 0, held: new Map() };
	}
	/** The next request of a host, as it would be frozen now. */
	body(host: HandHost, rest: Partial<SyncRequest> = {}): SyncRequest {
		const low = Math.min(host.seq + 1, ...[...host.held.keys()].map((callId) => Number.parseInt(callId.slice(-6), 36)));
		const slotLeadMs = DEFAULT_SLOT_LEAD_MS;
		return syncRequestSchema.parse(syncRequest(host.epoch, host.seq + 1, { slotLeadMs, low, ...rest }));
	}
	start(host: HandHost, body: SyncRequest): Execution {
		return this.plane.start(`sync ${host.hostId} ${body.epoch}#${body.seq}`, (deps) =>
			sync(deps, { tenant: TENANT, hostId: host.hostId }, body),
		);
	}
	/** The answer reaches the host. */
	accept(host: HandHost, body: SyncRequest, answer: SyncResponse): void {
		this.answers.check(
			host.hostId,
			body.epoch,
			body.seq,
			answer.calls.map((call) => call.callId),
		);
		for (const { callId } of body.completed) host.held.delete(callId);
		for (const callId of body.returned) host.held.delete(callId);
		for (const call of answer.calls) {
			host.held.set(call.callId, call);
			this.carrier.onGrant(call.callId);
		}
		host.seq = body.seq;
	}
	/** A whole sync, from the request to the answer's arrival. */
	async sync(host: HandHost, rest: Partial<SyncRequest> = {}): Promise<SyncResponse> {
		const body = this.body(host, rest);
		const answer = await this.finish<SyncResponse>(this.start(host, body));
		this.accept(host, body, answer);
		return answer;
	}
	/** The carrier gets the INVITE of a call that the host holds. */
	dial(host: HandHost, call: GrantedCall): void {
		this.carrier.invite(this.scheduler.now, {
			callId: call.callId,
			host: host.hostId,
			trunk: call.trunk,
			campaignId: call.campaignId,
		});
	}
	ended(call: GrantedCall, outcome: CompletedCall["outcome"] = "answered"): CompletedCall {
		this.carrier.end(call.callId);
		return { callId: call.callId, outcome };
	}

	startRecovery(): Execution {
		return this.plane.start("recovery", (deps) => recoverHosts(deps, TENANT));
	}
	async recover(): Promise<void> {
		await this.finish(this.startRecovery());
	}
	/**
	 * Time passes until the host counts as lost and is recovered, while the others are heard.
	 * @param others hosts that live on: their last sign is set to now
	 */
	async lose(host: HandHost, others: HandHost[] = []): Promise<void> {
		// The recovery has run before, so that it is not taken for having been away.
		await this.recover();
		for (let waited = 0; hostOf(this.dynamo, host.hostId).state !== "recovered"; waited += 10) {
			if (waited > 600)
				throw new Error(`${host.hostId} is not recovered: ${JSON.stringify(hostOf(this.dynamo, host.hostId))}`);
			this.advance(10_000);
			for (const other of others) this.seen(other.hostId);
			await this.recover();
		}
		this.index();
	}
	/** The host was heard just now. */
	seen(hostId: string): void {
		const { ok } = this.dynamo.perform({
			name: "Update",
			input: {
				TableName: "hosts",
				Key: { tenant: TENANT, hostId },
				UpdateExpression: "SET lastSeenAt = :now",
				ExpressionAttributeValues: { ":now": this.scheduler.now },
			},
		});
		if (!ok) throw new Error("cannot be seen");
	}
}

/** Whether a statement is on a table and has all the words in its name, its expressions or its values. */
export const matches = (statement: StatementDetail["statement"], table: string, words: string[]): boolean => {
	const { name, input } = statement;
	if (input["TableName"] !== table && !Object.keys((input["RequestItems"] as object | undefined) ?? {}).includes(table))
		return false;
	const text = `${name} ${JSON.stringify(input)}`;
	return words.every((word) => text.includes(word));
};

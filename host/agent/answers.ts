import type { z } from "zod";
import type { AgentPorts, HttpAnswer } from "./ports.ts";
import type { AgentSettings } from "./settings.ts";

export type Activity = "hello" | "config" | "sync" | "peek";

/** An answer whose body is not what the contract says. */
export class ContractError extends Error {
	override readonly name = "ContractError";
}

/** @throws ContractError */
export const parseAnswer = <T>(schema: z.ZodType<T>, body: unknown, activity: Activity): T => {
	const parsed = schema.safeParse(body);
	if (parsed.success) return parsed.data;
	throw new ContractError(`the answer to ${activity} is not what the contract says: ${parsed.error.message}`, {
		cause: parsed.error,
	});
};

/** `busy`: the same again after a pause. `refused`: only a person can mend it; asked again now and then. */
export type Meaning = "ok" | "epochEnded" | "busy" | "refused";

const isBusy = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/**
 * What an answer's status means. 409 to a sync or a peek ends the epoch: `staleEpoch`, but also `seqAhead` and `seqOld`, which mean that this journal
 * and the control plane do not belong together (a disk restored, another agent under this host's id): nothing granted here may be dialed any
 * more, and hello waits until the control plane has settled it. 409 to a hello says to wait.
 */
export const meaningOf = (activity: Activity, status: number): Meaning => {
	if (status >= 200 && status < 300) return "ok";
	if (status === 409) return activity === "sync" || activity === "peek" ? "epochEnded" : "busy";
	return isBusy(status) ? "busy" : "refused";
};

export const errorFields = (activity: Activity, answer: HttpAnswer): Record<string, unknown> => {
	const error = (answer.body as { error?: { code?: unknown; message?: unknown } } | undefined)?.error;
	return { activity, status: answer.status, code: error?.code, message: error?.message };
};

/** When a request may be repeated: pauses that double, with jitter, so that hosts do not come back all at once. */
export class Pauses {
	notBeforeMs = Number.NEGATIVE_INFINITY;
	#failures = 0;
	readonly #ports: Pick<AgentPorts, "clock" | "random">;
	readonly #settings: AgentSettings;

	constructor(ports: Pick<AgentPorts, "clock" | "random">, settings: AgentSettings) {
		this.#ports = ports;
		this.#settings = settings;
	}

	worked(): void {
		this.#failures = 0;
	}

	/** @param retryAfterMs what the answer asks for; obeyed up to a limit, for the fence does not wait */
	busy(retryAfterMs: number | undefined): void {
		const { retryMinMs, retryMaxMs, refusedRetryMs } = this.#settings;
		const longest = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(this.#failures++, 10));
		const asked = Math.min(retryAfterMs ?? 0, refusedRetryMs);
		this.notBeforeMs = this.#ports.clock.monotonicMs() + Math.max(asked, longest * (0.5 + this.#ports.random() / 2));
	}

	refused(): void {
		this.notBeforeMs = this.#ports.clock.monotonicMs() + this.#settings.refusedRetryMs;
	}
}

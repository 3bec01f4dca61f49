import { request } from "undici";
import { z } from "zod";
import type { EnrolInstanceInput } from "../../shared/contract/fleet.ts";
import type { InstanceRecord } from "./instance.ts";
import type { Metadata } from "./metadata.ts";
import type { Clock, HttpAnswer, Log } from "./ports.ts";

/** What an enrolment gives: `POST /v1/hosts/enrol`. */
const enrolledSchema = z.object({
	hostId: z.string().min(1).max(64),
	token: z.string().min(1).max(200),
	publicAddress: z.ipv4().optional(),
});
export type Enrolled = z.infer<typeof enrolledSchema>;

/** The control plane will not have this start of the instance, whatever is tried. */
export class EnrolRefusedError extends Error {
	override readonly name = "EnrolRefusedError";
}

/** How long tries that may still succeed go on though they are refused: the control plane takes a start for ten minutes. */
const GIVE_UP_MS = 15 * 60_000;
const TIMEOUT_MS = 5_000;

/** First and longest pause: after no answer (or 429, 5xx), where the control plane says to wait, and after a refusal, which hardly ever passes. */
const PAUSES = {
	busy: { firstMs: 200, longestMs: 5_000 },
	wait: { firstMs: 500, longestMs: 30_000 },
	refused: { firstMs: 5_000, longestMs: 60_000 },
} as const;

export type Meaning = "enrolled" | "busy" | "wait" | "refused" | "final";

const errorOf = (answer: HttpAnswer): { code?: unknown; message?: unknown } =>
	(answer.body as { error?: { code?: unknown; message?: unknown } } | undefined)?.error ?? {};

/** What an answer to an enrolment means. */
export const meaningOfEnrolment = (answer: HttpAnswer): Meaning => {
	const { status } = answer;
	if (status >= 200 && status < 300) return enrolledSchema.safeParse(answer.body).success ? "enrolled" : "refused";
	if (status === 408 || status === 429 || status >= 500) return "busy";
	if (status === 409) return "wait";
	const { code } = errorOf(answer);
	return code === "enrolledTwice" || code === "tooLate" ? "final" : "refused";
};

/** @param failures in a row with this meaning, from 0 */
export const pauseMs = (meaning: keyof typeof PAUSES, failures: number, random: number): number => {
	const { firstMs, longestMs } = PAUSES[meaning];
	return Math.min(longestMs, firstMs * 2 ** Math.min(failures, 20)) * (0.5 + random / 2);
};

export interface EnrolPorts {
	metadata: Pick<Metadata, "identity">;
	/** Sends the request; rejects where no answer came. */
	post: (body: EnrolInstanceInput) => Promise<HttpAnswer>;
	clock: Pick<Clock, "monotonicMs" | "setTimer">;
	random: () => number;
	log: Log;
}

/** Sends enrolments to the control plane. */
export const postEnrolment =
	(controlPlaneUrl: string): EnrolPorts["post"] =>
	async (body) => {
		const answer = await request(`${controlPlaneUrl.replace(/\/+$/, "")}/v1/hosts/enrol`, {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(body),
			headersTimeout: TIMEOUT_MS,
			bodyTimeout: TIMEOUT_MS,
		});
		const text = await answer.body.text();
		try {
			return { status: answer.statusCode, body: JSON.parse(text) as unknown };
		} catch {
			// A gateway's own error page: its status says enough.
			return { status: answer.statusCode, body: undefined };
		}
	};

/** One try. What is read anew each time is the document: a metadata service can be behind just after a start. */
export const tryEnrolment = async (
	ports: Pick<EnrolPorts, "metadata" | "post">,
	nonce: string,
): Promise<{ meaning: Meaning; enrolled?: Enrolled; fields: Record<string, unknown> }> => {
	try {
		const identity = await ports.metadata.identity();
		const answer = await ports.post({ ...identity, nonce });
		const meaning = meaningOfEnrolment(answer);
		if (meaning === "enrolled") return { meaning, enrolled: enrolledSchema.parse(answer.body), fields: {} };
		const { code, message } = errorOf(answer);
		return { meaning, fields: { status: answer.status, code, message } };
	} catch (error) {
		return { meaning: "busy", fields: { message: error instanceof Error ? error.message : String(error) } };
	}
};

/**
 * Enrols this start of the instance; asks again until it is enrolled.
 * @param limitMs gives up after so long; absent: only where nothing can come of it any more
 * @returns undefined where the limit passed
 * @throws EnrolRefusedError
 */
export const enrol = async (
	ports: EnrolPorts,
	record: InstanceRecord,
	limitMs = Number.POSITIVE_INFINITY,
): Promise<Enrolled | undefined> => {
	const { clock, log } = ports;
	const begunMs = clock.monotonicMs();
	let last: Meaning | undefined;
	for (let failures = 0; ; failures++) {
		const { meaning, enrolled, fields } = await tryEnrolment(ports, record.nonce);
		if (enrolled) return enrolled;
		const passedMs = clock.monotonicMs() - begunMs;
		if (meaning === "final" || (meaning !== "busy" && passedMs >= GIVE_UP_MS)) {
			throw new EnrolRefusedError(
				`The control plane does not enrol instance ${record.instanceId}: ${fields["status"]} ${fields["code"] ?? ""} ${fields["message"] ?? ""}. ` +
					"Nothing more is tried until the instance is started again; the control plane's log says more (enrol.refused, enrol.second).",
			);
		}
		if (meaning !== last) failures = 0;
		last = meaning;
		const kind = meaning as keyof typeof PAUSES;
		log[meaning === "refused" ? "error" : "warn"]("notEnrolled", { instanceId: record.instanceId, meaning, ...fields });
		const waitMs = pauseMs(kind, failures, ports.random());
		if (passedMs + waitMs > limitMs) return undefined;
		await new Promise<void>((resolve) => clock.setTimer(waitMs, resolve));
	}
};

import { z } from "zod";
import { CliError } from "./errors.ts";
import type { Connection } from "./settings.ts";

/**
 * Longest wait for one answer, ms. The API itself answers or fails within 30 s (API Gateway's limit); the rest is for a
 * slow line with a body of 4 MB.
 */
const REQUEST_TIMEOUT_MS = 90_000;
/** Longest upload of a list to storage, ms. */
const UPLOAD_TIMEOUT_MS = 30 * 60_000;

const errorBodySchema = z.object({
	error: z.looseObject({
		code: z.string(),
		message: z.string(),
		details: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
	}),
});

/** Body of a request: JSON, or bytes with their type. */
export type RequestBody = { json: unknown } | { bytes: Uint8Array | Blob; contentType: string };

export interface RequestOptions {
	body?: RequestBody;
	idempotencyKey?: string;
	accept?: string;
	signal?: AbortSignal;
}

/** An answer that was 2xx. */
export interface Answer {
	status: number;
	headers: Headers;
	text: string;
}

/** No usable answer came: it is not known whether the request had an effect. */
export class NoAnswerError extends CliError {
	override readonly name = "NoAnswerError";
}

/** What the user can do about an error status. */
const remedyOf = (status: number, code: string, requestId: string | null): string | undefined => {
	if (status === 401)
		return "check BURST_DIALER_TOKEN (or --token); make a new one with `burst-dialer token create NAME`";
	if (status === 403) return "use a token that may do this: an operator's, not a host's";
	if (status === 429 || status === 503) return "repeat the same command after a moment";
	if (status === 404 && code !== "notFound") return "check the address of the API (BURST_DIALER_URL or --url)";
	if (status >= 500) {
		return `a fault of the control plane: look at its log${requestId ? ` for request ${requestId}` : ""}`;
	}
	return undefined;
};

/** What stood in the way, from the innermost cause that fetch gives. */
const reasonOf = (error: unknown): string => {
	const { cause, errors, code, name, message } = error as NodeJS.ErrnoException & {
		cause?: unknown;
		errors?: unknown[];
	};
	if (cause !== undefined) return reasonOf(cause);
	if (errors?.[0] !== undefined) return reasonOf(errors[0]);
	if (code === "ECONNREFUSED") return "nothing listens there";
	if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "its name cannot be resolved";
	if (code === "ECONNRESET" || code === "EPIPE" || code === "UND_ERR_SOCKET") return "the connection broke";
	if (name === "TimeoutError") return "no answer in time";
	return message || String(error);
};

const failedStatus = async (response: Response, where: string): Promise<CliError> => {
	const text = await response.text();
	const requestId = response.headers.get("x-request-id") ?? response.headers.get("apigw-requestid");
	let body: z.infer<typeof errorBodySchema> | undefined;
	try {
		body = errorBodySchema.parse(JSON.parse(text));
	} catch {
		body = undefined;
	}
	const code = body?.error.code ?? "unexpected";
	return new CliError(body?.error.message ?? `The API answered ${response.status} without saying why.`, {
		code,
		status: response.status,
		details: body?.error.details ?? [],
		where,
		remedy: remedyOf(response.status, code, requestId),
	});
};

/** Talks to the API. Every failure is a {@link CliError}. */
export class ApiClient {
	readonly connection: Connection;

	constructor(connection: Connection) {
		this.connection = connection;
	}

	/** @throws {NoAnswerError} where no answer came, {@link CliError} where it was not 2xx. */
	async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
		const where = `${method} ${this.connection.url}${path}`;
		const headers: Record<string, string> = {
			authorization: `Bearer ${this.connection.token}`,
			accept: options.accept ?? "application/json",
		};
		if (options.idempotencyKey) headers["idempotency-key"] = options.idempotencyKey;
		let body: string | Uint8Array<ArrayBuffer> | Blob | undefined;
		if (options.body) {
			if ("json" in options.body) {
				headers["content-type"] = "application/json";
				body = JSON.stringify(options.body.json);
			} else {
				headers["content-type"] = options.body.contentType;
				body = options.body.bytes as Uint8Array<ArrayBuffer> | Blob;
			}
		}
		const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
		const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
		try {
			const response = await fetch(this.connection.url + path, {
				method,
				headers,
				signal,
				redirect: "error",
				...(body === undefined ? {} : { body }),
			});
			if (!response.ok) throw await failedStatus(response, where);
			return { status: response.status, headers: response.headers, text: await response.text() };
		} catch (error) {
			if (error instanceof CliError) throw error;
			throw new NoAnswerError(`The API cannot be reached: ${reasonOf(error)}.`, {
				code: "noAnswer",
				where,
				remedy: "check the address (BURST_DIALER_URL or --url) and the network",
				cause: error,
			});
		}
	}

	/** A request whose answer is JSON of the given shape. */
	async json<T>(schema: z.ZodType<T>, method: string, path: string, options: RequestOptions = {}): Promise<T> {
		const answer = await this.request(method, path, options);
		const where = `${method} ${this.connection.url}${path}`;
		let parsed: unknown;
		try {
			parsed = JSON.parse(answer.text);
		} catch (error) {
			throw new CliError("The answer is not JSON: this is not the API of burst-dialer.", {
				code: "unexpected",
				where,
				remedy: "check the address (BURST_DIALER_URL or --url)",
				cause: error,
			});
		}
		const checked = schema.safeParse(parsed);
		if (!checked.success) {
			throw new CliError("The answer is not what this version of burst-dialer understands.", {
				code: "unexpected",
				where,
				details: checked.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message })),
				remedy: "check the address, and that the command and the control plane are of the same version",
			});
		}
		return checked.data;
	}

	/** Sends a file to storage by the form that the API signed. No token goes along: the address is not the API's. */
	async upload(url: string, fields: Record<string, string>, file: Blob): Promise<void> {
		const form = new FormData();
		for (const [name, value] of Object.entries(fields)) form.append(name, value);
		// The file comes last: storage ignores all fields after it.
		form.append("file", file, "contacts");
		const { origin } = new URL(url);
		try {
			const response = await fetch(url, { method: "POST", body: form, signal: AbortSignal.timeout(UPLOAD_TIMEOUT_MS) });
			if (!response.ok) {
				const text = (await response.text()).slice(0, 500);
				throw new CliError(`The storage refused the list: ${/<Message>(.*?)<\/Message>/.exec(text)?.[1] ?? text}`, {
					code: "uploadRefused",
					status: response.status,
					where: `POST ${origin}`,
				});
			}
		} catch (error) {
			if (error instanceof CliError) throw error;
			throw new NoAnswerError(`The list could not be sent: ${reasonOf(error)}.`, {
				code: "noAnswer",
				where: `POST ${origin}`,
				cause: error,
			});
		}
	}
}

/** One mistake of a request: where it is and what it is. */
export interface ErrorDetail {
	/** JSON path of the field, for example `contacts[3].number`; `` for the whole body. */
	path: string;
	message: string;
}

/** The body of every answer that is not 2xx. */
export interface ErrorBody {
	error: { code: string; message: string; details: ErrorDetail[] };
}

/**
 * What the caller must do about an error:
 * `fix` the request, `retry` it as it is (later), or `page` someone (a fault of ours or of the deployment).
 */
export type ErrorRemedy = "fix" | "retry" | "page";

/** An error that reaches the caller of the API as status, code and message. */
export class ApiError extends Error {
	override readonly name = "ApiError";
	readonly status: number;
	readonly code: string;
	readonly details: ErrorDetail[];
	/** More members of the `error` object, for example `expectedSeq`. */
	readonly extra: Record<string, unknown>;

	constructor(
		status: number,
		code: string,
		message: string,
		options: { details?: ErrorDetail[]; extra?: Record<string, unknown>; cause?: unknown } = {},
	) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause });
		this.status = status;
		this.code = code;
		this.details = options.details ?? [];
		this.extra = options.extra ?? {};
	}

	get remedy(): ErrorRemedy {
		if (this.status === 429 || this.status === 503) return "retry";
		return this.status >= 500 ? "page" : "fix";
	}

	toBody(): ErrorBody {
		return {
			error: { code: this.code, message: this.message, details: this.details, ...this.extra },
		};
	}
}

export const badRequest = (message: string, details: ErrorDetail[] = []): ApiError =>
	new ApiError(400, "badRequest", message, { details });
export const unauthorized = (message: string): ApiError => new ApiError(401, "unauthorized", message);
export const forbidden = (message: string): ApiError => new ApiError(403, "forbidden", message);
export const notFound = (what: string, id: string): ApiError =>
	new ApiError(404, "notFound", `There is no ${what} "${id}".`);
export const conflict = (code: string, message: string, extra: Record<string, unknown> = {}): ApiError =>
	new ApiError(409, code, message, { extra });
export const unprocessable = (code: string, message: string, details: ErrorDetail[] = []): ApiError =>
	new ApiError(422, code, message, { details });
/** A passing condition of ours: the caller repeats the same request after a moment. */
export const tryAgain = (message: string, cause?: unknown): ApiError =>
	new ApiError(503, "tryAgain", message, cause === undefined ? {} : { cause });

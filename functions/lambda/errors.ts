import { ApiError, tryAgain } from "../../shared/contract/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { ApiResponse } from "./request.ts";

/** Failures of AWS that pass by themselves: the caller repeats the request. */
const PASSING = new Set([
	"InternalServerError",
	"ProvisionedThroughputExceededException",
	"RequestLimitExceeded",
	"ServiceUnavailable",
	"SlowDown",
	"ThrottlingException",
	"TimeoutError",
]);

/** A connection that was refused or broke. */
const BROKEN = new Set(["ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"]);

const isPassing = (error: unknown): boolean =>
	error instanceof Error &&
	(PASSING.has(error.name) ||
		BROKEN.has(String((error as { code?: unknown }).code)) ||
		(error as { $retryable?: object }).$retryable !== undefined);

/** Any failure as an error of the API; what is nobody's request's fault is logged with its causes. */
export const toApiError = (error: unknown, log: Log, requestId: string): ApiError => {
	if (error instanceof ApiError) {
		if (error.remedy !== "fix") log.warn("request.refused", { requestId, code: error.code, error });
		return error;
	}
	if (isPassing(error)) {
		log.warn("request.passing-failure", { requestId, error });
		return tryAgain("The control plane is busy; repeat the same request after a moment.", error);
	}
	log.error("request.failed", { requestId, error });
	return new ApiError(
		500,
		"internal",
		`Something failed here, not in your request. It is logged as request ${requestId}.`,
		{
			cause: error,
		},
	);
};

export const errorResponse = (error: ApiError): ApiResponse => ({
	status: error.status,
	body: error.toBody(),
	headers: {
		...(error.status === 401 ? { "www-authenticate": "Bearer" } : {}),
		...(error.remedy === "retry" ? { "retry-after": "1" } : {}),
	},
});

import { type IdempotentRequest, idempotent } from "../../shared/idempotency/idempotent.ts";
import type { ApiRequest, ApiResponse } from "./request.ts";

/** Answers a POST that creates, once for its `Idempotency-Key`. */
export const creating = <T>(
	request: ApiRequest,
	what: Pick<IdempotentRequest<T>, "check" | "run">,
): Promise<ApiResponse> =>
	idempotent(request.deps, {
		tenant: request.tenant,
		method: request.method,
		path: request.path,
		key: request.headers["idempotency-key"],
		body: request.body,
		...what,
	}).then(({ status, body }) => ({ status, body }));

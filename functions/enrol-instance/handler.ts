import { ApiError } from "../../shared/contract/errors.ts";
import { enrolInstanceSchema } from "../../shared/contract/fleet.ts";
import { enrolInstance } from "../../shared/hosts/enrol-instance.ts";
import { type IdentitySettings, identitySettings } from "../../shared/hosts/identity.ts";
import { DEFAULT_TENANT } from "../../shared/store/items.ts";
import { burstFromEnvironment } from "../lambda/burst.ts";
import { httpFunction } from "../lambda/http.ts";
import { parseBody } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

/** A document has some 500 bytes, its signature 200: what is larger than this is not even parsed. */
const MAX_BODY_BYTES = 16_384;

let read: IdentitySettings | undefined;

/** Whose documents are believed where we run; read once per cold start. */
const identityFromEnvironment = (): IdentitySettings => {
	read ??= identitySettings(process.env["AWS_REGION"], burstFromEnvironment().identityKeys);
	return read;
};

/** @param identity called at every request, so it must be cheap after the first */
export const make = (runtime: Runtime, identity: () => IdentitySettings = identityFromEnvironment) =>
	httpFunction(
		[
			// Nobody has a token yet: the signed document says who asks.
			route("POST", "/v1/hosts/enrol", "public", async (request) => {
				if (request.body.length > MAX_BODY_BYTES) {
					throw new ApiError(413, "tooLarge", `The body has ${request.body.length} bytes; at most ${MAX_BODY_BYTES}.`);
				}
				const input = parseBody(request, enrolInstanceSchema);
				const body = await enrolInstance({ ...request.deps, identity: identity() }, DEFAULT_TENANT, input);
				return { status: 201, body };
			}),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

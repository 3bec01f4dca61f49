import { addList, checkList } from "../../shared/contacts/add-list.ts";
import { campaignForContacts } from "../../shared/contacts/begin-import.ts";
import { completeUpload, createUpload, uploadSchema } from "../../shared/contacts/uploads.ts";
import { creating } from "../lambda/creating.ts";
import { httpFunction } from "../lambda/http.ts";
import { param, parseBody } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

export const make = (runtime: Runtime) =>
	httpFunction(
		[
			route("POST", "/v1/campaigns/{campaignId}/contacts", "operator", (request) => {
				const { deps, tenant, headers, body } = request;
				const campaignId = param(request, "campaignId");
				return creating(request, {
					check: () => checkList(deps, tenant, campaignId, headers["content-type"], body),
					run: async (importId, list) => {
						const added = await addList(deps, tenant, campaignId, importId, list);
						return { status: added.state === "open" ? 202 : 201, body: added };
					},
				});
			}),
			route("POST", "/v1/campaigns/{campaignId}/uploads", "operator", (request) => {
				const { deps, tenant } = request;
				const campaignId = param(request, "campaignId");
				return creating(request, {
					check: async () => {
						const input = parseBody(request, uploadSchema);
						await campaignForContacts(deps, tenant, campaignId);
						return input;
					},
					// The form is a permission to write: made anew for a repeat, not stored.
					run: async (uploadId, input) => ({
						status: 201,
						body: await createUpload(deps, tenant, campaignId, uploadId, input),
						secret: true,
					}),
				});
			}),
			route("POST", "/v1/campaigns/{campaignId}/uploads/{uploadId}/complete", "operator", async (request) => ({
				status: 202,
				body: await completeUpload(
					request.deps,
					request.tenant,
					param(request, "campaignId"),
					param(request, "uploadId"),
				),
			})),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

import { enrolInstanceSchema } from "../../shared/contract/fleet.ts";
import {
	enrolHostSchema,
	helloRequestSchema,
	hostConfigSchema,
	peekResponseSchema,
	syncRequestSchema,
	syncResponseSchema,
} from "../../shared/contract/host.ts";
import type { DocumentedRoute } from "./documented-route.ts";

/** Hosts and their agents. */

const HOST_ERRORS = "409: `staleEpoch` (say hello), `seqAhead` (with `expectedSeq`), `seqOld`, `wait`.";

export const HOSTS_ROUTES: readonly DocumentedRoute[] = [
	{
		method: "POST",
		path: "/v1/hosts",
		summary: "Enrols a steady host; its token is shown once.",
		token: "operator",
		body: { name: "EnrolHost", schema: enrolHostSchema },
		answers: [{ status: 201, description: "`{ hostId, token }`." }],
		creates: true,
	},
	{
		method: "POST",
		path: "/v1/hosts/enrol",
		summary: "Enrols a burst host by its instance's signed identity document; once for each start, within 10 minutes.",
		token: "none",
		body: { name: "EnrolInstance", schema: enrolInstanceSchema },
		answers: [
			{
				status: 201,
				description:
					"`{ hostId, token }`, and `publicAddress` where carriers know the host by an Elastic IP. 403 `identityRefused`, `tooLate` or `enrolledTwice` is final; 409 `wait` may pass.",
			},
		],
	},
	{
		method: "GET",
		path: "/v1/hosts",
		summary: "Lists hosts.",
		token: "operator",
		answers: [{ status: 200, description: "`{ items, cursor }`." }],
	},
	{
		method: "POST",
		path: "/v1/hosts/{hostId}/drain",
		summary: "Grants a host nothing more; its live calls end normally.",
		token: "operator",
		answers: [{ status: 200, description: "The host." }],
	},
	{
		method: "POST",
		path: "/v1/hosts/{hostId}/undrain",
		summary: "Lets a drained host dial again.",
		token: "operator",
		answers: [{ status: 200, description: "The host." }],
	},
	{
		method: "POST",
		path: "/v1/hosts/{hostId}/hello",
		summary: "Asks for an epoch.",
		token: "host",
		body: { name: "HelloRequest", schema: helloRequestSchema },
		answers: [{ status: 200, description: `\`{ epoch, now, configVersion }\`. ${HOST_ERRORS}` }],
	},
	{
		method: "POST",
		path: "/v1/hosts/{hostId}/sync",
		summary: "Reports outcomes, gets calls, slots and shares.",
		token: "host",
		body: { name: "SyncRequest", schema: syncRequestSchema },
		answers: [{ status: 200, name: "SyncResponse", schema: syncResponseSchema, description: HOST_ERRORS }],
	},
	{
		method: "GET",
		path: "/v1/hosts/{hostId}/peek",
		summary: "Says to an idle host whether a sync would bring calls.",
		token: "host",
		answers: [{ status: 200, name: "PeekResponse", schema: peekResponseSchema, description: HOST_ERRORS }],
	},
	{
		method: "GET",
		path: "/v1/hosts/{hostId}/config",
		summary: "What a host needs to know: capacity, trunks, times.",
		token: "host",
		answers: [{ status: 200, name: "HostConfig", schema: hostConfigSchema, description: "The configuration." }],
	},
	{
		method: "GET",
		path: "/v1/health",
		summary: "Says whether the control plane is up.",
		token: "none",
		answers: [{ status: 200, description: "`{ status, now }`." }],
	},
];

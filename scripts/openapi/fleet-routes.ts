import { scaleSchema, scheduleSchema } from "../../shared/contract/fleet.ts";
import type { DocumentedRoute } from "./documented-route.ts";

/** Burst hosts. */

export const FLEET_ROUTES: readonly DocumentedRoute[] = [
	{
		method: "GET",
		path: "/v1/fleet",
		summary:
			"Capacity, live channels and granted channels, by tier and by host; what the last decision about burst hosts was, and why.",
		token: "operator",
		answers: [
			{
				status: 200,
				description:
					"The fleet; `burst` is about the burst hosts. `burst.decision.marginal` is the host at the margin, null where no contact is due: `choice` (`start`, or `wait`: done later), `why`, `channels` without it, `workSec` at full load, `overheadSec`, `usdPerHour`, `usd` with its work, `usdRunning` for the same work on hosts that run, `usdOverhead` and `usdOverheadAllowed`, `doneAt` with it, `doneAtWithout` (null: never), `soonerSec`.",
			},
		],
	},
	{
		method: "POST",
		path: "/v1/fleet/scale",
		summary: "Keeps at least so many burst hosts until a moment; 0 takes it back. A later call replaces it.",
		token: "operator",
		body: { name: "Scale", schema: scaleSchema },
		answers: [{ status: 200, description: "`{ min, until }`, and `note` where a limit of the fleet is lower." }],
	},
	{
		method: "GET",
		path: "/v1/fleet/schedules",
		summary: "Lists schedules, and whether each is in force.",
		token: "operator",
		answers: [{ status: 200, description: "`{ items, cursor }`." }],
	},
	{
		method: "GET",
		path: "/v1/fleet/schedules/{name}",
		summary: "Shows a schedule.",
		token: "operator",
		answers: [{ status: 200, description: "The schedule, with `inForce` and `nextEdgeAt`." }],
	},
	{
		method: "PUT",
		path: "/v1/fleet/schedules/{name}",
		summary: "Creates or replaces a schedule: at least so many burst hosts between two local times.",
		token: "operator",
		body: { name: "Schedule", schema: scheduleSchema },
		answers: [
			{ status: 200, description: "The schedule, replaced." },
			{ status: 201, description: "The schedule, new." },
		],
	},
	{
		method: "DELETE",
		path: "/v1/fleet/schedules/{name}",
		summary: "Removes a schedule.",
		token: "operator",
		answers: [{ status: 200, description: "What it was." }],
	},
];

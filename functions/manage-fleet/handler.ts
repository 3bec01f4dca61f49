import { dayBudgetSchema } from "../../shared/contract/budget.ts";
import { scaleSchema, scheduleNameSchema, scheduleSchema } from "../../shared/contract/fleet.ts";
import { setFloor } from "../../shared/fleet/floor.ts";
import { nudgeFleet } from "../../shared/fleet/nudge.ts";
import { getSchedule, putSchedule, readSchedules, removeSchedule, showSchedule } from "../../shared/fleet/schedules.ts";
import { describeFleet } from "../../shared/fleet/show.ts";
import { readFleet } from "../../shared/hosts/hosts.ts";
import { getDayBudget, removeDayBudget, setDayBudget } from "../../shared/ledger/set-budget.ts";
import { parseOrRefuse } from "../../shared/validation/details.ts";
import { type BurstRuntime, burstFromEnvironment } from "../lambda/burst.ts";
import { httpFunction } from "../lambda/http.ts";
import { type ApiRequest, param, parseBody } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { type ScheduleRuntime, schedulesFromEnvironment } from "../lambda/schedule-runtime.ts";

const nameOf = (request: ApiRequest): string =>
	parseOrRefuse(scheduleNameSchema, param(request, "name"), "schedule's name");

export const make = (runtime: ScheduleRuntime, burst: BurstRuntime = burstFromEnvironment) => {
	const fleetDeps = () => ({ ...runtime(), burst: burst() });
	return httpFunction(
		[
			route("GET", "/v1/fleet", "operator", async ({ deps, tenant }) => {
				const [fleet, shown] = await Promise.all([readFleet(deps, tenant), describeFleet(fleetDeps(), tenant)]);
				return { status: 200, body: { ...fleet, burst: shown } };
			}),
			route("POST", "/v1/fleet/scale", "operator", async (request) => {
				const input = parseBody(request, scaleSchema);
				const { tenant, principal } = request;
				return { status: 200, body: await setFloor(fleetDeps(), tenant, principal.tokenId, input) };
			}),
			route("GET", "/v1/budget", "operator", async ({ deps, tenant }) => ({
				status: 200,
				body: await getDayBudget(deps, tenant),
			})),
			route("PUT", "/v1/budget", "operator", async (request) => {
				const { deps, tenant, principal } = request;
				const budget = parseBody(request, dayBudgetSchema);
				const body = await setDayBudget(deps, tenant, principal.tokenId, budget);
				await nudgeFleet(deps, tenant, "the day's budget was set");
				return { status: 200, body };
			}),
			route("DELETE", "/v1/budget", "operator", async ({ deps, tenant, principal }) => {
				const body = await removeDayBudget(deps, tenant, principal.tokenId);
				await nudgeFleet(deps, tenant, "the day's budget was taken away");
				return { status: 200, body };
			}),
			route("GET", "/v1/fleet/schedules", "operator", async ({ deps, tenant }) => {
				const items = (await readSchedules(deps, tenant)).map((item) => showSchedule(item, deps.now()));
				return { status: 200, body: { items, cursor: null } };
			}),
			route("GET", "/v1/fleet/schedules/{name}", "operator", async (request) => {
				const { deps, tenant } = request;
				return { status: 200, body: showSchedule(await getSchedule(deps, tenant, nameOf(request)), deps.now()) };
			}),
			route("PUT", "/v1/fleet/schedules/{name}", "operator", async (request) => {
				const name = nameOf(request);
				const input = parseBody(request, scheduleSchema);
				const { created, schedule } = await putSchedule(fleetDeps(), request.tenant, name, input);
				return { status: created ? 201 : 200, body: schedule };
			}),
			route("DELETE", "/v1/fleet/schedules/{name}", "operator", async (request) => {
				const { deps, tenant } = request;
				const removed = await removeSchedule(fleetDeps(), tenant, nameOf(request));
				return { status: 200, body: showSchedule(removed, deps.now()) };
			}),
		],
		runtime,
	);
};

export const handler = make(schedulesFromEnvironment);

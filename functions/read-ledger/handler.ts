import { ledgerDayOf, listDays, showLedgerDay } from "../../shared/ledger/show-ledger.ts";
import { type BurstRuntime, burstFromEnvironment } from "../lambda/burst.ts";
import { httpFunction } from "../lambda/http.ts";
import { param } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

export const make = (runtime: Runtime, burst: BurstRuntime = burstFromEnvironment) =>
	httpFunction(
		[
			route("GET", "/v1/ledger", "operator", async ({ deps, tenant }) => ({
				status: 200,
				body: await listDays(deps, tenant, burst().channelsPerHost),
			})),
			route("GET", "/v1/ledger/{day}", "operator", async (request) => {
				const { deps, tenant } = request;
				const day = ledgerDayOf(param(request, "day"), deps.now());
				return { status: 200, body: await showLedgerDay(deps, tenant, day, burst().channelsPerHost) };
			}),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

import { tendCampaign, tendMessageSchema } from "../../shared/campaigns/tend.ts";
import { queueFunction } from "../lambda/queue.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

export const make = (runtime: Runtime) =>
	queueFunction(
		"sweep-campaigns",
		async (body, { deps, deadline }) => tendCampaign(deps, tendMessageSchema.parse(body), deadline),
		runtime,
	);

export const handler = make(fromEnvironment);

import { tick } from "../../shared/campaigns/tick.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

export const make = (runtime: Runtime) => async (): Promise<void> => {
	const deps = runtime();
	try {
		await tick(deps);
	} catch (error) {
		deps.log.error("tick.failed", { error });
		throw error;
	}
};

export const handler = make(fromEnvironment);

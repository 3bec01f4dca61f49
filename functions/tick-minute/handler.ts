import { tick } from "../../shared/campaigns/tick.ts";
import { type BurstRuntime, burstFromEnvironment } from "../lambda/burst.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

export const make =
	(runtime: Runtime, burst: BurstRuntime = burstFromEnvironment) =>
	async (): Promise<void> => {
		const deps = runtime();
		try {
			await tick(deps, () => burst().lookSec);
		} catch (error) {
			deps.log.error("tick.failed", { error });
			throw error;
		}
	};

export const handler = make(fromEnvironment);

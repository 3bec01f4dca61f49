import { z } from "zod";
import { recoverHosts } from "../../shared/recovery/recover-hosts.ts";
import { queueFunction } from "../lambda/queue.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

const messageSchema = z.object({ tenant: z.string().min(1) });

export const make = (runtime: Runtime) =>
	queueFunction(
		"recover-hosts",
		async (body, { deps }) => recoverHosts(deps, messageSchema.parse(body).tenant),
		runtime,
	);

export const handler = make(fromEnvironment);

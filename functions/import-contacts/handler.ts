import { importMessageSchema, runImportMessage } from "../../shared/contacts/run-message.ts";
import { queueFunction } from "../lambda/queue.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

export const make = (runtime: Runtime) =>
	queueFunction(
		"import-contacts",
		async (body, { deps, deadline }) => runImportMessage(deps, importMessageSchema.parse(body), deadline),
		runtime,
	);

export const handler = make(fromEnvironment);

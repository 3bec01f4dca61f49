import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";

/** A Lambda as serverless.yml names it. Paths are relative to the project. */
export interface FunctionEntry {
	name: string;
	/** Source of the handler, for example `functions/sync-host/handler.ts`. */
	source: string;
	/** The handler's module in the artifact, without its ending. */
	module: string;
	/** Zip file that is deployed. */
	artifact: string;
}

const functionsSchema = z.object({
	functions: z.record(
		z.string(),
		z.object({
			handler: z.string().regex(/^functions\/[a-z-]+\/handler\.handler$/, "must be functions/<name>/handler.handler"),
			package: z.object({ artifact: z.string().regex(/^dist\/[a-z-]+\.zip$/, "must be dist/<name>.zip") }),
		}),
	),
});

/** Reads the list of functions from serverless.yml; CloudFormation's tags (!Ref …) mean nothing here. */
export const readFunctions = (root: string): FunctionEntry[] => {
	const document = parseDocument(readFileSync(join(root, "serverless.yml"), "utf8"), { logLevel: "silent" });
	if (document.errors.length > 0) {
		throw new Error(`serverless.yml cannot be read: ${document.errors.map((error) => error.message).join("; ")}`);
	}
	const parsed = functionsSchema.safeParse(document.toJS());
	if (!parsed.success) throw new Error(`serverless.yml, functions: ${z.prettifyError(parsed.error)}`);
	return Object.entries(parsed.data.functions).map(([name, entry]) => {
		const module = entry.handler.slice(0, -".handler".length);
		return { name, module, source: `${module}.ts`, artifact: entry.package.artifact };
	});
};

import { execFile } from "node:child_process";
import { cp, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { type BundleReport, bundleFunctions } from "../bundle.ts";
import type { Template } from "./types.ts";

const run = promisify(execFile);

/** Where `serverless package` leaves what it made, relative to the service. */
export const TEMPLATE_FILE = ".serverless/cloudformation-template-update-stack.json";
/** A minute: it takes a few seconds; on a busy machine ten times that. */
const PACKAGE_TIMEOUT_MS = 60_000;

/** An environment without any AWS account: what is packaged depends on the project alone. */
const withoutAws = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
	Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("AWS_") && name !== "NODE_OPTIONS"));

/**
 * Bundles and packages the service in a folder of its own, so that the project's dist/ and .serverless/ stay as they are.
 * @param root the project
 * @param folder an empty folder
 * @param params parameters of the deployment, as with `--param`
 */
export const packageService = async (
	root: string,
	folder: string,
	params: Record<string, string> = {},
): Promise<{ template: Template; bundles: BundleReport[] }> => {
	const bundles = await bundleFunctions(root, folder);
	await cp(join(root, "serverless.yml"), join(folder, "serverless.yml"));
	await cp(join(root, "infra"), join(folder, "infra"), { recursive: true });
	const serverless = createRequire(join(root, "package.json")).resolve("serverless/package.json");
	const { bin } = JSON.parse(await readFile(serverless, "utf8")) as { bin: { serverless: string } };
	const given = Object.entries(params).flatMap(([name, value]) => ["--param", `${name}=${value}`]);
	await run(process.execPath, [join(serverless, "..", bin.serverless), "package", ...given], {
		cwd: folder,
		env: { ...withoutAws(process.env), HOME: folder },
		timeout: PACKAGE_TIMEOUT_MS,
	});
	return { template: JSON.parse(await readFile(join(folder, TEMPLATE_FILE), "utf8")) as Template, bundles };
};

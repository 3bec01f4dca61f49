/** `npm run build`: each function of serverless.yml as dist/<name>.zip, and dist/agent for the hosts. */
import { requireNode } from "./require-node.ts";

requireNode();
const { bundleAgent, bundleFunctions } = await import("./bundle.ts");

const KILOBYTE = 1024;
try {
	for (const { name, bytes, zippedBytes } of await bundleFunctions(process.cwd())) {
		const kb = (n: number): string => `${Math.ceil(n / KILOBYTE)} KB`;
		process.stderr.write(`${name.padEnd(20)} ${kb(bytes).padStart(8)}, zipped ${kb(zippedBytes)}\n`);
	}
	process.stderr.write(`The agent and its install script: ${await bundleAgent(process.cwd())}\n`);
} catch (error) {
	process.stderr.write(`${(error as Error).message}\n`);
	process.exitCode = 1;
}

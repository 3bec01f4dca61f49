/** `npm run build`: each function of serverless.yml as dist/<name>.zip. */
import { requireNode } from "./require-node.ts";

requireNode();
const { bundleFunctions } = await import("./bundle.ts");

const KILOBYTE = 1024;
try {
	for (const { name, bytes, zippedBytes } of await bundleFunctions(process.cwd())) {
		const kb = (n: number): string => `${Math.ceil(n / KILOBYTE)} KB`;
		process.stderr.write(`${name.padEnd(20)} ${kb(bytes).padStart(8)}, zipped ${kb(zippedBytes)}\n`);
	}
} catch (error) {
	process.stderr.write(`${(error as Error).message}\n`);
	process.exitCode = 1;
}

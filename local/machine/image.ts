import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stop as stopEsbuild } from "esbuild";
import { bundleAgent } from "../../scripts/bundle.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** Bundles under way in this process: they share one process of esbuild's. */
let underWay = 0;

const bundle = async (dir: string): Promise<string> => {
	underWay++;
	try {
		return join(await bundleAgent(PROJECT, dir), "agent.mjs");
	} finally {
		if (--underWay === 0) await stopEsbuild();
	}
};

/** The agent's program as it is installed on hosts. */
export interface AgentProgram {
	/** Makes it, once. @returns its path */
	path(): Promise<string>;
	/** Waits for what is being made. */
	stop(): Promise<void>;
}

/**
 * One file, which starts in a seventh of a second where the sources need half of one: that counts where many hosts boot at once.
 * @param dir where it is put
 */
export const agentProgram = (dir: string): AgentProgram => {
	let made: Promise<string> | undefined;
	return {
		path: () => {
			made ??= bundle(dir);
			return made;
		},
		stop: async () => {
			await made?.catch(() => undefined);
		},
	};
};

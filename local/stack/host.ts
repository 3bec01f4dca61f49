import { type HostProcesses, prepareProcesses } from "../machine/processes.ts";
import type { VoicePlane } from "../voice/types.ts";
import { writeAgentConfig } from "./agent-config.ts";

/** A steady host: an Asterisk and the agent beside it. */
export interface StackHost extends Omit<HostProcesses, "start" | "kill"> {
	hostId: string;
}

export const startHost = async (options: {
	hostId: string;
	token: string;
	api: string;
	address: string;
	dir: string;
	plane: VoicePlane;
	/** The agent's program. */
	program: string;
	clockSkewMs?: number | undefined;
	agentConfig: Record<string, unknown>;
	/** The agent or Asterisk ended by itself. */
	onFailure: (message: string) => void;
}): Promise<StackHost> => {
	const { hostId, token, api, address, dir, plane, program } = options;
	const processes = await prepareProcesses({
		name: hostId,
		address,
		dir,
		plane,
		program,
		clockSkewMs: options.clockSkewMs,
		configure: (place) => writeAgentConfig({ as: { hostId, token, api }, ...place, changes: options.agentConfig }),
		onEnd: (_, message) => options.onFailure(message),
	});
	try {
		await processes.start();
	} catch (error) {
		await processes.stop();
		throw error;
	}
	return { hostId, ...processes };
};

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VoiceHost } from "../voice/types.ts";

/** Only the owner may read files that hold secrets: the agent refuses others. */
const SECRET_MODE = 0o600;

export interface AgentConfigOptions {
	/** Whom it works for: an enrolled host, or whatever the machine's metadata service says. `api`: address of the API. */
	as: { hostId: string; token: string; api: string } | { metadataUrl: string };
	voice: VoiceHost;
	/** Where Asterisk's outbound websocket finds the agent. */
	listen: { address: string; port: number };
	/** Folder of the host; the agent's files are put there. */
	dir: string;
	/** Members that differ. */
	changes: Record<string, unknown>;
}

/**
 * Writes the agent's configuration (host/agent/config-file.ts) as an operator would, with the files it names.
 * @returns its path
 */
export const writeAgentConfig = (options: AgentConfigOptions): string => {
	const { voice, listen, dir, changes } = options;
	const stateDir = join(dir, "state");
	const secretsDir = join(dir, "secrets");
	for (const folder of [stateDir, secretsDir]) mkdirSync(folder, { recursive: true, mode: 0o700 });
	const secret = (name: string, text: string): string => {
		const path = join(dir, name);
		writeFileSync(path, `${text}\n`, { mode: SECRET_MODE });
		return path;
	};
	const config = {
		...("hostId" in options.as
			? {
					hostId: options.as.hostId,
					tokenFile: secret("token", options.as.token),
					controlPlaneUrl: options.as.api,
				}
			: { identity: { metadataUrl: options.as.metadataUrl } }),
		stateDir,
		secretsDir,
		soundsDirs: [voice.soundsDir],
		...changes,
		asterisk: {
			ari: voice.ari.baseUrl,
			username: voice.ari.username,
			passwordFile: secret("ari-password", voice.ari.password),
			etcDir: voice.etcDir,
			listenAddress: listen.address,
			listenPort: listen.port,
			// Several Asterisks share this machine: each sends its audio from its own address.
			mediaAddress: voice.address,
			...(changes["asterisk"] as object | undefined),
		},
	};
	const path = join(dir, "agent.json");
	writeFileSync(path, JSON.stringify(config, null, "\t"), { mode: SECRET_MODE });
	return path;
};

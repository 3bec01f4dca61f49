/** What the local stack needs of a voice plane: the same for real Asterisk with SIPp and for the simulation. */

/** One Asterisk on an address of its own. */
export interface VoiceHost {
	/** Loopback address of its own, for example 127.0.0.11. */
	address: string;
	/** ARI over HTTP on that address. */
	ari: { baseUrl: string; username: string; password: string };
	/** Folder that Asterisk reads its configuration from; the agent renders its own files into it. */
	etcDir: string;
	/** Folder in which the agent looks for sounds. */
	soundsDir: string;
	/** undefined where it runs in this process. */
	pid: number | undefined;
	/** SIGTERM and wait. */
	stop(): Promise<void>;
	/** kill -9. */
	kill(): Promise<void>;
	/** Starts it again on the same address, with the same files; resolves once ARI answers 200. */
	start(): Promise<void>;
}

/** One call as the carrier saw it, from its first INVITE to its final end. */
export interface CarrierCall {
	/** SIP Call-ID. */
	id: string;
	/** The called number. */
	number: string;
	/** Source address of the INVITE. */
	from: string;
	/** Arrival of the first INVITE, ms since 1970 with fraction. */
	invitedAt: number;
	ringingAt?: number;
	answeredAt?: number;
	/** The final end: ACK of a final response that is not 2xx, or answer to BYE. Absent while the call lasts. */
	endedAt?: number;
	/** The final status sent. */
	status?: number;
}

export interface Carrier {
	address: string;
	port: number;
	/** Everything since its start; complete calls and live ones. */
	calls(): Promise<CarrierCall[]>;
	stop(): Promise<void>;
}

export interface HostOptions {
	name: string;
	address: string;
	/** Folder of all its files; one used before is used again. */
	dir: string;
	/** Where Asterisk reaches the agent: `host:port` or a ws:// address; default port 9098 of the same address. */
	agentAddress?: string;
}

export interface VoicePlane {
	kind: "real" | "simulated";
	/** Says what was chosen and why, for people. */
	note: string;
	startHost(options: HostOptions): Promise<VoiceHost>;
	/** Makes its files and chooses its ports; `start()` starts it. */
	prepareHost(options: HostOptions): Promise<VoiceHost>;
	startCarrier(options: { address: string; port: number; dir: string }): Promise<Carrier>;
}

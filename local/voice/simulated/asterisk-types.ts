import type { SimEndpoint } from "./channel.ts";
import type { Dialplan } from "./dialplan.ts";
import type { SimNetwork } from "./network.ts";

export interface SimAsteriskConfig {
	endpoints: SimEndpoint[];
	dialplan: Dialplan;
	/** `channelvars` of ari.conf. */
	channelVars: string[];
	/** How long a sound takes, ms; undefined where this host has none of that name. */
	soundMs: (sound: string) => number | undefined;
	/** Whether a module is loaded, as `app_amd`: only applications for answering machines ask. */
	hasModule: (module: string) => boolean;
}

export interface SimOriginate {
	channelId?: string;
	/** As `PJSIP/number@trunk`. */
	endpoint: string;
	context?: string;
	extension?: string;
	priority?: number;
	callerId?: string;
	/** Seconds of ringing; 30 where absent, unlimited where 0 or less. */
	timeoutSec?: number;
	variables?: Record<string, string>;
}

export type SimOriginateResult =
	| { kind: "created"; channel: Record<string, unknown> }
	| { kind: "duplicate" }
	| { kind: "refused"; status: 400 | 500; message: string };

/** An event as ARI sends it, without `application` and `asterisk_id`, and what it is about. */
export interface SimEvent {
	json: { type: string; timestamp: string } & Record<string, unknown>;
	channelId?: string;
	/** As `PJSIP/trunk`. */
	endpoint: string;
}

export interface SimAsteriskOptions {
	network: SimNetwork;
	/** Loopback address of its own. */
	address: string;
	/** 0 ≤ x < 1: channel ids that the caller left out, SIP Call-IDs, small delays. */
	random: () => number;
	/** SIP port. */
	port?: number;
}

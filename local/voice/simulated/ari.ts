import { AriApps } from "./ari-apps.ts";
import { type AriAnswer, type AriContext, type AriRequest, ROUTES, refuse } from "./ari-routes.ts";
import type { SimAsteriskCore } from "./asterisk-core.ts";
import type { SimClock } from "./clock.ts";
import { noFaults, type SimFaults, take } from "./faults.ts";

export type { AriAnswer, AriConnection, AriRequest } from "./ari-routes.ts";

export interface SimAriOptions {
	clock: SimClock;
	core: SimAsteriskCore;
	/** `entityid` of asterisk.conf. */
	asteriskId: string;
	faults?: SimFaults;
	/** Reads a module's files again. @returns false where there is no such module */
	reload?: (module: string) => boolean;
	/** Whether a part of ARI is loaded, as `channels` (res_ari_channels); all are where absent. */
	loaded?: (part: string) => boolean;
	/** Names of all sounds with their formats. */
	sounds?: () => { id: string; formats: { language: string; format: string }[] }[];
}

/**
 * ARI without its transport: requests as calls, events as text to sinks.
 *
 *     const ari = new SimAri({ clock, core, asteriskId: "02:00:7f:00:00:0b" });
 *     ari.apps.declare("burst-dialer", false);               // an outbound websocket's application: keeps events while away
 *     const detach = ari.apps.attach("burst-dialer", (text) => …);
 *     ari.request({ method: "POST", path: "/channels", parameters: { channelId, endpoint, … } })
 *         // → { status, body } or undefined: the connection breaks without an answer (a fault)
 */
export class SimAri {
	readonly apps: AriApps;
	readonly faults: SimFaults;
	private readonly context: AriContext;
	private readonly loaded: (part: string) => boolean;

	constructor({ clock, core, asteriskId, faults = noFaults(), reload, loaded, sounds }: SimAriOptions) {
		this.loaded = loaded ?? (() => true);
		this.faults = faults;
		this.apps = new AriApps({ clock, faults, asteriskId });
		this.context = {
			core,
			apps: this.apps,
			asteriskId,
			now: () => clock.now(),
			reload: reload ?? (() => true),
			sounds: sounds ?? (() => []),
			lastReload: undefined,
		};
		core.onEvent((event) => this.apps.publish(event));
	}

	request(request: AriRequest): AriAnswer | undefined {
		const { faults } = this;
		if (take(faults, "loseRequests")) return undefined;
		const segments = request.path.split("/").filter((segment) => segment !== "");
		const route = ROUTES.find(({ pattern }) => matches(pattern, segments));
		if (!route || !this.loaded(segments[0] ?? "")) return refuse(404, "Resource not found");
		const handler = route.methods[request.method];
		if (!handler)
			return {
				...refuse(405, "Invalid method"),
				headers: { allow: ["OPTIONS", ...Object.keys(route.methods)].join(",") },
			};
		const values = segments.filter((_, index) => route.pattern[index] === "*").map(decodeURIComponent);
		const originates = request.method === "POST" && segments[0] === "channels" && segments.length <= 2;
		if (originates && take(faults, "loseOriginates")) return undefined;
		if (originates && take(faults, "refuseOriginates")) return { status: 500, body: { error: "Allocation failed" } };
		const answer = handler(this.context, request.parameters, values, request.connection ?? { idTaken: false });
		return originates && answer.status === 200 && take(faults, "loseOriginateAnswers") ? undefined : answer;
	}
}

const matches = (pattern: readonly string[], segments: readonly string[]): boolean =>
	pattern.length === segments.length && pattern.every((part, index) => part === "*" || part === segments[index]);

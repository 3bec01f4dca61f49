import type { SimEvent } from "./asterisk-types.ts";
import { ariTime, type SimChannel, type SimEndpoint } from "./channel.ts";
import type { SimNetwork } from "./network.ts";
import type { Tasks } from "./tasks.ts";

interface EndpointState {
	endpoint: SimEndpoint;
	/** What OPTIONS said of its contact. */
	contact: "unknown" | "reachable" | "unreachable";
	timer: unknown;
}

export interface EndpointsOptions {
	network: SimNetwork;
	random: () => number;
	tasks: Tasks;
	/** The channels there are. */
	channels: ReadonlyMap<string, SimChannel>;
	tell: (event: SimEvent) => void;
}

/** As in ARI: `PJSIP/trunk`. */
export const endpointName = ({ technology, resource }: SimEndpoint): string => `${technology}/${resource}`;

/** The endpoints of one Asterisk, and whether their contacts answer OPTIONS where these are sent. */
export class Endpoints {
	private readonly options: EndpointsOptions;
	private readonly states = new Map<string, EndpointState>();

	constructor(options: EndpointsOptions) {
		this.options = options;
	}

	/** The process has started: what was known of contacts is forgotten. */
	start(): void {
		for (const state of this.states.values()) this.qualifyFrom(state);
	}

	/** Takes what a reload found; what has not changed keeps its state. */
	configure(endpoints: readonly SimEndpoint[], running: boolean): void {
		const wanted = new Map(endpoints.map((endpoint) => [endpointName(endpoint), endpoint]));
		for (const [name, state] of this.states) {
			const next = wanted.get(name);
			if (next && JSON.stringify(next) === JSON.stringify(state.endpoint)) continue;
			this.options.tasks.cancel(state.timer);
			this.states.delete(name);
		}
		for (const [name, endpoint] of wanted) {
			if (this.states.has(name)) continue;
			const state: EndpointState = { endpoint, contact: "unknown", timer: undefined };
			this.states.set(name, state);
			if (running) this.qualifyFrom(state);
		}
	}

	names(): string[] {
		return [...this.states.keys()];
	}

	/** As `GET /endpoints/{technology}/{resource}`; undefined where there is none. */
	json(name: string): Record<string, unknown> | undefined {
		const state = this.states.get(name);
		if (!state) return undefined;
		const { technology, resource, qualifySec } = state.endpoint;
		const channelIds: string[] = [];
		for (const channel of this.options.channels.values())
			if (endpointName(channel.endpoint) === name) channelIds.push(channel.id);
		return {
			technology,
			resource,
			state: qualifySec === 0 || state.contact === "reachable" ? "online" : "offline",
			channel_ids: channelIds,
		};
	}

	/** The endpoint, where a call can be placed: it has a contact, and that is not known to be down. */
	dialable(name: string): SimEndpoint | undefined {
		const state = this.states.get(name);
		return state?.endpoint.contact === undefined || state.contact === "unreachable" ? undefined : state.endpoint;
	}

	/** Tells of its state and channels. */
	changed(endpoint: SimEndpoint): void {
		const name = endpointName(endpoint);
		const json = this.json(name);
		if (json) this.tell(name, { type: "EndpointStateChange", endpoint: json });
	}

	/** The first OPTIONS is sent at a random time within the first interval; until its answer the contact is unknown. */
	private qualifyFrom(state: EndpointState): void {
		state.contact = "unknown";
		const { qualifySec } = state.endpoint;
		const { tasks, random } = this.options;
		if (qualifySec > 0) state.timer = tasks.later(random() * qualifySec * 1000, () => this.qualify(state));
	}

	private qualify(state: EndpointState): void {
		const { contact, qualifySec, qualifyTimeoutSec } = state.endpoint;
		const { tasks, network } = this.options;
		if (contact !== undefined && network.reachable(contact)) this.contactIs(state, "reachable");
		else
			tasks.later(qualifyTimeoutSec * 1000, () => {
				if (this.states.get(endpointName(state.endpoint)) === state) this.contactIs(state, "unreachable");
			});
		state.timer = tasks.later(qualifySec * 1000, () => this.qualify(state));
	}

	private contactIs(state: EndpointState, contact: "reachable" | "unreachable"): void {
		if (state.contact === contact) return;
		const wasOnline = state.contact === "reachable";
		state.contact = contact;
		if (wasOnline || contact === "reachable") this.changed(state.endpoint);
		const name = endpointName(state.endpoint);
		this.tell(name, {
			type: "ContactStatusChange",
			endpoint: this.json(name),
			contact_info: {
				uri: `sip:${state.endpoint.contact}`,
				contact_status: contact === "reachable" ? "Reachable" : "Unreachable",
				aor: state.endpoint.resource,
				roundtrip_usec: "0",
			},
		});
	}

	private tell(endpoint: string, fields: { type: string } & Record<string, unknown>): void {
		const { network, tell } = this.options;
		tell({ json: { ...fields, timestamp: ariTime(network.clock.now()) }, endpoint });
	}
}

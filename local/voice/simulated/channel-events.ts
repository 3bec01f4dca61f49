import type { SimAsteriskConfig, SimEvent } from "./asterisk-types.ts";
import { ariTime, channelJson, type SimChannel } from "./channel.ts";
import type { SimClock } from "./clock.ts";
import { endpointName } from "./endpoints.ts";

export type EventListener = (event: SimEvent) => void;

/** Who listens to one Asterisk, and what is told of its channels. */
export class ChannelEvents {
	private readonly clock: SimClock;
	private readonly config: Readonly<SimAsteriskConfig>;
	private readonly listeners = new Set<EventListener>();

	/** @param config as it stands whenever an event is told */
	constructor(clock: SimClock, config: Readonly<SimAsteriskConfig>) {
		this.clock = clock;
		this.config = config;
	}

	/** @returns what takes the listener away again */
	listen(listener: EventListener): () => void {
		this.listeners.add(listener);
		return () => this.listeners.delete(listener);
	}

	tell(event: SimEvent): void {
		for (const listener of [...this.listeners]) listener(event);
	}

	/** The channel as ARI shows it now. */
	json(channel: SimChannel): Record<string, unknown> {
		return channelJson(channel, this.config.channelVars);
	}

	emit(channel: SimChannel, type: string, fields: Record<string, unknown>): void {
		if (this.listeners.size === 0) return;
		const json = {
			...fields,
			type,
			timestamp: ariTime(this.clock.now()),
			[type === "Dial" ? "peer" : "channel"]: this.json(channel),
		};
		this.tell({ json, channelId: channel.id, endpoint: endpointName(channel.endpoint) });
	}

	/** @param dialstatus empty where the INVITE is sent */
	emitDial(channel: SimChannel, dialstatus: string): void {
		this.emit(channel, "Dial", { dialstatus, forward: "", dialstring: channel.dialString });
	}

	/** Sets a variable of the channel, and tells it. */
	setVariable(channel: SimChannel, name: string, value: string): void {
		const plain = name.replace(/^_{1,2}/, "");
		channel.variables.set(plain, value);
		this.emit(channel, "ChannelVarset", { variable: plain, value });
	}
}

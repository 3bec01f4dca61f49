import { causeText } from "./causes.ts";
import type { SimChannel, SimEndpoint } from "./channel.ts";
import type { ChannelEvents } from "./channel-events.ts";
import type { Repeated, SipMessage } from "./network.ts";
import type { Tasks } from "./tasks.ts";

/** What a channel's dialplan shows while it is dialed, and again once it is gone. */
export const DIALING_APP = { app_name: "AppDial2", app_data: "(Outgoing Line)" };

export interface LiveChannelsOptions {
	events: ChannelEvents;
	tasks: Tasks;
	random: () => number;
	/** The clock, ms. */
	now: () => number;
	send: (to: string, message: SipMessage, repeated?: Repeated) => void;
	/** Tells of an endpoint whose channels have changed. */
	endpointChanged: (endpoint: SimEndpoint) => void;
}

/** The channels that there are, their timers, and how one ceases to be. */
export class LiveChannels {
	private readonly options: LiveChannelsOptions;
	private readonly channels = new Map<string, SimChannel>();
	private readonly byCallId = new Map<string, SimChannel>();

	constructor(options: LiveChannelsOptions) {
		this.options = options;
	}

	get byId(): ReadonlyMap<string, SimChannel> {
		return this.channels;
	}

	now(): number {
		return this.options.now();
	}

	/** The channel of a SIP Call-ID. */
	ofCall(callId: string): SimChannel | undefined {
		return this.byCallId.get(callId);
	}

	/** Whether a new channel cannot have this id: that of a channel is the same, or begins with it. */
	taken(id: string): boolean {
		for (const live of this.channels.keys()) if (live.startsWith(id)) return true;
		return false;
	}

	add(channel: SimChannel): void {
		this.channels.set(channel.id, channel);
		this.byCallId.set(channel.callId, channel);
	}

	/** Forgets all of them; nobody is told. */
	clear(): void {
		this.channels.clear();
		this.byCallId.clear();
	}

	/** Does it then, where the channel still is there. @returns a handle for {@link LiveChannels.cancel} */
	later(channel: SimChannel, delayMs: number, action: () => void): unknown {
		const timer = this.options.tasks.later(delayMs, () => {
			channel.timers.delete(timer);
			if (this.channels.get(channel.id) === channel) action();
		});
		channel.timers.add(timer);
		return timer;
	}

	/** As {@link LiveChannels.later}, after a random time of this range, ms. */
	soon(channel: SimChannel, { from, to }: { from: number; to: number }, action: () => void): void {
		this.later(channel, from + this.options.random() * (to - from), action);
	}

	cancel(timer: unknown): void {
		this.options.tasks.cancel(timer);
	}

	/**
	 * Takes a channel away, and ends its call at the carrier where that has not happened.
	 * @param cause Q.850
	 * @param techCause SIP status
	 */
	end(channel: SimChannel, cause: number, techCause: number | undefined): void {
		const { events, send, endpointChanged } = this.options;
		for (const timer of channel.timers) this.cancel(timer);
		this.channels.delete(channel.id);
		this.byCallId.delete(channel.callId);
		const { contact } = channel.endpoint;
		// A CANCEL must wait for a first reply (RFC 3261, 9.1); without one the INVITE is just not repeated.
		if (contact !== undefined && channel.invited && channel.replied) {
			const kind = channel.state === "Up" ? "bye" : "cancel";
			send(contact, { kind, callId: channel.callId }, {});
		}
		Object.assign(channel.dialplan, DIALING_APP);
		events.emit(channel, "ChannelDestroyed", {
			cause,
			cause_txt: causeText(cause),
			...(techCause === undefined ? {} : { tech_cause: techCause }),
		});
		endpointChanged(channel.endpoint);
	}
}

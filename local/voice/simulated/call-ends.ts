import { causeOfStatus, dialStatusOf, statusOfCause } from "./causes.ts";
import type { SimChannel } from "./channel.ts";
import type { ChannelEvents } from "./channel-events.ts";
import type { LiveChannels } from "./live-channels.ts";

/** From a request to hang up until the channel is gone, ms. */
const HANGUP_DELAY_MS = { from: 0.3, to: 1 };

/** How ChannelHangupRequest names the reasons that are not Q.850: asked for by ARI, and Asterisk's own end. */
const BY_REQUEST = 32;
const SHUTDOWN = 4;

/** The ways in which a call ends, each with its events. */
export class CallEnds {
	private readonly live: LiveChannels;
	private readonly events: ChannelEvents;

	constructor(live: LiveChannels, events: ChannelEvents) {
		this.live = live;
		this.events = events;
	}

	/** Asked for by ARI. Harmless where it was asked for before. */
	byRequest(channel: SimChannel, cause: number): void {
		if (channel.ending) return;
		channel.ending = true;
		this.live.soon(channel, HANGUP_DELAY_MS, () => {
			this.events.emit(channel, "ChannelHangupRequest", { cause: BY_REQUEST, soft: true });
			this.here(channel, cause);
		});
	}

	/** Asterisk ends. */
	byShutdown(channel: SimChannel): void {
		this.events.emit(channel, "ChannelHangupRequest", { cause: SHUTDOWN, soft: true });
		this.here(channel, 0);
	}

	private here(channel: SimChannel, cause: number): void {
		if (channel.state === "Up") this.softly(channel);
		else this.events.emitDial(channel, dialStatusOf(cause));
		this.live.end(channel, cause, statusOfCause(cause));
	}

	/** The end of the extension, or TIMEOUT(absolute) after the answer. */
	byDialplan(channel: SimChannel): void {
		this.softly(channel);
		this.live.end(channel, 0, undefined);
	}

	/** Hangup(cause) in the dialplan. */
	byHangupLine(channel: SimChannel, cause: number): void {
		this.softly(channel);
		this.live.end(channel, cause || 16, statusOfCause(cause));
	}

	/** Our own ring time is over: no Dial event tells it, and the status is made up here. */
	byRingTime(channel: SimChannel): void {
		this.live.end(channel, 19, 480);
	}

	/** The carrier refused it. Without effect on an answered call. */
	byRefusal(channel: SimChannel, status: number): void {
		if (channel.state === "Up") return;
		const cause = causeOfStatus(status);
		this.events.emit(channel, "ChannelHangupRequest", { cause, tech_cause: status });
		this.events.emitDial(channel, dialStatusOf(cause));
		// The carrier has ended the transaction: there is nothing to cancel.
		channel.invited = false;
		this.live.end(channel, cause, status);
	}

	byFarEnd(channel: SimChannel): void {
		this.events.emit(channel, "ChannelHangupRequest", {});
		this.softly(channel);
		channel.invited = false;
		this.live.end(channel, 0, undefined);
	}

	private softly(channel: SimChannel): void {
		this.events.emit(channel, "ChannelHangupRequest", { cause: 16, soft: true });
	}
}

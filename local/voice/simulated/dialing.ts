import type { Sound } from "../carrier/audio.ts";
import type { SimOriginate } from "./asterisk-types.ts";
import type { CallEnds } from "./call-ends.ts";
import type { CallLimits } from "./call-limits.ts";
import { parseCallerId, type SimChannel } from "./channel.ts";
import type { ChannelEvents } from "./channel-events.ts";
import type { DialplanRun } from "./dialplan-run.ts";
import { DIALING_APP, type LiveChannels, type LiveChannelsOptions } from "./live-channels.ts";
import type { SipMessage } from "./network.ts";

/** A thread picks the dialing up, ms. */
const DIAL_DELAY_MS = { from: 1, to: 3 };

export interface DialingOptions extends Pick<LiveChannelsOptions, "send" | "endpointChanged"> {
	live: LiveChannels;
	events: ChannelEvents;
	ends: CallEnds;
	limits: CallLimits;
	dialplan: DialplanRun;
}

/** A call from the request to originate to its answer, and what the carrier says of it. */
export class Dialing {
	private readonly options: DialingOptions;

	constructor(options: DialingOptions) {
		this.options = options;
	}

	/** Tells of a new channel, and dials it soon. */
	begin(channel: SimChannel, request: SimOriginate): void {
		const { live, limits } = this.options;
		this.announce(channel, request);
		limits.begin(channel, request);
		live.soon(channel, DIAL_DELAY_MS, () => this.dial(channel));
	}

	private announce(channel: SimChannel, request: SimOriginate): void {
		const { events, endpointChanged } = this.options;
		endpointChanged(channel.endpoint);
		events.emit(channel, "ChannelCreated", {});
		Object.assign(channel.dialplan, DIALING_APP);
		const { app_name, app_data } = DIALING_APP;
		events.emit(channel, "ChannelDialplan", { dialplan_app: app_name, dialplan_app_data: app_data });
		Object.assign(channel.caller, parseCallerId(request.callerId ?? ""));
		if (request.callerId) {
			events.emit(channel, "ChannelCallerId", {
				caller_presentation: 0,
				caller_presentation_txt: "Presentation Allowed, Not Screened",
			});
			events.emit(channel, "ChannelConnectedLine", {});
		}
		for (const [name, value] of Object.entries(request.variables ?? {})) {
			if (!name.includes("(")) events.setVariable(channel, name, value);
		}
	}

	private dial(channel: SimChannel): void {
		const { live, events, send } = this.options;
		const { contact } = channel.endpoint;
		channel.invited = true;
		events.emitDial(channel, "");
		if (contact === undefined) return;
		const { callId, number, caller } = channel;
		send(
			contact,
			{ kind: "invite", callId, number, callerId: caller.number },
			{ wanted: () => live.ofCall(callId) !== undefined },
		);
	}

	/** A message of the carrier. */
	received(message: SipMessage, from: string): void {
		const { live, ends, send } = this.options;
		const channel = live.ofCall(message.callId);
		if (message.kind === "bye") {
			send(from, { kind: "byeOk", callId: message.callId });
			if (channel) ends.byFarEnd(channel);
			return;
		}
		if (message.kind !== "response") return;
		const { status, callId } = message;
		if (status >= 200) send(from, { kind: "ack", callId });
		if (!channel) {
			// Its INVITE was cancelled while this reply was on its way.
			if (status < 200) send(from, { kind: "cancel", callId }, {});
			else if (status < 300) send(from, { kind: "bye", callId }, {});
			return;
		}
		channel.replied = true;
		if (status === 180) this.ringing(channel);
		else if (status >= 200 && status < 300) this.answered(channel, message.audio ?? []);
		else if (status >= 300) ends.byRefusal(channel, status);
	}

	private ringing(channel: SimChannel): void {
		const { events } = this.options;
		if (channel.state !== "Down") return;
		channel.state = "Ringing";
		events.emit(channel, "ChannelStateChange", {});
		events.emitDial(channel, "RINGING");
	}

	private answered(channel: SimChannel, audio: readonly Sound[]): void {
		const { live, events, dialplan } = this.options;
		if (channel.state === "Up") return;
		channel.state = "Up";
		channel.audio = audio;
		channel.answeredAt = live.now();
		events.emit(channel, "ChannelStateChange", {});
		events.emitDial(channel, "ANSWER");
		dialplan.begin(channel);
	}
}

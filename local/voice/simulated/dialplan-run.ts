import type { SimAsteriskConfig } from "./asterisk-types.ts";
import type { CallEnds } from "./call-ends.ts";
import { ABSOLUTE, type CallLimits } from "./call-limits.ts";
import type { SimChannel } from "./channel.ts";
import type { ChannelEvents } from "./channel-events.ts";
import { findExtension, stepOf } from "./dialplan.ts";
import { DIALING_APP, type LiveChannels } from "./live-channels.ts";

export interface DialplanRunOptions {
	/** As it stands whenever a line is run. */
	config: Readonly<SimAsteriskConfig>;
	live: LiveChannels;
	events: ChannelEvents;
	ends: CallEnds;
	limits: CallLimits;
}

/** Runs the dialplan of answered calls. */
export class DialplanRun {
	private readonly options: DialplanRunOptions;

	constructor(options: DialplanRunOptions) {
		this.options = options;
	}

	/** From where the request to originate said. */
	begin(channel: SimChannel): void {
		const { context, extension, priority } = channel.then;
		const lines = findExtension(this.options.config.dialplan, context, extension);
		channel.dialplan = { context, exten: extension, priority, ...DIALING_APP };
		channel.lines = lines?.slice(priority - 1) ?? [];
		this.goOn(channel);
	}

	/** Runs lines until one takes time or ends the call. */
	private goOn(channel: SimChannel): void {
		const { config, live, events, ends, limits } = this.options;
		for (let line = channel.lines.shift(); line; line = channel.lines.shift()) {
			const step = stepOf(line, (name) => channel.variables.get(name));
			channel.dialplan.app_name = step.app;
			channel.dialplan.app_data = step.data;
			events.emit(channel, "ChannelDialplan", { dialplan_app: step.app, dialplan_app_data: step.data });
			if (step.kind === "hold") return;
			if (step.kind === "hangup") {
				ends.byHangupLine(channel, step.cause);
				return;
			}
			if (step.kind === "set" && step.name === ABSOLUTE) limits.absolute(channel, Number(step.value));
			// Other functions have no effect here.
			else if (step.kind === "set" && !step.name.includes("(")) events.setVariable(channel, step.name, step.value);
			const playMs = step.kind === "play" ? config.soundMs(step.sound) : undefined;
			const takesMs = step.kind === "wait" ? step.ms : (playMs ?? 0);
			const after = (): void => {
				if (step.kind === "play")
					events.setVariable(channel, "PLAYBACKSTATUS", playMs === undefined ? "FAILED" : "SUCCESS");
				channel.dialplan.priority += 1;
			};
			if (takesMs > 0) {
				live.later(channel, takesMs, () => {
					after();
					this.goOn(channel);
				});
				return;
			}
			after();
		}
		ends.byDialplan(channel);
	}
}
